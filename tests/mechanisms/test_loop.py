"""The loop: death -> DAMP -> dendritic cell -> CD8 -> IFN-gamma -> SLC7A11 -> death, arrow by arrow.

A small tumour under RSL3 and anti-PD-L1, its delays shortened to an hour or so. Each test cuts one arrow by
its parameter and sees the next quantity fall against the same tumour with all arrows in place.
"""

import pytest
from support import bath, died, hours, level, mean, tissue

QUICK = {
    "mechanisms__damp": {"tau_clear_min": 600, "atp_rate": 3, "hmgb1_rate": 0.5},
    "mechanisms__priming": {
        "k_mature": 0.02, "residence_min": 30, "travel_min": 30, "expansion_min": 60, "gain": 0.5,
    },
    "mechanisms__recruitment": {"k_cd8": 5},
    "mechanisms__killing": {"k_hit": 0.005, "ifng_molecules_s": 60},
    "mechanisms__ferroptosis": {"tau_z": 60},
    "domain__immune_per_voxel": 8,
}  # fmt: skip
BLOCKADE = [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 0}]
ARMS = {
    "control": {},
    "rsl3": bath("rsl3", 0.045),
    "anti_pdl1": {"antibodies": BLOCKADE},
    "both": {**bath("rsl3", 0.045), "antibodies": BLOCKADE},
}
HOURS = 14


def run(arm="both", seed=1, **cuts):
    """The tumour after 14 h with some parameters changed, e.g. damp={"atp_rate": 0}."""
    settings = dict(QUICK)
    for group, values in cuts.items():
        key = f"mechanisms__{group}"
        settings[key] = {**settings.get(key, {}), **values}
    return hours(tissue(arm, seed, arms=ARMS, **settings), HOURS)


@pytest.fixture(scope="module")
def intact():
    """All arrows in place."""
    return run()


@pytest.mark.mechanism("M70")
def test_without_release_from_corpses_there_is_no_damp(intact):
    assert died(intact) > 0 and level(intact, "atp") > 0 and level(intact, "hmgb1") > 0
    cut = run(damp={"atp_rate": 0, "hmgb1_rate": 0})
    assert died(cut) > 0 and level(cut, "atp") == level(cut, "hmgb1") == 0
    assert cut.counters["dc_matured"] == 0 < intact.counters["dc_matured"]


@pytest.mark.mechanism("M71")
def test_dendritic_cells_deaf_to_damps_do_not_mature_and_prime_no_cd8(intact):
    cut = run(priming={"k_mature": 0})
    assert level(cut, "atp") > 0
    assert cut.counters["dc_matured"] == 0 < intact.counters["dc_matured"]
    assert cut.node.output == 1.0 < intact.node.output


@pytest.mark.mechanism("M73")
def test_dendritic_cells_that_cannot_prime_bring_fewer_cd8(intact):
    cut = run(priming={"gain": 0})
    assert cut.counters["dc_matured"] > 0
    assert cut.counters["recruited_cd8"] < 0.7 * intact.counters["recruited_cd8"]
    assert cut.cd8.n < intact.cd8.n


@pytest.mark.mechanism("M73")
def test_fewer_cd8_mean_less_ifng(intact):
    cut = run(recruitment={"k_cd8": 0})
    assert cut.counters["recruited_cd8"] == 0
    assert level(cut, "ifng") < 0.8 * level(intact, "ifng")


@pytest.mark.mechanism("M67")
def test_cd8_that_secrete_nothing_leave_slc7a11_alone(intact):
    cut = run(killing={"ifng_molecules_s": 0})
    assert level(cut, "ifng") == 0 < level(intact, "ifng")
    assert cut.observe()["slc7a11_factor"] == 1.0 > intact.observe()["slc7a11_factor"]
    assert mean(cut, "gsh") > mean(intact, "gsh")


@pytest.mark.mechanism("M67")
def test_ifng_that_spares_slc7a11_kills_fewer_cells_by_ferroptosis(intact):
    cut = run(ferroptosis={"f_x": 0})
    assert level(cut, "ifng") > 0
    assert cut.observe()["slc7a11_factor"] == 1.0
    assert died(cut) < died(intact)


@pytest.mark.mechanism("M118")
def test_blockade_adds_ferroptotic_deaths_through_ifng():
    """Summed over three tumours: the antibody adds ferroptotic deaths to those of RSL3, and adds none once
    SLC7A11 and ACSL4 do not answer IFN-gamma."""

    def deaths(arm, **cuts):
        return sum(died(run(arm, seed, **cuts)) for seed in (1, 2, 3))

    added = deaths("both") - deaths("rsl3")
    deaf = {"ferroptosis": {"f_x": 0, "f_acsl": 0}}
    assert added > 5
    assert deaths("both", **deaf) - deaths("rsl3", **deaf) < added / 2


@pytest.mark.mechanism("M118")
def test_ferroptosis_brings_cd8_to_a_blockaded_tumour_only_through_damps(intact):
    silent = {"atp_rate": 0, "hmgb1_rate": 0}
    alone = run("anti_pdl1")
    assert intact.node.output > alone.node.output
    assert intact.counters["recruited_cd8"] > alone.counters["recruited_cd8"]
    silenced = run("both", damp=silent)
    assert silenced.node.output == 1.0
    assert silenced.counters["recruited_cd8"] <= alone.counters["recruited_cd8"]


@pytest.mark.mechanism("M118")
def test_under_an_inducer_the_attack_of_cd8_adds_ferroptotic_deaths(intact):
    idle = run("both", killing={"k_attach": 0})
    assert died(intact) > died(idle)
    deaf = {"f_x": 0, "f_acsl": 0}
    assert died(run("both", ferroptosis=deaf)) - died(
        run("both", ferroptosis=deaf, killing={"k_attach": 0})
    ) < (died(intact) - died(idle))
