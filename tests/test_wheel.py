"""The wheel in an environment of its own, outside of the source tree: what it holds, and that it runs, reports, exports and shows.

Dependencies come from the environment of the tests, so that nothing but the wheel is installed; the package itself cannot,
since an editable install is not followed from there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGS = ("quick", "four_arms", "base")
# no path into the source tree, and no picture on a screen
ENV = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | {"MPLBACKEND": "agg"}
pytestmark = pytest.mark.slow


def call(*words, cwd):
    """What a command prints, run in a folder; it must succeed."""
    done = subprocess.run([str(w) for w in words], cwd=cwd, env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: `build/` of earlier builds cannot leak into it, and the source tree stays as it is."""
    place = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "tme", place / "source" / "tme", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / "source")
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "out", "./source"]
    done = subprocess.run(words, cwd=place, env=ENV, capture_output=True, text=True)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("no wheel can be built: pip finds no setuptools for it")
    assert done.returncode == 0, done.stderr
    (found,) = (place / "out").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of an environment that has the wheel."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", place, cwd=place.parent)
    call(sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", "-q", "--no-deps", "--no-index", wheel, cwd=place.parent)
    (own,) = place.glob("lib/python3*/site-packages")
    # after the installation: pip would take an editable tme for an installed one
    (own / "dependencies.pth").write_text("\n".join(p for p in sys.path if any(Path(p).glob("*.dist-info"))) + "\n")
    return place


@pytest.fixture(scope="module")
def folder(installed, tmp_path_factory):
    """A folder with a shipped experiment, run once by the installed command: `out` is the run directory."""
    place = tmp_path_factory.mktemp("elsewhere")
    for name in CONFIGS:
        shutil.copy(ROOT / "configs" / f"{name}.yaml", place)
    call(installed / "bin" / "tme", "run", "quick.yaml", "--quick", "--set", "replicates=1", "--out", "out", cwd=place)
    return place


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {n for n in archive.namelist() if ".dist-info/" not in n}
    there = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tme").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert held == there
    assert {"tme/viz/viewer/viewer.js", "tme/library/drugs/ferroptosis.yaml", "tme/viz/report.html"} <= held


def test_the_package_its_library_and_schema_are_those_of_the_wheel(installed, tmp_path):
    told = call(installed / "bin" / "python", "-c", "import sys, tme; print(tme.__file__, *sys.path, sep='\\n')", cwd=tmp_path).splitlines()
    assert Path(told[0]).is_relative_to(installed) and str(ROOT) not in told[1:]
    command = installed / "bin" / "tme"
    assert "rsl3" in str(json.loads(call(command, "list", "drugs", "--json", cwd=tmp_path)))
    assert "properties" in json.loads(call(command, "schema", cwd=tmp_path))
    assert "M01" in call(command, "list", "mechanisms", cwd=tmp_path)


def test_a_shipped_experiment_runs_reports_and_exports(installed, folder):
    command, out = installed / "bin" / "tme", folder / "out"
    assert len(list(out.glob("*/rep-000/DONE"))) == 4 and json.loads((out / "provenance.json").read_text())["git"] is None
    (out / "report.html").unlink()
    call(command, "report", "out", cwd=folder)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert 'id="viewer"' in report and "<figure" in report
    for form in ("csv", "h5ad", "sbml", "ro-crate"):
        call(command, "export", "out", "--to", form, "--out", f"as-{form}", cwd=folder)
        assert (folder / f"as-{form}").exists()


def test_view_serves_the_page_the_module_and_cells(installed, folder):
    words = [installed / "bin" / "tme", "view", "out", "--no-open"]
    with subprocess.Popen(words, cwd=folder, env=ENV | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()

            def ask(path=""):
                with urllib.request.urlopen(url + path, timeout=60) as answer:
                    return answer.read()

            assert b'src="start.js"' in ask() and b"viewer.js" in ask("start.js") and ask("view.css")
            assert ask("viewer.js") == (ROOT / "tme" / "viz" / "viewer" / "viewer.js").read_bytes()
            arm = json.loads(ask("index.json"))["arms"][0]
            assert len(ask(f"frames/{arm['key']}/0/{arm['replicates']['0'][-1]['id']}")) > 1000
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
    assert process.returncode == 0


def test_the_widget_of_a_notebook_answers_with_cells(installed, folder):
    pytest.importorskip("anywidget", reason="the extra `notebook` is not installed")
    code = """
import tme
from tme.viz.viewer import frames, notebook
widget = tme.view(tme.load("out"))
assert "export default" in widget._esm
arm = widget.source.index()["arms"][0]
told = notebook.answer(widget.source, {"ask": "frame", "arm": arm["key"], "replicate": "0", "hour": arm["replicates"]["0"][-1]["hour"]})
print(tme.__file__, frames.read(told)[0]["n"], sep="\\n")
"""
    file, cells = call(installed / "bin" / "python", "-c", code, cwd=folder).split()
    assert Path(file).is_relative_to(installed) and int(cells) > 100
