"""What a config asks to be read and its model cannot tell: readouts it does not have, in `primary` and `metrics`; dose additivity without doses."""

from __future__ import annotations

from typing import Any

from tme.config.arms import KINDS, members
from tme.config.errors import Fault, listed, nearest
from tme.core.plugins import joined
from tme.model.series_columns import possible_columns, series_columns
from tme.statistics import parse
from tme.statistics.arms import DOSES
from tme.statistics.hill import FEWEST_DOSES


def faults_of_question(config: Any, sound: bool = True) -> list[Fault]:
    """Readouts that no column of the series has, and `loewe` without a sweep over the doses of both agents.

    Where entries of cell types are not `sound`, a readout may be any that these types can have.
    """
    faults: list[Fault] = []
    known = series_columns(config) if sound or joined(config.plugins).readouts else possible_columns(config.library.cells, config.clone_names())
    for metric in config.metrics or ():
        if known is not None and metric not in known:
            faults.append(fault(config, "metrics", f"unknown readout '{metric}'", listed(known, 20), nearest(metric, known)))
    if config.primary is None:
        return faults
    name = config.primary.readout
    if known is not None and name not in known:
        faults.append(fault(config, "primary.readout", f"unknown readout '{name}'", listed(known, 20), nearest(name, known)))
    for text in config.primary.contrasts:
        contrast = parse(text)
        if contrast.needs_doses:
            poor = [arm for arm in contrast.arms[1:] if doses_swept(config, arm) < FEWEST_DOSES]
            faults += [fault(config, "primary.contrasts", f"'{text}' needs the dose-response of {arm}, and {said(config, arm)}", example(config, arm)) for arm in poor]
    return faults


def fault(config: Any, key: str, problem: str, expected: str, meant: str = "") -> Fault:
    """A fault at the line that set the key."""
    file, line = config.origin.get(key, ("config", 0))
    return Fault(file, line, key, problem, expected, meant)


def doses_swept(config: Any, arm: str) -> int:
    """At how many doses above 0 the sweep gives what an arm gives, the arms it uses included; 1 without a sweep."""
    mine = set(members(config.arms, arm))
    keys = {key: key.split(".") for key in config.sweep}
    doses = [entry for key, entry in config.sweep.items() if keys[key][0] == "arms" and keys[key][1] in mine and keys[key][-1] in DOSES]
    return max((int(e["n"]) - (min(e["from"], e["to"]) <= 0) if isinstance(e, dict) else len({x for x in e if x > 0}) for e in doses), default=1)


def said(config: Any, arm: str) -> str:
    """How many doses there are, in words."""
    n = doses_swept(config, arm)
    return "the sweep gives it one dose only" if n == 1 else f"the sweep gives it {n} doses"


def example(config: Any, arm: str) -> str:
    """What to write."""
    given = [(kind, str(i), key) for kind in KINDS for i, item in enumerate(getattr(config.arms[arm], kind)) for key in DOSES if getattr(item, key, None) is not None]
    key = ".".join((given or [("drugs", "0", "dose_mg_kg")])[0])
    return f"at least {FEWEST_DOSES} doses, e.g. sweep: {{arms.{arm}.{key}: [1, 3, 10]}}"
