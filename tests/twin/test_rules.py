"""The arrays equal the twin under rules of every kind: what cells hear, how they answer, where rules meet."""

import pytest

from twin import setup
from twin.rules import Rules
from twin.test_twin import run

NUMBER = "{{value: {}, unit: {}, source: 'assumed: a test'}}"


def rule(cells, signal, verb, term, to=None, half=None, unit="cells", amount="1", **more):
    """A whole rule as a config writes it; numbers among `more` are (value, unit)."""
    parts = {"in": cells, "signal": signal, verb: term, "evidence": "hypothetical", "source": "a test"}
    numbers = {"to": (to, amount), "half": (half, unit)} if half is not None else {}
    numbers |= {k: v for k, v in more.items() if isinstance(v, tuple)}
    parts |= {k: NUMBER.format(*v) for k, v in numbers.items()} | {k: v for k, v in more.items() if not isinstance(v, tuple)}
    return "{" + ", ".join(f"{k}: {v}" for k, v in parts.items()) + "}"


AROUND = {  # near and contact, of the own kind and of others
    "a1": rule("tumour", "near.cd8", "lowers", "division.rate", 0.2, 2),
    "a2": rule("tumour", "contact.tumour", "lowers", "death.apoptosis", 0.1, 4, hill=(2, "1")),
    "a3": rule("tumour", "near.tumour", "raises", "damp.atp", 3, 15),
    "a4": rule("cd8", "contact.tumour", "raises", "killing.hit_rate", 4, 3),
    "a5": rule("cd8", "near.treg", "lowers", "killing.attach_rate", 0.3, 1, hill=(3, "1")),
    "a6": rule("dendritic", "contact.macrophage", "raises", "maturation.rate", 5, 1),
    "a7": rule("macrophage", "near.tumour", "raises", "motility.speed", 2, 10),
    "a8": rule("treg", "near.treg", "lowers", "turnover.rate", 0.5, 1),
    "a9": rule("cd8", "near.cd8", "raises", "exhaustion.rate", 3, 2, lag_h=(1, "h")),
    "a0": rule("vessel", "near.tumour", "raises", "entry.cd8", 5, 5),
    "ab": rule("vessel", "near.cd8", "lowers", "entry.treg", 0.2, 2),
}  # fmt: skip
LACK = {  # falling responses
    "f1": rule("tumour", "field.oxygen", "lowers", "division.rate", 0.1, 25, "mmHg", response="falling", hill=(4, "1")),
    "f2": rule("tumour", "contact.tumour", "raises", "death.apoptosis", 30, 3, response="falling", hill=(2, "1")),
    "f3": rule("tumour", "own.gsh", "adds_to", "death.drug", 2e-4, 1500, "uM", "1/min", response="falling"),
    "f4": rule("cd8", "near.tumour", "lowers", "secretion.ifng", 0.2, 6, response="falling"),
    "f5": rule("dendritic", "near.cd8", "raises", "maturation.antigen", 4, 1, response="falling", lag_h=(0.5, "h")),
    "f6": rule("tumour", "field.oxygen", "raises", "ferroptosis.tfr1", 2, 20, "mmHg", response="falling", hill=(3, "1"), lag_h=(2, "h")),
    "f7": rule("vessel", "near.tumour", "lowers", "entry.macrophage", 0.3, 2, response="falling"),
    "f8": rule("vessel", "field.oxygen", "raises", "entry.dendritic", 3, 40, "mmHg", response="falling", hill=(2, "1")),
}  # fmt: skip
MEETING = {  # groups, grammar, needs, clocks, proportion, time, alterations
    "g1": rule("tumour", "near.macrophage", "raises", "division.rate", 2, 2, group="g"),
    "g2": rule("tumour", "field.oxygen", "raises", "division.rate", 2, 30, "mmHg", group="g", hill=(2, "1")),
    "g3": rule("tumour", "field.ifng", "lowers", "division.rate", 0.5, 0.5, "ng/mL", clock_min=(30, "min")),
    "g4": rule("tumour", "own.plooh", "adds_to", "ferroptosis.gsh_loss", response="linear", slope=(0.02, "1/(uM min)")),
    "g5": rule("tumour", "time", "raises", "death.apoptosis", 5, 0.05, "d"),
    "g6": rule("tumour", "alteration.braf_v600e", "lowers", "ferroptosis.ncoa4", 0.5, 0.5, "1"),
    "g7": rule("tumour", "field.peroxide", "raises", "ferroptosis.initiation", 2, 0.5, "uM", needs="{field: oxygen, half: " + NUMBER.format(20, "mmHg") + "}"),
    "c1": rule("tumour", "near.cd8", "raises", "death.necrosis", 4, 1, combine="cbhg", base=(1, "1")),
    "c2": rule("tumour", "contact.tumour", "lowers", "death.necrosis", 0.2, 4, combine="cbhg", base=(1, "1"), hill=(2, "1")),
    "c3": rule("tumour", "near.tumour", "raises", "damp.hmgb1", 3, 9, combine="cbhg", base=(0.5, "1"), reference=(1, "1"), dead="true"),
    "c4": rule("tumour", "near.cd8", "lowers", "damp.hmgb1", 0.1, 2, combine="cbhg", base=(0.5, "1"), reference=(1, "1")),
    "c5": rule("cd8", "field.suppression", "lowers", "motility.bias", 0.2, 0.1, "a.u.", combine="cbhg", base=(2, "1")),
}  # fmt: skip
GENOTYPE = ("tumour.alterations=[braf_v600e]", "tumour.clones.mine={share: 0.3, alterations: [myc_high]}")


def written(rules):
    """The rules as one override."""
    return "rules={" + ", ".join(f"{name}: {text}" for name, text in rules.items()) + "}"


def compared(ticks, arm, rules, *more, seed=23):
    """Both models, equal after each tick; every rule has a program in the twin, and makes something of its term in some cell."""
    model, twin = setup.build(arm, written(rules), *more, seed=seed)
    setup.check_equal(model, twin)
    run(model, twin, ticks)
    heard = [r for p in twin.rules.programs for r in p.rules]
    assert {str(r.signal) for r in heard} >= {text.partition("signal: ")[2].partition(",")[0] for text in rules.values()}
    for p in twin.rules.programs:
        if p.cells != "vessel" and any(f": {p.term}," in text for text in rules.values()):
            assert any(c.terms[p.term] != p.joined([]) for c in twin.of(p.cells) if p.term in c.terms), p.term
    return model, twin


def test_arrays_equal_the_twin_under_rules_of_neighbours_contacts_and_lack():
    """Cells enter every half hour."""
    compared(32, "all", {**AROUND, **LACK})


def test_arrays_equal_the_twin_where_rules_meet():
    compared(32, "drugs", MEETING, *GENOTYPE)


@pytest.mark.slow
@pytest.mark.parametrize("rules", [AROUND, LACK, MEETING], ids=["around", "lack", "meeting"])
@pytest.mark.parametrize("world", [
    (), ("clocks.dt_min=0.5",),
    ("domain.size_um=[220, 200, 180]", "domain.boundary={x: periodic, y: no_flux, z: no_flux}", "initial.n_cells=280", "populations.cd8.per_mm2=60"),
], ids=["flat", "half_minute", "ball"])  # fmt: skip
def test_arrays_equal_the_twin_under_rules_in_other_worlds(rules, world):
    compared(240, "control", rules, *world, *(GENOTYPE if rules is MEETING else ()))


@pytest.mark.parametrize(("rules", "said"), [
    ({"x": rule("tumour", "near.tumour", "raises", "invasion.speed", 2, 1)}, "invasion.speed in tumour"),
    ({"x": rule("tumour", "drug.erastin", "lowers", "ferroptosis.xct", 0, 1, "uM", group="xct_inhibitors")}, "pool xct_inhibitors"),
])  # fmt: skip
def test_the_twin_refuses_what_it_lacks(rules, said):
    with pytest.raises(NotImplementedError, match=said):
        setup.build("drugs", written(rules))


def test_a_response_falls_to_nothing_and_is_whole_without_its_signal():
    lack = setup.SimpleNamespace(response="falling", half=2.0, hill=3.0)
    assert Rules.power(lack, 0.0) == float("inf") and Rules.power(lack, 4.0) == 0.125
