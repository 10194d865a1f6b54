"""ZDT1, a problem whose Pareto front is known (Zitzler, Deb & Thiele 2000, doi 10.1162/106365600568202), as an experiment, with luck by seed
if asked for; alone in a process that a test may kill: python made_up_front.py FOLDER JOBS."""

import sys

import numpy as np
from made_up import Config, Model

from tme.studies.design import Ask
from tme.studies.optimise import optimise
from tme.studies.optimise_plan import Measure, Plan
from tme.studies.search import Variable

VARIABLES = 4
WORST = 1.1


class Zdt1(Model):
    """f1 = x0, f2 = g (1 - sqrt(x0 / g)), g = 1 + 9 mean of the others; all shifted by `luck` times a normal of the seed; `harm` is x0 once more."""

    def observe(self):
        n = self.config.numbers
        x = np.array([n[f"x{k}"] for k in range(sum(key.startswith("x") for key in n))])
        normal = np.random.default_rng(self.seed).standard_normal()
        g, luck = 1 + 9 * x[1:].mean(), n.get("luck", 0.0) * normal
        if n.get("hole", 0.0) and x[0] > 0.9:
            raise ValueError("fails on purpose")
        if n.get("edge", 0.0) and normal > n["edge"] and x[0] < 0.5:
            return {"f1": float("nan"), "f2": float("nan"), "harm": float("nan")}
        return {"f1": float(x[0]) + luck, "f2": float(g * (1 - np.sqrt(x[0] / g))) + luck, "harm": float(x[0])}


def plan(variables=VARIABLES, draws=60, generation=10, limits=(), step=None, **more):
    """The plan of ZDT1 in the shape of a study."""
    made = {"seeds": 1, "repeated": 4, "again": 3, **more}
    wanted = tuple(Measure(f, "control", 1.0, worst=WORST) for f in ("f1", "f2"))
    return Plan(tuple(Variable(f"x{k}", 0.0, 1.0, step=step) for k in range(variables)), wanted, tuple(limits), Ask(("f1", "f2", "harm"), (1.0,)), draws, generation, **made)


def main(folder, jobs=1, sleep_s=0.0005, asked=None, numbers=None, **how):
    """Run or complete it."""
    config = Config(arms={"control": {}}, sleep_s=sleep_s, numbers=numbers or {})
    return optimise(config, asked or plan(), folder, jobs=jobs, progress=False, model_factory=Zdt1, **how)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), numbers={"luck": 0.05})
