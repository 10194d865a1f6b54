"""Macrophages between M2 and M1: what ferroptosis and iron particles make of them."""

import numpy as np
import pytest
from support import bath, dish, falls, flood, hours, particles, rises

from tme.mechanisms.phagocytosis import flag_eaten

ONLY_ROS = {"tau_min": 360, "w_damp": 0, "k_ros": 0.01}


def among(arm="control", **changes):
    """A dish with macrophages."""
    return dish(arm, populations__macrophage={"share": 0.2}, **changes)


def m1(model):
    """Mean polarisation."""
    return float(model.macrophage.m1.mean())


@pytest.mark.mechanism("M74")
def test_ferroptotic_neighbours_turn_macrophages_to_m1():
    """Peroxide signal alone: RSL3 that kills within hours, DAMPs unheard."""
    arms = {"r": bath("rsl3", 1.0)}
    control, dying = (
        hours(among(a, arms=arms, mechanisms__polarisation=ONLY_ROS), 4) for a in ("control", "r")
    )
    assert m1(dying) > m1(control) + 0.05
    cut = hours(among("r", arms=arms, mechanisms__polarisation={**ONLY_ROS, "w_ros": 0}), 4)
    deaf = hours(among("control", arms=arms, mechanisms__polarisation={**ONLY_ROS, "w_ros": 0}), 4)
    assert np.allclose(cut.macrophage.m1, deaf.macrophage.m1, atol=1e-3)  # dead cells alter how much IFN-gamma there is


@pytest.mark.mechanism("M74")
def test_iron_particles_turn_macrophages_to_m1_with_their_dose():
    doses = (0.01, 0.1, 1.0)
    arms = {f"d{d}": particles("iron_oxide", d, route="intratumoral") for d in doses}
    models = [
        hours(among(a, arms=arms, mechanisms__polarisation__tau_min=360), 6) for a in ("control", *arms)
    ]
    assert rises([m1(m) for m in models], 1.01)
    cut = {"tau_min": 360, "w_fe": 0, "w_damp": 0, "w_ros": 0}
    plain, loaded = (hours(among(a, arms=arms, mechanisms__polarisation=cut), 6) for a in ("control", "d1.0"))
    assert np.array_equal(plain.macrophage.m1, loaded.macrophage.m1)


def test_particles_that_gsh_opens_open_in_macrophages_too():
    arms = {"x": particles("bso_oxaliplatin_fe", 0.01, route="intratumoral")}
    loads = [float(hours(among("x", arms=arms, mechanisms__nanoparticles__macrophage_gsh_uM=g), 2).macrophage.iron_load.mean()) for g in (0.0, 300.0, 3000.0)]
    assert loads[0] < 0.05 * loads[2] and rises(loads, 1.05)


@pytest.mark.parametrize(("lattice", "reach"), [((1, 9, 9, 0, 1, 1), 9), ((9, 9, 9, 1, 1, 1), 27)])
def test_a_phagocyte_eats_as_much_in_space_as_in_a_plane(lattice, reach):
    """One phagocyte with corpses all around it: what it eats in an interval is its rate times nine places, in two dimensions and in three."""
    shape, n = lattice[:3], 400
    eaten = 0
    middle = np.ravel_multi_index([s // 2 for s in shape], shape)
    box = [slice(s // 2 - 1, s // 2 + 2) if s > 1 else slice(1) for s in shape]
    around = np.arange(int(np.prod(shape))).reshape(shape)[tuple(box)].ravel()
    assert len(around) == reach
    for tick in range(n):
        counts = np.zeros(int(np.prod(shape)), np.int64)
        counts[middle] = int(1e-2 * 2**40)
        uid, voxel = np.arange(1, reach + 1).astype(np.uint64), around.astype(np.int32)
        eaten += flag_eaten(reach, uid, voxel, np.ones(reach, np.int8), np.zeros(reach, np.int8), True, 9, 0, counts, 2.0**40, 10.0, np.uint64(1), tick, lattice)
    assert eaten / n == pytest.approx(9 * 0.1, rel=0.12)


@pytest.mark.mechanism("M74")
def test_each_signal_moves_macrophages_its_way():
    def under(field, level):
        return m1(hours(flood(among(mechanisms__polarisation__tau_min=360), field, level), 4))

    for field in ("ifng", "atp", "peroxide"):
        assert rises([under(field, x) for x in (0, 0.3, 10)], 1.02), field
    assert falls([under("suppression", x) for x in (0, 0.1, 10)], 1.02)
