"""Frames: what goes in comes out, to the step that the header tells; cells are followed through snapshots."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from tme.kernels.rng import child_uid
from tme.readouts.tables import TUMOUR
from tme.viz.files import read_uids
from tme.viz.viewer import frames, labels, live, tracks

RNG = np.random.default_rng(5)
HOSTILE = "</script><img src=x onerror=alert(1)>"


def some_cells(n=400, nx=30):
    rng = np.random.default_rng(5)  # the same cells in every test, whichever ran before
    place = rng.choice(nx * nx, n, replace=False)
    return {
        "x": (place % nx + 0.5) * 15.0, "y": (place // nx + 0.5) * 15.0, "z": np.full(n, 7.5),
        "cell_type": np.array(["tumour", "cd8", HOSTILE], dtype=object)[rng.integers(0, 3, n)],
        "fate": np.array(["alive", "ferroptosis", ""], dtype=object)[rng.integers(0, 3, n)],
        "gsh": rng.normal(1500, 200, n), "plooh": rng.lognormal(0, 3, n), "exhaustion": np.where(rng.random(n) < 0.5, np.nan, rng.random(n)),
        "empty": np.full(n, np.nan), "uid": np.arange(n),
    }  # fmt: skip


def back_in_order(cells):
    return np.lexsort([cells[a] for a in "xyz"])


@pytest.mark.parametrize("levels", [30, 254, 65534])
def test_a_frame_gives_back_cells_to_half_a_step(levels):
    cells = some_cells()
    raw = frames.make(cells, {}, {}, 15.0, {"arm": HOSTILE, "hour": 24.0}, np.arange(400), frames.Detail(levels=levels))
    header, found, _ = frames.read(raw)
    order = back_in_order(cells)
    assert header["n"] == 400 and header["arm"] == HOSTILE and "empty" not in found
    for name in ("x", "y", "z", "cell_type", "fate"):
        assert (found[name] == cells[name][order]).all(), name
    assert (found["track"] == order).all()
    assert np.abs(found["gsh"] - cells["gsh"][order]).max() <= np.ptp(cells["gsh"]) / (levels - 1) / 2 + 1e-9
    assert (np.isnan(found["exhaustion"]) == np.isnan(cells["exhaustion"][order])).all()


def test_a_quantity_over_many_decades_is_kept_in_equal_ratios():
    cells = some_cells()
    header, found, _ = frames.read(frames.make(cells, {}, {}, 15.0, {}, None, frames.Detail(levels=254)))
    column = next(c for c in header["columns"] if c["name"] == "plooh")
    step = (column["high"] / column["low"]) ** (1 / 252)
    true = cells["plooh"][back_in_order(cells)]
    kept = true >= column["low"]
    assert column["log"] and kept.mean() > 0.95
    assert np.abs(np.log(found["plooh"][kept] / true[kept])).max() <= np.log(step) / 2 + 1e-6


@pytest.mark.parametrize("shape", [(1, 20, 30), (6, 20, 30)])
def test_fields_come_back_in_their_shape_and_thinned_by_a_whole_step(shape):
    field = np.add.outer(np.arange(shape[0]), np.add.outer(np.arange(20.0), np.arange(30.0) * 2))
    cells = {a: np.array([7.5]) for a in "xyz"}
    _, _, found = frames.read(frames.make(cells, {"o": field, "none": np.zeros(shape)}, {"o": "mmHg"}, 15.0, {}, None, frames.Detail(levels=65534)))
    assert found["o"].shape == shape and np.abs(found["o"] - field).max() < 0.01 and (found["none"] == 0).all()
    header, _, thin = frames.read(frames.make(cells, {"o": field}, {"o": "mmHg"}, 15.0, {}, None, frames.Detail(levels=65534, across=10)))
    assert header["fields"][0]["stride"] == 3 and header["fields"][0]["unit"] == "mmHg"
    assert np.abs(thin["o"] - field[min(1, shape[0] - 1) :: 3, 1::3, 1::3]).max() < 0.01


def test_places_between_voxels_are_kept_to_a_fraction_of_a_micrometre():
    cells = {"x": RNG.random(50) * 900, "y": RNG.random(50) * 900, "z": np.zeros(50)}
    _, found, _ = frames.read(frames.make(cells, {}, {}, 15.0, {}))
    order = back_in_order(cells)
    assert max(np.abs(found[a] - cells[a][order]).max() for a in "xyz") < 0.02


def test_a_tissue_without_cells_is_a_frame_too():
    header, found, _ = frames.read(frames.make({a: np.zeros(0) for a in "xyz"}, {}, {}, 15.0, {}))
    assert header["n"] == 0 and found["x"].size == 0


def test_the_header_is_json_without_nan_whatever_the_values():
    cells = {**{a: np.array([7.5, 22.5]) for a in "xyz"}, "bad": np.array([np.inf, 1.0]), "flag": np.array([True, False])}
    header, found, _ = frames.read(frames.make(cells, {"f": np.full((1, 3, 3), np.nan)}, {}, 15.0, {}))
    json.dumps(header, allow_nan=False)
    assert np.isnan(found["bad"][0]) and header["fields"] == []


def test_daughters_have_the_uid_that_the_model_gives_them():
    mothers, k = RNG.integers(1, 2**63, 100).astype(np.uint64), RNG.integers(1, 9, 100)
    told = np.array([child_uid(m, np.int64(n)) for m, n in zip(mothers, k)], np.uint64)
    assert (tracks.child(mothers, k) == told).all()
    assert (tracks._unmix(tracks._mix(mothers)) == mothers).all()


def test_mothers_are_found_also_over_a_generation_that_no_snapshot_saw():
    founder = np.array([12345678901], np.uint64)
    daughter = tracks.child(founder, np.array([2]))
    unseen = tracks.child(daughter, np.array([1]))
    grandchild = tracks.child(unseen, np.array([3]))
    number, uids = tracks.numbers([founder, np.concatenate([daughter, founder]), np.concatenate([grandchild, np.array([99], np.uint64)])])
    mother, generations = tracks.mothers(uids)
    assert [n.tolist() for n in number] == [[0], [1, 0], [2, 3]]
    assert mother.tolist() == [-1, 0, 1, -1] and generations.tolist() == [0, 1, 2, 0]


def test_a_later_snapshot_leaves_the_numbers_of_the_others_as_they_are():
    uids = [RNG.integers(1, 2**63, 50).astype(np.uint64) for _ in range(3)]
    few, all_ = tracks.numbers(uids[:2])[0], tracks.numbers(uids)[0]
    assert all((a == b).all() for a, b in zip(few, all_))


def test_the_live_picture_of_a_running_simulation_is_a_frame(tmp_path):
    from tme.experiments.frame import write_frame

    cells = {"x_um": np.array([10.0, 50.0]), "y_um": np.array([10.0, 30.0]), "z_um": np.zeros(2),
             "cell_type": np.array(["tumour", "cd8"]), "fate": np.array(["ferroptosis", "alive"])}  # fmt: skip
    oxygen = np.linspace(0, 40, 12).reshape(1, 3, 4)
    write_frame(tmp_path / "frame.bin", cells, {"oxygen": oxygen}, {"oxygen": "mmHg"}, 20.0, {"hour": 7.25, "arm": "a", "replicate": 0})
    assert live.hour_of(tmp_path / "frame.bin") == 7.25
    _header, found, fields = frames.read(live.convert(tmp_path / "frame.bin", {"hour": 7.25}, frames.Detail(levels=254)))
    assert list(found["cell_type"]) == ["tumour", "cd8"] and list(found["fate"]) == ["ferroptosis", "alive"]
    assert found["x"].tolist() == [10.0, 50.0] and np.abs(fields["oxygen"] - oxygen).max() < 0.2
    (tmp_path / "frame.bin").write_bytes(b"TMEFRAM1\xff")
    assert live.hour_of(tmp_path / "frame.bin") is None


def test_snapshots_hold_the_ten_chemical_states_that_a_click_shows():
    assert len(labels.STATES) == 10 and set(labels.STATES) <= set(TUMOUR)
    assert all(labels.column(name)["group"] == "chemical state" and labels.column(name)["unit"] for name in labels.STATES)


@pytest.mark.parametrize(
    ("kept", "read"),
    [(["7", "18446744073709551615"], [7, 2**64 - 1]), (["a", "7"], None), (["-1", "7"], None), ([""], None), ([3, 4], [3, 4])],
)
def test_uids_are_read_to_the_last_digit_or_not_at_all(tmp_path, kept, read):
    with h5py.File(tmp_path / "cells_0.h5ad", "w") as file:
        file["obs/uid"] = np.array(kept, dtype=object if isinstance(kept[0], str) else np.uint64)
    found = read_uids(tmp_path / "cells_0.h5ad")
    assert (found is None) if read is None else (found.tolist() == read and found.dtype == np.uint64)
