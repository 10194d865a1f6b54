"""Small, busy models in which every entry of a plan is at work, for the check of what entries touch.

Hazards are raised so that within an hour cells divide, die in every way, enter and leave.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from support import bath, particles, tissue

from tme.model import TumourModel, load_config

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = ("domain.size_um=[520, 520]", "initial.n_cells=200", "start_day=0", "branch_at_day=null", "domain.at_edge=continue")
BUSY = {
    "mechanisms": {
        "death": {"k_apo": 2e-3, "k_nec": 0.1, "o2_necrosis": 30},
        "closing": {"close_h": 0.2},
        "division": {"k_div": 5e-3},
        "damp": {"tau_clear_min": 60},
        "ferroptosis": {"d_leth": 1},
        "killing": {"k_hit": 0.2, "n_hits": 1},
        "priming": {"k_mature": 0.1, "residence_min": 10, "travel_min": 10, "expansion_min": 0},
        "cd8_turnover": {"life_d": 0.5, "k_expand": 1e-2, "other_life_d": 0.5, "et_cap": 0.5},
        "recruitment": {"k_cd8": 100, "k_treg": 900, "k_mac": 400, "k_dc": 400, "basal": 1},
        "suppression": {"damp_rate": 0.01},
        "vessels": {"per_mm2": 150, "core_factor": 1},
    }
}
OVERRIDES = tuple(f"mechanisms.{group}.{name}={value}" for group, values in BUSY["mechanisms"].items() for name, value in values.items())
LAST = 59 / 1440  # day of events that act in the last tick that is looked at, 60


AS_REFERENCE = {"xct": 1, "gpx4_trait": 1, "acsl4": 1}  # of tumour cells: dies sooner than B16 does
FRAIL = {"d_leth": 1, "acsl4": 5, "tfr1": 5, "nrf2": 0.1}  # of a pathway: ruptures within minutes


class Case(NamedTuple):
    """A model, entries that must be seen to change something in it, and the ticks that are looked at."""

    build: Callable[[], Any]
    acts: tuple[str, ...] = ()
    ticks: tuple[range, ...] = (range(1, 2), range(59, 61))


def shipped(name: str, arm: str, *changes: str) -> Any:
    """A shipped experiment, small and busy."""
    return TumourModel(load_config(CONFIGS / f"{name}.yaml", overrides=(*changes, *OVERRIDES)), seed=20, arm=arm)


def given(arm: dict[str, Any], mechanisms: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A busy tissue with an arm, further parameters and other changes."""
    return tissue("a", arms={"a": arm}, mechanisms={**BUSY["mechanisms"], **(mechanisms or {})}, **changes)


def number(value: float, unit: str) -> dict[str, Any]:
    """A number of an entry."""
    return {"value": value, "unit": unit, "source": "assumed: test"}


def preset(cells: str, **numbers: float) -> dict[str, Any]:
    """Other numbers of ferroptosis in a cell type."""
    return {f"entries__cells__{cells}__pathways__ferroptosis__preset": numbers}


def antibodies(*names: str) -> dict[str, Any]:
    """An arm of antibodies."""
    return {"antibodies": [{"name": n, "dose_mg_kg": 10, "day": 0} for n in names]}


def on(*names: str) -> dict[str, str]:
    """Rules switched on."""
    return dict.fromkeys(names, "on")


def with_plugins() -> Any:
    """The example of everything that a user can add."""
    changes = ("fields.glucose.held=true", "fields.glucose.initial=0.02", "mechanisms.disulfide.k_mend=0.02",
               "tumour.traits={xct: 1, acsl4: 1}")  # fmt: skip
    config = load_config(CONFIGS / "own" / "everything.yaml", overrides=(*OVERRIDES, *changes), allow_plugins=True)
    return TumourModel(config, seed=20, arm="both")


OTHER_TYPES = ("populations.mdsc={}", "populations.nk={}", "populations.cd4={}", "populations.neutrophil={per_mm2: 1500}", "populations.caf={}",
               "populations.normal={}", "entries.cells.macrophage.phagocytoses.living=0.05")  # fmt: skip
MODELS = {
    "other cell types": Case(
        lambda: shipped("four_arms", "combination", *SMALL, *OTHER_TYPES, "domain.immune_per_voxel=3"),
        ("phagocytosis", "antibody_delivery", "particle_delivery"),
    ),
    "combination": Case(
        lambda: shipped("four_arms", "combination", *SMALL, "populations.cd8.per_mm2=800", "populations.dendritic.share=0.1", "mechanisms.killing.specific=1"),
        ("ferroptosis", "cystine_uptake", "peroxide", "sensing", "ifng_response", "motility", "killing", "exhaustion", "slow_motility",
         "polarisation", "priming", "division", "crowding", "closing", "clearance", "cd8_turnover", "lymph_node", "resolve", "divide", "recruitment", "uptake",
         "chemokine_secretion", "damp", "secretion", "inflamed_tissue", "checkpoint", "nanoparticles", "drug_loss", "particle_loss"),
    ),
    "iron particles": Case(lambda: shipped("iron_np", "injected", *SMALL)),
    "iron from blood": Case(lambda: shipped("iron_np", "hypoxia_gated", *SMALL), ("particle_delivery",)),
    "wave": Case(lambda: TumourModel(load_config(CONFIGS / "wave.yaml", overrides=("domain.size_um=[400, 400]",)), seed=20, arm="erastin")),
    "ball": Case(lambda: shipped("spheroid_3d", "rsl3", "domain.size_um=[240, 240, 240]", "initial.n_cells=300", "domain.at_edge=continue")),
    "anti-PD-L1": Case(lambda: given({**antibodies("anti_pdl1"), **bath("rsl3", 5.0)}), ("internalisation",)),
    "anti-PD-1": Case(lambda: given({**antibodies("anti_pd1"), **bath("rsl3", 5.0)})),
    "anti-CTLA-4": Case(lambda: given({**antibodies("anti_ctla4"), **bath("rsl3", 5.0)})),
    "ligands on host cells": Case(
        lambda: given(antibodies("anti_pdl1", "durvalumab", "anti_lag3"), receptors={n: {"on": True, "host": True} for n in ("pd1", "lag3", "tim3", "tigit")}),
        ("host_ligands", "death", "internalisation"),
    ),
    "antibodies on axes and soluble factors": Case(
        lambda: given(antibodies("anti_lag3", "anti_tim3", "anti_tigit", "anti_tgfb", "anti_ifng"), receptors={"lag3": True, "tim3": True, "tigit": True}),
        ("ligand_expression", "neutralisation"),
    ),
    "every pathway": Case(
        lambda: given(bath("elesclomol", 1.0, "rsl3", 5.0), {"cuproptosis": {"on": True}, "ferroptosis_cd8": {"on": True}, "ferroptosis_mdsc": {"on": True}},
                      **preset("cd8", d_leth=1), **preset("mdsc", d_leth=1, acsl4=5, tfr1=5, nrf2=0.1), populations__mdsc={}, domain__immune_per_voxel=4, tumour__traits=AS_REFERENCE),
        ("rupture", "cuproptosis", "ferroptosis_cd8", "rupture_cd8", "ferroptosis_mdsc", "rupture_mdsc"), (range(1, 9), range(40, 46), range(59, 61)),
    ),
    "fast cuproptosis": Case(
        lambda: given(bath("elesclomol", 5.0), {"cuproptosis": {"on": True, "k_lip": 0.1}}), ("cuproptotic_death",), (range(8, 16), range(59, 61)),
    ),
    "normal tissue": Case(
        lambda: given(bath("rsl3", 5.0), {"ferroptosis_normal": {"on": True}, "ferroptosis_caf": {"on": True}}, populations__normal={"share": 0.3},
                      populations__caf={"share": 0.2}, **preset("caf", **FRAIL), entries__cells__normal={
                          "pathways": {"ferroptosis": {"emits": True, "preset": FRAIL}},
                          "takes_up": [{"field": "oxygen", "most": number(50, "mmHg/min")}, {"field": "cystine", "most": number(2, "uM/min")},
                                       {"field": "suppression", "rate": number(0.1, "1/min")}]},
                      entries__cells__macrophage__takes_up=[{"field": "suppression", "rate": number(0.1, "1/min")}, {"field": "oxygen", "most": number(50, "mmHg/min")}]),
        ("ferroptosis_normal", "rupture_normal", "ferroptosis_caf", "rupture_caf", "cell_uptake", "peroxide"), (range(1, 9), range(18, 21), range(59, 61)),
    ),
    "events": Case(
        lambda: given({"events": [
            {"name": "radiation", "dose_gy": 4, "day": [0, LAST]}, {"name": "kill_share", "share": 0.1, "day": LAST, "place": "tumour"},
            {"name": "cell_transfer", "cells": "cd8", "count": 50, "day": [0, LAST]},
        ]}, populations__normal={"share": 0.3}, domain__immune_per_voxel=4),
        ("event_signals", "event_deaths", "cell_transfer", "rules"),
    ),
    "light": Case(
        lambda: given({
            "drugs": [{"name": "photosensitiser", "bath_uM": 20, "route": "bath", "day": 0}],
            "events": [{"name": "light", "fluence_mw_cm2": 300, "minutes": 50, "day": 9 / 1440}, {"name": "light", "fluence_mw_cm2": 30, "minutes": 5, "day": 0, "place": "tumour", "enters": "y_low"}],
        }),
        ("light", "light_deaths", "rules"), (range(1, 2), range(12, 13), range(59, 61)),
    ),
    "heat and sound": Case(
        lambda: given({
            "drugs": [{"name": "photosensitiser", "bath_uM": 5, "route": "bath", "day": 0}],
            "events": [{"name": "heat", "celsius": 47, "minutes": 50, "day": 9 / 1440, "place": "tumour"}, {"name": "heat", "fluence_mw_cm2": 400, "minutes": 5, "day": 0},
                       {"name": "sound", "intensity_w_cm2": 2, "minutes": 5, "day": 0}, {"name": "sound", "intensity_w_cm2": 2, "minutes": 9, "day": 52 / 1440}],
        }),
        ("heat", "heat_deaths", "light", "light_deaths"), (range(1, 2), range(12, 13), range(59, 61)),
    ),
    "surgery and vaccines": Case(
        lambda: given({
            "nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 5, "day": 0}],
            "events": [{"name": "resection", "day": [0, LAST], "margin_um": -60, "share": 0.5}, {"name": "implant", "count": 30, "day": [0, LAST]},
                       {"name": "vaccination", "cause": "ferroptosis", "age_h": 1, "day": [-9, LAST]}],
        }, populations__normal={"share": 0.3}, entries__events__vaccination={"delay_d": 1 / 1440}),
        ("resection", "implant", "vaccination", "t_cell_memory"), (range(1, 3), range(59, 62)),
    ),
    "spread, loss and deaths by name": Case(
        lambda: given(bath("rsl3", 5.0), {"metastasis": {"on": True, "k_escape": 0.01}, "antigen_loss": {"on": True, "p_antigen": 0.3, "p_mhc": 0.3},
                                          "other_deaths": {"pyroptosis": 1e-3, "entosis": 1e-3}},
                      rules=on("M75.il6", "M75.growth", "M76.dc", "M77.il8", "M77.il8_mdsc", "M77.migration", "M109.escape", "M86.neutrophil"),
                      populations__normal={"share": 0.3}, populations__caf={"share": 0.1}, populations__neutrophil={}, populations__mdsc={}, domain__immune_per_voxel=4),
        ("metastasis", "antigen_loss", "mhc_lost", "other_deaths", "corpse_signals", "rules"), (range(1, 2), range(28, 31), range(58, 61)),
    ),
    "local routes": Case(
        lambda: given({
            "drugs": [{"name": "ike", "dose_mg_kg": 1, "route": "depot", "release_per_h": 0.5, "day": 0}, {"name": "rsl3", "dose_mg_kg": 5, "route": "intratumoral", "day": 55 / 1440},
                      {"name": "erastin", "dose_mg_kg": 5, "route": "intratumoral", "centre_um": [260, 260], "radius_um": 60, "day": 57 / 1440}],
            "nanoparticles": [{"name": "iron_oxide_sipdl1", "dose_mg_kg": 10, "day": 0}],
        }),
        ("local_delivery",),
    ),
    "particles with triggers, stages and carriers": Case(
        lambda: given({
            "nanoparticles": [{"name": "sequential_cgamp_fe", "dose_mg_kg": 20, "day": 0}, {"name": "neutrophil_iron_oxide_sipdl1", "dose_mg_kg": 20, "day": 0},
                              {"name": "mgox_fe_hmon", "dose_mg_kg": 20, "day": 0}, {"name": "csir", "dose_mg_kg": 20, "day": 0}, {"name": "dp_hbn_ra_np", "dose_mg_kg": 20, "day": 0},
                              {"name": "alginate_withaferin", "dose_mg_kg": 5, "day": 0, "route": "intratumoral"}],
            "drugs": [{"name": "doxorubicin", "bath_uM": 1, "route": "bath", "day": 0}, {"name": "chloroquine", "bath_uM": 10, "route": "bath", "day": 0}],
            "events": [{"name": "light", "fluence_mw_cm2": 5, "minutes": 50, "day": 9 / 1440, "sensitiser": "ir780", "place": "tumour"}],
        }, {"cuproptosis": {"on": True}}, populations__neutrophil={}, domain__immune_per_voxel=4,
           tumour__clones={"hard": {"share": 0.3, "resists": {"efflux": 4, "kinase": 2}}}),
        ("particle_delivery", "nanoparticles", "particle_loss", "drug_loss", "rules", "death"),
    ),
    "an enzyme in blood": Case(lambda: given({"drugs": [{"name": "cysteinase", "dose_mg_kg": 50, "day": 0}]}), ("blood_enzymes", "drug_delivery")),
    "rules with memory and at vessels": Case(
        lambda: given({}, rules=on("M31", "M35", "M43", "M49", "M111.entry", "M111.speed", "M111.contact", "M56.ferritin", "M77.mdsc", "M86.licensing", "M53.hif1", "M97.acsl4",
                                   "M103.lactate", "M103.nrf2"), populations__caf={"share": 0.2}, populations__cd4={}, populations__mdsc={}, domain__immune_per_voxel=4),
        ("rules", "cell_uptake"),
    ),
    "context": Case(
        lambda: given({**antibodies("anti_pdl1"), **particles("iron_oxide", 5)}, {"disulfidptosis": {"on": True, "k_bond": 0.02, "x_max": 100}, "invasion": {"speed_um_h": 60}}, fields__glucose={}, populations__caf={"share": 0.2},
                      rules=on("M108.vegf", "M108.vessels", "M108.glucose", "M111.matrix_passage", "M111.matrix_speed", "M34.acid", "M98.rich", "M55.motility"), tumour__alterations=["dhodh_high"]),
        ("vessels", "disulfidptosis", "disulfidptotic_death", "invasion", "rules", "cell_uptake"), (range(1, 2), range(59, 61), range(360, 361)),
    ),
    "plugins": Case(with_plugins, ("pge2_release", "disulfide", "disulfide_death"), (range(1, 2), range(8, 10), range(59, 61), range(79, 80))),
    "every target": Case(
        lambda: given(bath("erastin", 5.0, "bso", 50.0, "deferoxamine", 10.0, "ferric_ammonium_citrate", 50.0, "cysteinase", 0.1, "ferrostatin_1", 0.1, "ifsp1", 1.0,
                           "si_pdl1", 0.1), {"vessels": {"per_mm2": 150, "core_factor": 0.2, "rim_um": 40}}),
        ("vessels", "iron_salts"), (range(1, 2), range(5, 21), range(59, 61), range(360, 361)),  # the clock of the vessels, the longest
    ),
}  # fmt: skip
