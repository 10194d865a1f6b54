"""`tme cohort`: who responds to which arm, and could a biopsy have told?

Virtual patients (`tme.patients`) are simulated in all arms, each on a tumour of its own that its arms share. Response classes, time to a
size and the arm that wins (smallest tumour, fewest agents among equals) are read per patient; `biomarkers` asks which of them the readouts of the untreated
tumour at the start of treatment predict. Numbers that no biopsy shows (traits, rates) are never among the features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tme.config import ConfigError
from tme.config.errors import listed, nearest
from tme.config.estimate import duration, predict
from tme.experiments.evaluation import GONE
from tme.model.patients import patients
from tme.statistics import Curves, proportion, response_class, response_counts, times_to_size
from tme.statistics.growth import FOLD
from tme.studies import cohort_words, infiltration
from tme.studies.biomarkers import Effort, outcomes_judged
from tme.studies.certainty import as_dict
from tme.studies.checks import ask_of, need
from tme.studies.design import Ask, Point
from tme.studies.evaluate import readouts_of
from tme.studies.matching import matched
from tme.studies.outcomes import question
from tme.studies.ranges import fault_at
from tme.studies.study import Results, Study

FULL, QUICK = 100, 12  # patients
COHORT = "patients"
BENEFIT = 0.5  # of the same patient's untreated tumour, or less: the arm is said to benefit
MARGIN = 0.05  # of the untreated tumour: an arm that leaves so much more than the best does as well, and wins if it needs fewer agents
VOLUME = "tumour_volume_mm3"
FEATURES = ("cd8_per_mm2", "treg_per_mm2", "macrophage_per_mm2", "pdl1_positive_share", "hypoxic_share")  # and shares of clones, and infiltration


@dataclass(frozen=True)
class Asked:
    """What is asked of a cohort: its name, arms and their control, readout and day that decide which arm wins, features, limits."""

    cohort: str
    arms: tuple[str, ...]
    agents: tuple[int, ...]  # in each arm
    control: str
    readout: str
    start: float  # day on which features are read, and from which growth counts
    day: float
    features: tuple[str, ...]
    fold: float = FOLD
    benefit: float = BENEFIT
    margin: float = MARGIN

    @property
    def readouts(self) -> list[str]:
        """What must be kept of each simulation."""
        plain = [f for f in self.features if f != infiltration.NAME]
        return list(dict.fromkeys([self.readout, VOLUME, *plain, *(infiltration.READOUTS if len(plain) < len(self.features) else ())]))

    @property
    def days(self) -> list[float]:
        """The start, every whole day, the last day."""
        return sorted({self.start, *(float(d) for d in range(math.ceil(self.start), math.floor(self.day) + 1)), self.day})


def asked_of(config: Any) -> Asked:
    """What the config's study asks; ConfigError where it cannot be."""
    study, primary, faults = config.study, question(config), []
    arms = tuple(config.arms)
    day = float(config.horizon_day if primary.day is None else primary.day)
    start = max(0.0, float(config.start_day))
    if primary.control is None or len(arms) < 2:
        faults.append(fault_at(config, "arms", "patients are compared with themselves untreated", "an arm `control: {}` beside treated ones"))
    cohort = (study.cohort if study is not None else None) or COHORT
    known = config.library.cohorts
    if cohort not in known:
        faults.append(fault_at(config, "study.cohort", f"unknown cohort '{cohort}'", listed(known), nearest(cohort, known)))
    readouts = readouts_of(config, arms)
    features = tuple(dict.fromkeys(study.features if study is not None and study.features else default_features(readouts)))
    possible = (*readouts, infiltration.NAME)
    faults += [fault_at(config, "study.features", f"unknown feature '{f}'", listed(possible), nearest(f, possible)) for f in features if f not in possible]
    if faults:
        raise ConfigError(faults)
    limits = {k: v for k in ("fold", "benefit", "margin") if (v := getattr(study, k, None)) is not None}
    return Asked(cohort, arms, tuple(agents_in(config.therapy_of(a)) for a in arms), str(primary.control), primary.readout, start, day, features, **limits)


def default_features(readouts: Sequence[str]) -> list[str]:
    """What a biopsy at the start of treatment shows."""
    clones = [r for r in readouts if r.startswith("clone_") and r.endswith("_share")]
    return [*(f for f in FEATURES if f in readouts), *clones, infiltration.NAME]


def agents_in(therapy: Any) -> int:
    """How many drugs, antibodies, particles and events an arm gives."""
    return len({(kind, getattr(item, "name", k)) for kind in ("drugs", "antibodies", "nanoparticles", "events") for k, item in enumerate(getattr(therapy, kind))})


def drawn(config: Any, cohort: str, n: int) -> list[dict[str, float]]:
    """The patients; ConfigError where nothing that the cohort varies is in the config."""
    found = patients(config, n, seed=int(config.seed or 1), cohort=cohort)
    if not found[0]:
        raise ConfigError([fault_at(config, "study.cohort", f"nothing that cohort '{cohort}' varies is in this experiment", "a cohort that fits (`tme list cohorts`)")])
    return found


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    need("sklearn")
    asked = asked_of(config)
    ask = ask_of(config, "cohort", asked.readouts, asked.days)
    n = (config.study.patients if config.study is not None else None) or (QUICK if quick else FULL)
    people = drawn(config, asked.cohort, n)
    settings = {**asked.__dict__, "patients": n}
    points = [Point(f"patient-{i:05d}", values, seeds=(i,)) for i, values in enumerate(people)]
    with Study(config, "cohort", ask, settings, out, **how) as study:
        study.tell({"event": "note", "message": cost(config, n, ask)})
        table, summary = analysed(asked, study.evaluate(points))
        study.finish(table, {**summary, "varies": len(people[0])})
    return study.folder, study.exit_code


def cost(config: Any, n: int, ask: Ask) -> str:
    """What the study will take, in words."""
    one = predict(config).seconds / config.replicates * (ask.days[-1] - config.start_day) / (config.horizon_day - config.start_day)
    return f"{n} patients in {len(config.arms)} arms, about {duration(one * n)} on one core, divided by --jobs"


# ---- what the records say ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Patients:
    """Each patient's tumours: readout on the day (n, arms), volumes (n, arms, days), whether the tumour is gone (n, arms), features (n, columns)."""

    sizes: np.ndarray
    volumes: np.ndarray
    gone: np.ndarray
    names: tuple[str, ...]
    features: np.ndarray
    classes: tuple[str, ...]  # of infiltration, "" where not asked for or not known

    @property
    def n(self) -> int:
        """How many."""
        return len(self.sizes)

    def of_control(self, asked: Asked) -> np.ndarray:
        """(n, arms) size over that of the same patient untreated; NaN where one is not known or the untreated tumour is gone."""
        untreated = self.sizes[:, [asked.arms.index(asked.control)]]
        with np.errstate(all="ignore"):
            return np.where(untreated > 0, self.sizes / untreated, np.nan)

    def winners(self, asked: Asked) -> np.ndarray:
        """(n,) index of the arm that wins: of those that do as well as the best the one with the fewest agents, of these the smallest
        tumour. -1 where several share that, -2 where an arm is not known."""
        known = np.isfinite(self.sizes).all(axis=1)
        sizes = np.where(known[:, None], self.sizes, 0.0)
        near = sizes <= sizes.min(axis=1, keepdims=True) + asked.margin * sizes[:, [asked.arms.index(asked.control)]]
        agents = np.where(near, np.array(asked.agents), np.inf)
        fewest = agents == agents.min(axis=1, keepdims=True)
        left = np.where(fewest, sizes, np.inf)
        best = left == left.min(axis=1, keepdims=True)
        return np.where(known, np.where(best.sum(axis=1) == 1, best.argmax(axis=1), -1), -2)

    def responses(self) -> list[list[str]]:
        """Response class by patient and arm, a tumour that is gone being a complete response."""
        return [["complete" if g else response_class(v) for v, g in zip(vs, gs)] for vs, gs in zip(self.volumes, self.gone)]


def read(asked: Asked, results: Results) -> Patients:
    """What the records tell of each patient."""
    keep = [k for k, d in enumerate(results.ask.days) if asked.start <= d <= asked.day]
    first, shape = keep[0], (len(results.points), len(asked.arms))
    sizes, gone, volumes = np.full(shape, np.nan), np.zeros(shape, bool), np.full((*shape, len(keep)), np.nan)
    for i, p in enumerate(results.points):
        for j, arm in enumerate(asked.arms):
            sizes[i, j] = results.course(p, p.seeds[0], arm, asked.readout)[keep[-1]]
            volumes[i, j] = results.course(p, p.seeds[0], arm, VOLUME)[keep]
            gone[i, j] = str(results.record(p, p.seeds[0], arm).get("stopped") or "").startswith(GONE)
    names: list[str] = []
    columns: list[np.ndarray] = []
    classes = ("",) * len(results.points)
    for feature in asked.features:
        read_out = {r: np.array([results.course(p, p.seeds[0], asked.control, r)[first] for p in results.points]) for r in infiltration.parts(feature)}
        if feature == infiltration.NAME:
            classes = tuple(infiltration.classes(read_out))
            names += [f"{feature}: {c}" for c in infiltration.CLASSES]
            columns += [np.array([np.nan if not c else float(c == which) for c in classes]) for which in infiltration.CLASSES]
        else:
            names.append(feature)
            columns.append(read_out[feature])
    return Patients(np.where(gone, 0.0, sizes), volumes, gone, tuple(names), np.column_stack(columns), classes)


def outcomes_of(asked: Asked, p: Patients) -> dict[str, np.ndarray]:
    """What may be predicted, each (n,) of 1, 0 and NaN (not known): the arm that wins, response to and benefit from each treated arm.

    Of two arms that share all wins only the rarer is asked for: the other says the same.
    """
    winner = p.winners(asked)
    wins = {arm: np.where(winner >= 0, winner == j, np.nan) for j, arm in enumerate(asked.arms) if (winner == j).any()}
    if len(wins) == 2:
        wins.pop(max(wins, key=lambda a: np.nansum(wins[a])))
    out = {f"{arm} wins": values.astype(float) for arm, values in wins.items()}
    classes, ratio = p.responses(), p.of_control(asked)
    for j, arm in enumerate(asked.arms):
        if arm != asked.control:
            out[f"responds to {arm}"] = np.array([math.nan if not c[j] else float(c[j] != "progressive") for c in classes])
            out[f"benefits from {arm}"] = np.where(np.isfinite(ratio[:, j]), ratio[:, j] <= asked.benefit, np.nan).astype(float)
    return out


def analysed(asked: Asked, results: Results, effort: Effort | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """table.csv and summary.json: a function of the design and the records alone."""
    p = read(asked, results)
    days = np.array([d for d in results.ask.days if asked.start <= d <= asked.day])
    curves = Curves(days, {arm: dict(enumerate(p.volumes[:, j])) for j, arm in enumerate(asked.arms)})
    reached = times_to_size(curves, asked.control, asked.fold)
    outcomes = outcomes_of(asked, p)
    judged = outcomes_judged(p.features, p.names, outcomes, effort)
    winner, ratio, classes = p.winners(asked), p.of_control(asked), p.responses()
    with_rules(judged, asked, p, outcomes)
    by_rule = matched(p.features, ratio, p.names, asked.arms, effort)
    summary = {
        "cohort": asked.cohort, "patients": p.n, "arms": list(asked.arms), "control": asked.control, "readout": asked.readout, "start": asked.start, "day": asked.day,
        "fold": asked.fold, "benefit": asked.benefit, "margin": asked.margin, "features": list(p.names), "constant": [n for n, c in zip(p.names, p.features.T) if np.unique(c[np.isfinite(c)]).size < 2],
        "incomplete": int((~np.isfinite(p.features).all(axis=1)).sum()),
        "responses": {arm: response_counts(c[j] for c in classes) for j, arm in enumerate(asked.arms)},
        "wins": {arm: as_dict(proportion(int((winner == j).sum()), int((winner >= -1).sum()))) | {"held": int((winner == j).sum())} for j, arm in enumerate(asked.arms)},
        "shared": int((winner == -1).sum()), "undecided": int((winner == -2).sum()), "matching": matching(asked, ratio, winner), "matched": by_rule,
        "benefits": {a: counted(outcomes[f"benefits from {a}"]) for a in asked.arms if a != asked.control},
        "time_to_size": [{"arm": t.arm, "n": t.curve.n, "reached": t.reached, "median": finite(t.curve.median), "p_bh": finite(t.p_bh),
                          **{k: [finite(x) for x in getattr(t.curve, k)] for k in ("times", "share", "low", "high", "censored")}} for t in reached],
        "infiltration": {c: p.classes.count(c) for c in infiltration.CLASSES} if any(p.classes) else {}, "outcomes": judged, "ended": results.ended(),
    }  # fmt: skip
    summary |= {"lead": cohort_words.lead(summary), "sentences": cohort_words.sentences(summary), "tables": cohort_words.tables(summary)}
    return rows(asked, results, p), summary


def finite(value: float) -> float | None:
    """A number as JSON takes it."""
    return float(value) if math.isfinite(value) else None


def counted(values: np.ndarray) -> dict[str, Any]:
    """How many of those that are known."""
    known = values[np.isfinite(values)]
    return as_dict(proportion(int(known.sum()), known.size)) | {"held": int(known.sum())}


def matching(asked: Asked, ratio: np.ndarray, winner: np.ndarray) -> dict[str, Any]:
    """What the best arm for all leaves of the untreated tumours on average, what the best arm of each patient would leave, and how
    many patients do as well with fewer agents than the best arm for all has."""
    ok = np.isfinite(ratio).all(axis=1)
    if not ok.any():
        return {}
    mean = ratio[ok].mean(axis=0)
    best, agents = int(mean.argmin()), np.array(asked.agents)
    spared = ok & (winner >= 0) & (agents[winner] < agents[best])
    return {"arm": asked.arms[best], "for_all": float(mean.min()), "for_each": float(ratio[ok].min(axis=1).mean()), "n": int(ok.sum()), "spared": int(spared.sum())}


def with_rules(judged: dict[str, dict[str, Any]], asked: Asked, p: Patients, outcomes: dict[str, np.ndarray]) -> None:
    """Count on either side of each rule, and which other arm wins most often where the rule's arm does not."""
    winner = p.winners(asked)
    for name, found in judged.items():
        if found["auc"] is None:
            continue
        rule, yes = found["rule"], outcomes[name]
        column = p.features[:, p.names.index(rule["feature"])]
        known = np.isfinite(yes) & np.isfinite(p.features).all(axis=1)
        said = ((column > rule["value"]) == rule["above"]) & known
        rest = known & ~said
        rule |= {"met": int(said.sum()), "met_yes": int(yes[said].sum()), "rest": int(rest.sum()), "rest_yes": int(yes[rest].sum())}
        if name.endswith(" wins"):
            others = [int((winner[rest] == j).sum()) for j in range(len(asked.arms))]
            rule |= {"else_arm": asked.arms[int(np.argmax(others))], "else_wins": max(others)}


def rows(asked: Asked, results: Results, p: Patients) -> list[dict[str, Any]]:
    """table.csv: a row per patient and arm; the features are those of the patient's untreated tumour at the start."""
    from tme.statistics import time_to_reach

    winner, ratio, classes = p.winners(asked), p.of_control(asked), p.responses()
    days = np.array([d for d in results.ask.days if asked.start <= d <= asked.day])
    plain = [k for k, n in enumerate(p.names) if not n.startswith(infiltration.NAME)]
    out = []
    for i, point in enumerate(results.points):
        times, happened = time_to_reach(days, p.volumes[i], asked.fold * p.volumes[i, :, 0])
        about: dict[str, Any] = {p.names[k]: p.features[i, k] for k in plain}
        if any(p.classes):
            about[infiltration.NAME] = p.classes[i]
        for j, arm in enumerate(asked.arms):
            start, end = p.volumes[i, j, 0], p.volumes[i, j, -1]
            out.append({
                "patient": point.id, "replicate": point.seeds[0], "arm": arm, "size": p.sizes[i, j], "of_control": ratio[i, j], "volume_start_mm3": start, "volume_mm3": end,
                "change": (0.0 if p.gone[i, j] else end / start) if start > 0 else math.nan, "response": classes[i][j], "days_to_size": times[j], "reached": int(happened[j]),
                "wins": int(winner[i] == j) if winner[i] > -2 else "", "stopped": results.record(point, point.seeds[0], arm).get("stopped") or "", **about,
            })  # fmt: skip
    return out
