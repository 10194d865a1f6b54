"""`tme calibrate`: numbers from measured data."""

from __future__ import annotations

from tme.cli.study import command

calibrate = command("calibrate", "Fit numbers to a data table: history matching, then ABC-SMC; posterior and prediction; resumable.")
