"""Fields against known answers: orders in space and time, decay lengths, mass, saturation, amounts."""

from __future__ import annotations

import numpy as np
import pytest

from tme.core.field import Field
from tme.core.grid import Grid, ScratchPool
from tme.kernels.exchange import cell_to_voxel, tally
from tme.kernels.jit import serial
from tme.kernels.multigrid import Workspace

DIMENSIONS = [2, 3]


def lattice(n: int, ndim: int, periodic: bool = False) -> tuple[Grid, list[np.ndarray], float]:
    """A unit square or cube (side 1 um) of n voxels a side, its centres (used axes, flat), its spacing."""
    shape = (1, n, n) if ndim == 2 else (n, n, n)
    grid = Grid(shape, 1.0 / n, 1.0, (periodic and ndim == 3, periodic, periodic))
    axes = np.meshgrid(*[(np.arange(m) + 0.5) / n for m in shape], indexing="ij")
    return grid, [a.ravel() for a in axes[3 - ndim :]], 1.0 / n


def steady(grid: Grid, diffusion: float, decay: float, **terms) -> np.ndarray:
    """The quasi-steady concentration for given terms, solved tightly."""
    faces, vessel = terms.pop("faces", None), terms.pop("vessel_value", 0.0)
    field = Field("x", "uM", grid, diffusion, decay, mode="quasi_steady", tol=1e-10, faces=faces)
    field.vessel_value = vessel
    if "mask" in terms:
        field.fix(terms.pop("mask"), vessel)
    for name, value in terms.items():
        field.use(name)[:] = value
    field.advance(1.0, Workspace(grid.shape, grid.periodic))
    return field.concentration


def order(errors: list[float], factor: float) -> float:
    return np.log(errors[-2] / errors[-1]) / np.log(factor)


@pytest.mark.parametrize("ndim", DIMENSIONS)
@pytest.mark.parametrize("case", ["no flux", "uptake", "wall", "robin everywhere"])
def test_space_order_is_two_for_smooth_solutions(case, ndim):
    errors = []
    for n in (12, 24, 48):
        grid, x, _ = lattice(n, ndim)
        wave = np.prod([np.cos(np.pi * a) for a in x], axis=0)
        curvature = ndim * np.pi**2 * wave
        exact, faces, uptake, exchange = 2.0 + wave, None, np.zeros(grid.n_voxels), np.zeros(grid.n_voxels)
        if case == "wall":
            wave = np.sin(np.pi * x[-1]) * np.prod([np.cos(np.pi * a) for a in x[:-1]], axis=0)
            exact, curvature, faces = 2.0 + wave, ndim * np.pi**2 * wave, (None, None, (2.0, 2.0))
        if case == "uptake":
            uptake = 20.0 * np.exp(-8.0 * sum((a - 0.4) ** 2 for a in x))
        if case == "robin everywhere":
            exchange = 200.0 * np.exp(-30.0 * sum((a - 0.6) ** 2 for a in x))
        source = curvature + (1.0 + uptake) * exact - exchange * (5.0 - exact)
        c = steady(
            grid, 1.0, 1.0, source=source, loss=uptake, exchange=exchange, faces=faces, vessel_value=5.0
        )
        errors.append(np.abs(c - exact).max())
    assert order(errors, 2.0) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("ndim", DIMENSIONS)
@pytest.mark.parametrize("kind", ["robin", "dirichlet"])
def test_space_order_is_two_with_single_voxel_vessels(kind, ndim):
    errors = []
    for n in (36, 108) if ndim == 2 else (12, 36, 108):
        grid, x, _ = lattice(n, ndim, periodic=True)
        wave = np.prod([np.cos(4.0 * np.pi * (a - 3.5 / 12.0)) for a in x], axis=0)
        exact = 2.0 - wave
        source = -ndim * 16.0 * np.pi**2 * wave + 50.0 * exact
        vessels = grid.zeros(bool)
        vessels[np.flatnonzero(np.abs(exact - 1.0) < 1e-9)[:: 2 ** (2 * ndim - 3)]] = True
        assert vessels.sum() == 4
        if kind == "robin":
            c = steady(grid, 1.0, 50.0, source=source, exchange=0.7 * n**2 * vessels, vessel_value=1.0)
        else:
            c = steady(grid, 1.0, 50.0, source=source, mask=vessels, vessel_value=1.0)
            assert np.all(c[vessels] == 1.0)
        errors.append(np.sqrt(np.mean((c - exact) ** 2)))
    assert order(errors, 3.0) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("ndim", DIMENSIONS)
def test_space_order_is_two_away_from_scattered_point_sources(ndim):
    points = np.random.default_rng(5).integers(0, 9, (4, ndim))
    solutions, coarse_x = [], None
    for n in (9, 27, 81):
        grid, x, h = lattice(n, ndim)
        source = grid.zeros()
        at = points * (n // 9) + n // 18
        z = at[:, 0] if ndim == 3 else np.zeros(4, int)
        source[grid.voxel(z, at[:, -2], at[:, -1])] = 1.0 / h**ndim
        c = steady(grid, 1.0, 3.0, source=source)
        stride = n // 9
        pick = tuple(slice(stride // 2 if m > 1 else 0, None, stride) for m in grid.shape)
        solutions.append(c.reshape(grid.shape)[pick].ravel())
        coarse_x = x if coarse_x is None else coarse_x
    near = [np.sqrt(sum((a - (p + 0.5) / 9) ** 2 for a, p in zip(coarse_x, q))) for q in points]
    far = np.min(near, axis=0) > 0.3
    errors = [np.sqrt(np.mean((solutions[i] - solutions[i + 1])[far] ** 2)) for i in range(2)]
    assert order(errors, 3.0) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("ndim", DIMENSIONS)
@pytest.mark.parametrize("case", ["no flux", "wall", "robin", "dirichlet", "sources", "uptake", "saturating"])
def test_time_order_is_one(case, ndim):
    shape = (1, 20, 23) if ndim == 2 else (7, 9, 8)
    grid = Grid(shape)
    rng = np.random.default_rng(8)
    start = 1.0 + np.cos(np.pi * grid.centres_um(np.arange(grid.n_voxels))[0] / (20.0 * shape[2]))
    spots = rng.integers(0, grid.n_voxels, 8)
    results = []
    for steps in (32, 64, 128):
        field = Field("x", "uM", grid, 300.0, 0.02, tol=1e-11, k_m=0.5, vessel_value=3.0,
                      faces=(None, None, (0.5, None)) if case == "wall" else None)  # fmt: skip
        field.concentration[:] = start
        if case == "robin":
            field.use("exchange")[spots] = 2.0
        if case == "dirichlet":
            mask = grid.zeros(bool)
            mask[spots] = True
            field.fix(mask, 3.0)
            field.concentration[mask] = 3.0
        if case == "sources":
            field.use("source")[spots] = 1.0
        if case == "uptake":
            field.use("loss")[:] = np.random.default_rng(9).random(grid.n_voxels)
        if case == "saturating":
            field.use("vmax")[:] = 0.3 * np.random.default_rng(9).random(grid.n_voxels)
        workspace = Workspace(shape)
        for _ in range(steps):
            field.advance(8.0 / steps, workspace)
        results.append(field.concentration)
    errors = [np.sqrt(np.mean((results[i] - results[i + 1]) ** 2)) for i in range(2)]
    assert order(errors, 2.0) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("length_um", [20.0, 30.0, 50.0, 80.0, 160.0])
def test_steady_decay_length(length_um):
    grid = Grid((1, 5, 120))
    c = steady(grid, 2000.0, 2000.0 / length_um**2, faces=(None, None, (1.0, None))).reshape(5, 120)
    found = 20.0 / np.log(c[2, 3] / c[2, 4])
    discrete = 20.0 / np.arccosh(1.0 + 0.5 * (20.0 / length_um) ** 2)
    assert found == pytest.approx(discrete, rel=1e-4)
    if length_um >= 50.0:
        assert found == pytest.approx(length_um, rel=0.01)


@pytest.mark.parametrize(
    ("shape", "periodic"),
    [((1, 24, 31), False), ((6, 7, 9), False), ((1, 16, 16), True), ((1, 2, 700), False)],
)
def test_mass_drift_over_ten_thousand_closed_steps(shape, periodic):
    grid = Grid(shape, periodic=(False, periodic, periodic))
    field = Field("x", "uM", grid, 2000.0)
    rng = np.random.default_rng(2)
    field.concentration[:] = rng.random(grid.n_voxels) * (rng.random(grid.n_voxels) < 0.1)
    mass, workspace = field.concentration.sum(), Workspace(grid.shape, grid.periodic)
    for _ in range(10_000):
        field.advance(1.0, workspace)
    assert abs(field.concentration.sum() / mass - 1.0) < 1e-12


def test_amount_follows_its_own_balance_with_source_and_decay():
    grid = Grid((1, 30, 33))
    field = Field("x", "uM", grid, 2000.0, 0.05, tol=1e-4)
    field.use("source")[[5, 400]] = 2.0
    amount, workspace = 0.0, Workspace(grid.shape)
    for _ in range(200):
        field.advance(2.0, workspace)
        amount = (amount + 2.0 * 4.0) / (1.0 + 2.0 * 0.05)
    assert field.concentration.sum() == pytest.approx(amount, rel=1e-11)


@pytest.mark.parametrize("shape", [(1, 61, 61), (41, 41, 41)])
def test_a_gaussian_spreads_by_two_d_t_per_axis(shape):
    grid = Grid(shape)
    x, y, z = (a - 20.0 * 0.5 * n for a, n in zip(grid.centres_um(np.arange(grid.n_voxels)), shape[::-1]))
    square = x**2 + y**2 + (z**2 if grid.ndim == 3 else 0.0)
    field = Field("x", "uM", grid, 1000.0)
    field.concentration[:] = np.exp(-square / (2.0 * 100.0**2))
    workspace = Workspace(shape)
    for _ in range(40):
        field.advance(0.05, workspace)
    variance = 100.0**2 + 2.0 * 1000.0 * 2.0
    exact = (100.0**2 / variance) ** (grid.ndim / 2) * np.exp(-square / (2.0 * variance))
    assert np.abs(field.concentration - exact).max() < 0.01 * exact.max()
    assert np.average(x**2, weights=field.concentration) == pytest.approx(variance, rel=0.01)


def test_saturating_uptake_satisfies_the_nonlinear_balance_from_any_start():
    grid = Grid((1, 45, 50))
    rng = np.random.default_rng(4)
    workspace = Workspace(grid.shape)
    results = []
    for initial in (0.0, 60.0, 1e4):
        field = Field("oxygen", "uM", grid, 1.2e5, mode="quasi_steady", tol=1e-9, vessel_value=60.0,
                      initial=initial, k_m=1.0)  # fmt: skip
        rng = np.random.default_rng(4)
        field.use("vmax")[:] = 300.0 * (rng.random(grid.n_voxels) < 0.8)
        field.use("exchange")[rng.integers(0, grid.n_voxels, 6)] = 2000.0
        field.advance(1.0, workspace)
        results.append(field.concentration)
        c = np.pad(field.concentration.reshape(45, 50), 1, mode="edge")
        inner = c[1:-1, 1:-1]
        lap = c[2:, 1:-1] + c[:-2, 1:-1] + c[1:-1, 2:] + c[1:-1, :-2] - 4.0 * inner
        c = inner.ravel()
        rate = 300.0 * lap.ravel() - field.vmax * c / (1.0 + c) + field.exchange * (60.0 - c)
        assert np.abs(rate).max() < 1e-4
    assert np.abs(results[0] - results[2]).max() < 1e-6
    assert results[0].min() < 1.0 < results[0].max()


def test_saturating_uptake_converges_to_a_fine_reference_in_time():
    final = {}
    for steps in (10, 1000):
        field = Field("x", "uM", Grid((1, 1, 1)), 0.0, k_m=2.0, initial=10.0)
        field.use("vmax")[:] = 1.0
        workspace = Workspace((1, 1, 1))
        for _ in range(steps):
            field.advance(12.0 / steps, workspace)
        final[steps] = field.concentration[0]
    # 10 - c + 2 ln(10 / c) = 12 (Michaelis-Menten, integrated)
    c = final[1000]
    assert 10.0 - c + 2.0 * np.log(10.0 / c) == pytest.approx(12.0, rel=2e-3)
    assert final[10] == pytest.approx(c, rel=0.2)


@serial
def secreted(voxel, amount, counts):
    """What some cells add to their voxels, in billionths."""
    for i in range(voxel.size):
        tally(counts, voxel[i], amount[i], 1e9)


@pytest.mark.parametrize("coarsen", [1, 2])
def test_what_cells_add_to_a_voxel_does_not_depend_on_their_order(coarsen):
    rng, grid = np.random.default_rng(6), Grid((1, 8, 8))
    voxel, amount = rng.integers(0, 64, 1000), rng.random(1000)
    sources = []
    for turn in (np.arange(1000), rng.permutation(1000)):
        field = Field("x", "uM", grid, 100.0, 0.1, coarsen=coarsen)
        with field.source_counter(ScratchPool(grid), 1e-9, [voxel]) as counts:
            secreted(voxel[turn], amount[turn], counts)
        assert not counts.any()
        sources.append(field.on_solver_grid.source)
    assert sources[0].tobytes() == sources[1].tobytes()
    assert sources[0].sum() * coarsen**2 == pytest.approx(amount.sum(), rel=1e-7)


@pytest.mark.parametrize("coarsen", [1, 2])
@pytest.mark.parametrize("amounts", [[1e30], [np.nan], [-np.inf], [1.0, np.nan, 1.0], [5e7] * 90], ids=str)
def test_what_cannot_be_counted_is_reported_with_the_field(coarsen, amounts):
    grid = Grid((1, 8, 8))
    field, voxel = Field("ifng", "ng/mL", grid, 100.0, 0.1, coarsen=coarsen), np.full(len(amounts), 9)
    with pytest.raises(RuntimeError, match="field ifng"), field.source_counter(ScratchPool(grid), 1e-9, [voxel]) as counts:
        secreted(voxel, np.array(amounts), counts)


def test_a_cell_must_fit_into_its_voxel():
    assert cell_to_voxel(2000.0, Grid((1, 4, 4), 10.0, 25.0).voxel_um3) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="does not fit"):
        cell_to_voxel(2000.0, Grid((4, 4, 4), 10.0).voxel_um3)


def test_a_field_continues_from_its_state_arrays():
    def build():
        return Field("x", "uM", Grid((1, 20, 21)), 2000.0, 0.1)

    a, b, workspace = build(), build(), Workspace((1, 20, 21))
    a.use("source")[7] = 1.0
    a.use("loss")[3] = 5.0
    a.fix(np.arange(420) == 50, 2.0)
    a.advance(1.0, workspace)
    b.load_state({k: v.copy() for k, v in a.state_arrays().items()})
    for field in (a, b):
        field.advance(1.0, workspace)
    assert a.concentration.tobytes() == b.concentration.tobytes()


def test_a_steady_field_without_a_sink_is_refused():
    with pytest.raises(ValueError, match="no sink"):
        Field("x", "uM", Grid((1, 4, 4)), 100.0, mode="quasi_steady").advance(1.0, Workspace((1, 4, 4)))


def test_a_workspace_of_another_lattice_is_refused():
    with pytest.raises(ValueError, match="another lattice"):
        Field("x", "uM", Grid((1, 4, 4)), 100.0).advance(1.0, Workspace((1, 4, 5)))


def test_a_closed_field_loses_what_it_gains_also_where_multigrid_solves_it():
    rng, grid, dt = np.random.default_rng(4), Grid((1, 30, 22)), 7.0
    field = Field("x", "uM", grid, 3000.0, 0.003, tol=9e-7)  # too tight for the one-colour solver
    field.use("loss")[:] = 0.02 * rng.random(grid.n_voxels)
    field.use("source")[:] = rng.random(grid.n_voxels)
    field.concentration[:] = rng.random(grid.n_voxels)
    before = field.concentration.copy()
    field.advance(dt, Workspace(grid.shape))
    gains, losses = before / dt + field.source, (1.0 / dt + field.decay + field.loss) * field.concentration
    assert abs(gains.sum() / losses.sum() - 1.0) < 1e-13


@pytest.mark.parametrize("mode", ["quasi_steady", "backward_euler"])
def test_what_does_not_diffuse_stays_where_it_is_made(mode):
    grid = Grid((1, 12, 12))
    field = Field("x", "uM", grid, 0.0, 0.5, mode=mode)
    field.use("source")[17] = 3.0
    field.advance(2.0, Workspace(grid.shape))
    expected = np.zeros(grid.n_voxels)
    expected[17] = 6.0 if mode == "quasi_steady" else 3.0 / (0.5 + 0.5)
    assert np.allclose(field.concentration, expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("mode", ["quasi_steady", "backward_euler"])
def test_a_field_that_only_given_voxels_feed_decays_around_them(mode):
    grid = Grid((1, 1, 61), 20.0)
    field = Field("x", "uM", grid, 2000.0, 0.05, mode=mode, tol=1e-10)
    field.fix(np.arange(61) == 30, 7.0)
    for _ in range(1 if mode == "quasi_steady" else 400):
        field.advance(5.0, Workspace(grid.shape))
    k = 2000.0 / 400.0  # c falls by q per voxel, k (q + 1/q - 2) = decay
    b = 2.0 + 0.05 / k
    q = (b - np.sqrt(b * b - 4.0)) / 2.0
    away = np.abs(np.arange(61) - 30)
    mirrored = q**away + q ** (61 - away)  # the walls, half a voxel beyond the last one
    assert np.allclose(field.concentration, 7.0 * mirrored / mirrored[30], rtol=1e-7)


@pytest.mark.parametrize("wrong", [{"diffusion": -1.0}, {"decay": -0.1}, {"k_m": 0.0}, {"clock_ticks": 0}], ids=str)
def test_a_field_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="are needed"):
        Field("x", "uM", Grid((1, 4, 4)), **{"diffusion": 100.0, **wrong})


@pytest.mark.parametrize("held", ["faces", "voxels", "both"])
def test_a_field_reined_in_by_losses_still_meets_its_given_values(held):
    """With losses that call for the one-colour solver, which knows neither faces nor given voxels."""
    grid, fields = Grid((1, 24, 26)), []
    for tol in (1e-4, 1e-10):  # the tighter one never takes that solver
        faces = None if held == "voxels" else (None, None, (3.0, 1.0))
        field = Field("x", "uM", grid, 2000.0, 2.0, 10, "quasi_steady", faces=faces, tol=tol)
        field.use("source")[40] = 5.0
        field.use("loss")[:] = 0.5
        if held != "faces":
            field.fix(np.arange(grid.n_voxels) == 300, 4.0)
        field.advance(10.0, Workspace(grid.shape))
        fields.append(field.concentration)
    assert np.abs(fields[0] - fields[1]).max() <= 1e-3 * fields[1].max()
    assert fields[1].max() > 0.5
