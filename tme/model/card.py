"""card.md of a run directory: what was asked, of which model, with which evidence and limits, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tme.core.parameters import STATUSES
from tme.library.load import Library
from tme.model.describe import describe
from tme.model.evidence import evidence
from tme.rules.resolve import chosen

MOST = 6  # groups of assumed numbers that are named
LIMITS = (
    "A research instrument: it predicts no patient.",
    "What the model leaves out stands in docs/model.md, section 8; what it may be believed for in docs/credibility.md.",
)


def card(config: Any) -> str:
    """The page, Markdown; the same for the same config."""
    found = describe(config)
    parts = [f"# {config.name}", asked(config, found), model(config, found), evidence_of(config, found), limits(config, found)]
    return "\n\n".join(parts) + "\n"


def asked(config: Any, found: Mapping[str, Any]) -> str:
    """The question, the arms, how many tumours for how long."""
    q = config.primary
    day = f" on day {q.day:g}" if q is not None and q.day is not None else ""
    said = f"**Question:** {q.readout}{day}: {'; '.join(q.contrasts)}." if q is not None else "No question is stated: whatever comes out is exploratory."
    branch = "" if config.branch_at_day is None else f", each grown once until day {config.branch_at_day:g} and treated in all arms"
    swept = "; ".join(f"`{k}`: {v}" for k, v in config.sweep.items())
    sweep = f"\n\nSwept: {swept}." if swept else ""
    many = f"{config.replicates} tumour{'s' * (config.replicates != 1)} an arm{branch}, from day {config.start_day:g} to {config.horizon_day:g}; seed {config.seed}."
    return f"## What was asked\n\n{said}\n\n{many}{sweep}\n\n{table(found['arms'])}"


def model(config: Any, found: Mapping[str, Any]) -> str:
    """Version, tumour, lattice, and what the config changed."""
    from tme import __version__

    about = found["experiment"]
    preset = config.library.tumour(config.tumour.preset)
    first = f"tme {__version__}; tumour `{config.tumour.preset}` ({preset.about}); lattice {about['lattice (nz, ny, nx)']} of {about['voxel um']:g} µm, tick {about['base tick min']:g} min; digest `{config.digest[:8]}`."
    changed = [f"`{r['parameter']}` = {r['value']:g} {r['unit']}" for r in found["parameters"] if r["in use"] and r["status"] == "chosen" and ":" in str(r["set by"])]
    switched = [f"{n} {'on' if on else 'off'}" for names, on in ((config.switched_on(), True), (config.switched_off(), False)) for n in sorted(names)]
    plan = next(v for k, v in found.items() if k.startswith("plan of a tick"))
    laws = [m["entry"] for m in plan if m["stands for"]]  # the rest moves what they need
    lines = [first, f"Laws in the plan: {', '.join(laws)}."]
    lines += [f"Switched by the config: {', '.join(switched)}."] if switched else []
    lines += [f"Numbers set by the config: {', '.join(changed)}."] if changed else []
    return "## Of which model\n\n" + "\n\n".join(lines)


def evidence_of(config: Any, found: Mapping[str, Any]) -> str:
    """How many numbers are measured, and where most are assumed."""
    *groups, total = evidence(found)["evidence"]
    counts = ", ".join(f"{total[s]} {'are ' * (s == STATUSES[0])}{s}" for s in STATUSES)
    most = sorted(groups, key=lambda g: -g["assumed"])[:MOST]
    disputed = sorted(n for n, entry in chosen(config).items() if entry.evidence == "conflicting")
    named = ", ".join(f"{g['numbers']} {g['assumed']} of {g['all']}" for g in most)
    out = f"Of the {total['all']} numbers that this config uses, {counts}. Most assumed ones: {named}."
    out += f"\n\nRules on whose sources disagree: {', '.join(disputed)}." if disputed else ""
    return f"## With which evidence\n\n{out}\n\n`tme describe CONFIG --evidence` lists each with range and source."


def limits(config: Any, found: Mapping[str, Any]) -> str:
    """What a reader must not conclude."""
    *_, total = evidence(found)["evidence"]
    lines = [f"{round(100 * total['assumed'] / total['all'])} % of the numbers are assumed; `tme robust` asks over which of them a conclusion holds."]
    if len(config.domain.size_um) == 2:
        lines.append("A flat section: one layer of cells, vessels cut across.")
    lines += [f"{name} is without {text}." for name, text in left_out(config.library, agents(config))]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in (*lines, *LIMITS))


def agents(config: Any) -> list[tuple[str, str]]:
    """(kind, name) of what some arm gives."""
    therapies = [config.therapy_of(arm) for arm in config.arms]
    return sorted({(kind, item.name) for t in therapies for kind in ("drugs", "antibodies", "nanoparticles", "events") for item in getattr(t, kind)})


def left_out(library: Library, given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the entries of agents say that they do not model."""
    found = [(name, str(getattr(library.entries[kind][name], "not_modelled", ""))) for kind, name in given]
    return [(name, text) for name, text in found if text]


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(c, "")) or "–" for c in columns) + " |" for row in rows]
    return "\n".join(lines)
