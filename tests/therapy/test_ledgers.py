"""Amounts are accounted for: particles and their iron, drugs and antibodies to 1e-10, iron in cells as the scheme allows."""

import numpy as np
import pytest
from support import UNBREAKABLE, dish, tissue
from test_model import ARMS, BUSY, ticks

from tme.therapy import routes

TIGHT = 1e-12  # of the solver, relative; less is rounding where a field is as high as IFN-gamma here
NO_SINK = {"antibodies": {"anti_pdl1": {"sink": {"receptors": 0}}}}  # what cells take in is counted in test_internalisation


def audited(field, log):
    """Keep of each solve: amount before, what came in and what went, amount after.

    Reckoned on the lattice on which the equation is solved; what is interpolated from there must hold as much.
    """
    solve, on = field.advance, field.on_solver_grid
    width = field.grid.n_voxels / on.grid.n_voxels

    def advance(dt, workspace):
        before = field.concentration.sum()
        used = solve(dt, workspace)
        c, net = on.concentration, 0.0
        if on.source is not None:
            net += width * on.source.sum()
        if on.exchange is not None:
            net += width * (on.exchange * (field.vessel_value - c)).sum()
        lost = width * ((field.decay * c).sum() + (0.0 if on.loss is None else (on.loss * c).sum()))
        after = field.concentration.sum()
        assert width * c.sum() == pytest.approx(after, rel=1e-12)
        log.setdefault(field.name, []).append((before, dt * net, dt * lost, after))
        return used

    field.advance = advance


def test_drugs_antibodies_and_messengers_change_by_what_comes_and_goes():
    """Each solve of each field with memory: what was there, plus sources and vessels, minus losses, to 1e-10."""
    drug = {"drugs": [{"name": "rsl3", "dose_mg_kg": 20, "day": 0}]}
    model = tissue("all", 5, arms={"all": {**ARMS["all"], **drug}}, clocks__field_tol=TIGHT, entries=NO_SINK, **BUSY)
    log = {}
    for field in model.fields.values():
        if field.mode == "backward_euler" and field.on_solver_grid.vmax is None:
            audited(field, log)
    ticks(model, 200)
    for name in ("rsl3", "anti_pdl1", "anti_pd1", "peg_pdpa_rsl3", "cnsi_fe", "hmgb1"):  # anti-CTLA-4 acts from the blood
        assert log[name][-1][-1] > 0.0, name
    for name, solves in log.items():
        before, came, lost, after = np.array(solves).T
        scale = np.maximum(np.maximum(before, np.abs(came)), after)
        assert np.all(np.abs(before + came - lost - after) <= 1e-10 * scale), name


@pytest.mark.parametrize("platform", ["peg_pdpa_rsl3", "cnsi_fe"])
def test_payload_is_in_tissue_in_cells_or_released_through_births_deaths_and_departures(platform, monkeypatch):
    """From vessels or injected, through division, phagocytosis, death and clearance: to 1e-10; iron is payload."""
    model = tissue("all", 5, arms=ARMS, clocks__field_tol=TIGHT, **BUSY)
    field, log, came = model.fields[platform], {}, []
    audited(field, log)
    put = routes.deposit

    def deposit(model, field, voxels, each):
        before = field.concentration.sum()
        put(model, field, voxels, each)
        if field.name == platform:
            came.append(field.concentration.sum() - before)

    monkeypatch.setattr(routes, "deposit", deposit)
    released = 0.0
    while model.tick < 400:
        ticks(model, 1)
        if model.tick % model.clock[platform] == 0:
            released += model.released[platform].sum() * model.clock[platform] * model.dt_min
    happened = model.counters
    assert min(happened[k] for k in ("births", "cleared", "dead_ferroptosis", "lost_macrophage", "recruited_macrophage")) > 0
    held = sum(getattr(p, f"np_{platform}").sum() for p in (model.tumour, model.macrophage)) * model.cell_fraction
    given = sum(came) + sum(net for _, net, _, _ in log[platform])
    assert min(given, held, released, field.concentration.sum()) > 0.0
    assert field.concentration.sum() + held + released == pytest.approx(given, rel=1e-10)


def iron_drift(dt_min):
    """Relative change of labile plus ferritin iron in an hour of storage, export taken off."""
    closed = {**UNBREAKABLE, "j_tf": 0, "k_ex": 0.001, "fpn": 0.01, "ncoa4": 10}
    model = dish(mechanisms__ferroptosis=closed, clocks={"dt_min": dt_min, "chemistry_resting_min": dt_min})
    t, n = model.tumour.col, model.tumour.n
    t.lip[:n], t.ferritin[:n] = 20.0, 10.0
    lip = [20.0]
    while model.tick < 60 / dt_min:
        lip.append(ticks(model, 1).tumour.lip.mean())
    exported = 1e-5 * np.trapezoid(lip, dx=dt_min) * float(np.mean(t.nrf2[:n] ** 0.3))
    return (t.lip[:n] + t.ferritin[:n]).mean() / (30.0 - exported) - 1.0


def test_iron_moves_between_the_labile_pool_and_ferritin_and_none_is_made():
    """The exponential scheme keeps their sum to second order only: 4 times less drift at half the tick."""
    coarse, fine = iron_drift(1), iron_drift(0.5)
    assert abs(coarse) < 2e-3
    assert abs(coarse) > 3.5 * abs(fine)
