"""One page with the scores: value, band, source, use, pass or miss; calibration and check scored apart. No other file is needed."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

STYLE = """
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 84rem; background: #fff; color: #1a1a1a;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; padding-bottom: .2rem; border-bottom: 1px solid #ccc; }
p { max-width: 52rem; margin: .3rem 0 .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #e2e2e2; }
thead th { border-bottom: 2px solid #888; white-space: nowrap; }
td.id { font-weight: 600; white-space: nowrap; }
.scores { table-layout: fixed; } td { overflow-wrap: break-word; }
td dl { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .05rem .7rem; margin: 0; }
td dt { color: #555; } td dd { margin: 0; }
.mark { display: inline-block; min-width: 4.2em; padding: .05rem .45rem; border-radius: 3px; text-align: center; font-weight: 600; }
.pass { background: #d9eedd; color: #14532d; } .miss { background: #fbe3d6; color: #7a2e0e; } .open { background: #e8e8e8; color: #444; }
.small { color: #555; font-size: .9em; } .missed { color: #7a2e0e; }
.tally td, .tally th { padding-right: 2rem; } .tally { width: auto; }
"""
COLUMNS = (("", 4), ("target", 23), ("measured", 30), ("band", 16), ("source", 13), ("use", 8), ("score", 6))
MARK = {True: ("pass", "pass"), False: ("miss", "miss"), None: ("open", "open")}
GROUPS = (("calibration", "Calibration: numbers of the model were set on these"), ("check", "Check: no number in force was set on these"))


def html(rows: Iterable[dict[str, Any]], titles: dict[str, str], how: dict[str, str]) -> str:
    """The page of rows as `tme targets --json` gives them; `titles` and `how` (what a check does) by id."""
    rows = list(rows)
    parts = [tally(rows)]
    for group, heading in GROUPS:
        inside = [r for r in rows if group_of(r) == group]
        if inside:
            parts += [f"<h2>{escape(heading)}</h2>", table(inside, titles, how)]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Published results</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Published results that the model is held to</h1>\n"
        "<p>Each row is measured on runs of the model and compared with a published band. A miss is a result: it says where the model and the "
        "tissue differ. Rows of calibration were used to set numbers; check rows were not looked at until all numbers were fixed, and count apart."
        "</p>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def group_of(row: dict[str, Any]) -> str:
    """"calibration" or "check"."""
    return "check" if row["use"].startswith("check") else "calibration"


def counts(rows: Iterable[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """(group, passed, missed, not measured in full) of the calibration and of the check rows."""
    out = []
    for group, _ in GROUPS:
        inside = [r["passed"] for r in rows if group_of(r) == group]
        out.append((group, sum(p is True for p in inside), sum(p is False for p in inside), sum(p is None for p in inside)))
    return out


def tally(rows: list[dict[str, Any]]) -> str:
    """The counts as a small table."""
    lines = "".join(f"<tr><th>{g}</th><td>{p}</td><td>{m}</td><td>{o}</td></tr>" for g, p, m, o in counts(rows))
    return f'<table class="tally"><thead><tr><th></th><th>pass</th><th>miss</th><th>not measured</th></tr></thead><tbody>{lines}</tbody></table>'


def table(rows: list[dict[str, Any]], titles: dict[str, str], how: dict[str, str]) -> str:
    """The rows of one group."""
    body = "\n".join(line(r, titles.get(r["id"], ""), how.get(r["id"], "")) for r in rows)
    head = "".join(f'<th style="width: {width}%">{name}</th>' for name, width in COLUMNS)
    return f'<table class="scores"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'


def line(row: dict[str, Any], title: str, how: str) -> str:
    """One target."""
    kind, word = MARK[row["passed"]]
    values = {k: v for k, v in row["value"].items() if k not in ("missed", "notes", "error")}
    shown = "".join(f"<dt>{escape(k.replace('_', ' '))}</dt><dd>{escape(spelled(v))}</dd>" for k, v in values.items())
    told = [f'<div class="missed">missed: {escape("; ".join(row["value"]["missed"]))}</div>'] if row["value"].get("missed") else []
    told += [f'<div class="missed">{escape(row["value"]["error"])}</div>'] if "error" in row["value"] else []
    told += [f'<div class="small">{escape("; ".join(row["value"]["notes"]))}</div>'] if row["value"].get("notes") else []
    return (
        f'<tr><td class="id" id="{row["id"]}">{row["id"]}</td><td>{escape(title)}<div class="small">{escape(how)}</div></td>'
        f'<td><dl>{shown}</dl>{"".join(told)}</td><td>{escape(row["band"])}</td><td>{escape(row["source"])}</td><td>{escape(row["use"])}</td>'
        f'<td><span class="mark {kind}">{word}</span></td></tr>'
    )


def spelled(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{k}: {spelled(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(spelled(v) for v in value)
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
