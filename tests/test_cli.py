"""The command line: exit codes, messages, and that bad input leaves nothing behind."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tme import __version__
from tme.model import load_config

CONFIGS = Path(__file__).parents[1] / "configs"
GOOD = """\
horizon_day: 1
domain: {size_um: [400, 400]}
initial: {kind: nodule, n_cells: 20}
arms: {control: {}, a: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 3, day: 0}]}}
"""


def write(text, name="x.yaml"):
    Path(name).write_text(text)
    return name


def test_check_prints_the_resolved_config_and_its_cost(tme):
    code, out, _err = tme("check", write(GOOD), "--set", "arms.a.nanoparticles.0.dose_mg_kg=4")
    assert code == 0
    assert "dose_mg_kg: 4.0" in out
    assert "cell-hours" in out
    assert "MB per simulation" in out


def test_bad_input_exits_2_with_file_and_line_and_no_traceback(tme):
    code, out, err = tme("check", write(GOOD + "horizn: 3\nseed: abc\n"))
    assert (code, out) == (2, "")
    assert "x.yaml:5: horizn: unknown key" in err
    assert "x.yaml:6: seed: is 'abc'; expected a whole number" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("config", "options", "words"),
    [
        (GOOD + "horizn: 3\n", [], "horizn"),
        (GOOD, ["--set", "nope=1"], "--set: nope: unknown key"),
        (GOOD, ["--seed", "-1"], "--seed"),
        (GOOD, ["--jobs", "0"], "--jobs"),
        (GOOD, ["--quick"], "no quick: section"),
        (GOOD, ["--out", "x.yaml"], "x.yaml is a file"),
        (GOOD, ["--out", "x.yaml/below/it"], "x.yaml is a file"),
        (GOOD, ["--out", "/proc/nowhere/run"], "/proc/nowhere/run"),
        (GOOD, ["--scheduler", "tcp://x:1"], "--scheduler goes with --executor dask"),
        (GOOD, ["--executor", "dask"], "needs either --scheduler ADDRESS or --cluster NAME"),
        pytest.param(GOOD, ["--executor", "dask", "--scheduler", "tcp://127.0.0.1:9"], "no dask scheduler answers at 'tcp://127.0.0.1:9'", marks=pytest.mark.slow),
        (GOOD, ["--executor", "dask", "--cluster", "slurm"], "--cluster and --cluster-options go together"),
        (GOOD, ["--executor", "dask", "--cluster", "slurm", "--cluster-options", "none.yaml"], "none.yaml: No such file"),
        (GOOD, ["--executor", "abacus"], "abacus"),
        (GOOD, ["--frehs"], "--fresh"),
    ],
)
def test_a_run_that_cannot_start_exits_2_and_leaves_nothing_behind(tme, config, options, words):
    write(config)
    code, _out, err = tme("run", "x.yaml", *options)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


def test_a_runs_folder_that_is_a_file_is_refused(tme):
    write(GOOD)
    Path("runs").write_text("")
    code, _out, err = tme("run", "x.yaml")
    assert code == 2
    assert "runs is a file" in err


@pytest.mark.parametrize("command", ["status", "report"])
def test_what_is_no_run_directory_is_refused(tme, command):
    code, _out, err = tme(command, "nowhere")
    assert code == 2
    assert "is no run directory" in err


@pytest.mark.parametrize("kind", ["drugs", "antibodies", "nanoparticles", "tumours", "fields", "mechanisms"])
def test_list_prints_tables_and_json(tme, kind):
    code, out, _err = tme("list", kind, "--json")
    assert code == 0
    rows = json.loads(out)
    assert rows
    assert all("id" in r or "name" in r for r in rows)
    assert tme("list", kind)[0] == 0


def test_list_refuses_what_it_does_not_know(tme):
    assert tme("list", "dugs")[0] == 2


def test_describe_tells_values_sources_and_who_set_them(tme):
    code, out, _err = tme("describe", write(GOOD + "mechanisms: {ferroptosis: {f_x: 0.5}}\n"), "--json")
    assert code == 0
    found = json.loads(out)
    row = next(r for r in found["parameters"] if r["parameter"] == "ferroptosis.f_x")
    assert row["value"] == 0.5
    assert "x.yaml:5" in str(row["set by"])
    touched = {r["entry"]: r for r in found["what each entry touches"]}
    assert touched["ifng_response"]["reads"] == "tumour.(state ifng pdl1_answer)"
    assert touched["damp"]["adds to"] == "field.(atp hmgb1).source"
    assert "tumour.*" in touched["resolve"]["writes"]
    assert tme("describe", "x.yaml", "--odd")[1].startswith("# x: ODD protocol")
    assert "assumed" in tme("describe", "x.yaml", "--assumed")[1]


def test_the_schema_knows_parameters_and_entries(tme):
    found = json.loads(tme("schema")[1])
    assert (
        found["properties"]["mechanisms"]["properties"]["ferroptosis"]["properties"]["f_x"]["maximum"] == 1.0
    )
    assert "rsl3" in found["$defs"]["DrugDose"]["properties"]["name"]["anyOf"][0]["enum"]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_is_valid_short_and_has_a_quick_version(path):
    assert len(path.read_text().splitlines()) <= 30
    full, quick = load_config(path), load_config(path, quick=True)
    assert full.name == path.stem
    assert quick.horizon_day <= full.horizon_day
    assert f"`{path.stem}`" in (CONFIGS / "README.md").read_text()


def test_the_made_up_tissue_is_what_its_script_writes(tmp_path):
    script = (CONFIGS / "tissue_cells.py").read_text()
    (tmp_path / "tissue_cells.py").write_text(script)
    subprocess.run([sys.executable, str(tmp_path / "tissue_cells.py")], check=True)
    assert (tmp_path / "tissue_cells.csv").read_bytes() == (CONFIGS / "tissue_cells.csv").read_bytes()


def test_help_imports_nothing_heavy():
    code = "import sys, tme.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"numpy", "numba", "pandas", "mesa", "matplotlib", "scipy", "pydantic"} & set(loaded)


def test_help_answers_within_half_a_second():
    def seconds():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tme", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.5  # the least of some, since other work may share the machine


def test_the_package_itself_is_the_command():
    shown = subprocess.run([sys.executable, "-m", "tme", "--version"], check=True, capture_output=True, text=True)
    assert shown.stdout.strip().endswith(__version__)


def test_check_warns_where_growth_will_reach_the_edge_and_says_what_a_shorter_horizon_leaves_out(tme):
    small = GOOD.replace("n_cells: 20", "n_cells: 60").replace("horizon_day: 1", "horizon_day: 8")
    code, out, _err = tme("check", write(small), "--set", "output.snapshot_days=[1]")
    assert code == 0 and "# warning: untreated tumours will reach the edge of the domain about day" in out
    twice = small.replace("day: 0}", "day: [0, 5]}")
    _code, out, _err = tme("check", write(twice), "--set", "horizon_day=0.5")
    assert "# note: left out, being after the end on day 0.5: arms.a.nanoparticles.0 day 5" in out
    assert "will reach the edge" not in out


def test_the_executors_are_offered_with_what_they_need(tme):
    _code, out, _err = tme("run", "--help")
    assert all(o in out for o in ("--executor", "processes|dask", "--scheduler", "--cluster", "slurm|pbs|lsf", "--cluster-options", "--allow-mixed"))


def test_a_question_that_cannot_be_answered_is_refused_before_anything_is_written(tme, tmp_path):
    path = write(GOOD + "primary: {readout: tumor_alive, contrasts: [a < control]}\n")
    code, _out, err = tme("run", path, "--out", "never")
    assert code == 2 and "did you mean 'tumour_alive'" in err and not (tmp_path / "never").exists()
