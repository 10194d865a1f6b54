"""Run the scripts of docs/tutorials and write their pages: `python docs/make_tutorials.py [NAME...]`.

A script is plain Python that also runs on its own. Its docstring is the head of the page; `# %%` begins a cell, the comment
below it is the text, the rest is code. The page shows what each cell printed and the pictures that it made. A cell that only
writes a file shows the file, one that only calls `os.system` shows the commands. The first line of a page has a digest of its script, so that a
test sees an old page without running anything; `--check` runs the scripts, writes nothing, and ends with code 1 where a page would differ.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "docs" / "tutorials"
FIGURES = ROOT / "docs" / "figures" / "tutorials"
PICTURE = re.compile(r"^# picture: (.*)\n?", re.MULTILINE)


@dataclass(frozen=True)
class CellOfScript:
    """One cell: its text in Markdown, its code, what its picture shows, and the line of the script where its code begins."""

    text: str
    code: str
    picture: str
    line: int


def names() -> list[str]:
    """Tutorials there are."""
    return sorted(p.stem for p in SCRIPTS.glob("*.py"))


def parse(source: str) -> tuple[str, list[CellOfScript]]:
    """Head of the page and cells of a script."""
    head = ast.get_docstring(ast.parse(source))
    if not head or not head.startswith("# "):
        raise SystemExit("a tutorial begins with a docstring, and that with '# ' and the title of the page")
    cells, lines = [], source.splitlines()
    starts = [k for k, line in enumerate(lines) if line.rstrip() == "# %%"]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        k = start + 1
        while k < end and lines[k].startswith("#") and not lines[k].startswith("# picture:"):
            k += 1
        text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[start + 1 : k])
        code = "\n".join(lines[k:end]).strip("\n")
        picture = PICTURE.search(code)
        cells.append(CellOfScript(text, PICTURE.sub("", code).strip("\n"), picture[1] if picture else "", k + 1))
    return head, cells


def digest(source: str) -> str:
    """Of a script, as its page names it."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def run_cells(script: Path, result: Path) -> None:
    """Run every cell in the current folder; what each printed, and the pictures it made, go to `result` as JSON. Called in a process of its own."""
    _, cells = parse(script.read_text(encoding="utf-8"))
    scope: dict[str, Any] = {"__name__": "__main__", "__file__": str(script)}
    out = []
    for cell in cells:
        before = {p: p.stat().st_mtime_ns for p in Path().glob("*.png")}
        with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
            kept = os.dup(1), os.dup(2)
            sys.stdout.flush()
            os.dup2(told.fileno(), 1), os.dup2(told.fileno(), 2)
            try:
                exec(compile("\n" * (cell.line - 1) + cell.code, str(script), "exec"), scope)
            finally:
                sys.stdout.flush(), sys.stderr.flush()
                os.dup2(kept[0], 1), os.dup2(kept[1], 2)
                told.seek(0)
                text = told.read()
                if sys.exc_info()[0] is not None:
                    print(*(one["told"] for one in out), text, sep="\n", file=sys.stderr)
        made = sorted(str(p) for p in Path().glob("*.png") if before.get(p) != p.stat().st_mtime_ns)
        out.append({"told": text, "pictures": made})
    result.write_text(json.dumps(out), encoding="utf-8")


def execute(name: str, source: str, folder: Path) -> list[dict[str, Any]]:
    """Run a tutorial in `folder` (empty; it gets configs/ beside it); what each cell told and drew."""
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "MPLBACKEND": "Agg", "COLUMNS": "100",
           "NO_COLOR": "1", "TERM": "dumb", "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}  # fmt: skip
    # a process group of its own: what the script has started ends with it, also where it fails half-way
    running = subprocess.Popen([sys.executable, __file__, "--cells", f"{name}.py", "cells.json"], cwd=folder, env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, process_group=0)  # fmt: skip
    try:
        told = running.communicate()[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
    if running.returncode:
        raise SystemExit(f"{name}: {told}")
    return json.loads((folder / "cells.json").read_text(encoding="utf-8"))


def cleaned(told: str, folder: Path) -> str:
    """What a cell printed without what differs from run to run: progress, colours, the folder's own path."""
    told = re.sub(r"\x1b\[[0-9;]*m", "", told).replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
    lines = [line.rstrip() for line in told.splitlines() if not line.startswith('{"time": ')]
    return "\n".join(lines).strip("\n")


def shown(cell: CellOfScript, told: str) -> str:
    """A cell's code and what it printed, in Markdown."""
    tree = [s for s in ast.parse(cell.code).body if not isinstance(s, ast.Import | ast.ImportFrom)]
    calls = [s.value for s in tree if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)]
    if not cell.code:
        return ""
    if calls and len(calls) == len(tree) and all(ast.unparse(c.func) == "os.system" for c in calls):
        commands = "\n".join(f"$ {ast.literal_eval(c.args[0])}" for c in calls)
        return f"```console\n{commands}\n{told}\n```\n" if told else f"```console\n{commands}\n```\n"
    if len(calls) == len(tree) == 1 and isinstance(calls[0].func, ast.Attribute) and calls[0].func.attr == "write_text":
        made = calls[0].func.value
        assert isinstance(made, ast.Call)
        file = ast.literal_eval(made.args[0])
        kind = {".yaml": "yaml", ".py": "python", ".csv": "text"}[Path(file).suffix]
        return f"`{file}`:\n\n```{kind}\n{ast.literal_eval(calls[0].args[0]).strip()}\n```\n"
    block = f"```python\n{cell.code}\n```\n"
    return block + (f"\n```text\n{told}\n```\n" if told else "")


def page(name: str, source: str, cells: list[dict[str, Any]], folder: Path) -> str:
    """The page of a tutorial from what its cells told."""
    head, parsed = parse(source)
    parts = [f"<!-- script {digest(source)}: written by `python docs/make_tutorials.py {name}` -->\n{head}\n",
             f"This page is the script [{name}.py]({name}.py) with what it printed. Run it in a checkout of `tme`; `python docs/make_tutorials.py {name}` writes the page anew.\n"]  # fmt: skip
    for cell, one in zip(parsed, cells, strict=True):
        parts += [cell.text + "\n" if cell.text else "", shown(cell, cleaned(one["told"], folder))]
        parts += [f"![{cell.picture or made}](../figures/tutorials/{name}-{made})\n" for made in one["pictures"]]
    return "\n".join(p for p in parts if p)


def make(name: str, write: bool = True) -> bool:
    """Run one tutorial; write its page and pictures, or say whether the page is what it would be."""
    with tempfile.TemporaryDirectory(prefix="tutorial-") as place:
        folder, target = Path(place), SCRIPTS / f"{name}.md"
        source = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
        cells = execute(name, source, folder)
        text = page(name, source, cells, folder)
        if not write:
            return target.exists() and target.read_text(encoding="utf-8") == text
        FIGURES.mkdir(parents=True, exist_ok=True)
        for old in FIGURES.glob(f"{name}-*.png"):
            old.unlink()
        for one in cells:
            for made in one["pictures"]:
                shutil.copyfile(folder / made, FIGURES / f"{name}-{made}")
        target.write_text(text, encoding="utf-8")
    return True


def main(words: list[str]) -> int:
    """Write or check the named tutorials, by default all."""
    if words[:1] == ["--cells"]:
        run_cells(Path(words[1]), Path(words[2]))
        return 0
    check, wanted = "--check" in words, [w for w in words if w != "--check"] or names()
    unknown = [w for w in wanted if w not in names()]
    if unknown:
        print(f"no tutorial '{unknown[0]}'; there are {', '.join(names())}", file=sys.stderr)
        return 2
    good = True
    for name in wanted:
        same = make(name, write=not check)
        print(f"{name}: {'written' if not check else 'as it was' if same else 'would differ'}", flush=True)
        good &= same
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
