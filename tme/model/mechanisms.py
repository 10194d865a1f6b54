"""The mechanisms by id: where each lives, which config key switches it, which test shows its sign (`tme list mechanisms`).

Nothing here is kept by hand: laws name their ids (`Mechanism.ids`), so do library entries, and tests carry
`@pytest.mark.mechanism("M35")`. `library/mechanisms.yaml` adds names and signs, and the numbers that switch what has no switch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tme.library import load_library
from tme.library.kinds import BY_NAME
from tme.library.mechanisms import ID, MechanismRow, carriers, load_mechanisms
from tme.library.mechanisms import file_of as entry_file
from tme.model.registry import PLAN, parameter_registry

OBSERVABLE = "observable: a readout, nothing to switch"


def mechanism_table() -> list[dict[str, Any]]:
    """One row per id: id, name, group, sign, tier, where, switch, test, observable, about.

    `where`, `switch` and `test` hold words with spaces between them: files or file:entry, config keys, node ids of tests.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for mid, where, switch, about in (*of_laws(), *of_entries()):
        row = found.setdefault(mid, {"where": [], "switch": [], "about": []})
        for key, value in (("where", where), ("switch", switch), ("about", about)):
            if value and value not in row[key]:
                row[key].append(value)
    tests = tests_by_id()
    known = load_mechanisms()
    order = [*known, *sorted(set(found) - set(known))]
    return [row_of(mid, known.get(mid), found.get(mid, {}), tests.get(mid, ())) for mid in order]


def row_of(mid: str, known: MechanismRow | None, found: dict[str, list[str]], tests: Any) -> dict[str, Any]:
    """The row of one id."""
    switch = list(filter(None, dict.fromkeys([*(key_of(n) for n in (known.neutral if known is not None else ())), *found.get("switch", ())])))
    sharp = [s for s in switch if not s.endswith(".*") and not (s.startswith("arms.") and s.count(".") == 2)]
    observable = known is not None and known.observable
    shown = {} if known is None else {"name": known.name, "group": known.group, "sign": known.sign, "tier": known.tier}
    where = found.get("where", [])
    if known is not None and not where:
        where = known.where.split() or [*dict.fromkeys(home_of(n) for n in known.neutral)]
    return {
        "id": mid, **shown, "where": " ".join(where), "switch": OBSERVABLE if observable else " ".join(sharp or switch),
        "test": " ".join(tests), "observable": observable, "about": next(iter(found.get("about", ())), "" if known is None else known.name),
    }  # fmt: skip


def key_of(name: str) -> str:
    """The config key of a neutral number: a parameter, a trait of cells, a key of doses, what clones resist; a term has none but its rules."""
    group, _, rest = name.partition(".")
    return {"traits": f"tumour.clones.*.{rest}", "arms": f"arms.*.*.{rest}", "resists": f"tumour.clones.*.resists.{rest}", "terms": ""}.get(group, f"mechanisms.{name}")


def home_of(name: str) -> str:
    """The file of the laws that take a neutral number."""
    group = name.partition(".")[0]
    for cls in PLAN:
        if cls.parameters is not None and cls.parameters.group == group:
            return file_of(cls)
    return "tme/pathways/ferroptosis.py" if group == "traits" else ""


def file_of(cls: type) -> str:
    """The file of a law, from the folder that holds the package; of a pathway in another cell type than the tumour its entry."""
    kind = getattr(cls, "cells", None) or getattr(getattr(cls, "of", None), "cells", "tumour")
    if kind != "tumour":
        return f"tme/library/cells.yaml:{kind}"
    return cls.__module__.replace(".", "/") + ".py"


def of_laws() -> Iterator[tuple[str, str, str, str]]:
    """(id, file, config key, what it does) of every law that names an id."""
    for cls in PLAN:
        if cls.switchable:
            switch = f"mechanisms.{cls.name}.on"
        elif cls.given_by:
            switch = cls.given_by
        else:
            switch = f"mechanisms.{cls.parameters.group}.*" if cls.parameters is not None and cls.parameters.group in parameter_registry() else ""
        for mid in cls.ids:
            yield mid, file_of(cls), switch, cls.about


def of_entries() -> Iterator[tuple[str, str, str, str]]:
    """The same of every library entry that carries an id."""
    for mid, kind, name, about in carriers(load_library()):
        yield mid, f"{entry_file(kind, name)}:{name}", switch_of(kind, name), about


def switch_of(kind: str, name: str) -> str:
    """The config key that brings an entry into a run or takes it out."""
    by = BY_NAME[kind].chosen_by.partition(" ")[0]
    if by == "arms":
        return f"arms.*.{kind}.{name}"
    if by == "cell_types()":
        return f"populations.{name}"
    return f"{by or kind}.{name}"


# ---- tests ---------------------------------------------------------------------------------------------------------------
@cache
def tests_by_id() -> dict[str, tuple[str, ...]]:
    """Id -> node ids (file::test) of the tests that carry its mark; empty where no tests lie beside the package."""
    folder = Path(__file__).parents[2] / "tests"
    found: dict[str, dict[str, None]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        file = path.relative_to(folder.parent).as_posix()
        for test, mid in marked(path.read_text(encoding="utf-8")):
            found.setdefault(mid, {})[f"{file}::{test}"] = None
    return {mid: tuple(tests) for mid, tests in found.items()}


def marked(text: str) -> Iterator[tuple[str, str]]:
    """(test, id) of every mark in a file of tests: on functions, in lists of parameters, or of the whole module."""
    if "mechanism(" not in text:
        return
    tree = ast.parse(text)
    tables = {t.id: node.value for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
    whole = list(ids_in(tables["pytestmark"], tables)) if "pytestmark" in tables else []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            for mid in dict.fromkeys([*whole, *(m for d in node.decorator_list for m in ids_in(d, tables))]):
                yield node.name, mid


def ids_in(node: ast.AST, tables: Mapping[str, ast.AST], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Ids of the marks in an expression. Names are followed to the tables of the module; where a mark takes its id from a
    row of such a table, every text of that table that is an id counts."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & set(tables) - seen
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "mechanism":
            given = [a.value for a in call.args if isinstance(a, ast.Constant)]
            yield from (str(v) for v in given)
            if len(given) < len(call.args):
                yield from texts(names, tables)
    for name in names:
        yield from ids_in(tables[name], tables, seen | names)


def texts(names: set[str], tables: Mapping[str, ast.AST]) -> Iterator[str]:
    """Every text in these tables that is an id."""
    for name in names:
        for n in ast.walk(tables[name]):
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and ID.fullmatch(n.value):
                yield n.value
