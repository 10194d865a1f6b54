"""What a plan and a bed of vessels promise."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tme.core.mechanism import Phase, check_plan
from tme.core.vessels import VesselBed


def entry(name, phase, *writes):
    return SimpleNamespace(name=name, phase=phase, writes=writes)


def test_two_mechanisms_of_one_phase_may_not_write_the_same_thing():
    plan = [entry("a", Phase.FATE, "tumour.x"), entry("b", Phase.FATE, "tumour.y"), entry("c", Phase.FATE, "tumour.x")]
    with pytest.raises(ValueError, match=r"c and a both write tumour\.x in phase FATE"):
        check_plan(plan)
    check_plan(plan[:2])
    check_plan([plan[0], entry("d", Phase.SECRETE, "tumour.x")])


def test_all_vessels_are_open_until_the_tumours_zones_are_known():
    bed = VesselBed(400, 0.2, 5)
    assert 40 < len(bed.sites) < 120 and bed.open.all()
    assert np.array_equal(bed.voxels, bed.sites)
    bed.update(np.full(400, -1.0), 50.0, 0.0, 1.0, 1.0)
    assert len(bed.voxels) == 0
