"""The checkpoint antibodies of the clinic: each takes its target away, for as long as its host keeps it, and pairs take more."""

import math

import pytest
from support import hours, tissue

from tme.library import load_library

PD1 = [pytest.param(n, marks=pytest.mark.mechanism("D14")) for n in ("nivolumab", "pembrolizumab", "cemiplimab", "atezolizumab", "avelumab", "durvalumab")]
OTHER = [pytest.param(n, marks=pytest.mark.mechanism("D15")) for n in ("ipilimumab", "tremelimumab", "relatlimab")]
LAG3 = {"receptors__lag3": True}


def antibodies(*names, dose=20):
    """An arm of antibodies."""
    return {"antibodies": [{"name": n, "dose_mg_kg": dose, "day": 0} for n in names]}


@pytest.mark.parametrize("name", [*PD1, *OTHER])
def test_an_antibody_leaves_little_of_its_target_free(name):
    """In plasma, which dendritic cells in the node see, and for what acts by contact in the tumour."""
    target = load_library().antibody(name).target
    model = hours(tissue("a", arms={"a": antibodies(name)}, **LAG3), 6)
    molecule = model.receptors.molecules[target]
    assert molecule.share_in_plasma(model.tick) < 0.05
    if target != "ctla4":
        assert molecule.share_at(model.fields, model.cd8.voxel[: model.cd8.n]).mean() < 0.5


@pytest.mark.mechanism("D14")
@pytest.mark.parametrize("name", ["nivolumab", "atezolizumab"])
def test_blocking_pd1_or_its_ligand_frees_cd8(name):
    still = {"mechanisms__exhaustion__tau_d": 30, "mechanisms__ifng_response": {"pdl1_base": 0.6, "pdl1_tau": 4320}}
    arms = {"a": antibodies(name), "control": {}}
    treated, rest = (hours(tissue(arm, arms=arms, **still), 5).cd8 for arm in arms)
    assert treated.function[treated.engaged == 1].mean() > 1.1 * rest.function[rest.engaged == 1].mean()


@pytest.mark.mechanism("D15")
def test_an_fc_part_depletes_tregs_and_an_antibody_without_it_does_not():
    depletes = {n: hours(tissue("a", arms={"a": antibodies(n)}), 1).receptors.depleted("treg") for n in ("ipilimumab", "tremelimumab")}
    assert depletes["ipilimumab"] > 0.2 and depletes["tremelimumab"] == 0.0


@pytest.mark.mechanism("D14", "D15")
@pytest.mark.parametrize("name", sorted(n for n, e in load_library().antibodies.items() if e.half_life_mouse_d is not None))
def test_a_human_antibody_lasts_days_in_a_mouse_and_weeks_in_a_patient(name):
    entry = load_library().antibody(name)
    left = {}
    for host in (20, 75000):
        (agent,) = tissue("a", arms={"a": antibodies(name)}, tumour__mouse_g=host, **LAG3).therapy.antibodies
        left[host] = agent.plasma(7 * 1440.0) / agent.plasma(0.0)
    assert left[20] == pytest.approx(math.exp(-7 * math.log(2) / entry.half_life_mouse_d))
    assert left[75000] == pytest.approx(math.exp(-7 * math.log(2) / entry.half_life_d))
    assert left[20] < 0.5 * left[75000]


@pytest.mark.mechanism("D15")
@pytest.mark.parametrize("pair", [("ipilimumab", "nivolumab"), ("tremelimumab", "durvalumab"), ("relatlimab", "nivolumab")])
def test_an_approved_pair_takes_away_what_each_takes(pair):
    arms = {"pair": antibodies(*pair), **{n: antibodies(n) for n in pair}}
    models = {arm: hours(tissue(arm, arms=arms, **LAG3), 2) for arm in arms}
    for name in pair:
        target = load_library().antibody(name).target
        left = {arm: m.receptors.molecules[target].share_in_plasma(m.tick) for arm, m in models.items()}
        other = next(n for n in pair if n != name)
        assert left["pair"] == pytest.approx(left[name]) and left[name] < 0.1 < 0.9 < left[other] == 1.0
