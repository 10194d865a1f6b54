"""Exhaustion follows its equation whatever the step, and only contact exhausts."""

from __future__ import annotations

import numpy as np
import pytest

from tme.library import load_library
from tme.mechanisms.exhaustion import PARAMETERS, drive_through, exhaust

P = PARAMETERS.build()
PD1 = load_library().receptors["pd1"].effects["exhaustion"]
NONE = np.zeros(0)


def after(minutes, dt, start=0.1, signal=0.6, engaged=1):
    e, here = np.array([start]), np.array([engaged], np.int8)
    for _ in range(round(minutes / dt)):
        exhaust(1, here, np.array([signal]), PD1.without, PD1.to, PD1.half, NONE, NONE, e, P, dt)
    return e[0]


@pytest.mark.mechanism("M82")
@pytest.mark.parametrize("dt", [0.25, 0.5, 1.0, 5.0])
def test_exhaustion_over_hours_of_contact_is_the_closed_form_at_any_step(dt):
    drive = 0.5 + 0.5 * 0.6 / (0.3 + 0.6)
    expected = 1.0 - 0.9 * np.exp(-drive * 600.0 / (P.tau_d * 1440.0))
    assert after(600.0, dt) == pytest.approx(expected, rel=1e-10)


@pytest.mark.mechanism("M82")
def test_more_signal_exhausts_sooner_and_no_contact_not_at_all():
    levels = [after(600.0, 1.0, signal=s) for s in (0.0, 0.3, 3.0)]
    assert 0.1 < levels[0] < levels[1] < levels[2] < 1.0
    assert after(600.0, 1.0, engaged=0) == 0.1


@pytest.mark.mechanism("M81")
def test_further_axes_multiply_the_drive():
    here, signal = np.array([1], np.int8), np.array([0.5])
    one, both, drive = np.array([0.1]), np.array([0.1]), np.ones(1)
    drive_through(1, here, signal, 1.0, 1.4, 0.3, drive)
    exhaust(1, here, signal, PD1.without, PD1.to, PD1.half, NONE, NONE, one, P, 60.0)
    exhaust(1, here, signal, PD1.without, PD1.to, PD1.half, drive, NONE, both, P, 60.0)
    assert drive[0] == pytest.approx(1.0 + 0.4 * 0.5 / 0.8)
    assert np.log((1 - both[0]) / 0.9) == pytest.approx(drive[0] * np.log((1 - one[0]) / 0.9))
