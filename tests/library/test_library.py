"""The library: every number has a unit and a source, names hang together, unread keys are refused."""

from pathlib import Path

import pytest

from tme.library import LibraryError, load_library
from tme.library import load as load_module
from tme.library.load import by_name
from tme.model import parameter_registry
from tme.model.describe import mechanism_table
from tme.populations.tumour import Tumour

KINDS = ("fields", "drugs", "antibodies", "nanoparticles", "tumours", "receptors")


@pytest.fixture
def copy(tmp_path):
    """The first two entries of every file."""
    for file in Path(load_module.__file__).parent.glob("*.yaml"):
        lines = file.read_text().splitlines(keepends=True)
        starts = [i for i, line in enumerate(lines) if line[0].isalpha()]
        (tmp_path / file.name).write_text("".join(lines[: ([*starts, len(lines), len(lines)])[2]]))
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_has_a_unit_and_a_source(kind):
    for name, entry in getattr(load_library(), kind).items():
        assert entry.numbers, name
        for key, number in entry.numbers.items():
            assert number.unit, f"{name}.{key}"
            words = ("assumed", "calibrated", "definition", "doi", "PMC", "PMID")
            known = any(w in number.source for w in words) or any(c.isdigit() for c in number.source)
            assert known or len(number.source) > 10, f"{name}.{key}: {number.source}"


def test_every_number_of_an_event_has_a_unit_and_a_source():
    events = load_library().events
    assert {e.kind for e in events.values()} == {"radiation", "light", "sound", "heat", "kill_share", "cell_transfer", "resection", "implant", "vaccination"}
    for name, entry in events.items():
        for key, number in entry.numbers.items():
            assert number.unit and len(number.source) > 10, f"{name}.{key}"
    assert len(events["radiation"].numbers) > 8  # those of cell types too


def test_signals_of_events_have_names_of_their_own():
    names = [s for name, entry in load_library().events.items() for s in entry.signals(name)]
    assert sorted(names) == ["heat", "light", "radiation", "radiation_ros", "sound"]


def test_what_the_issue_names_is_there():
    library = load_library()
    assert {"rsl3", "erastin", "ike", "ifsp1", "bso", "cysteinase", "ferrostatin_1", "deferoxamine"} <= set(
        library.drugs
    )
    assert {"anti_pdl1", "anti_pd1", "anti_ctla4"} <= set(library.antibodies)
    assert {"N1", "N3", "N6", "N13"} <= {e.id for e in library.nanoparticles.values()}
    assert {"b16_like", "ct26_like", "mc38_like", "breast_4t1_like", "ht1080"} <= set(library.tumours)


def test_entries_hold_plain_floats():
    rsl3 = load_library().drug("rsl3")
    assert type(rsl3.diffusion) is float
    assert type(rsl3.hits[0].strength) is float


def test_a_hit_has_the_strength_of_its_target():
    library = load_library()
    assert library.drug("erastin").hits[0].strength == pytest.approx(1 / 0.16)
    assert library.drug("erastin").hits[0].exponent == 1.5
    assert library.drug("rsl3").hits[0].strength == 0.08


def test_ike_lies_between_rsl3_and_erastin():
    library = load_library()
    assert library.drug("ike").hits[0].strength > library.drug("erastin").hits[0].strength


def test_tumours_set_parameters_and_traits_that_exist():
    registry, columns = parameter_registry(), {c.name for c in Tumour.columns}
    for name, entry in load_library().tumours.items():
        for group, values in entry.parameters.items():
            for key, number in values.items():
                p = registry[group].parameters[key]
                assert p.low <= number.value <= p.high, f"{name}: {group}.{key}"
                assert p.unit == number.unit, f"{name}: {group}.{key}"
        assert set(entry.traits) <= columns
        assert all(set(c.traits) <= columns for c in entry.clones.values())


def test_an_agent_becomes_a_field_in_its_own_unit():
    library = load_library()
    assert library.drug("rsl3").field_entry("rsl3").unit == "uM"
    assert library.antibody("anti_pdl1").field_entry("anti_pdl1").unit == "nM"


def test_iron_platforms_have_iron_terms():
    library = load_library()
    assert library.nanoparticle("peg_pdpa_rsl3").iron_terms == (0.0, 0.0, 0.0)
    loading, labile, cap = library.nanoparticle("iron_oxide").iron_terms
    assert (loading, labile, cap) == (1.0, 0.01, 0.5)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("drugs.yaml", "stage: experimental", "stagee: experimental", "drugs.yaml:7: rsl3.stagee"),
        ("drugs.yaml", "unit: um^2/min", "unit: cm^2/s", "expected 'um^2/min'"),
        ("drugs.yaml", "decay: {value: 0.02, unit: 1/min, range: [0.005, 0.1]", "decay: {value: 0.02, unit: 1/min, range: [1, 2]", "outside its own range"),
        ("drugs.yaml", "target: gpx4", "target: gpx5", "rsl3.hits.0.target"),
        ("drugs.yaml", "target: gpx4", "target: xct", "needs ki_uM"),
        ("nanoparticles.yaml", "drug: rsl3", "drug: rsl4", "drug 'rsl4' is not in drugs"),
        ("drugs.yaml", "target: xct", "target: vessel", "names the substance"),
        ("drugs.yaml", "target: xct", "target: vessel\n      field: cystin", "field 'cystin' is not in fields"),
        ("fields.yaml", "mode: quasi_steady", "mode: steady", "fields.yaml:5: oxygen.mode"),
        ("events.yaml", "kind: radiation", "kind: radiaton", "events.yaml:4: radiation: Value error, kind is 'radiaton'"),
        ("events.yaml", "unit: 1/Gy,", "unit: Gy,", "events.yaml:12: radiation.cells.tumour.alpha_per_gy"),
        ("events.yaml", "oer_max:", "oer:", "events.yaml:8: radiation.oer"),
        ("antibodies.yaml", "anti_pd1:", "anti_pdl1:", "duplicate key"),
        ("antibodies.yaml", "anti_pd1:", "rsl3:", "the name is taken by drugs"),
        ("antibodies.yaml", "target: pdl1", "target: pdl3", "target 'pdl3' is no receptor or ligand"),
        ("antibodies.yaml", "target: pdl1", "target: field:oxygen", "needs k_on_per_nM_min"),
        ("antibodies.yaml", "target: pdl1", "target: pd1", "anti_pdl1.sink: pd1 is no ligand that is met in tissue"),
        ("antibodies.yaml", "receptors: {value: 30000, unit: 1", "receptors: {value: 30000, unit: nM", "expected '1'"),
        ("receptors.yaml", "place: contact", "place: node", "acts on priming, not on"),
        ("receptors.yaml", "    pdl2:", "    ctla4:", "ctla4 is in two axes"),
        ("receptors.yaml", "    killing:", "    kiling:", "receptors.yaml:"),
        ("receptors.yaml", "background: {value: 0.03", "background: {value: 3", "outside its own range"),
        ("tumours.yaml", "ct26_like:\n", "ct26_like:\n  extends: b16_lik\n", "ct26_like.extends: there is no 'b16_lik'; did you mean 'b16_like'?"),
        ("alterations.yaml", "nrf2: {value: 3, unit: 1", "nrf2: {value: 9, unit: 1", "outside its own range"),
        ("tumours.yaml", "source: \"assumed: spread of protein levels between cells of one tumour\"", "note: x", "b16_like"),
    ],
)  # fmt: skip
def test_a_faulty_library_is_refused_with_its_place(copy, file, old, new, words):
    path = copy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(LibraryError) as caught:
        load_library(str(copy))
    assert words in str(caught.value)


def test_entries_may_come_as_a_list_with_their_ids():
    assert by_name([{"id": "M11", "to": 1}, {"id": "M53.hif1"}]) == {"M11": {"id": "M11", "to": 1}, "M53.hif1": {"id": "M53.hif1"}}
    assert by_name({"a": 1}) == {"a": 1}
    assert by_name([{"to": 1}]) is None and by_name("text") is None


def test_an_agent_says_which_rows_of_the_inventory_it_stands_for_and_the_list_of_mechanisms_says_it_too():
    rows = {row["id"]: row for row in mechanism_table()}
    assert "tme/library/drugs.yaml:rsl3" in rows["M06"]["where"] and "arms.*.drugs.rsl3" in rows["D4"]["switch"]
    assert "tme/library/antibodies.yaml:nivolumab" in rows["D14"]["where"]
    assert "arms.*.nanoparticles.peg_pdpa_rsl3" in rows["N1"]["switch"].split()
