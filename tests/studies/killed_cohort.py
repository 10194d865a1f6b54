"""A cohort of made-up patients in a process that a test may kill: python killed_cohort.py FOLDER."""

import sys
import time

from made_up_patients import FEATURES, Patient, config, people

from tme.studies import cohort
from tme.studies.biomarkers import Effort
from tme.studies.design import Ask, Point
from tme.studies.study import Study

ASKED = cohort.Asked("patients", ("control", "immune", "drug"), (0, 1, 1), "control", "tumour_alive", 0.0, 4.0, FEATURES, fold=4.0)


class Slow(Patient):
    """Takes its time, so that there is something to kill."""

    def step(self):
        time.sleep(0.001)
        super().step()


def main(folder, model=Patient):
    """The study as `cohort.run` carries it out, without a real config."""
    points = [Point(f"patient-{i:05d}", values, seeds=(i,)) for i, values in enumerate(people(20))]
    with Study(config(), "cohort", Ask(tuple(ASKED.readouts), tuple(ASKED.days)), {}, folder, jobs=1, progress=False, model_factory=model) as study:
        study.finish(*cohort.analysed(ASKED, study.evaluate(points), Effort(4, 1, 39)))


if __name__ == "__main__":
    main(sys.argv[1], Slow)
