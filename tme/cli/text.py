"""How the command line prints tables, descriptions and the ODD protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

Rows = list[dict[str, Any]]


def console() -> Console:
    """A console as wide as the terminal; 160 columns into a file or pipe."""
    made = Console()
    return made if made.is_terminal else Console(width=160)


def table(rows: Rows, title: str = "") -> None:
    """Rows as a table; columns are the keys in order of appearance."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    out = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in columns:
        out.add_column(str(name), overflow="fold")
    for row in rows:
        out.add_row(*(text(row.get(c)) for c in columns))
    console().print(out, markup=False) if rows else console().print(f"{title}: none")


def text(value: Any) -> str:
    """A value in a cell."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(text(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {text(v)}" for k, v in value.items())
    return str(value)


def show(found: Mapping[str, Any]) -> None:
    """A description: lists of rows as tables, the rest as lines."""
    for key, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            table(value, key)
        elif isinstance(value, Mapping):
            table([{"what": k, "value": v} for k, v in value.items()], key)
        else:
            console().print(f"{key}: {text(value)}", markup=False, highlight=False)


def only_assumed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of every table with sources, the rows whose number has none."""
    out: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping) and "source" in value[0]:
            out[key] = [row for row in value if row.get("status", "assumed") == "assumed"]
    return out


SHOWN = {"mechanisms": ("id", "name", "where", "switch", "test", "from")}  # of rows with more columns than a terminal holds


def shown(rows: Rows, kind: str) -> Rows:
    """What a terminal shows of a list; JSON has all of it."""
    keep = SHOWN.get(kind)
    return rows if keep is None else [{k: row[k] for k in keep if k in row} for row in rows]


class UnknownKind(ValueError):
    """There is no such list."""

    exit_code = 2


def rows_of(kind: str, config: Any = None, files: Iterable[Path] = ()) -> Rows:
    """What `tme list KIND` prints; with the library of a config, or with library files of the user's own."""
    if kind == "targets":
        from tme import targets

        return [dict(row) for row in targets.table()]
    from tme.config.entries import user_library
    from tme.config.errors import listed, nearest
    from tme.library import load_library
    from tme.model import yours
    from tme.model.describe import mechanism_table
    from tme.model.registry import known_to_rules
    from tme.pathways import runs, table
    from tme.rules import tables

    library = user_library(config.library if config is not None else load_library(), files)
    plugins = config.plugins if config is not None else ()
    made = {
        "mechanisms": lambda: ("id", [*mechanism_table(), *yours.mechanism_rows(plugins, library)]),
        "pathways": lambda: ("name", table(runs(library.cells, yours.laws(plugins)))),
        "rules": lambda: ("rule", tables.rule_rows(library.rules, known_to_rules(config, library))),
        "signals": lambda: ("signal", tables.signal_rows(known_to_rules(config, library))),
        "terms": lambda: ("term", tables.term_rows(known_to_rules(config, library))),
    }
    if kind in made:
        key, rows = made[kind]()
        whose = yours.files_of(kind, plugins, library)
        return [{**row, "from": whose.get(row[key], "")} for row in rows] if whose else rows
    if kind not in library.entries:
        known = [*library.entries, "signals", "terms", "pathways", "mechanisms", "targets"]
        meant = nearest(kind, known)
        raise UnknownKind(f"there is no list of '{kind}'; expected {listed(known)}" + f"; did you mean '{meant}'?" * bool(meant))
    own = library.origin.get(kind, {})
    rows = [{"name": name, **entry.row(), "from": own.get(name, "")} for name, entry in library.entries[kind].items()]
    return rows if own else [{k: v for k, v in row.items() if k != "from"} for row in rows]


def show_status(found: Mapping[str, Any]) -> None:
    """What `tme status` prints."""
    writer = found.get("writer")
    out = console()
    state = (
        f"being written by process {writer['pid']} on {writer['host']}"
        if writer
        else "nobody writes here now"
    )
    out.print(f"{found['path']}: {state}", markup=False, highlight=False)
    out.print(text(found.get("counts", {})) + " (arms x replicates)", highlight=False)
    keep = ("folder", "state", "hour", "message")
    table([{k: s[k] for k in keep if k in s} for s in found.get("simulations", [])], "simulations")


def show_study(found: Mapping[str, Any]) -> None:
    """What `tme status` prints of a study."""
    from tme.config.estimate import duration

    writer, out = found["writer"], console()
    by = f" by process {writer['pid']} on {writer['host']}" if writer else ""
    more = {"stopped": "; the same command goes on", "incomplete": "; the same command tries again what failed"}.get(found["state"], "")
    out.print(f"{found['path']}: {found['kind']} of {found['name']}, {found['state']}{by}{more}", markup=False, highlight=False)
    left = f"; about {duration(found['seconds_left'])} left of this stage" if "seconds_left" in found else ""
    out.print(f"{', '.join(f'{n} {word}' for word, n in found['counts'].items())} (simulations){left}", markup=False, highlight=False)
    if found["lead"]:
        out.print(found["lead"], markup=False, highlight=False)
    if found["failed"]:
        table(found["failed"], "failed")


ODD = (  # chapter, starts of the keys of a description that belong there, sections of the config
    ("1. Purpose and patterns", ("experiment", "arms"), ()),
    (
        "2. Entities, state variables and scales",
        ("populations", "columns", "fields"),
        ("domain", "populations"),
    ),
    ("3. Process overview and scheduling", ("plan", "what each entry", "criterion", "clocks"), ("clocks",)),
    ("4. Design concepts", ("concepts",), ()),
    ("5. Initialisation", ("initial",), ("initial", "tumour")),
    ("6. Input data", ("library",), ()),
    ("7. Submodels", ("mechanisms", "parameters"), ()),
)
CONCEPTS = (
    "Emergence: growth, infiltration and waves of ferroptosis emerge from laws of single cells. "
    "Stochasticity: counter-based draws keyed by seed, stream, tick and cell, so that arms share their luck. "
    "Interaction: through fields, contacts and room. Observation: the columns of series.csv."
)


def odd(found: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The description in the order of the ODD protocol (Grimm et al. 2020, doi 10.18564/jasss.4259)."""
    lines = [f"# {config['name']}: ODD protocol"]
    placed: set[str] = set()
    for title, starts, sections in ODD:
        keys = [k for k in found if k not in placed and k.startswith(starts)]
        placed |= set(keys)
        lines += ["", f"## {title}"]
        if title.endswith("concepts") and not keys:
            lines += ["", CONCEPTS]
        for name, value in [
            *((s, config[s]) for s in sections if s in config),
            *((k, found[k]) for k in keys),
        ]:
            lines += ["", *markdown(name, value)]
    for key in (k for k in found if k not in placed):
        lines += ["", *markdown(key, found[key])]
    return "\n".join(lines)


def markdown(title: str, value: Any) -> Iterable[str]:
    """One part as Markdown."""
    if isinstance(value, Mapping):
        value = [{"what": k, "value": v} for k, v in value.items()]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        columns = list(dict.fromkeys(k for row in value for k in row))
        yield f"**{title}**"
        yield ""
        yield "| " + " | ".join(columns) + " |"
        yield "|" + "---|" * len(columns)
        for row in value:
            yield "| " + " | ".join(text(row.get(c)).replace("|", "/") for c in columns) + " |"
    else:
        yield f"**{title}**: {text(value)}"
