"""Remake what docs/robustness.md and the README say of how often the main result holds.

`tme robust configs/studies/robust.yaml --out DIR && python docs/make_robustness.py DIR` takes results and summary of the study, of an unfinished
one those of the draws that are finished, into docs/data/. Without DIR the figure and the blocks of the page are drawn again from there.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tme.studies.robust_so_far import so_far
from tme.studies.robust_words import percent
from tme.viz import style
from tme.viz.robust import robust

DOCS = Path(__file__).parent
PAGE, FIGURE = DOCS / "robustness.md", DOCS / "figures" / "robustness.png"
RESULTS, SUMMARY = DOCS / "data" / "robustness.jsonl.gz", DOCS / "data" / "robustness.json"
README = DOCS.parent / "README.md"
SAID = re.compile(r"(<!-- robust -->)(.*?)(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"<!-- made: (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def take(folder: Path) -> None:
    """Copy what a study found into docs/data/."""
    results = (folder / "results.jsonl").read_bytes()
    if (folder / "summary.json").is_file():
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    else:
        found = so_far(folder)
        if found is None:
            sys.exit(f"{folder} has too few finished draws to say anything")
        summary = found[1]
    made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    spent = sum(json.loads(line.split(b" ", 1)[1]).get("cpu", 0.0) for line in results.splitlines())
    summary["made"] = {"commit": made["git"][:7], "day": made["started"][:10], "cpu_h": round(spent / 3600, 1), "simulations": len(results.splitlines())}
    RESULTS.parent.mkdir(exist_ok=True)
    with open(RESULTS, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(results)
    SUMMARY.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def blocks(s: dict[str, Any]) -> dict[str, str]:
    """What stands between the marks of the page, by name."""
    made = s["made"]
    size = f"{made['simulations']:,} simulations, {made['cpu_h']:g} hours of processor time, begun on {made['day']} at commit `{made['commit']}`."
    return {"size": f"{s['lead']} {size}\n", "conclusions": conclusions(s), "sentences": "".join(f"- {_safe(text)}\n" for text in s["sentences"])}


def conclusions(s: dict[str, Any]) -> str:
    """The table of conclusions, in Markdown."""
    lines = ["| conclusion | holds in | that is | effect in the median draw (nine of ten) | luck | numbers | structure |", "|---|---|---|---|---|---|---|"]
    for c in s["conclusions"]:
        effect, shares = c.get("effect") or {}, c.get("shares") or {}
        told = f"{c['measure'].removeprefix('log ')} {effect['median']:.2g} ({effect['low']:.2g} to {effect['high']:.2g})" if effect else "–"
        parts = [f"{100 * shares[k]['value']:.0f} %" if k in shares else "–" for k in ("seeds", "numbers", "structure")]
        lines.append(" | ".join(["| " + _safe(c["contrast"]), f"{c['held']} of {c['decided']}", percent(c["probability"]), told, *parts]) + " |")
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """A sentence as Markdown takes it: comparisons and keys are no markup."""
    keys = re.sub(r"\b(?:entries|mechanisms)\.[\w.*]+\w", lambda m: f"`{m[0]}`", text)
    return keys.replace("<", "&lt;").replace("anti_pdl1", "anti-PD-L1").replace("rsl3_np", "RSL3 particles").replace("tumour_alive", "living tumour cells")


def render(page: str, s: dict[str, Any]) -> str:
    """The page with its blocks made anew."""
    made = blocks(s)
    return BLOCK.sub(lambda m: f"<!-- made: {m[1]} -->\n{made[m[1]]}<!-- end -->", page)


def in_short(s: dict[str, Any]) -> str:
    """What the README says of it."""
    share = {c["contrast"]: percent(c["probability"]) for c in s["conclusions"]}
    excess = next(c for c in s["conclusions"] if "acting" in c)
    alone = excess["acting"]["alone"]
    unfinished = f" ({s['so_far']['draws'] + s['so_far']['repeated']} are asked, the rest is not simulated yet)" if "so_far" in s else ""
    return (
        f"Over {excess['draws']} draws of all {s['numbers']} numbers that have a range and of {len(s['switches'])} disputed structures{unfinished}, on small tumours on day {s['day']:g}, "
        f"the combination is smaller than the control in {share['combination < control']}, than anti-PD-L1 in {share['combination < anti_pdl1']}, than the particles in "
        f"{share['combination < rsl3_np']}; **the excess over Bliss is above 0 in {percent(excess['probability'])}**. Alone, anti-PD-L1 takes a tenth of the tumour or more in "
        f"{alone['anti_pdl1']} of these draws, the particles in {alone['rsl3_np']}, each of them in {excess['acting']['each']['decided']}"
    )


def render_readme(text: str, s: dict[str, Any]) -> str:
    """The README with its sentence made anew."""
    return SAID.sub(lambda m: m[1] + in_short(s) + m[3], text)


def draw(s: dict[str, Any], path: Path = FIGURE, dpi: int = 180) -> None:
    """The figure of the study."""
    with style.use():
        style.save(robust(SimpleNamespace(summary=s))[0].figure, path, dpi)  # type: ignore[arg-type]


def main(folder: str | None = None) -> None:
    """Take a study's results if one is named; write page and figure."""
    if folder is not None:
        take(Path(folder))
    s = json.loads(SUMMARY.read_text(encoding="utf-8"))
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), s), encoding="utf-8")
    README.write_text(render_readme(README.read_text(encoding="utf-8"), s), encoding="utf-8")
    draw(s)


if __name__ == "__main__":
    main(*sys.argv[1:2])
