"""Exhaustion follows its equation whatever the step, and only contact exhausts."""

from __future__ import annotations

import numpy as np
import pytest

from tme.mechanisms.exhaustion import PARAMETERS, exhaust

P = PARAMETERS.build()


def after(minutes, dt, start=0.1, signal=0.6, engaged=1):
    e = np.array([start])
    for _ in range(round(minutes / dt)):
        exhaust(1, np.array([engaged], np.int8), np.array([signal]), e, P, dt)
    return e[0]


@pytest.mark.mechanism("M82")
@pytest.mark.parametrize("dt", [0.25, 0.5, 1.0, 5.0])
def test_exhaustion_over_hours_of_contact_is_the_closed_form_at_any_step(dt):
    drive = (1.0 - P.pd1_weight) + P.pd1_weight * 0.6 / (P.k_p + 0.6)
    expected = 1.0 - 0.9 * np.exp(-drive * 600.0 / (P.tau_d * 1440.0))
    assert after(600.0, dt) == pytest.approx(expected, rel=1e-10)


@pytest.mark.mechanism("M82")
def test_more_signal_exhausts_sooner_and_no_contact_not_at_all():
    levels = [after(600.0, 1.0, signal=s) for s in (0.0, 0.3, 3.0)]
    assert 0.1 < levels[0] < levels[1] < levels[2] < 1.0
    assert after(600.0, 1.0, engaged=0) == 0.1
