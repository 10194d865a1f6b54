"""What stands behind every number: stated, or told by its source; `tme describe --evidence` counts it."""

import re

import pytest
from support import TISSUE, config_of

from tme.core.parameters import STATUSES, par, range_of, status_of
from tme.library import Number, load_library
from tme.model import parameter_registry
from tme.model.describe import describe
from tme.model.evidence import evidence
from tme.studies.ranges import own_ranges


@pytest.mark.parametrize(
    ("source", "status"),
    [("assumed: below 1 h", "assumed"), ("calibrated: EC50", "tuned"), ("tuned: T41", "tuned"), ("chosen: small", "chosen"),
     ("molecular formula", "derived"), ("definition: the field counts iron", "derived"), ("Gong et al. 2021", "measured")],
)  # fmt: skip
def test_the_source_tells_the_status_where_none_is_stated(source, status):
    assert status_of(source) == status
    assert par("x", 1, "1", 0, 2, source).status == status
    assert Number.model_validate({"value": 1, "unit": "1", "source": source}).status == status


def test_a_stated_status_holds_and_another_word_is_refused():
    assert par("x", 1, "1", 0, 2, "assumed: so", status="tuned").status == "tuned"
    assert Number.model_validate({"value": 1, "unit": "1", "source": "doi 10.1", "status": "derived"}).status == "derived"
    with pytest.raises(ValueError, match="expected one of measured"):
        par("x", 1, "1", 0, 2, "assumed: so", status="guessed")


def test_every_number_has_a_status():
    assert {p.status for s in parameter_registry().values() for p in s} <= {*STATUSES}
    assert {n.status for kind in load_library().entries.values() for e in kind.values() for n in e.numbers.values()} <= {*STATUSES}


def test_evidence_counts_what_is_in_use_and_what_a_config_sets_is_chosen():
    def counted(**changes):
        rows = evidence(describe(config_of(TISSUE, **changes)))["evidence"]
        assert all(sum(r[s] for s in STATUSES) == r["all"] for r in rows)
        assert rows[-1]["all"] == sum(r["all"] for r in rows[:-1]) > 100
        return rows[-1]

    plain = counted()
    changed = counted(entries={"fields": {"oxygen": {"decay": 0.001}}}, mechanisms__ferroptosis={"f_x": 0.5})
    assert changed["chosen"] == plain["chosen"] + 2 and changed["all"] == plain["all"]


def test_every_number_has_a_range_that_holds_its_value():
    """Stated, or by rule from what stands behind the number; studies draw from it."""
    numbers = [(f"{g}.{p.name}", p.value, p.range) for g, s in parameter_registry().items() for p in s]
    numbers += [(f"{k}.{n}.{key}", number.value, number.prior) for k, kind in load_library().entries.items() for n, e in kind.items() for key, number in e.numbers.items()]
    assert len(numbers) > 1000
    assert not [name for name, value, (low, high) in numbers if not low <= value <= high]
    assert not [f"{g}.{p.name}" for g, s in parameter_registry().items() for p in s if not p.low <= p.range[0] <= p.range[1] <= p.high]


def test_no_number_of_a_law_is_held_fixed_by_studies_but_zeros_and_definitions():
    """IFN-gamma uptake was, of which the SLC7A11 route hangs, by being called chosen without a range."""
    fixed = [p for s in parameter_registry().values() for p in s if p.range[0] == p.range[1]]
    assert not [p.name for p in fixed if p.value != 0.0 and not p.source.startswith("definition")]
    assert parameter_registry()["uptake"].parameters["ifng_uptake"].range == (0.06, 4.0)


def test_a_range_by_rule_is_wider_the_less_stands_behind_a_number_and_keeps_to_its_bounds():
    spread = {s: range_of(10.0, s, "x") for s in STATUSES}
    assert spread["assumed"] == (5, 20) and spread["measured"] == (10 / 1.5, 15) and spread["chosen"] == (10, 10)
    assert range_of(10.0, "derived", "molecular formula") == (10, 10) and range_of(0.0, "assumed", "assumed: off") == (0, 0)
    assert range_of(0.8, "assumed", "assumed: x", 0.0, 1.0) == (0.4, 1.0)
    assert par("x", 0.5, "1", 0, 1, "assumed: x", range=(0.2, 0.6)).range == (0.2, 0.6)
    with pytest.raises(ValueError, match="does not hold its value"):
        par("x", 0.5, "1", 0, 1, "assumed: x", range=(0.6, 0.9))
    share = load_library().nanoparticles["peg_pdpa_rsl3"].payloads[0].numbers["free_fraction"]
    assert share.prior[1] <= 1.0


def test_evidence_counts_by_group_what_the_config_uses_and_nothing_else():
    def groups(**changes):
        return {r["numbers"]: r["all"] for r in evidence(describe(config_of(TISSUE, **changes)))["evidence"]}

    plain = groups()
    assert "mechanisms.ferroptosis" in plain and "mechanisms.cuproptosis" not in plain and "drugs" not in plain
    more = groups(mechanisms__cuproptosis={"on": True}, arms={"control": {}, "x": {"drugs": [{"name": "rsl3", "bath_uM": 1, "route": "bath", "day": 0}]}})
    assert more["mechanisms.cuproptosis"] > 5 and more["drugs"] > 5
    assert groups(tumour__alterations=["keap1_loss"])["alterations"] == 2
    assert groups(receptors={"lag3": True})["receptors"] > plain["receptors"]


def test_a_measured_number_names_its_source_so_that_it_can_be_found():
    """A DOI, a database's entry, or journal with volume and page, or what a formula says."""
    known = re.compile(r"doi 10\.|PMC\d|PMID|UniProt|\b[A-Z][A-Za-z]+( [A-Z][a-z]+)* \d+:\d+|duplex of")
    vague = [f"{g}.{p.name}: {p.source}" for g, s in parameter_registry().items() for p in s if p.status == "measured" and not known.search(p.source)]
    vague += [f"{k}.{n}.{key}: {x.source}" for k, kind in load_library().entries.items() for n, e in kind.items()
              for key, x in e.numbers.items() if x.status == "measured" and not known.search(x.source)]  # fmt: skip
    assert not vague, vague


SET = {
    "rules": {
        "M69.arrest": {"to": 0.2},
        "mine": {"in": "tumour", "signal": "field.oxygen", "lowers": "division.rate", "to": {"value": 0.5, "unit": "1", "source": "assumed: a test"},
                 "half": {"value": 20, "unit": "mmHg", "source": "assumed: a test"}, "evidence": "hypothetical", "source": "a test"},
    },
    "receptors": {"pd1": {"effects": {"killing": {"to": 0.3}}}},
    "entries": {"fields": {"oxygen": {"diffusion": 1.1e5}}},
}  # fmt: skip


def test_what_a_config_sets_of_rules_and_axes_is_described_and_drawn_where_it_is_heard():
    config = config_of(TISSUE, **SET)
    rows = {r["number"]: r for r in describe(config)["library numbers in use"]}
    for number, value in (("rules.M69.arrest.to", 0.2), ("rules.mine.half", 20.0), ("receptors.pd1.effects.killing.to", 0.3), ("fields.oxygen.diffusion", 1.1e5)):
        assert rows[number]["value"] == value and ".yaml:" in rows[number]["from"], number
    assert rows["rules.M69.arrest.half"]["from"] == "tme"
    drawn = own_ranges(config)
    for key, number in (("rules.M69.arrest.to", "rules.M69.arrest.to"), ("entries.rules.M69.arrest.half", "rules.M69.arrest.half"), ("rules.mine.to.value", "rules.mine.to"),
                        ("receptors.pd1.effects.killing.to", "receptors.pd1.effects.killing.to"), ("entries.fields.oxygen.diffusion", "fields.oxygen.diffusion")):  # fmt: skip
        low = drawn[key].low
        changed = {r["number"]: r["value"] for r in describe(config.with_values({key: low}))["library numbers in use"]}
        assert changed[number] == pytest.approx(low) != pytest.approx(rows[number]["value"]), key
