"""Arms that use other arms: one flat therapy, or what is wrong with it; `only` and `factorial` inside `arms`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from tme.config.errors import Fault, listed, nearest
from tme.config.source import Node

CONTROL, ONLY, FACTORIAL = "control", "only", "factorial"
JOINED = "_plus_"
MOST_CROSSED = 6  # 64 arms

KINDS = ("drugs", "antibodies", "nanoparticles", "events")


def members(arms: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The arm's constituents, used ones first, each once. ValueError names a cycle."""
    if name in above:
        raise ValueError(" -> ".join((*above[above.index(name) :], name)))
    seen = set()
    for used in arms[name].use:
        for member in members(arms, used, (*above, name)):
            if member not in seen:
                seen.add(member)
                yield member
    yield name


def resolve(arms: Mapping[str, Any], name: str) -> Any:
    """The arm with all that the arms it uses give; everything keeps its own dose and schedule, and adds up."""
    own, given = arms[name], [arms[member] for member in members(arms, name)]
    merged = {kind: tuple(item for arm in given for item in getattr(arm, kind)) for kind in KINDS}
    return own.model_copy(update={**merged, "use": ()})


# ---- words inside `arms` that are no arms -----------------------------------------------------------
def without_inherited(base: Node, over: Node) -> Node:
    """`base` without the arms that `over` drops by `only: true`: all it does not name under `factorial`."""
    arms = over.value.get("arms")
    former = base.value.get("arms")
    if arms is None or former is None or not (isinstance(arms.value, dict) and isinstance(former.value, dict)):
        return base
    if ONLY not in arms.value or arms.value[ONLY].value is not True:
        return base
    crossed = arms.value.get(FACTORIAL)
    named = crossed.plain() if crossed is not None and isinstance(crossed.value, list) else []
    kept = {n: a for n, a in former.value.items() if n in named and n not in arms.value}
    return Node({**base.value, "arms": Node(kept, over.file, arms.line)}, base.file, base.line)


def without_arm(tree: Node, key: str, value: Node) -> Node | None:
    """The tree without the arm that `--set arms.NAME=null` drops; None where the change is another.

    As in a file, an arm that is empty anyway stays.
    """
    section, _dot, name = key.partition(".")
    arms = tree.value.get("arms")
    if section != "arms" or value.value is not None or arms is None or not isinstance(arms.value, dict):
        return None
    if name not in arms.value or not arms.value[name].value:
        return None
    left = {n: a for n, a in arms.value.items() if n != name}
    return Node({**tree.value, "arms": Node(left, arms.file, arms.line)}, tree.file, tree.line)


def without_lost_contrasts(tree: Node, before: Node, told: list[str] | None = None) -> Node:
    """`tree` without the contrasts it has taken over from `before` that name arms which only `before` has; what went, in words.

    Where none is left the question goes as a whole. Contrasts that stand beside the change of the arms are not touched.
    """
    arms, former, asked, inherited = (_mapping(t, k) for t, k in ((tree, "arms"), (before, "arms"), (tree, "primary"), (before, "primary")))
    contrasts = inherited.get("contrasts")
    if contrasts is None or asked.get("contrasts") is not contrasts or not isinstance(contrasts.value, list):
        return tree
    lost = set(former) - set(arms) - {ONLY, FACTORIAL}
    gone = [c for c in contrasts.value if isinstance(c.value, str) and lost & set(re.split(r"[\s<>();,]+", c.value))]
    if not gone:
        return tree
    if told is not None:
        told.append(f"left out of the primary question, since arms are dropped: {'; '.join(str(c.value) for c in gone)}")
    left = [c for c in contrasts.value if c not in gone]
    rest = {k: v for k, v in tree.value.items() if k != "primary"}
    if not left:
        return Node(rest, tree.file, tree.line)
    section = tree.value["primary"]
    kept = {**asked, "contrasts": Node(left, contrasts.file, contrasts.line)}
    return Node({**rest, "primary": Node(kept, section.file, section.line)}, tree.file, tree.line)


def _mapping(tree: Node, key: str) -> dict[str, Node]:
    """The parts of a section; none where it is absent or no mapping."""
    section = tree.value.get(key)
    return section.value if section is not None and isinstance(section.value, dict) else {}


def expanded(tree: Node, faults: list[Fault]) -> Node:
    """The tree with `only` taken out of `arms` and `factorial` replaced by the arms it stands for."""
    arms = tree.value.get("arms")
    if arms is None or not isinstance(arms.value, dict) or not {ONLY, FACTORIAL} & set(arms.value):
        return tree
    given = {n: a for n, a in arms.value.items() if n not in (ONLY, FACTORIAL)}
    said, crossed = arms.value.get(ONLY), arms.value.get(FACTORIAL)
    if said is not None and not isinstance(said.value, bool):
        faults.append(Fault(said.file, said.line, f"arms.{ONLY}", f"is {said.plain()!r}", "true or false"))
    elif said is not None and said.line == 0:  # --set knows nothing of what was inherited
        faults.append(Fault(said.file, 0, f"arms.{ONLY}", "is for config files", "arms.NAME=null for each arm to drop"))
    if crossed is not None and crossed.value is not None:
        given = factorial(given, crossed, faults)
    return Node({**tree.value, "arms": Node(given, arms.file, arms.line)}, tree.file, tree.line)


def factorial(arms: dict[str, Node], crossed: Node, faults: list[Fault]) -> dict[str, Node]:
    """`arms` with an untreated control and all subsets of the named ones, `a_plus_b: {use: [a, b]}`."""
    names = crossed.plain()
    problem = _no_factors(names, arms)
    if problem is not None:
        faults.append(Fault(crossed.file, crossed.line, f"arms.{FACTORIAL}", *problem))
        return arms
    here = (crossed.file, crossed.line)
    out = {CONTROL: Node({}, *here), **arms}
    for size in range(2, len(names) + 1):
        for some in combinations(names, size):
            use = Node([Node(n, *here) for n in some], *here)
            out.setdefault(JOINED.join(some), Node({"use": use}, *here))
    return out


def _no_factors(names: Any, arms: Mapping[str, Node]) -> tuple[str, ...] | None:
    """Problem, expected and nearest name where arms cannot be crossed."""
    usable = [n for n in arms if n != CONTROL]
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        return f"is {names!r}", "a list of arms, e.g. [anti_pdl1, rsl3_np]"
    unknown = [n for n in names if n not in usable]
    if unknown:
        if unknown[0] == CONTROL:
            return "names the control, which is always among them", listed(usable)
        return f"unknown arm '{unknown[0]}'", f"{listed(usable)} (defined here or inherited)", nearest(unknown[0], usable)
    if len(set(names)) < len(names):
        return "names an arm twice", "each arm once"
    if len(names) > MOST_CROSSED:
        return f"crosses {len(names)} arms into {2 ** len(names)}", f"at most {MOST_CROSSED} arms"
    if arms.get(CONTROL) is not None and arms[CONTROL].value:
        return f"needs an untreated arm, and '{CONTROL}' is treated", f"{CONTROL}: {{}}"
    return None
