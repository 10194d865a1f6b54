"""Rewrite the tables of docs/model.md, and the README's count of numbers, from the code: `python docs/make_tables.py`.

Every table stands between `<!-- table: NAME -->` and `<!-- end -->`; what is between them is replaced, all
other text is left alone. With `--check` nothing is written and the exit code is 1 if a table is out of date.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tme import pathways
from tme.core.mechanism import Phase
from tme.core.parameters import STATUSES
from tme.core.population import COMMON
from tme.kernels.rng import Stream
from tme.library import KINDS, load_library
from tme.library.cells import in_order
from tme.model.describe import describe, mechanism_table
from tme.model.evidence import evidence
from tme.model.loading import load_config
from tme.model.registry import PLAN, known_to_rules, parameter_registry
from tme.pathways.contract import plain
from tme.populations.cells import population_class
from tme.rules.tables import rule_rows
from tme.targets import chosen

MODEL = Path(__file__).with_name("model.md")
README = Path(__file__).parents[1] / "README.md"
COUNT = re.compile(r"(<!-- count -->)(.*?)(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def cell(value: Any) -> str:
    """A value in a table; numbers short, bars and angle brackets harmless."""
    out = f"{value:g}" if isinstance(value, float) else str(value)
    return out.replace("|", "/").replace("<", "&lt;").replace("\n", " ").strip() or "–"


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table."""
    columns = list(columns)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def parameters(group: str) -> str:
    """The parameters of one group, defaults before any tumour preset or config."""
    rows = [(f"`{p.name}`", p.value, p.unit, p.about, p.source) for p in parameter_registry()[group]]
    return table(("parameter", "value", "unit", "meaning", "source"), rows)


def library(kind: str) -> str:
    """The numbers of one library file; entries that agree in a number, unit and source share a row."""
    shared: dict[tuple[str, float, str, str], list[str]] = {}
    for name, entry in getattr(load_library(), kind).items():
        for key, n in entry.numbers.items():
            shared.setdefault((key, float(n.value), n.unit, n.source), []).append(name)
    keys = list(dict.fromkeys(k[0] for k in shared))
    rows = [
        (f"`{key}`", value, unit, ", ".join(names), source)
        for wanted in keys
        for (key, value, unit, source), names in shared.items()
        if key == wanted
    ]
    return table(("number", "value", "unit", "entries", "source"), rows)


def platforms() -> str:
    """Particle platforms: what they carry, how they let go, what of the original is missing."""
    rows = []
    for name, e in load_library().nanoparticles.items():
        r = e.release
        gates = [
            w
            for w, k in (("slow", r.k0), ("acid", r.k_ph), ("GSH", r.k_gsh), ("hypoxia", r.k_hypoxia))
            if k
        ]
        payload = ", ".join(p.drug or "iron" for p in e.payloads)
        where = "in cells and tissue" if e.releases_outside else "in cells"
        rows.append((e.id, f"`{name}`", payload, ", ".join(gates), where, " or ".join(e.routes), e.not_modelled))
    return table(("id", "entry", "payload", "release", "where", "route", "not modelled"), rows)


def axes() -> str:
    """Checkpoint axes: who carries the receptor, who the ligands, where they meet and what that does."""
    rows = []
    for name, e in load_library().receptors.items():
        ligands = ", ".join(f"{n} ({', '.join(li.on) or 'background'})" for n, li in e.ligands.items())
        effects = ", ".join(f"{term} {x.without:g} → {x.to:g}" for term, x in e.effects.items())
        rows.append((f"`{name}`", "on" if e.on else "off", e.place, ", ".join(e.receptor.on), ligands, effects, e.about))
    return table(("axis", "default", "place", "receptor on", "ligands (on)", "factor without signal → at saturation", "what"), rows)


def drug_hits() -> str:
    """Drugs: what each hits, with its strength."""
    rows = []
    for name, e in load_library().drugs.items():
        hits = [f"{h.target} ({h.key} {h.numbers[h.key].value:g} {h.numbers[h.key].unit})" if h.target else h.said for h in e.hits]
        rows.append((f"`{name}`", e.about, ", ".join(hits)))
    return table(("entry", "what", "hits"), rows)


def rules() -> str:
    """Rules of the library as sentences."""
    library, known = load_library(), known_to_rules()
    on = {n: "on" if e.default else f"with `mechanisms.{e.comes_with}`" if e.comes_with else "off" for n, e in library.rules.items()}
    rows = [(f"`{r['rule']}`", on[r["rule"]], r["says"], r["source"]) for r in rule_rows(library.rules, known)]
    return table(("rule", "default", "says", "source"), rows)


def plan() -> str:
    """Entries of the plan by phase: therapies only in arms that need them, one solve per field."""
    every = [(m.phase, m.name, m.clock_min, m.about) for m in PLAN]
    every += [(Phase.SECRETE, "start_sources, finish_sources", 0.0, "sources counted anew, then handed to the fields")]
    every += [(Phase.DIFFUSE, f"diffuse_{n}", e.clock_min, f"{e.about}: {e.mode.replace('_', ' ')}") for n, e in load_library().fields.items()]
    every += [(Phase.DIFFUSE, "diffuse_AGENT", 10.0, "drugs, antibodies and particles of the arm, 5 or 10 min as the library says")]
    rows = [
        (f"{int(p)} {p.name.lower()}", f"`{name}`", f"{clock:g} min" if clock else "tick", about)
        for p, name, clock, about in sorted(every, key=lambda e: e[0])
    ]
    return table(("phase", "entry", "every", "does"), rows)


def ids() -> str:
    """Which code or library entry stands for which mechanism id, and which config key switches it."""
    rows = []
    for row in mechanism_table():
        places = ", ".join(f"`{w}`" for w in row["where"].split())
        keys = row["switch"] if row["observable"] else ", ".join(f"`{k}`" for k in row["switch"].split())
        rows.append((row["id"], row["name"], row["sign"], places, keys))
    return table(("id", "mechanism", "sign", "where", "config key"), rows)


def targets() -> str:
    """Published results: band, source, what the row is used for, and the mutant that must break it."""
    rows = [(t.id, t.title, t.band, t.source, t.use, "–" if t.mutant is None else t.mutant.name) for t in chosen(())]
    return table(("id", "target", "band", "source", "use", "mutant"), rows)


def columns() -> str:
    """State variables of every cell type."""
    rows = [("every cell", f"`{c.name}`", c.unit, c.at_division, c.about) for c in COMMON]
    cells = load_library().cells
    for kind in in_order((n for n, e in cells.items() if e.in_every_model), cells):
        rows += [(kind, f"`{c.name}`", c.unit, c.at_division, c.about) for c in population_class(kind, cells[kind]).columns]
    rows += [(f"with {p.name}", f"`{c.name}`", c.unit, c.at_division, c.about) for p in pathways.PATHWAYS.values() for c in p.columns()]
    return table(("cell", "column", "unit", "daughter gets", "meaning"), rows)


def cell_types() -> str:
    """Cell types: where they live and what they do, with the parameters they take from mechanisms."""
    rows = []
    for name, e in load_library().cells.items():
        parts = [k for k in ("motion", "entry", "life", "division", "dies", "kills", "presents", "polarises", "phagocytoses") if getattr(e, k)]
        parts += [f"secretes {s.field}" for s in e.secretes] + [f"takes up {u.field}" for u in e.takes_up] + ["yields"] * e.yields
        parts += [f"runs {p}{'' if run.on else ' (off)'}" for p, run in e.pathways.items()]
        where = e.place if e.place == "guest" else f"tissue {e.lies}" if name != "tumour" else "tissue"
        taken = ", ".join(f"`{p}`" for p in dict.fromkeys(e.parameters.values()))
        rows.append((f"`{name}`", e.about, where, ", ".join(parts), taken))
    return table(("entry", "what", "place", "does", "parameters"), rows)


def equations(pathway: str) -> str:
    """The states of a pathway: how each moves, and what else is said of it in its table."""
    rows = []
    for s in pathways.PATHWAYS[pathway].states:
        loss, cap = s.loss and plain(s.loss).__name__, s.cap and plain(s.cap).__name__
        form = f"{s.symbol}' = {loss} (level - {s.symbol})" if loss else f"{s.symbol}' = production {'+ growth' if s.kind == 'grow' else '- loss'} {s.symbol}"
        rows.append((s.symbol, f"`{s.name}`", s.unit, form, cap or "", s.start, s.at_division, s.about))
    return table(("symbol", "column", "unit", "moves as", "not above", "start", "daughter gets", "meaning"), rows)


def terms(pathway: str) -> str:
    """What rules may modulate in a pathway."""
    rows = [(f"`{t.name}`", t.effect, t.unit, f"{t.low:g} to {t.high:g}", t.about) for t in pathways.PATHWAYS[pathway].terms]
    return table(("term", "effect", "unit", "bounds", "meaning"), rows)


def presets() -> str:
    """Numbers of pathways in other cell types, and the tumour's defaults."""
    rows = []
    for name, pathway in pathways.PATHWAYS.items():
        default = {g.name: (g.default, g.about) for g in pathway.traits} | {p.name: (p.value, p.about) for p in pathway.parameters}
        for kind, e in load_library().cells.items():
            numbers = e.pathways[name].preset if name in e.pathways else {}
            rows += [(kind, name, f"`{n}`", v.value, default[n][0], v.unit, default[n][1], v.source) for n, v in numbers.items()]
    return table(("cell", "pathway", "number", "value", "default", "unit", "meaning", "source"), rows)


def streams() -> str:
    """The purposes a random draw can have."""
    return ", ".join(f"`{s.name.lower()}`" for s in Stream) + "\n"


def makers() -> dict[str, Callable[[], str]]:
    """Every table by name."""
    out: dict[str, Callable[[], str]] = {
        "plan": plan, "ids": ids, "columns": columns, "streams": streams, "axes": axes, "platforms": platforms, "drug_hits": drug_hits,
        "cell_types": cell_types, "rules": rules, "presets": presets, "targets": targets,
    }  # fmt: skip
    for group in parameter_registry():
        out[f"parameters.{group}"] = lambda g=group: parameters(g)
    for name in pathways.PATHWAYS:
        out[f"states.{name}"] = lambda n=name: equations(n)
        out[f"terms.{name}"] = lambda n=name: terms(n)
    for kind in KINDS:
        out[f"library.{kind.name}"] = lambda k=kind.name: library(k)
    return out


def render(text: str) -> str:
    """`text` with every table made anew; KeyError for a name that is no table."""
    made = makers()
    return BLOCK.sub(lambda m: f"<!-- table: {m[1]} -->\n{made[m[1]]()}<!-- end -->", text)


def counted(statuses: Iterable[str]) -> str:
    """How many numbers have which status, in words."""
    found = Counter(statuses)
    return ", ".join(f"{found[s]} {s}" for s in STATUSES)


def evidence_sentence() -> str:
    """What stands behind the numbers of the main experiment, and behind all that are shipped."""
    used = evidence(describe(load_config(README.with_name("configs") / "four_arms.yaml")))["evidence"][-1]
    every = [p.status for s in parameter_registry().values() for p in s]
    every += [n.status for kind in load_library().entries.values() for e in kind.values() for n in e.numbers.values()]
    main = ", ".join(f"{used[s]} are {s}" if s == STATUSES[0] else f"{used[s]} {s}" for s in STATUSES)
    return f"Of the {used['all']} numbers that `configs/four_arms.yaml` uses, {main}; of all {len(every)} there are, {counted(every)}."


def render_readme(text: str) -> str:
    """The README with the count of its numbers made anew."""
    return COUNT.sub(lambda m: f"{m[1]}{evidence_sentence()}{m[3]}", text)


def main() -> int:
    """Rewrite or check."""
    stale = False
    for page, made in ((MODEL, render), (README, render_readme)):
        old = page.read_text(encoding="utf-8")
        new = made(old)
        stale |= old != new
        if new != old and "--check" not in sys.argv[1:]:
            page.write_text(new, encoding="utf-8")
    return int(stale and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
