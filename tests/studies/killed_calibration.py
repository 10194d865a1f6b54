"""A calibration of the made-up experiment in a process that a test may kill: python killed_calibration.py FOLDER JOBS."""

import sys
from pathlib import Path

import numpy as np
from made_up import Config, Model

from tme.studies.calibrate import calibrate
from tme.studies.calibration_plan import Effort, Plan
from tme.studies.data_table import Row
from tme.studies.design import Ask
from tme.studies.prior import prior

A, B = 40.0, 0.5
ROWS = (
    Row("control", "tumour_alive", 1.0, 100 + A, 5.0, None, True, True),
    Row("drug", "tumour_alive", 1.0, (100 + A) * (1 - B), 5.0, None, True, True),
    Row("drug", "tumour_alive", 2.0, (1 - B), 0.05, None, False, True),  # a fourteenth of what it should be: outside any band
)
EFFORT = Effort(particles=40, pool=40, waves=1, points=12, generations=4, predictions=20)
PLAN = Plan(ROWS, prior(("a", -50.0, 150.0), ("b", 0.05, 0.95)), {}, EFFORT, Ask(("tumour_alive",), (0.0, 1.0, 2.0)), ("control", "drug"), ("a note",))


def main(folder, jobs=1, sleep_s=0.0005, plan=PLAN, **how):
    """Run or complete it."""
    return calibrate(Config(sleep_s=sleep_s), plan, Path(folder), jobs=jobs, progress=False, model_factory=Model, **how)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(sys.argv[1], int(sys.argv[2]))
