"""Entries of the library that extend others, and kinds that have a folder of files."""

from pathlib import Path

import pytest
from support import DISH, config_of

from tme.library import LibraryError, load_library
from tme.library import load as load_module
from tme.library.load import UnknownBase, inherited, over


def test_an_entry_takes_what_it_does_not_say_from_the_one_it_extends():
    library = load_library()
    base, drug = library.drug("small_molecule"), library.drug("erianin")
    assert drug.decay == base.decay and drug.mw_g_mol == 318.4 != base.mw_g_mol
    assert library.drug("pyropheophorbide").vessel_exchange == library.drug("photosensitiser").vessel_exchange


def test_numbers_and_lists_are_replaced_parts_merged_and_null_takes_away():
    base = {"a": {"value": 1, "unit": "1"}, "part": {"x": {"value": 1}, "y": {"value": 2}}, "list": [1, 2], "gone": 3}
    change = {"a": {"value": 2}, "part": {"x": {"value": 5}}, "list": [3], "gone": None}
    assert over(base, change) == {"a": {"value": 2}, "part": {"x": {"value": 5}, "y": {"value": 2}}, "list": [3]}


def test_a_chain_is_followed_and_a_circle_refused():
    written = {"a": {"x": 1}, "b": {"extends": "a", "y": 2}, "c": {"extends": "b", "x": 3}, "d": {"extends": "e"}, "e": {"extends": "d"}}
    assert inherited("c", written) == {"x": 3, "y": 2}
    with pytest.raises(UnknownBase, match="extends"):
        inherited("d", written)


@pytest.fixture
def folder(tmp_path):
    """A library of the package's own files, with a folder of drugs that holds one more."""
    for file in Path(load_module.__file__).parent.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    particles = (tmp_path / "nanoparticles.yaml").read_text()
    starts = [i for i, line in enumerate(particles.splitlines(keepends=True)) if line[0].isalpha()]
    (tmp_path / "nanoparticles.yaml").write_text("".join(particles.splitlines(keepends=True)[: starts[1]]))
    (tmp_path / "drugs").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine:\n  extends: small_molecul\n", "more.yaml:2: mine.extends: there is no 'small_molecul'; did you mean 'small_molecule'?"),
        ("rsl3:\n  extends: small_molecule\n", "more.yaml:1: rsl3 is in drugs.yaml already"),
        ("mine:\n  extends: small_molecule\n  about: x\n  decai: 1\n", "more.yaml:4: mine.decai"),
        ("mine:\n  extends: small_molecule\n  hits:\n    - lowers: ferroptosis.xct\n", "more.yaml:4: mine.hits.0: Value error, a hit that is a rule needs to and half"),
        ("- 3\n", "more.yaml: is not a mapping"),
    ],
)
def test_a_fault_in_a_file_of_the_folder_is_told_with_its_place(folder, text, words):
    (folder / "drugs" / "more.yaml").write_text(text)
    with pytest.raises(LibraryError) as caught:
        load_library(str(folder))
    assert words in str(caught.value)


def test_what_hits_leave_to_their_drug_follows_it_and_can_be_changed_by_itself():
    config = config_of(DISH, entries={"drugs": {"erianin": {"ec50_uM": 0.5}, "matrine": {"hits": {"gpx4_synthesis": {"to": 0.3}}}}})
    erianin, matrine = config.library.drug("erianin"), config.library.drug("matrine")
    assert erianin.hits[0].half == 0.5
    number = matrine.hits[0].numbers["to"]
    assert (number.value, number.range, number.status) == (0.3, (0.25, 0.8), "chosen")
    assert load_library().drug("matrine").hits[0].numbers["to"].source == "assumed: direction from " + load_library().drug("matrine").source + " only"
