"""What the site shows beyond the files of docs/: README, configs, changelog, the command line, and the API by package.

MkDocs calls the `on_...` functions (`hooks` in mkdocs.yml). Links of the pages are those of the repository, so that they work
there too; here they are led to the page of the site, and a link to a file that is no page becomes the file's path as code.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# pages of the site that lie elsewhere in the repository
ELSEWHERE = {
    "index.md": "README.md", "configs.md": "configs/README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md",
}  # fmt: skip
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)((?:\s+\"[^\"]*\")?)\)")
FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are not files of docs/."""
    from mkdocs.structure.files import File

    for uri, path in ELSEWHERE.items():
        files.append(File.generated(config, uri, content=(ROOT / path).read_text(encoding="utf-8")))
    files.append(File.generated(config, "commands.md", content=commands()))
    for uri, text in api_pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_config(config: Any) -> Any:
    """Put the packages' pages under API, in the order of their names."""
    for part in config.nav or []:
        for name, section in part.items():
            if name == "Reference":
                section[-1] = {"API": [section[-1]["API"], *({p.removesuffix(".md").split("/")[-1]: p} for p in api_pages())]}
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead the page's links to pages of the site."""
    source = ELSEWHERE.get(page.file.src_uri, "docs/" + page.file.src_uri)
    there = {f.src_uri for f in files}
    parts = FENCE.split(markdown)
    return "".join(p if k % 2 else LINK.sub(lambda m: led(m, source, page.file.src_uri, there), spaced(p)) for k, p in enumerate(parts))


def spaced(text: str) -> str:
    """The text with a blank line above every list: without one Python-Markdown takes it for more of the paragraph above."""
    out: list[str] = []
    place = "between"  # between paragraphs, in a "paragraph", or in a "list"
    for line in text.split("\n"):
        item = re.match(r"(?:[-*+]|\d+\.) ", line) is not None
        if item and place == "paragraph":
            out.append("")
        if item:
            place = "list"
        elif not line.strip():
            place = "between"
        elif place == "between":
            place = "list" if line.startswith(" ") else "paragraph"
        out.append(line)
    return "\n".join(out)


def led(link: re.Match[str], source: str, page: str, there: set[str]) -> str:
    """One link of the file `source` (path in the repository), as it must read on the site's page `page`; `there` has the site's files."""
    mark, text, target, title = link.groups()
    if "://" in target or target.startswith(("#", "mailto:")):
        return link[0]
    path, _, anchor = target.partition("#")
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    known = {place: uri for uri, place in ELSEWHERE.items()}
    uri = known.get(wanted) or (wanted.removeprefix("docs/") if wanted.startswith("docs/") else None)
    if uri is None or uri not in there:
        if not (ROOT / wanted).exists():
            return link[0]  # MkDocs warns of it
        return text if "`" in text else f"{text} (`{wanted}`)" if text != wanted else f"`{wanted}`"
    relative = posixpath.relpath(uri, posixpath.dirname(page) or ".")
    return f"{mark}[{text}]({relative}{'#' + anchor if anchor else ''}{title})"


def commands() -> str:
    """Every command with its arguments and options, as its `--help` prints them."""
    from typer.testing import CliRunner

    from tme.cli import app

    def told(*words: str) -> str:
        said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "100", "TERM": "dumb"}, prog_name="tme")
        if said.exit_code:
            raise SystemExit(f"tme {' '.join(words)} --help: exit code {said.exit_code}")
        return said.output.strip()

    lines = ["# Commands", "", "Exit codes: 0 done, 2 bad input (nothing was written), 3 some simulations failed, 75 interrupted (the same command goes on).", ""]
    overview = told()
    lines += ["```", overview, "```", ""]
    for name in re.findall(r"^  (\w[\w-]*)  ", overview.partition("Commands:")[2], re.MULTILINE):
        lines += [f"## tme {name}", "", "```", told(name), "```", ""]
    return "\n".join(lines)


def api_pages() -> dict[str, str]:
    """A page for every package of `tme`, with the public names of its modules."""
    pages = {}
    for folder in sorted(p.parent for p in (ROOT / "tme").rglob("__init__.py")):
        package = ".".join(folder.relative_to(ROOT).parts)
        modules = [m for m in sorted(folder.glob("*.py")) if m.stem not in ("__init__", "__main__")]
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        lines = ["---", f"title: {package}", "---", "", f"::: {package}", "    options: {heading_level: 1, show_submodules: false}", ""]
        for module in modules:
            lines += [f"::: {package}.{module.stem}", ""]
        if said or modules:
            pages[f"api/{package}.md"] = "\n".join(lines)
    return dict(sorted(pages.items(), key=lambda item: item[0].removesuffix(".md")))
