"""How a run was made, as a paragraph for a paper's methods section and as the commands that make it again; all of it from the run's own files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from typing import Any

from tme import statistics
from tme.statistics.sentences import THIN, statement
from tme.viz.load import Dose, Missing, Run, as_list
from tme.viz.outcomes import answered
from tme.viz.style import CELL_NAMES, arm_name
from tme.viz.words import READOUTS

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TIMES = {1: "once", 2: "twice"}
ROUTES = {"iv": "intravenously", "intratumoral": "into the tumour", "depot": "as a depot in the tumour"}


def methods_html(run: Run, data: str = "") -> str:
    """The paragraph, how to reproduce the run."""
    if not run.config:
        return "<p>config.resolved.yaml is missing or cannot be read, so nothing can be said of how this run was made.</p>"
    commands = "".join(f"<pre><code>{escape(c)}</code></pre>" for c in reproduction(run, data))
    return f'<p class="methods">{escape(paragraph(run))}</p><h3>How to reproduce</h3><p>{escape(reproduction_words(run))}</p>{commands}'


def paragraph(run: Run) -> str:
    """One paragraph: software, tumour, arms, replicates, readouts, statistics."""
    parts = (_software(run), _tumour(run), _immune(run), _arms(run), _replicates(run), _recorded(run), _sweep(run), _statistics(run))
    return " ".join(p for p in parts if p)


# ---- words -----------------------------------------------------------------------------------------------------
def counted(n: int, noun: str, plural: str = "") -> str:
    """`one arm`, `four arms`, `12 arms`, `1 500 cells`."""
    many = plural or noun + "s"
    return f"{WORDS[n] if n < len(WORDS) else f'{n:,}'.replace(',', THIN)} {noun if n == 1 else many}"


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def days_text(days: Sequence[float]) -> str:
    """`on day 0`, `on days 0, 3 and 6`."""
    told = [_plain(d) for d in days]
    return f"on day{'s' * (len(told) > 1)} {listed(told)}" if told else ""


def _plain(value: Any) -> str:
    return f"{value:g}".replace("-", "−") if isinstance(value, (int, float)) else str(value)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# ---- sentences -------------------------------------------------------------------------------------------------
def _software(run: Run) -> str:
    told: dict[str, Any] = run.provenance.get("versions") or {}
    commit = run.provenance.get("git")
    sources = [str(i["source_sha256"]) for i in as_list(run.provenance.get("invocations")) if isinstance(i, dict) and i.get("source_sha256")]
    mark = f"commit {str(commit)[:12]}{' with changes' * str(commit).endswith('+')}" if commit else f"source SHA-256 {sources[-1][:12]}" if sources else ""
    inside = ", ".join(x for x in (mark, f"Python {told['python']}" if told.get("python") else "") if x)
    version = f"tme {told['tme']}" if told.get("tme") else "tme"
    return f"Tumours were simulated with {version}{f' ({inside})' if inside else ''}, an agent-based model of tumour and immune cells on a lattice with diffusing substances."


def _tumour(run: Run) -> str:
    tumour, start = run.config.get("tumour"), run.config.get("start_day")
    preset = tumour.get("preset") if isinstance(tumour, dict) else tumour
    clones = (tumour.get("clones") or {}) if isinstance(tumour, dict) else {}
    share: dict[str, Any] = {str(n): c.get("share") if isinstance(c, dict) else None for n, c in clones.items()}
    shares = [f"{n} {_plain(100 * s)} %" if isinstance(s, (int, float)) else n for n, s in share.items()]
    kind = f" of type {preset}" if preset else ""
    with_clones = f", with {counted(len(shares), 'clone')} ({', '.join(shares)} of the cells)" if shares else ""
    when = f" on day {_plain(start)}" if isinstance(start, (int, float)) else ""
    return f"A tumour{kind}{with_clones} started{when} {_start(run.config.get('initial') or {})}{_domain(run.config.get('domain') or {})}."


def _start(initial: dict) -> str:
    kind = initial.get("kind", "nodule")
    cells = counted(int(initial["n_cells"]), "cell") if isinstance(initial.get("n_cells"), (int, float)) else "tumour cells"
    if kind == "regions" and isinstance(initial.get("base"), dict):
        n = len(as_list(initial.get("regions")))
        return _start(initial["base"]) + (f" altered in {counted(n, 'region')}" if n else "")
    if kind == "monolayer":
        return f"as a monolayer on {_plain(100 * float(initial.get('occupancy', 1.0)))} % of the voxels"
    if kind == "cells":
        return f"from the cells of the table {initial.get('file', 'given')}"
    return f"as a {kind} of {cells}"


def _domain(domain: dict) -> str:
    size, dx = [s for s in as_list(domain.get("size_um")) if isinstance(s, (int, float))], domain.get("dx_um")
    if not size:
        return ""
    unit, scale = ("mm", 1e-3) if min(size) >= 1000 else ("µm", 1.0)
    extent = " × ".join(_plain(s * scale) for s in size) + f" {unit}"
    thick = f", one layer of {_plain(domain['thickness_um'])} µm" if len(size) == 2 and domain.get("thickness_um") else ""
    edges = domain.get("boundary")
    kinds = [str(v).replace("_", "-") for k, v in edges.items() if k in "xyz"[: len(size)]] if isinstance(edges, dict) else []
    walls = f", {listed(list(dict.fromkeys(kinds)))} edges" if kinds else ""
    stop = "; simulations ended early where the tumour reached an edge" if domain.get("at_edge") == "stop" else ""
    voxels = f"voxels of {_plain(dx)} µm" if dx else ""
    inside = f"{voxels}{thick}{walls}".lstrip(", ")
    return f", in a domain of {extent}{f' ({inside})' if inside else ''}{stop}"


def _immune(run: Run) -> str:
    found = []
    for name, density in (run.config.get("populations") or {}).items():
        if not isinstance(density, dict):
            continue
        known = CELL_NAMES.get(name, arm_name(name))
        known = known if known.endswith(("tissue", "stroma")) else f"{known}s"
        if isinstance(density.get("per_mm2"), (int, float)):
            found.append(f"{_plain(density['per_mm2'])} {known} per mm²")
        elif isinstance(density.get("share"), (int, float)):
            found.append(f"{_plain(density['share'])} {known} per tumour cell")
    return f"It held {listed(found)} at the start." if found else ""


def _arms(run: Run) -> str:
    arms = run.arms or [str(a) for a in run.config.get("arms") or {}]
    if not arms:
        return ""
    told = [f"{arm_name(a)} ({_treatment(run, a)})" for a in arms]
    return f"{_first_upper(counted(len(arms), 'arm'))} {'was' if len(arms) == 1 else 'were'} simulated: {listed(told)}."


def _treatment(run: Run, arm: str) -> str:
    return "; ".join(_dose(d) for d in run.doses.get(arm, [])) or "untreated"


def _dose(dose: Dose) -> str:
    amount = f" {dose.amount}" if dose.amount else ""
    if dose.route == "bath":
        return f"{arm_name(dose.name)}{amount} held everywhere from day {listed([_plain(d) for d in dose.days])} on"
    route = f" {ROUTES[dose.route]}" if dose.route in ROUTES else ""
    when = f" {days_text(dose.days)}" if dose.days else ""
    return f"{arm_name(dose.name)}{amount}{route}{when}"


def _replicates(run: Run) -> str:
    n: list[int] = [len(run.replicates(a)) for a in run.arms]
    each = TIMES.get(n[0], f"{WORDS[n[0]] if n[0] < len(WORDS) else n[0]} times") if n and len(set(n)) == 1 and n[0] else ""
    asked = run.config.get("replicates")
    if not each:
        each = f"{min(n)} to {max(n)} times" if any(n) else f"{asked} times" if asked else "at least once"
    horizon, branch = run.config.get("horizon_day"), run.config.get("branch_at_day")
    until = f" until day {_plain(horizon)} after the start of treatment" if isinstance(horizon, (int, float)) else ""
    text = f"{'Each arm' if len(run.arms) > 1 else 'The arm'} was simulated {each}{until}, from seed {run.config.get('seed', 'not recorded')}."
    if len(run.arms) < 2:
        return text
    if not run.paired:
        return f"{text} Arms do not share their random numbers and were compared as independent groups."
    start = run.config.get("start_day")
    common = isinstance(branch, (int, float)) and (not isinstance(start, (int, float)) or branch > start)
    shared = f", and one tumour until day {_plain(branch)}," if common else ""
    return f"{text} Replicates of the same number share their random numbers across arms{shared} and were compared as pairs."


def _recorded(run: Run) -> str:
    output = run.config.get("output") or {}
    every, days = output.get("record_every_h"), [d for d in as_list(output.get("snapshot_days")) if isinstance(d, (int, float))]
    first = f"Readouts were recorded every {_plain(every)} h" if isinstance(every, (int, float)) else ""
    kept = f"{', all' if first else 'All'} cells and fields {days_text(days)}" if days else ""
    return f"{first}{kept}." if first or kept else ""


def _sweep(run: Run) -> str:
    swept = run.config.get("sweep")
    if run.sweep.empty or not isinstance(swept, dict):
        return ""
    told = [f"{key} ({', '.join(_plain(v) for v in as_list(values))})" for key, values in swept.items()]
    return f"This was repeated for {counted(len(run.sweep), 'combination')} of values: {'; '.join(told)}."


def _statistics(run: Run) -> str:
    intervals = "Means are given with 95 % intervals (Student’s t)"
    if max((len(run.replicates(a)) for a in run.arms), default=0) < 2:
        return "With one simulation per arm no interval and no test is given."
    if len(run.arms) < 2:
        return f"{intervals}."
    question = statistics.question_of(run.config)
    tests = "two-sided paired t tests" if run.paired else "two-sided Welch t tests"
    rest = f"{'All other' if question else 'All'} comparisons ({tests}) are exploratory, p adjusted by Benjamini-Hochberg."
    if question is None:
        return f"{intervals}. No primary question was stated. {rest}"
    asked = "; ".join(statement(c, arm_name) for c in question.contrasts)
    day = question.day if question.day is not None else run.config.get("horizon_day")
    when = f" on day {_plain(day)}" if day is not None else ""
    late = " (put or changed after simulations had begun)" if _late(run) else ""
    return (
        f"The primary question{late} was of {READOUTS.get(question.readout, question.readout)}{when}: {asked}. {_first_upper(counted(len(question.contrasts), 'contrast'))} "
        f"{'was' if len(question.contrasts) == 1 else 'were'} tested by two-sided paired t tests, ratios on the logarithm"
        f"{', p adjusted by Holm among them' if len(question.contrasts) > 1 else ''}, at a level of 0.05. {intervals}. {rest}"
    )


def _late(run: Run) -> bool:
    try:
        one, points = answered(run)
    except Missing:
        return False
    return any(a.late for a in ([one] if one is not None else points.values()))


# ---- how to make it again --------------------------------------------------------------------------------------
def command(run: Run) -> str:
    """The command that made the run, as typed; empty where none is recorded."""
    said = str(run.provenance.get("command") or "")
    program, _, rest = said.partition(" ")
    return f"tme {rest}" if program.endswith(("__main__.py", "tme")) else said


def reproduction(run: Run, data: str = "") -> list[str]:
    """Commands that make the run again: the one recorded, the one that needs this directory alone, and that of this page.

    `data`: the table whose points the page shows.
    """
    here = run.folder.name
    again = f"tme run {shlex.quote(f'{here}/config.resolved.yaml')} --out {shlex.quote(f'{here}-again')}"
    return [c for c in (command(run), again, f"tme report {shlex.quote(here)}" + (f" --data {shlex.quote(data)}" if data else "")) if c]


def reproduction_words(run: Run) -> str:
    digest = run.provenance.get("config_digest")
    known = f" Its digest is {digest}." if digest else ""
    initial = run.config.get("initial") or {}
    named = any(run.config.get(k) for k in ("library", "plugins")) or "file" in {**initial, **(initial.get("base") or {})}
    need = "needs this directory and the files that its config names" if named else "needs this directory alone"
    first = f"The first command made this run; the second {need}" if command(run) else f"No command was recorded; the first below {need}"
    return (
        f"{first}, since config.resolved.yaml holds every number that is not the library’s.{known} The same version of tme, config and seed give the same "
        "numbers bit for bit on processors of one kind, for any number of processes and threads. The last command draws this page."
    )
