"""Cell types as entries: what they may say, and how a wrong one is refused."""

import pytest
from pydantic import ValidationError

from tme.core.terms import Term
from tme.library import load_library
from tme.library.cell_checks import faults_of
from tme.library.cells import FIRST_CODE, CellEntry, Uptake, code_of, in_order
from tme.mechanisms import cell_terms
from tme.populations.cells import population_class


def number(value, unit):
    return {"value": value, "unit": unit, "source": "assumed: test"}


def guest(**parts):
    """A guest cell that does nothing, with parts."""
    return {"about": "a test", "place": "guest", "volume_um3": number(200, "um^3"), **parts}


def test_the_types_of_the_issue_are_entries():
    cells = load_library().cells
    assert {"tumour", "cd8", "cd4", "treg", "macrophage", "dendritic", "mdsc", "nk", "caf", "neutrophil", "normal"} <= set(cells)


def test_no_line_of_code_names_the_types_that_are_only_entries():
    from pathlib import Path

    import tme

    root, entries_only = Path(tme.__file__).parent, ("mdsc", "nk", "cd4", "caf", "neutrophil", "normal", "b_cell")
    for path in root.rglob("*.py"):
        if path.parent.name not in ("viz", "targets") and path.name not in ("sentences.py", "petab.py", "tissue_names.py"):  # colours, words, experiments; normal errors; names that tables use
            text = path.read_text()
            named = [k for k in entries_only if f'"{k}"' in text or f".{k}." in text]
            assert not named, f"{path.relative_to(root)}: {named}"


def test_numbers_are_floats_or_parameters_that_have_their_value_once_resolved():
    cd8 = load_library().cells["cd8"]
    assert cd8.motion.speed == 3.0 and cd8.parameters["entry.holds"] == "recruitment.k_cd8"
    assert "motion.speed" in cd8.numbers and "entry.rate" not in cd8.numbers
    resolved = cd8.resolved(lambda name: float(len(name)))
    assert resolved.entry.holds == len("recruitment.k_cd8") and resolved.motion.modes.fast == len("motility.cd8_fast_um_min")
    assert resolved.secretes[0].molecules_s == len("killing.ifng_molecules_s") and resolved.secretes[0].weight_kda == 17.0


def test_a_value_put_in_place_of_a_parameter_counts():
    raw = guest(life={"mean_d": {"parameter": "cd8_turnover.life_d", "value": 2}})
    entry = CellEntry.model_validate(raw)
    assert entry.life.mean_d == 2.0 and not entry.parameters and entry.numbers["life.mean_d"].unit == "d"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"motion": {"clock_min": number(5, "min")}}, "motion.speed\n  is missing"),
        ({"motion": {"speed": number(5, "mm/min")}}, "expected 'um/min'"),
        ({"motion": {"speed": 5}}, "must be written {value"),
        ({"motion": {"speed": number(5, "um/min"), "bias": number(0.1, "1")}}, "a bias needs"),
        ({"life": {"mean_d": number(0, "d")}}, "greater than 0"),
        ({"secretes": ({"field": "ifng"},)}, "either rate, or molecules_s"),
        ({"secretes": ({"field": "ifng", "rate": number(1, "ng/mL/min"), "times": "engaged"},)}, "needs kills"),
        ({"secretes": ({"field": "ifng", "rate": number(1, "ng/mL/min"), "times": "often"},)}, "'engaged' or 'corpse'"),
        ({"division": {"rate": number(1, "1/min"), "at_most": number(1, "1")}}, "division needs kills"),
        ({"dies": {"apoptosis": number(1, "1/min")}}, "dies is for tissue cells"),
        ({"start": {"per_mm2": number(1, "1/mm^2"), "share": number(1, "1")}}, "either per_mm2 or share"),
        ({"eats": True}, "Extra inputs"),
        ({"takes_up": ({"field": "lactate"},)}, "either rate, or most"),
        ({"takes_up": ({"field": "lactate", "rate": number(1, "1/min"), "half": number(1, "mM")},)}, "either rate, or most"),
        ({"pathways": {"ferroptosis": {"emits": True}}}, "emits is for tissue cells"),
        ({"pathways": {"ferroptosis": {"preset": {"xct": 1}}}}, "pathways.ferroptosis.preset.xct"),
        ({"place": "tissue", "presents": True}, "presents is for guest cells"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_in_words(parts, words):
    with pytest.raises(ValidationError) as caught:
        CellEntry.model_validate(guest(**parts))
    assert words in str(caught.value)


def test_what_hangs_in_the_air_is_told():
    cells = {"one": CellEntry.model_validate(guest(code=3, secretes=({"field": "x", "rate": number(1, "1")},))),
             "two": CellEntry.model_validate(guest(code=3)), "hour": CellEntry.model_validate(guest())}  # fmt: skip
    assert faults_of(cells, {"oxygen": load_library().fields["oxygen"]}) == [
        "one.secretes.0.field: field 'x' is not in fields.yaml", "two: has the code of one", "hour: the name has another meaning in tables, rules or checkpoints",
    ]  # fmt: skip


def test_codes_follow_from_names_and_order_from_priority_then_name():
    cells = load_library().cells
    assert [code_of(n, cells[n]) for n in ("tumour", "cd8", "macrophage", "dendritic", "treg")] == [1, 2, 3, 4, 5]
    own = [code_of(n, cells[n]) for n in cells if cells[n].code is None]
    assert len(set(own)) == len(own) and min(own) >= FIRST_CODE and max(own) < 2**32
    assert in_order(("treg", "nk", "tumour", "caf", "cd8"), cells) == ["tumour", "cd8", "treg", "caf", "nk"]


def test_the_nk_entry_holds_what_a_law_of_contacts_needs():
    nk = load_library().cells["nk"]
    assert nk.kills.recognises == "missing_self" and 0.0 < nk.kills.floor < 1.0
    assert min(nk.kills.attach, nk.kills.recognition, nk.kills.hold_min, nk.kills.hit) > 0.0
    columns = {c.name for c in population_class("nk", nk).columns}
    assert {"engaged", "target_uid", "target_voxel", "function", "exhaustion", "kills"} <= columns
    assert not columns & {c.name for c in population_class("mdsc", load_library().cells["mdsc"]).columns} - {"heading", "speed"}


def test_terms_name_the_cell_types_that_have_them():
    terms = {t.name: t for t in cell_terms(load_library().cells)}
    assert all(isinstance(t, Term) for t in terms.values())
    assert set(terms["motility.speed"].cells) == {"cd8", "dendritic", "treg", "macrophage", "mdsc", "cd4", "nk", "neutrophil", "b_cell"}
    assert terms["division.rate"].cells == ("cd8",) and "entry.mdsc" in terms
    assert set(terms["secretion.suppression"].cells) == {"treg", "macrophage", "mdsc", "caf"}
    assert set(terms["phagocytosis.rate"].cells) == {"macrophage", "neutrophil"}


@pytest.mark.parametrize(
    ("uptake", "words"),
    [
        ({"field": "oxygen", "rate": number(1, "1/min")}, "caf.takes_up.0.rate: oxygen is taken up at a rate that saturates; expected most, in mmHg/min, or linear: true"),
        ({"field": "oxygen", "most": number(1, "uM/min")}, "caf.takes_up.0.most: is given in 'uM/min', expected 'mmHg/min'"),
        ({"field": "oxygen", "most": number(1, "mmHg/min"), "half": number(1, "mmHg")}, "caf.takes_up.0.half: oxygen has its own, uptake.oxygen_k; leave it out"),
        ({"field": "lactate", "most": number(1, "mM/min")}, "caf.takes_up.0.half: is missing; lactate states none"),
        ({"field": "lactate", "most": number(1, "mM/min"), "half": number(1, "uM")}, "caf.takes_up.0.half: is given in 'uM', expected 'mM'"),
        ({"field": "lactat", "rate": number(1, "1/min")}, "caf.takes_up.0.field: field 'lactat' is not in fields.yaml; did you mean 'lactate'?"),
    ],
)  # fmt: skip
def test_an_uptake_that_its_field_cannot_have_is_told(uptake, words):
    library = load_library()
    wrong = library.cells["caf"].model_copy(update={"takes_up": (Uptake.model_validate(uptake),)})
    assert faults_of({"caf": wrong}, library.fields) == [words]


def test_cell_types_share_the_level_of_half_the_uptake():
    library, most = load_library(), number(1, "mM/min")
    both = {name: library.cells[name].model_copy(update={"takes_up": (Uptake.model_validate({"field": "lactate", "most": most, "half": number(half, "mM")}),)})
            for name, half in (("caf", 2), ("normal", 3))}  # fmt: skip
    assert faults_of(both, library.fields)[0] == "caf.takes_up.0.half: cell types that take up lactate say 2 and 3; expected one"
