"""Patches of the tissue, clones of the user's own, measured traits and states: what the start is, and what becomes of it."""

import numpy as np
import pytest
from support import DISH, TISSUE, config_of, small_model

from tme.config import ConfigError
from tme.config.schema import CELL_TRAITS, RELAXING, STATES
from tme.library import load_library
from tme.mechanisms.division import DRIFTING, VARIED
from tme.model import TumourModel
from tme.pathways import all_columns
from tme.populations.tumour import Tumour

NODULE = {"kind": "nodule", "n_cells": 250}
MINE = {"mine": {"share": 0, "fsp1": 6, "antigenicity": 0.2}}
HERE = {"shape": "disc", "centre_um": [260, 260], "radius_um": 80}


def regions(*items, base=NODULE, **changes):
    """A tissue whose start has these regions."""
    bare = {k: v for k, v in TISSUE.items() if k != "initial"}
    return small_model(bare | {"initial": {"kind": "regions", "base": base, "regions": list(items)}}, **changes)


def distance(model):
    """Of each tumour cell from the centre of the domain, um."""
    x, y, _z = model.lattice.position_um(model.tumour.voxel)
    return np.hypot(x - 260, y - 260)


def test_names_of_traits_and_states_are_columns_of_the_tumour():
    columns = {c.name for c in (*Tumour.columns, *all_columns("tumour", load_library().cells))}
    assert {*CELL_TRAITS, *STATES} <= columns
    assert RELAXING == VARIED
    assert {*CELL_TRAITS} == {*VARIED, *DRIFTING, "mufa"}


def test_a_disc_has_its_traits_and_the_rest_is_untouched():
    plain, patched = small_model(), regions({**HERE, "traits": {"acsl4": 0.3}})
    inside = distance(plain) <= 80
    assert 0 < inside.sum() < plain.tumour.n
    assert np.allclose(patched.tumour.acsl4[inside], 0.3 * plain.tumour.acsl4[inside], rtol=1e-14)
    assert np.array_equal(patched.tumour.acsl4[~inside], plain.tumour.acsl4[~inside])
    assert np.array_equal(patched.tumour.uid, plain.tumour.uid)


@pytest.mark.parametrize(
    ("region", "inside"),
    [
        ({"shape": "band", "axis": "x", "from_um": 200, "to_um": 260}, lambda x, y: (x >= 200) & (x < 260)),
        ({"shape": "box", "centre_um": [300, 240], "size_um": [80, 40]}, lambda x, y: (abs(x - 300) < 40) & (abs(y - 240) < 20)),
    ],
)
def test_bands_and_boxes_lie_where_they_say(region, inside):
    plain, patched = small_model(), regions({**region, "traits": {"tfr1": 2}})
    x, y, _z = plain.lattice.position_um(plain.tumour.voxel)
    changed = patched.tumour.tfr1 != plain.tumour.tfr1
    assert np.array_equal(changed, inside(x, y)) and changed.any()


def test_a_region_is_of_the_users_clone_and_the_series_counts_it():
    model = regions({**HERE, "clone": "mine"}, tumour__clones=MINE)
    inside = distance(model) <= 80
    plain = small_model(tumour__clones=MINE)
    code = model.config.clone_names().index("mine")
    assert np.array_equal(model.tumour.clone == code, inside)
    was = plain.tumour.clone[inside]
    old = np.where(was == plain.config.clone_names().index("fsp1_high"), 6.0, 1.0)
    assert np.allclose(model.tumour.fsp1[inside], plain.tumour.fsp1[inside] * 6 / old)
    assert np.allclose(model.tumour.antigenicity[inside], 0.2 * plain.tumour.antigenicity[inside])
    assert model.observe()["clone_mine_share"] == pytest.approx(inside.mean())
    assert set(np.unique(model.cells_table()["clone"])) == {*model.config.clone_names(), ""}


def test_a_clone_of_the_users_has_its_share_of_the_founders_and_breeds_true():
    clones = {"fsp1_high": None, "nrf2_high": None, "acsl4_low": None, "hidden": {"share": 0.5, "antigenicity": 0.1, "xct": 3}}
    model = small_model(tumour__clones={**{k: {"share": 0} for k in ("fsp1_high", "nrf2_high", "acsl4_low")}, "hidden": clones["hidden"]},
                        mechanisms__division={"k_div": 0.01}, mechanisms__death={"k_apo": 0}, horizon_day=1)  # fmt: skip
    t = model.tumour
    code = model.config.clone_names().index("hidden")
    assert 0.4 < (t.clone == code).mean() < 0.6
    for _ in range(240):
        model.step()
    mine, rest = t.clone == code, (t.clone != code)
    born = t.born_tick > 0
    assert (mine & born).sum() > 20 < (rest & born).sum()
    assert t.antigenicity[mine & born].mean() < 0.2 * t.antigenicity[rest & born].mean()
    assert t.xct[mine & born].mean() > 2 * t.xct[rest & born].mean()


def test_regions_clear_fill_and_bring_immune_cells_in_order():
    hole = {**HERE, "cells": "none"}
    model = regions(hole)
    assert (distance(model) > 80).all() and model.tumour.n < 250
    again = regions(hole, {**HERE, "cells": "tumour"})
    assert again.tumour.n == 250 and len(np.unique(again.tumour.uid)) == 250
    cells = regions({**HERE, "cells": "cd8", "share": 0.5}, populations={"cd8": {"per_mm2": 0}})
    x, y, _z = cells.lattice.position_um(cells.cd8.voxel)
    assert cells.cd8.n > 10 and (np.hypot(x - 260, y - 260) <= 80).all()
    half = regions({**hole, "share": 0.5})
    assert model.tumour.n < half.tumour.n < 250


def test_a_state_of_a_region_starts_off_its_steady_level_and_returns():
    plain, patched = regions({**HERE, "traits": {"mufa": 0}}), regions({**HERE, "states": {"gsh": 0.2, "pdl1": 50}})
    inside = distance(patched) <= 80
    assert np.allclose(patched.tumour.gsh[inside], 0.2 * plain.tumour.gsh[inside])
    assert np.array_equal(patched.tumour.gsh[~inside], plain.tumour.gsh[~inside])
    assert (patched.tumour.pdl1[inside] == 1.0).all()
    uid = patched.tumour.uid[inside]
    for _ in range(600):
        patched.step()
    alive = np.isin(patched.tumour.uid, uid) & (patched.tumour.state == 0)
    assert alive.any() and np.median(patched.tumour.gsh[alive]) > 0.5 * np.median(plain.tumour.gsh[inside])


def test_states_keep_their_cells_when_a_later_region_clears_some():
    order = [{**HERE, "states": {"gsh": 0.2}}, {"shape": "band", "axis": "x", "from_um": 0, "to_um": 260, "cells": "none"}]
    model, plain = regions(*order), regions({**HERE, "traits": {"mufa": 0}}, order[1])
    inside = distance(model) <= 80
    assert inside.any() and np.array_equal(model.tumour.uid, plain.tumour.uid)
    ratio = model.tumour.gsh / plain.tumour.gsh
    assert np.allclose(ratio[inside], 0.2) and np.allclose(ratio[~inside], 1.0)


# ---- measured columns ---------------------------------------------------------------------------------
def table(tmp_path, n=12):
    """A grid of cells with a marker that rises from left to right."""
    lines = ["x,y,type,marker"] + [f"{40 * i},{40 * j},T,{1 + i}" for i in range(n) for j in range(n)]
    path = tmp_path / "cells.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def measured(tmp_path, rule, **changes):
    """A tissue of measured cells."""
    start = {"kind": "cells", "file": table(tmp_path), "columns": {"x": "x", "y": "y", "type": "type"}, "types": {"T": "tumour"}, "traits": {"marker": rule}}
    bare = {k: v for k, v in TISSUE.items() if k not in ("initial", "populations")}
    return small_model(bare | {"initial": start}, tumour__cv=0, tumour__clones={c: {"share": 0} for c in ("fsp1_high", "nrf2_high", "acsl4_low")}, **changes)


def test_a_measured_column_may_set_any_trait_or_the_start_of_a_state(tmp_path):
    marker = np.repeat(np.arange(1, 13), 12)
    ratio = np.clip(marker / np.median(marker), 0.25, 4)
    antigen = measured(tmp_path, {"trait": "antigenicity"}, tumour__antigenicity_cv=0)
    assert np.allclose(antigen.tumour.antigenicity, ratio * antigen.tumour.antigenicity[0] / ratio[0])
    steady = measured(tmp_path, {"trait": "antigenicity"})
    scaled = measured(tmp_path, {"state": "gsh"})
    assert np.allclose(scaled.tumour.gsh, ratio * steady.tumour.gsh)
    absolute = measured(tmp_path, {"state": "pufa", "absolute": True})
    assert np.array_equal(absolute.tumour.pufa, marker)


@pytest.mark.parametrize(("kept", "lost"), [(True, 0.01), (0.5, 0.5), (False, 0.3)])
def test_daughters_keep_a_measured_trait_as_far_as_the_config_says(tmp_path, kept, lost):
    """The share of a mother's deviation (log) that her daughter lacks; without drift it is 1 - memory."""
    model = measured(tmp_path, {"trait": "acsl4", "daughters_keep": kept}, tumour__drift_per_division=0,
                     mechanisms__division={"k_div": 0.01}, mechanisms__death={"k_apo": 0})  # fmt: skip
    line = np.log(model.config.library.tumour("b16_like").traits["acsl4"].value)  # the deviation is from the line's level
    mothers = np.log(np.unique(model.tumour.acsl4)) - line
    for _ in range(10):
        model.step()
    t = model.tumour
    deviation = np.log(t.acsl4) - line
    first = (t.born_tick > 0) & (abs(deviation) > 1e-12)
    assert first.sum() > 5
    left = 1 - lost if kept is not True else 1.0
    gaps = np.abs(deviation[first][:, None] - left * mothers).min(axis=1)
    assert gaps.max() < 1e-9


def test_what_daughters_keep_of_other_traits_is_as_before(tmp_path):
    def xct(kept):
        rule = {"trait": "acsl4", "daughters_keep": kept}
        model = measured(tmp_path, rule, mechanisms__division={"k_div": 0.01})
        for _ in range(60):
            model.step()
        return model.tumour.xct.copy()

    assert np.array_equal(xct(True), xct(None))


# ---- faults -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("region", "key", "words"),
    [
        ({"shape": "disk", "centre_um": [1, 1], "radius_um": 3, "traits": {"xct": 2}}, "initial.regions.0", "did you mean 'disc'"),
        ({**HERE, "traits": {"acsl": 2}}, "initial.regions.0.traits.acsl", "did you mean 'acsl4'"),
        ({**HERE, "radius": 3, "traits": {"xct": 2}}, "initial.regions.0.radius", "did you mean 'radius_um'"),
        ({**HERE, "clone": "fsp1_hi"}, "initial.regions.0.clone", "did you mean 'fsp1_high'"),
        ({**HERE}, "initial.regions.0", "changes nothing"),
        ({**HERE, "centre_um": [1, 1, 1], "clone": "fsp1_high"}, "initial.regions.0.centre_um", "has 3 coordinates"),
        ({"shape": "band", "axis": "z", "from_um": 0, "to_um": 5, "clone": "fsp1_high"}, "initial.regions.0.axis", "two dimensions"),
        ({"shape": "band", "axis": "x", "from_um": 9, "to_um": 5, "clone": "fsp1_high"}, "initial.regions.0.to_um", "beyond"),
        ({**HERE, "cells": "cd8", "clone": "fsp1_high"}, "initial.regions.0.cells", "tumour cells"),
        ({**HERE, "traits": {"nrf2": 2}, "daughters_keep": 0.5}, "initial.regions.0.daughters_keep", "wholly"),
        ({**HERE, "clone": "fsp1_high", "daughters_keep": True}, "initial.regions.0.daughters_keep", "concerns traits"),
    ],
)  # fmt: skip
def test_a_faulty_region_is_refused_by_its_key(region, key, words):
    with pytest.raises(ConfigError) as caught:
        config_of({k: v for k, v in TISSUE.items() if k != "initial"} | {"initial": {"kind": "regions", "base": NODULE, "regions": [region]}})
    assert [f.key for f in caught.value.faults] == [key]
    assert words in str(caught.value)


def test_a_measured_rule_sets_one_thing_and_what_daughters_keep_is_said_once():
    rules = {"a": {}, "b": {"trait": "xct", "state": "gsh"}, "c": {"trait": "xct", "absolute": True}}
    start = {"kind": "cells", "file": "nowhere.csv", "columns": {"x": "x", "y": "y", "type": "t"}, "types": {"T": "tumour"}, "traits": rules}
    with pytest.raises(ConfigError) as caught:
        config_of({**TISSUE, "initial": start})
    assert {f.key for f in caught.value.faults} == {"initial.file", *(f"initial.traits.{k}" for k in "ab"), "initial.traits.c.absolute"}
    twice = [{**HERE, "traits": {"xct": 2}, "daughters_keep": k} for k in (True, 0.5)]
    with pytest.raises(ConfigError, match="one value for xct"):
        config_of({**DISH, "domain": {"size_um": [520, 520]}, "initial": {"kind": "regions", "base": NODULE, "regions": twice}})


def test_a_resumed_model_with_regions_goes_on_bit_for_bit():
    model = regions({**HERE, "states": {"gsh": 0.3}, "clone": "mine"}, tumour__clones=MINE)
    for _ in range(5):
        model.step()
    copy = TumourModel.from_state(model.config, model.state_dict(), seed=1)
    for m in (model, copy):
        for _ in range(5):
            m.step()
    assert np.array_equal(copy.tumour.gsh, model.tumour.gsh) and np.array_equal(copy.tumour.clone, model.tumour.clone)
