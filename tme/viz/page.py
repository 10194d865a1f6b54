"""The parts of the report's page as HTML: summary of the configuration, words, table, warnings.

Provenance.
"""

from __future__ import annotations

from collections.abc import Collection
from html import escape

import numpy as np

from tme import statistics
from tme.viz import style, words
from tme.viz.load import Run
from tme.viz.style import arm_name
from tme.viz.sweep import sweep_hour, words_of_points
from tme.viz.words import number, p_text

SECTIONS = (
    ("primary", "The question"),
    ("loop", "The loop"),
    ("viewer", "Look closer"),
    ("words", "What happened"),
    ("endpoints", "Endpoints"),
    ("outcomes", "Growth, response, synergy"),
    ("figures", "Further figures"),
    ("config", "What was simulated"),
    ("methods", "Methods"),
    ("provenance", "Provenance"),
)


def nav(without: Collection[str] = ()) -> str:
    """Links to the sections that the page has."""
    return "".join(f'<a href="#{key}">{name}</a>' for key, name in SECTIONS if key not in without)


def policy(script_hash: str | None) -> str:
    """The page's content security policy: nothing from elsewhere, no code but the viewer's."""
    code = script_hash or "'none'"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {code}; base-uri 'none'; form-action 'none'"


def viewer_html(body: str) -> str:
    """The viewer's section, empty where there is no moment to show."""
    if not body:
        return ""
    said = (
        "Cells and fields of one replicate per arm, the one nearest to the arms’ means; values in steps of about one percent of their range. Space plays, "
        "a click takes up a cell, shift and drag a region, ? lists the keys. The figures of this page show the same without a script."
    )
    return f'<h2 id="viewer">Look closer</h2>\n<p class="small">{said}</p>\n{body}'


def lead(run: Run) -> str:
    n = [len(run.replicates(a)) for a in run.arms]
    each = f"{n[0]} each" if len(set(n)) == 1 else f"{min(n)} to {max(n)} each" if n else "none yet"
    arms = "1 arm" if len(n) == 1 else f"{len(n)} arms"
    if not run.sweep.empty:
        return escape(f"{arms}, {len(run.sweep)} sweep points.{_stopped_lead(run)}")
    return escape(
        f"{arms}, {sum(n)} simulations ({each}), followed to day {run.last_common_hour / 24:.3g} of "
        f"treatment.{_stopped_lead(run)}"
    )


def _stopped_lead(run: Run) -> str:
    """In the report's first lines: how many simulations stopped early, and that all are read on one day."""
    if "stop_reason" not in run.summary:
        return ""
    early = run.summary[[isinstance(why, str) and why != "" for why in run.summary["stop_reason"]]]
    if early.empty:
        return ""
    arms = [arm_name(a) for a in run.arms if a in set(early["arm"].astype(str))]
    on = f", the last that all recorded: day {sweep_hour(run) / 24:.3g}" if not run.sweep.empty else ""
    if sweep_hour(run) <= 0:
        return f" Stopped early: {len(early)} ({', '.join(arms)}), before treatment starts: arms cannot be compared."
    return f" Stopped early: {len(early)} ({', '.join(arms)}). All simulations are compared on the same day{on}."


def swatch(run: Run, arm: str) -> str:
    return f'<span class="swatch" style="background:{style.arm_colours(run.arms, run.control)[arm]}"></span>'


def config_html(run: Run) -> str:
    """Arms with their doses, then the handful of settings that a reader asks for first."""
    rows = []
    for arm in run.arms:
        doses = [
            f"{escape(arm_name(d.name))}{' ' + escape(d.amount) if d.amount else ''}"
            f"{', day ' + ', '.join(f'{x:g}' for x in d.days) if d.days else ''}"
            for d in run.doses.get(arm, [])
        ]
        seeds = _seeds(run, arm)
        rows.append(
            f"<tr><td>{swatch(run, arm)}{escape(arm_name(arm))}</td>"
            f"<td>{'<br>'.join(doses) or 'untreated'}</td>"
            f"<td>{len(run.replicates(arm))}</td><td>{escape(seeds)}</td></tr>"
        )
    table = (
        '<div class="scroll"><table><thead><tr>'
        "<th>Arm</th><th>Treatment</th><th>n</th><th>Seeds</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    keys = (
        "tumour",
        "initial",
        "domain",
        "horizon_day",
        "branch_at_day",
        "replicates",
        "seed",
        "sweep",
        "clocks",
    )
    facts = [(k, run.config[k]) for k in keys if run.config.get(k) not in (None, {}, [])]
    items = "".join(
        f"<tr><th>{escape(k)}</th><td><code>{escape(_short(v))}</code></td></tr>" for k, v in facts
    )
    pairing = (
        "Replicates with the same number share their seed across arms, so differences are taken pair by pair."
        if run.paired
        else "Arms do not share seeds; they are compared as independent groups."
    )
    if len(run.arms) < 2:
        pairing = ""
    settings = (
        f'<details><summary>Settings</summary><div class="scroll"><table>{items}</table></div></details>'
    )
    return table + (f'<p class="small">{pairing}</p>' if pairing else "") + (settings if items else "")


def _seeds(run: Run, arm: str) -> str:
    if {"arm", "seed"} <= set(run.summary):
        found = [str(s) for s in run.summary.loc[run.summary["arm"].astype(str) == arm, "seed"].unique()]
        return ", ".join(found[:12]) + (" …" if len(found) > 12 else "")
    return str(run.config.get("seed", "not recorded"))


def _short(value, limit: int = 400) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{k}: {_short(v, 120)}" for k, v in value.items() if v is not None)
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(_short(v, 60) for v in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def words_html(run: Run) -> str:
    if not run.sweep.empty:
        items = "".join(f"<li>{escape(line)}</li>" for line in words_of_points(run))
        return f"<ul>{items}</ul>"
    out = []
    for arm in run.arms:
        out.append(f"<h3>{swatch(run, arm)}{escape(arm_name(arm))}</h3>")
        out += [f"<p>{escape(' '.join(part))}</p>" for part in words.arm_words(run, arm) if part]
    out.append(
        '<p class="small">These sentences are chosen by the statistics: an effect is stated only where its '
        "95 % interval excludes no effect. Intervals are not adjusted for the number of comparisons; p stands only where the "
        "primary question asks, all else is exploratory.</p>"
    )
    return "\n".join(out)


def endpoints_html(run: Run) -> str:
    """Means with intervals per arm; below each the difference from control with its adjusted p."""
    if not run.sweep.empty:
        return "<p>Endpoints differ between sweep points; see each point's own report.</p>"
    rows = words.endpoint_table(run)
    if not rows:
        return "<p>series.csv holds no endpoint known to the report.</p>" + summary_html(run)
    head = "".join(
        f'<th class="n">{escape(arm_name(a))} (n = {len(run.replicates(a))})</th>' for a in run.arms
    )
    body = []
    for row in rows:
        scale = 100.0 if row.endpoint.percent else 1.0
        cells = "".join(_cell(row, a, scale) for a in run.arms)
        unit = f" ({row.endpoint.unit})" if row.endpoint.unit else ""
        body.append(f"<tr><th>{escape(row.endpoint.name + unit)}</th>{cells}</tr>")
    note = [f"Values at {style.day_text(run.last_common_hour)}: mean, 95 % interval (Student t)."]
    if run.control and len(run.arms) > 1:
        how = "paired" if run.paired else "Welch"
        tested = sum(bool(np.isfinite(p)) for r in rows for a, p in r.adjusted.items() if a not in r.primary)
        asked = any(r.primary for r in rows)
        adjusted = f"exploratory, p after false discovery control (Benjamini-Hochberg) for {tested} comparisons" if tested else "no p below n = 3"
        adjusted += "; what the primary question asks is marked and has its p after Holm there" if asked else ""
        note.append(
            f"Below: {how} difference from {arm_name(run.control)} with its interval; {adjusted}. "
            "Bold: adjusted p below 0.05."
        )
    return (
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
        f'</div><p class="small">{escape(" ".join(note))}</p>'
    ) + summary_html(run)


def _cell(row: words.TableRow, arm: str, scale: float) -> str:
    e = row.means[arm]
    text = number(e.value * scale)
    if e.has_interval:
        text += f'<span class="ci">{number(e.low * scale)} to {number(e.high * scale)}</span>'
    if arm in row.changes:
        d, p = row.changes[arm], row.adjusted.get(arm, float("nan"))
        sign = "+" if d.value > 0 else ""
        sure = " sure" if p < 0.05 else ""
        tail = f", {p_text(p)}{' (primary)' * (arm in row.primary)}" if np.isfinite(p) else ""
        text += f'<span class="vs{sure}">{sign}{number(d.value * scale)}{escape(tail)}</span>'
        if d.has_interval:
            text += f'<span class="ci">{number(d.low * scale)} to {number(d.high * scale)}</span>'
    return f'<td class="n">{text}</td>'


def summary_html(run: Run) -> str:
    """Further numbers of summary.csv, arm by arm, folded away."""
    table = run.summary
    if table.empty or "arm" not in table:
        return ""
    known = {"arm", "replicate", "seed"} | {e.column for e in words.ENDPOINTS}
    columns = [c for c in table.select_dtypes("number").columns if c not in known and table[c].notna().any()]
    if not columns:
        return ""
    rows = []
    for column in columns:
        found = [statistics.mean_interval(table.loc[table["arm"].astype(str) == a, column]) for a in run.arms]
        cells = "".join(
            f'<td class="n">{number(e.value)}'
            + (f'<span class="ci">{number(e.low)} to {number(e.high)}</span>' if e.has_interval else "")
            + "</td>"
            for e in found
        )
        rows.append(f"<tr><th><code>{escape(column)}</code></th>{cells}</tr>")
    head = "".join(f"<th>{escape(arm_name(a))}</th>" for a in run.arms)
    apart = "final_hour" in table and table["final_hour"].nunique() > 1
    note = (
        '<p class="small">Each simulation at its own last moment. Some stopped early, so these are tumours of '
        "different days: do not compare the arms here.</p>"
        if apart
        else ""
    )
    return (
        f"<details><summary>All numbers of summary.csv</summary>{note}"
        '<div class="scroll"><table><thead><tr><th></th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def skipped_html(skipped: list[tuple[str, str]]) -> str:
    if not skipped:
        return ""
    items = "".join(f"<li>{escape(title)}: {escape(reason)}</li>" for title, reason in skipped)
    return f'<p class="small">Figures left out:</p><ul class="small">{items}</ul>'


def provenance_html(run: Run) -> str:
    rows = "".join(
        f"<tr><th>{escape(k)}</th><td><code>{escape(v)}</code></td></tr>"
        for k, v in flatten({k: v for k, v in run.provenance.items() if k != "simulations"})
    )
    rows = rows or "<tr><td>provenance.json is missing.</td></tr>"
    return (
        f'<div class="scroll"><table>{rows}</table></div><p class="small">Run directory: '
        f"<code>{escape(run.folder.name)}</code></p>"
    )


def flatten(value, prefix: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """Nested mappings as (dotted key, text) pairs."""
    out = []
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict) and depth < 3:
            out += flatten(item, f"{name}.", depth + 1)
        else:
            out.append((name, _short(item)))
    return out
