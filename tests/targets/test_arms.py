"""What the four-arm target reads of a run: all tumours on one day."""

import pandas as pd

from tme.targets import arms

READOUTS = {"treg": 10.0, "cd8": 30.0, "cd8_ifng_share": 0.2, "treg_per_mm2": 20.0, "dc_mature_cumulative": 3.0}


def table(stop_hour=72.0):
    """Three replicates of each arm, daily rows to day 3; the control of seed 1 ends at `stop_hour`."""
    rows = []
    for arm in arms.ARMS:
        for replicate in range(3):
            end = stop_hour if (arm, replicate) == ("control", 1) else 72.0
            for hour in [h for h in (0.0, 24.0, 48.0) if h < end] + [end]:
                rows.append({"arm": arm, "replicate": replicate, "hour": hour, "tumour_alive": 100.0 + hour,
                             "tumour_volume_mm3": 1.0 + hour, **READOUTS})  # fmt: skip
    return pd.DataFrame(rows)


def test_volumes_are_those_of_one_day_where_a_simulation_stopped_early():
    found = arms.paired(table(stop_hour=60.5))
    assert found.attrs["day"] == 2 and len(found) == 12
    assert set(found["volume"]) == {49.0}


def test_without_an_early_stop_the_horizon_is_read():
    found = arms.paired(table())
    assert found.attrs["day"] == 3 and set(found["volume"]) == {73.0}
