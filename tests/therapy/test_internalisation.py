"""Cells take in the antibody on their PD-L1: much of a low dose, little of a high one."""

import numpy as np
import pytest
from support import hours, tissue

from tme.config import ConfigError
from tme.model import TumourModel

KEPT = ("oxygen", "ifng", "cxcl")


def treated(mg_kg, pdl1=0.8, name="anti_pdl1", receptors=None, also=(), **changes):
    """A tissue whose tumour cells carry that much PD-L1, and a dose on day 0; `receptors` per cell where not the library's."""
    if receptors is not None:
        changes[f"entries__antibodies__{name}"] = {"sink": {"receptors": receptors}}
    given = [{"name": n, "dose_mg_kg": dose, "day": 0} for n, dose in ((name, mg_kg), *also)]
    constant = {"pdl1_base": pdl1, "pdl1_answering": 0, "pdl1_constitutive": 0}
    return tissue("a", arms={"a": {"antibodies": given}}, mechanisms__ifng_response=constant, **changes)


def level(model, name="anti_pdl1"):
    """Mean level of the antibody at tumour cells, nM."""
    return model.fields[name].at(model.tumour.col.voxel[: model.tumour.n]).mean()


@pytest.mark.mechanism("M80")
def test_a_tumour_rich_in_pdl1_leaves_less_of_a_low_dose_than_a_poor_one():
    none, poor, rich = (level(hours(treated(0.1, x, receptors=r), 12)) for x, r in ((0.8, 0), (0.05, None), (0.8, None)))
    assert rich < 0.8 * poor < 0.8 * none


@pytest.mark.mechanism("M80")
def test_a_low_dose_covers_less_pdl1_than_it_would_if_cells_took_none_in():
    free = {r: (m.tumour.pdl1_free / m.tumour.pdl1)[: m.tumour.n].mean() for r in (0, 30000) for m in [hours(treated(0.1, receptors=r), 12)]}
    assert free[30000] > 1.2 * free[0]


@pytest.mark.mechanism("M80")
def test_a_high_dose_saturates_what_cells_can_take_in():
    lost = {dose: 1.0 - level(hours(treated(dose), 12)) / level(hours(treated(dose, receptors=0), 12)) for dose in (0.1, 10)}
    assert lost[0.1] > 0.3 and 0.0 < lost[10] < 0.03


def test_host_cells_take_it_in_where_the_axis_reckons_them():
    left = {host: level(hours(treated(0.1, 0.0, receptors__pd1={"host": host}), 12)) for host in (True, False)}
    assert left[True] < left[False]


def test_corpses_take_nothing_in():
    model = treated(0.1, receptors__pd1={"host": False})
    model.tumour.col.state[: model.tumour.n] = 1
    sink = model.mechanism("internalisation")
    while not model.due("anti_pdl1"):
        model.tick += 1
    sink.step(model)
    assert not model.fields["anti_pdl1"].on_solver_grid.vmax.any()
    model.tumour.col.state[: model.tumour.n] = 0
    sink.step(model)
    assert model.fields["anti_pdl1"].on_solver_grid.vmax.sum() > 0.0


def test_the_greatest_loss_is_the_molecules_on_all_cells_times_the_rate_of_uptake():
    model = hours(treated(0.1, 0.5, receptors__pd1={"host": False}), 1)
    while not model.due("anti_pdl1"):
        model.step()
    model.mechanism("internalisation").step(model)
    solved, t = model.fields["anti_pdl1"].on_solver_grid, model.tumour
    molecules = solved.vmax.sum() * solved.grid.voxel_um3 * 1e-24 * 6.022e23  # nM um^3 is 1e-24 mol
    assert molecules == pytest.approx(30000 * 0.003 * t.pdl1[: t.n][t.state[: t.n] == 0].sum(), rel=1e-3)


def test_another_antibody_on_the_same_ligand_spares_it():
    alone, beside = (level(hours(treated(0.1, also=also), 12)) for also in ((), (("durvalumab", 20),)))
    assert beside > 1.2 * alone


def test_a_level_near_nothing_stays_positive():
    model = hours(treated(1e-6, 1.0, receptors=200000), 12)
    c = model.fields["anti_pdl1"].concentration
    assert (c >= 0.0).all() and c.max() > 0.0


def test_without_receptors_there_is_no_sink_and_the_tumour_is_as_without_the_key():
    with_key, without = treated(1, receptors=0), treated(1)
    assert "internalisation" not in [m.name for m in with_key._entries]
    assert with_key.fields["anti_pdl1"].on_solver_grid.vmax is None and without.fields["anti_pdl1"].on_solver_grid.vmax is not None
    other = tissue("a", arms={"a": {"antibodies": [{"name": "anti_pd1", "dose_mg_kg": 1, "day": 0}]}})
    assert "internalisation" not in [m.name for m in other._entries]


def test_a_run_goes_on_from_its_state_bit_for_bit():
    model = hours(treated(0.1), 3)
    model.step()  # between two solves of the antibody
    again = TumourModel.from_state(model.config, model.state_dict(), arm="a", seed=1)
    for m in (model, again):
        hours(m, 2)
    assert all(np.array_equal(model.fields[n].concentration, again.fields[n].concentration) for n in ("anti_pdl1", *KEPT))


@pytest.mark.parametrize(("name", "words"), [("anti_pd1", "pd1 is no ligand that is met in tissue"), ("anti_ifng", "a soluble factor takes no antibody in")])
def test_a_sink_on_what_is_no_ligand_is_refused(name, words):
    number = {"value": 1, "unit": "1", "source": "assumed: test"}
    sink = {"receptors": number, "internalised_per_min": {**number, "unit": "1/min"}}
    with pytest.raises(ConfigError, match=words):
        treated(1, name=name, **{f"entries__antibodies__{name}": {"sink": sink}})
