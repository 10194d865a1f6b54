"""One task of a study: a point and a seed in some arms, on the same tumour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tme.config import ConfigError
from tme.experiments.evaluation import MODEL, evaluate
from tme.experiments.plan import replicate_seed
from tme.experiments.worker import resolve
from tme.spatial.names import names as spatial_names
from tme.studies.design import Ask

__all__ = ["MODEL", "Task", "evaluate", "readouts_of", "work"]


@dataclass(frozen=True)
class Task:
    """What a worker is handed besides the experiment: dotted keys replaced, number of the replicate, arms."""

    index: int  # of the task, by which its result is known again
    values: dict[str, Any]
    seed: int
    arms: tuple[str, ...]


def work(config: Any, ask: Ask, factory: Any, task: Task) -> dict[str, dict[str, Any]]:
    """Arm -> record of it (`experiments.evaluation`). A draw that the config refuses is no failure: its records say `refused`."""
    seed = replicate_seed(config.seed or 0, task.seed)
    try:
        return evaluate(config, task.arms, seed, ask.readouts, ask.days, factory, replicate=task.seed, values=task.values)
    except ConfigError as error:
        return {arm: {"refused": str(error.faults[0])} for arm in task.arms}


@cache
def readouts_of(config: Any, arms: tuple[str, ...]) -> tuple[str, ...]:
    """Names that simulations of these arms can be asked for, spatial statistics of their cell types among them."""
    build: Any = resolve(MODEL)
    names: dict[str, None] = {}
    for arm in arms:
        names.update(dict.fromkeys(build(config, arm=arm, empty=True).observe()))
    types = getattr(config, "cell_types", None)
    if types is not None:
        known = config.library.cells
        names.update(dict.fromkeys(spatial_names(n for n, e in known.items() if e.in_every_model or n in types())))
    return tuple(sorted(names))
