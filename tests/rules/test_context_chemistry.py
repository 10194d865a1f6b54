"""Rules and alterations of the redox core, defences, iron, lipids, copper, p53 and signalling: each moves its pool and the hour of death its way."""

from pathlib import Path

import pytest
from breadth import RSL3, death_hour, held, treated
from support import UNBREAKABLE, bath, hours, mean, rises

from tme.library import alterations, load_library
from tme.library.parsed import plain_of

PULSE = {"mechanisms__ferroptosis": UNBREAKABLE}
HARDY = {"mechanisms__ferroptosis": {"d_leth": 2000}}
BH4 = {"mechanisms__ferroptosis": {"kap_b": 0.3}}
COPPER = {"mechanisms__cuproptosis": {"on": True}}
STRONG, ERASTIN, IFSP1 = bath("rsl3", 1.0), bath("erastin", 10.0), bath("ifsp1", 10.0)
IRON, CHELATOR, IONOPHORE = bath("ferric_ammonium_citrate", 3000), bath("deferoxamine", 100), bath("elesclomol", 0.02)


def having(name=None):
    """A rule that is on, and changes that give all cells an alteration, of the one that is named: what `treated` takes."""
    rule = name in load_library().rules
    return (name,) if rule else (), {} if rule or name is None else {"tumour__alterations": [name]}


POOLS = [  # id, rule or alteration, pool, what it is multiplied by at least (above 1) or at most, arm, hours, changes of the dish
    ("M07", "usp8_high", "gpx4", 1.3, {}, 1, {}),
    ("M08", "zdhhc8_high", "gpx4", 1.3, {}, 1, {}),
    ("M09", "lncfasa_high", "plooh", 1.01, {}, 1, {}),
    ("M12", "eaat3_high", "gsh", 1.5, ERASTIN, 12, PULSE),
    ("M12", "M12.nfkb", "gsh", 1.4, ERASTIN, 12, {**PULSE, **held("hmgb1", 5)}),
    ("M15", "gstp1_high", "plooh", 0.97, {}, 1, {}),
    ("M15", "smurf2_high", "plooh", 1.01, {}, 1, {}),
    ("M18", "vitamin_k_rich", "plooh", 0.9, {}, 1, {}),
    ("M18", "vkorc1l1_high", "plooh", 0.8, IFSP1, 6, {}),
    ("M19", "M19.lack", "plooh", 1.5, IFSP1, 6, {}),
    ("M19", "M19.surplus", "plooh", 0.97, {}, 1, {"tumour__traits": {"fsp1": 6}}),
    ("M20", "dhodh_high", "coq10h2", 2.0, IFSP1, 6, {}),
    ("M21", "gch1_high", "plooh", 0.9, {}, 1, BH4),
    ("M21", "dhfr_low", "plooh", 1.05, {}, 1, BH4),
    ("M23", "M23.prominin2", "lip", 0.85, STRONG, 12, PULSE),
    ("M30", "M30.rich", "lip", 0.95, IRON, 24, PULSE),
    ("M30", "M30.ferritin", "lip", 0.95, IRON, 24, PULSE),
    ("M30", "M30.ferritin", "ferritin", 1.05, IRON, 24, PULSE),
    ("M30", "M30.poor", "lip", 1.15, CHELATOR, 24, {}),
    ("M32", "nfs1_high", "lip", 0.8, {}, 1, {}),
    ("M32", "nfs1_low", "lip", 1.3, {}, 1, {}),
    ("M34", "M34.acid", "ferritin", 0.85, {}, 24, held("acid", 15)),
    ("M37", "M37.leak", "plooh", 1.03, IRON, 6, PULSE),
    ("M37", "ftmt_high", "plooh", 0.95, {}, 1, {}),
    ("M37", "M37.vdac", "plooh", 1.1, ERASTIN, 4, {}),
    ("M98", "M98.rich", "lip", 1.3, {}, 1, held("transferrin", 60)),
    ("M98", "M98.poor", "lip", 0.7, {}, 1, held("transferrin", 2)),
    ("M100", "nqo1_active", "plooh", 1.1, {}, 1, {}),
    ("M101", "autophagy_excess", "lip", 1.03, {}, 1, {}),
    ("M101", "autophagy_basal", "damage", 0.8, STRONG, 6, PULSE),
    ("M44", "M44.mct1", "pufa", 0.7, {}, 1, held("lactate", 20)),
    ("M44", "M44.mtor", "pufa", 0.8, {}, 1, held("glucose", 5)),
    ("M61", "M61.lactate", "copper", 1.3, IONOPHORE, 6, {**COPPER, **held("lactate", 20)}),
    ("M51", "M51.dpp4", "plooh", 0.95, {}, 1, {}),
    ("M51", "M51.p21", "gsh", 1.04, {}, 1, {}),
    ("M51", "M51.severe", "cysteine", 0.8, STRONG, 14, HARDY),
    ("M104", "M104.wild", "cysteine", 0.8, RSL3, 14, {}),
    ("M104", "tp53_4kr_stabilised", "cysteine", 0.8, {}, 1, {}),
    ("M54", "gper1_high", "pufa", 0.9, {}, 1, {}),
    ("M103", "M103.autophagy", "lip", 1.03, {}, 1, held("glucose", 0.2)),
    ("M103", "M103.alox5", "plooh", 1.05, {}, 1, held("glucose", 0.2)),
    ("M106", "serine_high", "gsh", 1.4, ERASTIN, 12, PULSE),
]


@pytest.mark.parametrize(("name", "pool", "times", "arm", "n", "changes"),
                         [pytest.param(*row[1:], marks=pytest.mark.mechanism(row[0]), id=f"{row[1]}-{row[2]}") for row in POOLS])  # fmt: skip
def test_a_rule_or_an_alteration_moves_its_pool(name, pool, times, arm, n, changes):
    with_it, without = (mean(hours(treated(arm, *rules, **given, **changes), n), pool) for rules, given in (having(name), having()))
    assert with_it > times * without if times > 1 else with_it < times * without


BESIDE = bath("rsl3", 0.02, "ifsp1", 10.0)
DEATHS = [  # id, rule or alteration, whether cells die later or sooner, arm, changes of the dish
    ("M07", "usp8_high", "later", RSL3, {}),
    ("M08", "zdhhc8_high", "later", RSL3, {}),
    ("M09", "lncfasa_high", "sooner", RSL3, {}),
    ("M12", "eaat3_high", "later", ERASTIN, {}),
    ("M12", "M12.nfkb", "later", ERASTIN, held("hmgb1", 5)),
    ("M15", "gstp1_high", "later", RSL3, {}),
    ("M15", "smurf2_high", "sooner", RSL3, {}),
    ("M18", "vitamin_k_rich", "later", RSL3, {}),
    ("M18", "vkorc1l1_high", "later", BESIDE, {}),
    ("M19", "M19.lack", "sooner", BESIDE, {}),
    ("M19", "M19.surplus", "later", RSL3, {}),
    ("M20", "dhodh_high", "later", BESIDE, {}),
    ("M21", "dhfr_low", "sooner", RSL3, BH4),
    ("M23", "M23.prominin2", "later", RSL3, {}),
    ("M30", "M30.rich", "later", bath("ferric_ammonium_citrate", 3000, "rsl3", 0.02), {}),
    ("M30", "M30.ferritin", "later", bath("ferric_ammonium_citrate", 3000, "rsl3", 0.02), {}),
    ("M32", "nfs1_high", "later", RSL3, {}),
    ("M32", "nfs1_low", "sooner", RSL3, {}),
    ("M34", "M34.acid", "sooner", RSL3, held("acid", 15)),
    ("M37", "M37.leak", "sooner", RSL3, {}),
    ("M37", "ftmt_high", "later", RSL3, {}),
    ("M37", "M37.vdac", "sooner", ERASTIN, {}),
    ("M98", "M98.rich", "sooner", RSL3, held("transferrin", 60)),
    ("M98", "M98.poor", "later", RSL3, held("transferrin", 2)),
    ("M100", "nqo1_active", "sooner", RSL3, {}),
    ("M101", "autophagy_excess", "sooner", RSL3, {}),
    ("M44", "M44.mct1", "later", RSL3, held("lactate", 20)),
    ("M44", "M44.mtor", "later", RSL3, held("glucose", 5)),
    ("M51", "M51.dpp4", "later", RSL3, {}),
    ("M104", "M104.wild", "sooner", RSL3, {}),
    ("M104", "tp53_4kr_stabilised", "sooner", RSL3, {}),
    ("M54", "gper1_high", "later", RSL3, {}),
    ("M103", "M103.autophagy", "sooner", RSL3, held("glucose", 0.2)),
    ("M103", "M103.alox5", "sooner", RSL3, held("glucose", 0.2)),
    ("M106", "serine_high", "later", ERASTIN, {}),
]


@pytest.mark.parametrize(("name", "when", "arm", "changes"),
                         [pytest.param(*row[1:], marks=pytest.mark.mechanism(row[0]), id=f"{row[1]}-{row[2]}") for row in DEATHS])  # fmt: skip
def test_a_rule_or_an_alteration_lets_cells_die_later_or_sooner(name, when, arm, changes):
    with_it, without = (death_hour(*rules, arm=arm, **given, **changes) for rules, given in (having(name), having()))
    assert with_it > without if when == "later" else with_it < without


def test_every_alteration_of_this_chemistry_moves_a_pool():
    names = plain_of((Path(alterations.__file__).parent / "alterations" / "chemistry.yaml").read_text())
    assert set(names) <= {row[1] for row in POOLS} | {"tp53_induced"}
    assert all(set(load_library().alterations[row[1]].ids) >= {row[0]} for row in POOLS if row[1] in names)


# ---- p53 and autophagy, both ways ---------------------------------------------------------------------------------------
@pytest.mark.mechanism("M104")
def test_modes_of_tp53_that_answer_lower_cysteine_under_stress_and_those_that_cannot_do_not():
    modes = ([], ["tp53_induced"], ["tp53_4kr"], ["tp53_4kr", "tp53_4kr_stabilised"])
    plain, induced, kr4, stable = (mean(hours(treated(RSL3, tumour__alterations=a), 14), "cysteine") for a in modes)
    assert induced < 0.8 * plain and stable < 0.8 * plain
    assert kr4 == plain


@pytest.mark.mechanism("M51")
@pytest.mark.mechanism("M104")
def test_p53_protects_while_damage_is_mild_and_not_once_it_is_severe():
    induced = {"tumour__alterations": ["tp53_induced"]}
    mild, severe = treated({}, **induced), hours(treated(STRONG, **induced, **HARDY), 14)
    assert mean(mild, "term_ferroptosis_initiation") < 0.51 and mean(mild, "term_ferroptosis_gcl") > 1.49
    assert mean(severe, "damage") > 0.3
    assert mean(severe, "term_ferroptosis_initiation") > 0.9 and mean(severe, "term_ferroptosis_p53") > 0.5


@pytest.mark.mechanism("M101")
def test_autophagy_has_both_signs_and_says_so():
    both = ("autophagy_basal", "autophagy_excess")
    assert {load_library().alterations[n].evidence for n in both} == {"conflicting"}
    damage = [mean(hours(treated(STRONG, **given, **PULSE), 6), "damage") for _, given in (having(both[0]), having(), having(both[1]))]
    assert rises(damage)
