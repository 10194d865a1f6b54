"""A shorter horizon leaves out what comes after it: later doses and snapshots, the day of the question, with a note of what they were."""

from __future__ import annotations

from tme.config.source import SET, Node


def shortened(before: Node, after: Node) -> bool:
    """Whether `--set` made the horizon earlier than the files have it."""
    former, now = before.find(("horizon_day",)), after.find(("horizon_day",))
    return now.file == SET and _is_number(now.value) and _is_number(former.value) and now.value < former.value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def trimmed(tree: Node, spare: str = "") -> tuple[Node, list[str]]:
    """The tree without doses and snapshots beyond its horizon (agents that lose all doses go), and what went.

    Days that stand in the file `spare` are kept: a user who sets both a horizon and a later dose by `--set`
    is told so.
    """
    horizon = tree.find(("horizon_day",)).value
    if not _is_number(horizon):
        return tree, []
    notes: list[str] = []
    trim = _Trim(float(horizon), spare, notes)
    values = {k: trim.walk(v, k, (k,)) if k in ("arms", "output") else v for k, v in tree.value.items()}
    if "primary" in values:
        values["primary"] = trim.question(values["primary"])
    told = [f"left out, being after the end on day {horizon:g}: {'; '.join(notes)}"] if notes else []
    return Node(values, tree.file, tree.line), told


class _Trim:
    """Walks the arms and the output section, leaving out what lies beyond a horizon."""

    def __init__(self, horizon: float, spare: str, notes: list[str]) -> None:
        self.horizon, self.spare, self.notes = horizon, spare, notes

    def within(self, day: Node, key: str) -> bool:
        """Whether a dose or snapshot stays; a snapshot may fall on the horizon itself."""
        if not _is_number(day.value) or (self.spare and day.file == self.spare):
            return True
        return day.value < self.horizon or (key == "snapshot_days" and day.value == self.horizon)

    def lost(self, agent: Node) -> bool:
        """An agent all of whose days are late."""
        days = agent.value.get("day") if isinstance(agent.value, dict) else None
        if days is None:
            return False
        each = days.value if isinstance(days.value, list) else [days]
        return bool(each) and not any(self.within(d, "day") for d in each)

    def walk(self, node: Node, key: str, path: tuple[str, ...]) -> Node:
        if isinstance(node.value, dict):
            late = node.value.get("snapshot_days")
            if late is not None and not self.within(late, "snapshot_days"):
                self.note((*path, "snapshot_days"), [late.value])
                node = Node({k: v for k, v in node.value.items() if v is not late}, node.file, node.line)
            return Node({k: self.walk(v, k, (*path, k)) for k, v in node.value.items()}, node.file, node.line)
        if not isinstance(node.value, list):
            return node
        if key in ("day", "snapshot_days"):
            kept = [v for v in node.value if self.within(v, key)]
            self.note(path, [v.value for v in node.value if v not in kept])
            return Node(kept, node.file, node.line)
        kept = []
        for i, item in enumerate(node.value):
            if self.lost(item):
                self.note((*path, str(item.find(("name",)).value)), "altogether")
            else:
                kept.append(self.walk(item, key, (*path, str(i))))
        return Node(kept, node.file, node.line)

    def question(self, node: Node) -> Node:
        """The question without a day that is late: it is asked of the last one."""
        day = node.value.get("day") if isinstance(node.value, dict) else None
        if day is None or not _is_number(day.value) or day.value <= self.horizon or (self.spare and day.file == self.spare):
            return node
        self.note(("primary", "day"), [day.value])
        return Node({k: v for k, v in node.value.items() if k != "day"}, node.file, node.line)

    def note(self, path: tuple[str, ...], days: list | str) -> None:
        """What was left out, for people."""
        if days:
            told = days if isinstance(days, str) else "day " + ", ".join(f"{d:g}" for d in days)
            self.notes.append(f"{'.'.join(path).removesuffix('.day')} {told}")
