"""What the import needed of entries: walls of a field, a reference of rules, corpses that secrete, linear uptake, terms for all."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tme.library import load_library
from tme.library.cells import CellEntry
from tme.library.rule import RuleEntry
from tme.library.schema import FieldEntry
from tme.mechanisms import death, killing
from tme.model import TumourModel, load_config
from tme.model.registry import known_to_rules
from tme.model.space import faces_of
from tme.rules.resolve import check


def number(value, unit):
    return {"value": value, "unit": unit, "source": "assumed: a test"}


def field(**more):
    return {"about": "a test", "unit": "uM", "mode": "backward_euler", "clock_min": number(6, "min"), "diffusion": number(1000, "um^2/min"), "decay": number(0.1, "1/min"), **more}


class Box:
    """A domain with these boundaries."""

    def __init__(self, **boundary):
        self.domain = type("domain", (), {"boundary": boundary})


def test_walls_go_before_what_the_domain_says():
    entry = FieldEntry.model_validate(field(initial=number(3, "uM"), walls={"x_min": number(7, "uM")}))
    assert faces_of(Box(), entry, (1, 10, 10)) == (None, None, (7.0, None))
    assert faces_of(Box(x="fixed", y="fixed"), entry, (1, 10, 10)) == (None, (3.0, 3.0), (7.0, 3.0))
    assert faces_of(Box(), FieldEntry.model_validate(field()), (1, 10, 10)) == ()


@pytest.mark.parametrize("wall", [number(7, "nM"), number(-1, "uM")])
def test_a_wall_is_in_the_unit_of_its_field_and_not_below_0(wall):
    with pytest.raises(ValidationError, match="expected 0 or more in 'uM'"):
        FieldEntry.model_validate(field(walls={"x_min": wall}))


def test_entries_that_say_nothing_new_have_the_content_they_had():
    library = load_library()
    assert all("walls" not in e.content() for e in library.fields.values())
    assert all("reference" not in e.content() for e in library.rules.values())
    assert all("linear" not in u for e in library.cells.values() for u in e.content()["takes_up"])
    assert "walls" in FieldEntry.model_validate(field(walls={"x_min": number(7, "uM")})).content()


def rule(**more):
    return {"in": "tumour", "signal": "own.gsh", "raises": "division.rate", "combine": "cbhg", "base": number(0, "1/min"), "to": number(2, "1/min"),
            "half": number(900, "uM"), "evidence": "hypothetical", "source": "a test", **more}  # fmt: skip


def test_a_reference_is_for_the_grammar_and_above_0():
    assert RuleEntry.model_validate(rule(reference=number(2, "1/min"))).reference == 2.0
    for bad in ({"reference": number(0, "1/min")}, {"reference": number(2, "1/min"), "combine": "product", "base": None}):
        with pytest.raises(ValidationError):
            RuleEntry.model_validate({k: v for k, v in rule(**bad).items() if v is not None})


def test_rules_of_one_term_have_one_reference():
    rules = {name: RuleEntry.model_validate(rule(reference=number(r, "1/min"))) for name, r in (("a", 2.0), ("b", 3.0))}
    assert check(rules, known_to_rules()) == [("b", "reference 3.0, but a has 2.0", "one reference for a term", "")]


def test_over_a_reference_a_base_of_nothing_can_rise():
    config = load_config("configs/wave.yaml", overrides=["domain.size_um=[150, 150]", "rules.M69.arrest=off", "rules.M77.m2_growth=off"])
    model = TumourModel(config.with_values({"rules.a": rule(reference=number(4, "1/min"))}), arm="growth")
    model.mechanism("rules").settle(model)
    x = model.tumour.gsh / 900.0
    assert np.allclose(model.tumour.term("division.rate")[: model.tumour.n], 2.0 / 4.0 * x / (1 + x), rtol=1e-12)


def test_corpses_are_of_tissue_cells():
    entry = {"about": "a test", "place": "guest", "volume_um3": number(200, "um^3"), "secretes": ({"field": "atp", "rate": number(1, "uM/min"), "times": "corpse"},)}
    with pytest.raises(ValidationError, match="corpse is for tissue cells"):
        CellEntry.model_validate(entry)
    assert CellEntry.model_validate({**entry, "place": "tissue"}).secretes[0].times == "corpse"


def test_death_and_killing_are_terms_of_all_that_die_and_kill():
    cells = load_library().cells
    mortal, killers = (tuple(n for n, e in cells.items() if getattr(e, part) is not None) for part in ("dies", "kills"))
    terms = {t.name: t.cells for t in (*death.terms(cells), *killing.terms(cells))}
    assert terms["death.apoptosis"] == terms["death.necrosis"] == mortal and "caf" in mortal
    assert terms["killing.attach_rate"] == killers and {"cd8", "nk"} <= set(killers)
