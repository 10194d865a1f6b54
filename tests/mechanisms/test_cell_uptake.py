"""What entries of cell types take up of fields is added to what laws of their own take, once a solve."""

from __future__ import annotations

import numpy as np
import pytest
from support import by_uid_of, hours, tissue

from tme.core.mechanism import Mechanism, Phase
from tme.model import TumourModel

ROOM = {"domain__immune_per_voxel": 4}
HEARD = {"fields__lactate": {"clock_min": 20}}  # an optional field is there where the config names it


def number(value, unit):
    return {"value": value, "unit": unit, "source": "assumed: test"}


def takes_up(cells, *items):
    """A cell type that takes these up."""
    return {f"entries__cells__{cells}__takes_up": list(items)}


def saturating(field, most, unit, **half):
    return {"field": field, "most": number(most, unit), **half}


def linear(field, rate):
    return {"field": field, "rate": number(rate, "1/min")}


def term(model, field, name):
    """A term of a field where it is solved."""
    return getattr(model.fields[field].on_solver_grid, name)


def share_where(model, cells):
    """Mean number of living cells of a type, by voxel."""
    population = model.populations[cells]
    alive = population.state[: population.n] == 0 if "state" in population.declared else slice(None)
    return np.bincount(population.voxel[: population.n][alive], minlength=model.grid.n_voxels)


# ---- ordinary fields ---------------------------------------------------------------------------------------------
def test_oxygen_of_fibroblasts_comes_on_top_of_the_background_and_does_not_pile_up():
    caf = {"populations__caf": {"share": 0.2}}
    plain, taking = hours(tissue(**caf), 3), hours(tissue(**caf, **takes_up("caf", saturating("oxygen", 300, "mmHg/min"))), 3)
    there = share_where(taking, "caf").astype(bool)
    background = 300.0 * 0.3
    assert np.allclose(term(taking, "oxygen", "vmax")[there], background + 300.0)
    assert np.allclose(term(plain, "oxygen", "vmax")[there], background)
    oxygen = [m.fields["oxygen"].at(np.flatnonzero(there)).mean() for m in (taking, plain)]
    assert oxygen[0] < 0.95 * oxygen[1], oxygen


def test_normal_cells_and_tumour_cells_draw_on_one_cystine():
    normal = {"populations__normal": {"share": 0.5}}
    plain, taking = hours(tissue(**normal), 2), hours(tissue(**normal, **takes_up("normal", saturating("cystine", 20, "uM/min"))), 2)
    n = plain.tumour.n
    assert taking.fields["cystine"].concentration.mean() < 0.9 * plain.fields["cystine"].concentration.mean()
    assert taking.tumour.cysteine[:n].mean() < plain.tumour.cysteine[:n].mean()


def test_two_types_and_a_law_add_to_one_uptake_in_every_solve_anew():
    """IFN-gamma: the tissue's own uptake, that of Tregs and that of fibroblasts, several solves on."""
    own = {**takes_up("treg", saturating("ifng", 0.5, "ng/mL/min")), "populations__caf": {"share": 0.2},
           "entries__cells__caf__takes_up": [saturating("ifng", 0.25, "ng/mL/min")]}  # fmt: skip
    plain, model = hours(tissue(populations__caf={"share": 0.2}), 1), tissue(**own)
    still = {"treg": model.treg.voxel[: model.treg.n].copy()}
    before = term(model, "ifng", "vmax") - term(tissue(populations__caf={"share": 0.2}), "ifng", "vmax")
    assert np.allclose(before, 0.5 * np.bincount(still["treg"], minlength=model.grid.n_voxels) + 0.25 * share_where(model, "caf"))
    while model.tick < plain.tick - 1:  # to the tick in which the sinks for the solve at the hour are written
        model.step()
    added = term(model, "ifng", "vmax") - term(plain, "ifng", "vmax")
    assert np.allclose(added.sum(), 0.5 * model.treg.n + 0.25 * share_where(model, "caf").sum())


def test_a_field_that_only_entries_take_from_is_emptied_at_the_rate_they_say():
    """Suppression has no law of uptake: its loss begins at 0 in each solve."""
    plain, taking = hours(tissue(), 4), hours(tissue(**takes_up("macrophage", linear("suppression", 0.2))), 4)
    assert taking.fields["suppression"].concentration.mean() < 0.8 * plain.fields["suppression"].concentration.mean()
    loss = term(taking, "suppression", "loss")
    assert plain.fields["suppression"].on_solver_grid.loss is None
    wide = taking.grid.n_voxels / loss.size  # the mean over wider voxels
    assert loss.sum() * wide == pytest.approx(0.2 * taking.macrophage.n, rel=0.1)


def test_an_uptake_saturates_at_the_level_it_says():
    """A level far above `half` is taken up at `most`, whatever it is; far below it the uptake is linear."""
    def rate_at(level):
        own = {"fields__lactate": {"initial": level, "vessel_exchange": 0, "mode": "backward_euler", "clock_min": 1}, "populations__caf": {"share": 1.0},
               "entries__cells__tumour__secretes": [], "clocks__field_tol": 1e-8}  # fmt: skip
        model = tissue(**own, **takes_up("caf", saturating("lactate", 0.05, "mM/min", half=number(1, "mM"))))
        before = model.fields["lactate"].concentration.sum()
        for _ in range(5):
            model.step()
        return (before - model.fields["lactate"].concentration.sum()) / 5 / share_where(model, "caf").sum()

    assert rate_at(40.0) == pytest.approx(0.05 * 40 / 41, rel=0.02)
    assert rate_at(20.0) == pytest.approx(0.05 * 20 / 21, rel=0.02)
    assert rate_at(0.02) == pytest.approx(0.05 * 0.02 / 1.02, rel=0.2)


def test_dead_cells_take_up_nothing():
    model = tissue(populations__caf={"share": 0.2}, **takes_up("caf", saturating("oxygen", 100, "mmHg/min")))
    model.caf.col.state[: model.caf.n] = 3
    model.caf.col.death_tick[: model.caf.n] = 0
    hours(model, 1)
    where = model.caf.voxel[: model.caf.n]
    assert np.allclose(term(model, "oxygen", "vmax")[where], 300.0 * 0.3)


# ---- optional fields ---------------------------------------------------------------------------------------------
def test_an_optional_field_that_nobody_hears_costs_nothing_and_changes_nothing():
    """Secretion into it and uptake from it are left out alike."""
    own = {"populations__caf": {"share": 0.1}, "entries__cells__caf__secretes": [{"field": "lactate", "rate": number(1, "mM/min")}], **takes_up("caf", linear("lactate", 0.1))}
    silent, plain = hours(tissue(**own), 1), hours(tissue(populations__caf={"share": 0.1}, entries__cells__caf__secretes=[]), 1)
    assert "lactate" not in silent.fields and "cell_uptake" not in {e.name for e in silent.plan.entries}
    a, b = by_uid_of(silent), by_uid_of(plain)
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_fibroblasts_take_up_the_lactate_that_tumour_cells_make():
    own = {**HEARD, "populations__caf": {"share": 0.2}}
    plain, taking = hours(tissue(**own), 4), hours(tissue(**own, **takes_up("caf", linear("lactate", 1.0))), 4)
    assert taking.fields["lactate"].concentration.mean() < 0.9 * plain.fields["lactate"].concentration.mean()


# ---- how it is added up ------------------------------------------------------------------------------------------
class Binds(Mechanism):
    """A law of the user's that adds to a loss which nobody writes."""

    name = "binds"
    phase = Phase.SECRETE
    adds = ("field.suppression.loss",)

    def step(self, model):
        if model.due("suppression"):
            model.fields["suppression"].add_to_term("loss", np.full(model.grid.n_voxels, 0.01), 1.0)


def test_what_a_law_adds_to_a_loss_is_counted_anew_in_every_solve():
    base = tissue()
    model = hours(TumourModel(base.config, seed=1, arm="control", plugins=(Binds,)), 3)
    assert np.allclose(term(model, "suppression", "loss"), 0.01)


def test_a_model_in_which_cells_take_up_goes_on_from_a_checkpoint_bit_for_bit():
    own = {"populations__caf": {"share": 0.2}, **HEARD, **ROOM,
           **takes_up("caf", saturating("oxygen", 50, "mmHg/min"), linear("lactate", 0.1), saturating("suppression", 0.01, "a.u./min", half=number(1, "a.u.")))}  # fmt: skip
    one = hours(tissue(**own), 1.5)
    two = TumourModel.from_state(one.config, one.state_dict(), seed=1)
    hours(one, 2), hours(two, 2)
    a, b = by_uid_of(one), by_uid_of(two)
    assert all(np.array_equal(a[k], b[k]) for k in a)
