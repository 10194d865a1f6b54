"""`tme list mechanisms`: every id of the reviews with its place, its switch and the test that shows its sign."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tme.cli import main
from tme.library import load_library
from tme.library.mechanisms import carriers, load_mechanisms
from tme.model import mechanisms
from tme.model.mechanisms import marked, mechanism_table
from tme.model.registry import parameter_registry, term_registry
from tme.pathways import PATHWAYS

ROOT = Path(__file__).parents[2]
N_IDS = 172


def told(words):
    """Let the command run to its end."""
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert not stop.value.code


@pytest.fixture(scope="module")
def rows():
    return {row["id"]: row for row in mechanism_table()}


def test_every_id_of_the_reviews_is_listed_once(rows):
    assert len(rows) == N_IDS == len(load_mechanisms())
    assert sum(mid[0] == "M" for mid in rows) == 130 and sum(mid[0] == "D" for mid in rows) == 20 and sum(mid[0] == "N" for mid in rows) == 22
    assert [f"M{n:02d}" for n in range(1, 131) if f"M{n:02d}" not in rows] == []


def test_every_id_has_its_place_its_switch_and_its_test(rows):
    assert [mid for mid, row in rows.items() if not (row["where"] and row["switch"] and row["test"])] == []


def test_places_are_files_and_entries_that_exist(rows):
    library = load_library()
    for mid, row in rows.items():
        for place in row["where"].split():
            file, _, entry = place.partition(":")
            assert (ROOT / file).is_file(), (mid, place)
            assert not entry or any(entry in library.entries.get(part, ()) for part in Path(file).with_suffix("").parts), (mid, place)


def test_neutral_numbers_are_those_of_laws_of_traits_of_terms_and_of_doses():
    known = {"traits": {t for pathway in PATHWAYS.values() for t in pathway.trait_names}, "terms": term_registry(), "arms": ("day",), "resists": ("efflux",), **parameter_registry()}
    for mid, row in load_mechanisms().items():
        for name in row.neutral:
            group, _, key = name.partition(".")
            assert key in known[group], (mid, name)


def test_an_id_that_only_marks_is_called_observable_and_nothing_switches_it(rows):
    assert rows["M16"]["observable"] and rows["M16"]["switch"] == mechanisms.OBSERVABLE
    assert not rows["M01"]["observable"] and "mechanisms.ferroptosis.v_x" in rows["M01"]["switch"].split()


def test_entries_carry_ids_by_their_name_by_id_and_by_ids():
    found = {(mid, kind, name) for mid, kind, name, _ in carriers(load_library())}
    assert {("M53", "rules", "M53.hif1"), ("N1", "nanoparticles", "peg_pdpa_rsl3"), ("M80", "receptors", "pd1")} <= found


def test_the_list_is_printed_as_json_and_as_a_table(capsys):
    told(["list", "mechanisms", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == N_IDS
    assert {"id", "name", "where", "switch", "test"} <= set(rows[0])
    told(["list", "mechanisms"])
    assert "rules.M11" in capsys.readouterr().out


def test_without_tests_beside_the_package_the_test_is_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(mechanisms, "__file__", str(tmp_path / "tme" / "model" / "mechanisms.py"))
    mechanisms.tests_by_id.cache_clear()
    try:
        assert not any(row["test"] for row in mechanism_table())
    finally:
        mechanisms.tests_by_id.cache_clear()


def test_marks_are_found_on_functions_in_parameters_and_on_modules():
    text = '''
import pytest
pytestmark = [pytest.mark.slow, pytest.mark.mechanism("M01")]
SIGNS = [("M02", {"a": 1}), ("M03", {})]
ROWS = [pytest.param(*row[1:], marks=pytest.mark.mechanism(row[0])) for row in SIGNS]

@pytest.mark.mechanism("D1", "D2")
def test_a(): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.mechanism("N4"))])
def test_b(x): ...

@pytest.mark.parametrize("x", ROWS)
def test_c(x): ...

def helper(): ...
'''
    assert set(marked(text)) == {("test_a", "M01"), ("test_a", "D1"), ("test_a", "D2"), ("test_b", "M01"), ("test_b", "N4"),
                                 ("test_c", "M01"), ("test_c", "M02"), ("test_c", "M03")}  # fmt: skip


COLLECT = """
import json, sys, pytest

class Marks:
    def pytest_collection_finish(self, session):
        for item in session.items:
            found.update((item.nodeid.split("[")[0], m) for mark in item.iter_markers("mechanism") for m in mark.args)

found = set()
code = pytest.main(["-n", "0", "-q", "--collect-only", "-m", "", "-p", "no:cacheprovider", "tests"], plugins=[Marks()])
print("FOUND" + json.dumps(sorted(found)))
"""


@pytest.mark.slow
def test_the_marks_found_in_the_text_are_those_that_pytest_collects(rows):
    done = subprocess.run([sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, check=True)
    collected = {tuple(pair) for pair in json.loads(done.stdout.rpartition("FOUND")[2])}
    told = {(test, mid) for mid, row in rows.items() for test in row["test"].split()}
    assert told == collected
