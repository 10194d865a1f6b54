"""A study of the made-up experiment in a process that a test may kill: python killed_study.py FOLDER JOBS."""

import sys

from made_up import Config, Model

from tme.studies.design import Ask, Point
from tme.studies.study import Study

POINTS = [Point(f"p{k}", {"a": float(k)}, seeds=(0, 1)) for k in range(20)]


def main(folder, jobs=1, sleep_s=0.001):
    """Evaluate in two stages, the second depending on the first, as an adaptive study does."""
    with Study(Config(sleep_s=sleep_s), "robust", Ask(("tumour_alive",), (0.0, 2.0)), {}, folder, jobs=jobs, progress=False, model_factory=Model) as study:
        first = study.evaluate(POINTS[:15]).table("tumour_alive", 2.0)
        shift = first["control"].mean()
        study.evaluate([Point("end", {"a": shift}), *POINTS])
        results = study.evaluate(POINTS)
        table = results.table("tumour_alive", 2.0).reset_index()
        study.finish(table.to_dict("records"), {"shift": shift, "sentences": []})
    return study


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
