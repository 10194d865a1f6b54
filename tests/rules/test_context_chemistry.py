"""Rules of the redox core, defences, iron, lipids, copper, p53 and signalling: each moves its pool and the hour of death its way."""

import numpy as np
import pytest
from breadth import RSL3, death_hour, held, on, treated
from support import UNBREAKABLE, bath, dish, hours, mean, rises

from tme.config import ConfigError
from tme.library import load_library

PULSE = {"mechanisms__ferroptosis": UNBREAKABLE}
HARDY = {"mechanisms__ferroptosis": {"d_leth": 2000}}
BH4 = {"mechanisms__ferroptosis": {"kap_b": 0.3}}
COPPER = {"mechanisms__cuproptosis": {"on": True}}
STRONG, ERASTIN, IFSP1 = bath("rsl3", 1.0), bath("erastin", 10.0), bath("ifsp1", 10.0)
IRON, CHELATOR, IONOPHORE = bath("ferric_ammonium_citrate", 3000), bath("deferoxamine", 100), bath("elesclomol", 0.02)


def cases(table):
    """The rows of a table as parameters, each marked with the mechanism of its rule and named by it."""
    return [pytest.param(*row, marks=pytest.mark.mechanism(row[0].split(".")[0]), id=f"{row[0]}-{row[1]}") for row in table]


POOLS = [  # rule, pool, what it is multiplied by at least (above 1) or at most, arm, hours, changes of the dish
    ("M07.usp8", "gpx4", 1.3, {}, 1, {}),
    ("M08.zdhhc8", "gpx4", 1.3, {}, 1, {}),
    ("M09.clearance", "plooh", 1.01, {}, 1, {}),
    ("M09.h2o2", "plooh", 1.2, {}, 1, {}),
    ("M12.eaat3", "gsh", 1.5, ERASTIN, 12, PULSE),
    ("M12.nfkb", "gsh", 1.4, ERASTIN, 12, {**PULSE, **held("hmgb1", 5)}),
    ("M15.gstp1", "plooh", 0.97, {}, 1, {}),
    ("M15.smurf2", "plooh", 1.01, {}, 1, {}),
    ("M18.fsp1", "plooh", 0.9, {}, 1, {}),
    ("M18.vkorc1l1", "plooh", 0.8, IFSP1, 6, {}),
    ("M19.lack", "plooh", 1.5, IFSP1, 6, {}),
    ("M19.surplus", "plooh", 0.97, {}, 1, {"tumour__traits": {"fsp1": 6}}),
    ("M20.dhodh", "coq10h2", 2.0, IFSP1, 6, {}),
    ("M21.gch1", "plooh", 0.9, {}, 1, BH4),
    ("M21.dhfr", "plooh", 1.05, {}, 1, BH4),
    ("M22.mboat2", "pufa", 0.8, {}, 1, {}),
    ("M23.prominin2", "lip", 0.85, STRONG, 12, PULSE),
    ("M30.rich", "lip", 0.95, IRON, 24, PULSE),
    ("M30.ferritin", "lip", 0.95, IRON, 24, PULSE),
    ("M30.ferritin", "ferritin", 1.05, IRON, 24, PULSE),
    ("M30.poor", "lip", 1.15, CHELATOR, 24, {}),
    ("M32.clusters", "lip", 0.8, {}, 1, {}),
    ("M32.loss", "lip", 1.3, {}, 1, {}),
    ("M34.acid", "ferritin", 0.85, {}, 24, held("acid", 15)),
    ("M37.leak", "plooh", 1.03, IRON, 6, PULSE),
    ("M37.ftmt", "plooh", 0.95, {}, 1, {}),
    ("M37.vdac", "plooh", 1.1, ERASTIN, 4, {}),
    ("M98.rich", "lip", 1.3, {}, 1, held("transferrin", 60)),
    ("M98.poor", "lip", 0.7, {}, 1, held("transferrin", 2)),
    ("M100.ros", "plooh", 1.1, {}, 1, {}),
    ("M100.iron", "lip", 1.3, {}, 1, {}),
    ("M101.ferritin", "lip", 1.03, {}, 1, {}),
    ("M101.survival", "damage", 0.8, STRONG, 6, PULSE),
    ("M44.mct1", "pufa", 0.7, {}, 1, held("lactate", 20)),
    ("M44.mtor", "pufa", 0.8, {}, 1, held("glucose", 5)),
    ("M61.lactate", "copper", 1.3, IONOPHORE, 6, {**COPPER, **held("lactate", 20)}),
    ("M66.akt1", "aggregate", 0.5, IONOPHORE, 12, COPPER),
    ("M51.dpp4", "plooh", 0.95, {}, 1, {}),
    ("M51.p21", "gsh", 1.04, {}, 1, {}),
    ("M51.severe", "cysteine", 0.8, STRONG, 14, HARDY),
    ("M104.wild", "cysteine", 0.8, RSL3, 14, {}),
    ("M104.null", "plooh", 1.05, {}, 1, {}),
    ("M104.kr4_stable", "cysteine", 0.8, {}, 1, {}),
    ("M54.pi3k", "pufa", 0.8, {}, 1, {}),
    ("M54.gper1", "pufa", 0.9, {}, 1, {}),
    ("M103.autophagy", "lip", 1.03, {}, 1, held("glucose", 0.2)),
    ("M103.alox5", "plooh", 1.05, {}, 1, held("glucose", 0.2)),
    ("M106.serine", "gsh", 1.4, ERASTIN, 12, PULSE),
    ("M106.glycine", "gsh", 1.02, {}, 1, {}),
]


@pytest.mark.parametrize(("rule", "pool", "times", "arm", "n", "changes"), cases(POOLS))
def test_a_rule_moves_its_pool(rule, pool, times, arm, n, changes):
    with_rule, without = (mean(hours(treated(arm, *r, **changes), n), pool) for r in ((rule,), ()))
    assert with_rule > times * without if times > 1 else with_rule < times * without


BESIDE = bath("rsl3", 0.02, "ifsp1", 10.0)
DEATHS = [  # rule, whether cells die later or sooner, arm, changes of the dish
    ("M07.usp8", "later", RSL3, {}),
    ("M08.zdhhc8", "later", RSL3, {}),
    ("M09.clearance", "sooner", RSL3, {}),
    ("M09.h2o2", "sooner", RSL3, {}),
    ("M12.eaat3", "later", ERASTIN, {}),
    ("M12.nfkb", "later", ERASTIN, held("hmgb1", 5)),
    ("M15.gstp1", "later", RSL3, {}),
    ("M15.smurf2", "sooner", RSL3, {}),
    ("M18.fsp1", "later", RSL3, {}),
    ("M18.vkorc1l1", "later", BESIDE, {}),
    ("M19.lack", "sooner", BESIDE, {}),
    ("M19.surplus", "later", RSL3, {}),
    ("M20.dhodh", "later", BESIDE, {}),
    ("M21.dhfr", "sooner", RSL3, BH4),
    ("M22.mboat2", "later", RSL3, {}),
    ("M23.prominin2", "later", RSL3, {}),
    ("M30.rich", "later", bath("ferric_ammonium_citrate", 3000, "rsl3", 0.02), {}),
    ("M30.ferritin", "later", bath("ferric_ammonium_citrate", 3000, "rsl3", 0.02), {}),
    ("M32.clusters", "later", RSL3, {}),
    ("M32.loss", "sooner", RSL3, {}),
    ("M34.acid", "sooner", RSL3, held("acid", 15)),
    ("M37.leak", "sooner", RSL3, {}),
    ("M37.ftmt", "later", RSL3, {}),
    ("M37.vdac", "sooner", ERASTIN, {}),
    ("M98.rich", "sooner", RSL3, held("transferrin", 60)),
    ("M98.poor", "later", RSL3, held("transferrin", 2)),
    ("M100.ros", "sooner", RSL3, {}),
    ("M100.iron", "sooner", RSL3, {}),
    ("M101.ferritin", "sooner", RSL3, {}),
    ("M44.mct1", "later", RSL3, held("lactate", 20)),
    ("M44.mtor", "later", RSL3, held("glucose", 5)),
    ("M51.dpp4", "later", RSL3, {}),
    ("M104.wild", "sooner", RSL3, {}),
    ("M104.null", "sooner", RSL3, {}),
    ("M104.kr4_stable", "sooner", RSL3, {}),
    ("M54.pi3k", "later", RSL3, {}),
    ("M54.gper1", "later", RSL3, {}),
    ("M103.autophagy", "sooner", RSL3, held("glucose", 0.2)),
    ("M103.alox5", "sooner", RSL3, held("glucose", 0.2)),
    ("M106.serine", "later", ERASTIN, {}),
]


@pytest.mark.parametrize(("rule", "when", "arm", "changes"), cases(DEATHS))
def test_a_rule_lets_cells_die_later_or_sooner(rule, when, arm, changes):
    with_rule, without = (death_hour(*r, arm=arm, **changes) for r in ((rule,), ()))
    assert with_rule > without if when == "later" else with_rule < without


# ---- what a switch among several means -------------------------------------------------------------------------------
@pytest.mark.mechanism("M104")
def test_p53_that_cannot_induce_does_a_tenth_until_its_degradation_is_stopped():
    plain, wild, kr4, stable = (mean(hours(treated(RSL3, *r), 14), "cysteine") for r in ((), ("M104.wild",), ("M104.kr4",), ("M104.kr4", "M104.kr4_stable")))
    assert stable < 0.8 * plain and wild < 0.8 * plain
    assert 0.9 * plain < kr4 < plain


@pytest.mark.mechanism("M51")
def test_p53_protects_while_damage_is_mild_and_not_once_it_is_severe():
    mild = treated({}, "M51.dpp4", "M51.p21", "M51.severe")
    severe = hours(treated(STRONG, "M51.dpp4", "M51.p21", "M51.severe", **HARDY), 14)
    assert mean(mild, "term_ferroptosis_initiation") < 0.51 and mean(mild, "term_ferroptosis_p53") < 0.01
    assert mean(severe, "damage") > 0.3
    assert mean(severe, "term_ferroptosis_initiation") > 0.9 and mean(severe, "term_ferroptosis_p53") > 0.5


@pytest.mark.mechanism("M101")
def test_autophagy_has_both_signs_and_says_so():
    rules = load_library().rules
    assert {n: rules[n].evidence for n in ("M101.ferritin", "M101.survival")} == {"M101.ferritin": "conflicting", "M101.survival": "conflicting"}
    damage = [mean(hours(treated(STRONG, *r, **PULSE), 6), "damage") for r in (("M101.survival",), (), ("M101.ferritin",))]
    assert rises(damage)


# ---- the word `always` --------------------------------------------------------------------------------------------------
def test_a_rule_that_always_acts_gives_its_factor_to_the_last_bit():
    model = dish(**on("M07.usp8", "M22.mboat2"))
    assert (model.tumour.term_ferroptosis_gpx4_synthesis == 1.5).all() and (model.tumour.term_ferroptosis_mufa == 0.5).all()


ALWAYS = {"in": "tumour", "signal": "always", "raises": "ferroptosis.fsp1", "to": {"value": 2, "unit": "1", "source": "assumed: a test"},
          "evidence": "hypothetical", "source": "a test"}  # fmt: skip
NUMBER = {"value": 1, "unit": "1", "source": "assumed: a test"}


@pytest.mark.parametrize("change", [{"half": NUMBER}, {"response": "falling"}, {"group": "some"}, {"combine": "cbhg", "base": NUMBER}])
def test_a_rule_that_always_acts_takes_no_response(change):
    assert np.all(dish(rules={"mine": ALWAYS}).tumour.term_ferroptosis_fsp1 == 2.0)
    with pytest.raises(ConfigError, match="a rule that always acts takes no"):
        dish(rules={"mine": {**ALWAYS, **change}})


def test_a_rule_that_hears_something_needs_a_half():
    with pytest.raises(ConfigError, match="a Hill response needs half"):
        dish(rules={"mine": {**ALWAYS, "signal": "own.gsh"}})


def test_an_own_rule_that_always_acts_can_remember():
    """A trait that is switched on with a memory is settled at the start."""
    model = dish(rules={"mine": {**ALWAYS, "lag_h": {"value": 6, "unit": "h", "source": "assumed: a test"}}})
    assert (model.tumour.term_ferroptosis_fsp1 == 2.0).all()
