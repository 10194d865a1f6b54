"""The docs as a site: tutorials are what their scripts print, every page has its place, and the site builds without a warning or a request."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from support import module

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SITE = pytest.mark.skipif(find_spec("mkdocs") is None or find_spec("material") is None or find_spec("mkdocstrings") is None,
                          reason='needs the extra docs: pip install -e ".[docs]"')  # fmt: skip


tutorials = module(DOCS / "make_tutorials.py")


def pages_of(nav) -> list[str]:
    """Paths in the navigation of the site."""
    if isinstance(nav, str):
        return [nav]
    return [p for part in (nav.values() if isinstance(nav, dict) else nav) for p in pages_of(part)]


def test_every_page_is_in_the_navigation():
    nav = pages_of(YAML(typ="safe").load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    there = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    assert there - set(nav) == set(), "add a line to nav in mkdocs.yml"
    brought = {"index.md", "configs.md", "contributing.md", "changelog.md", "commands.md"}
    assert set(nav) - there == brought


@pytest.mark.parametrize("name", tutorials.names())
def test_the_page_of_a_tutorial_is_of_its_script(name):
    source, text = (DOCS / "tutorials" / f"{name}.py").read_text(encoding="utf-8"), (DOCS / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    assert f"script {tutorials.digest(source)}:" in text, f"run `python docs/make_tutorials.py {name}`"
    pictures = re.findall(r"!\[([^\]]*)\]\((\S+)\)", text)
    assert all(said and (DOCS / "tutorials" / place).is_file() for said, place in pictures)


def test_pictures_of_tutorials_are_all_shown():
    shown = {Path(p).name for name in tutorials.names() for p in re.findall(r"\]\((\.\./figures/tutorials/\S+)\)", (DOCS / "tutorials" / f"{name}.md").read_text(encoding="utf-8"))}
    assert shown == {p.name for p in (DOCS / "figures" / "tutorials").glob("*.png")}


def test_the_cheapest_tutorial_prints_what_its_page_says():
    assert tutorials.make("mesa_agent", write=False), "run `python docs/make_tutorials.py mesa_agent`"


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in tutorials.names() if n != "mesa_agent"])
def test_a_tutorial_prints_what_its_page_says(name):
    assert tutorials.make(name, write=False), f"run `python docs/make_tutorials.py {name}`"


SCRIPT = '''"""# A page

Its head.
"""

# %%
# ## Text
# *more*
from pathlib import Path

Path("a.yaml").write_text("""
key: 1
""")

# %%
import os

os.system("echo \\033[31m'<b>'\\033[0m && pwd && echo '{\\"time\\": 1}'")

# %%
print("hidden? no")
open("x.png", "wb").write(b"x")
# picture: what it shows
'''


def test_a_script_becomes_a_page_with_files_commands_output_and_pictures(tmp_path):
    text = tutorials.page("one", SCRIPT, tutorials.execute("one", SCRIPT, tmp_path), tmp_path)
    assert text.startswith(f"<!-- script {tutorials.digest(SCRIPT)}: ") and "# A page\n" in text
    assert "## Text\n*more*\n\n`a.yaml`:\n\n```yaml\nkey: 1\n```\n" in text
    console = re.search(r"```console\n\$ echo .*\n<b>\n(.*)\n```", text)
    assert console and "time" not in console[1]  # progress is left out, colours are taken off
    assert '```python\nprint("hidden? no")\nopen("x.png", "wb").write(b"x")\n```\n\n```text\nhidden? no\n```\n\n![what it shows](../figures/tutorials/one-x.png)' in text


def test_a_script_that_fails_says_which_line(tmp_path):
    with pytest.raises(SystemExit, match=r"bad\.py\", line 6"):
        tutorials.execute("bad", '"""# A page"""\n\n# %%\n# text\nx = 1\nprint(y)\n', tmp_path)


def test_an_unknown_tutorial_is_refused(capsys):
    assert tutorials.main(["turo"]) == 2
    assert "no tutorial 'turo'; there are" in capsys.readouterr().err


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as the continuous integration does."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@SITE
@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_nothing_of_other_hosts(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        text = page.read_text(encoding="utf-8")
        asked = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"', text) + re.findall(r'<link\b[^>]*\bhref="([^"]+)"', text)
        assert not [a for a in asked if re.match(r"(?:https?:)?//", a)], page.name
        assert not re.search(r"<script>[^<]*https?://", text), page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def words_of(page: Path) -> str:
    """A page's text without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


@SITE
@pytest.mark.slow
def test_the_api_has_shapes_units_errors_and_sources(site):
    assert "(capacity,) int64, the first" in words_of(site / "api" / "tme.pathways.html")
    assert "10.1016/j.envsoft.2006.10.004" in words_of(site / "api" / "tme.studies.html")
    assert "StoppedEarly (a ValueError) names the simulations" in words_of(site / "api" / "tme.experiments.html")
    assert "Usage: tme calibrate" in words_of(site / "commands.html")


hooks = module(DOCS / "site" / "hooks.py")
THERE = {"index.md", "own.md", "configs.md", "api/index.md", "tutorials/tour.md", "tutorials/tour.py", "figures/result.png"}


@pytest.mark.parametrize(("source", "page", "link", "led"), [
    ("README.md", "index.md", "[x](docs/own.md#a-law)", "[x](own.md#a-law)"),
    ("docs/tutorials/tour.md", "tutorials/tour.md", "[x](../../configs/README.md)", "[x](../configs.md)"),
    ("docs/own.md", "own.md", "[home](../README.md)", "[home](index.md)"),
    ("README.md", "index.md", "![a picture](docs/figures/result.png)", "![a picture](figures/result.png)"),
    ("docs/own.md", "own.md", "[`tme/core`](../tme/core)", "`tme/core`"),  # a folder of the repository is no page
    ("docs/own.md", "own.md", "[the law](../tme/core/mechanism.py)", "the law (`tme/core/mechanism.py`)"),
    ("docs/own.md", "own.md", "[x](https://a.b/c)", "[x](https://a.b/c)"),
    ("docs/own.md", "own.md", "[gone](nowhere.md)", "[gone](nowhere.md)"),  # MkDocs warns of it
])  # fmt: skip
def test_links_of_the_repository_lead_to_pages_of_the_site(source, page, link, led):
    assert hooks.LINK.sub(lambda m: hooks.led(m, source, page, THERE), link) == led


def test_a_list_below_a_paragraph_is_a_list_on_the_site_too():
    assert hooks.spaced("Text:\n- a\nmore\n- b\n\n1. c\n  d") == "Text:\n\n- a\nmore\n- b\n\n1. c\n  d"


def test_text_of_commands_is_shown_as_it_is():
    text = hooks.commands()
    assert "## tme run\n\n```\nUsage: tme run" in text and "\x1b" not in text
