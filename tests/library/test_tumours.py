"""Tumour presets: each has chemistry, growth or immune traits of its own, loads and runs; those with a source have its sign."""

from functools import cache

import pytest
from support import CELLS, DISH, TISSUE, alive, bath, config_of, dish, falls, flood, hours, kill

from tme.config import ConfigError
from tme.library import load_library

TUMOURS = load_library().tumours
CHECKED = {"erastin": bath("erastin", 2.0), "rsl3": bath("rsl3", 0.06), "cysteinase": bath("cysteinase", 0.05)}
NAMED = {
    "gastric": "gastric_like", "ESCC": "escc_like", "HNSCC": "hnscc_like", "OSCC": "oscc_like", "NPC": "npc_like", "SCLC": "sclc_like",
    "LUAD": "luad_like", "osteosarcoma": "osteosarcoma_like", "prostate": "prostate_like", "bladder": "bladder_like", "cervical": "cervical_like",
    "kidney": "kidney_like", "thyroid": "thyroid_anaplastic_like", "fibrosarcoma": "ht1080", "neuroblastoma": "neuroblastoma_like",
    "rhabdomyosarcoma": "rhabdomyosarcoma_like", "AML": "aml_like", "MDS": "mds_like", "B16": "b16_like", "CT26": "ct26_like", "MC38": "mc38_like",
    "4T1": "breast_4t1_like", "HCC": "hcc_like", "NSCLC": "nsclc_keap1_like", "CRC": "crc_kras_like", "PDAC": "pdac_like", "GBM": "gbm_like",
    "ovarian": "ovarian_like", "melanoma": "melanoma_like", "ccRCC": "ccrcc_like",
}  # fmt: skip


@cache
def death(preset, drug, limit=40.0):
    """Hours until half of a dish of a preset is dead."""
    model = dish("x", arms={"x": CHECKED[drug]}, tumour={"preset": preset, "cv": None, "drift_per_division": None, "antigenicity_cv": None},
                 mechanisms__ferroptosis={"p_s": 0})  # fmt: skip
    while 2 * alive(model) > CELLS and model.sim_hour < limit:
        hours(model, 0.5)
    return model.sim_hour


@pytest.mark.mechanism("M113")
@pytest.mark.parametrize("tumour", NAMED)
def test_every_tumour_that_the_reviews_name_has_a_preset_of_its_own(tumour):
    name = NAMED[tumour]
    entry, reference = TUMOURS[name].content(), TUMOURS["ht1080"].content()
    assert list(NAMED.values()).count(name) == 1 and "M113" in TUMOURS[name].ids
    if name != "ht1080":
        differing = {k for k in entry if entry[k] != reference[k]}
        assert differing & {"traits", "alterations", "clones", "parameters"}
    base, start = (DISH, "monolayer") if TUMOURS[name].suspended else (TISSUE, "nodule")
    config = config_of(base, tumour={"preset": name, "cv": None})
    assert config.initial.kind == start and config.tumour.preset == name


GENOTYPES = ("keap1_loss", "nrf2_active", "kras_mutant_lung", "kras_mutant_crc", "braf_v600e", "myc_high", "pik3ca_mutant", "brca_mutant",
             "ar_positive", "her2_low", "ebv_positive")  # fmt: skip


@pytest.mark.mechanism("M113")
@pytest.mark.parametrize("name", GENOTYPES)
def test_every_genotype_that_the_reviews_name_is_an_alteration(name):
    assert "M113" in load_library().alterations[name].ids


@pytest.mark.mechanism("M113")
@pytest.mark.parametrize(("sensitive", "resistant", "drug"), [
    ("ht1080", "nsclc_keap1_like", "erastin"), ("ht1080", "luad_like", "erastin"), ("ht1080", "npc_like", "erastin"), ("ht1080", "escc_like", "erastin"),
    ("ccrcc_like", "ht1080", "rsl3"), ("ccrcc_like", "kidney_like", "rsl3"), ("ovarian_like", "ht1080", "erastin"),
    ("neuroblastoma_like", "ht1080", "erastin"), ("gastric_like", "gastric_intestinal_like", "erastin"), ("ht1080", "melanoma_like", "erastin"),
    ("ht1080", "prostate_like", "erastin"), ("pdac_like", "ht1080", "erastin"), ("ht1080", "hnscc_like", "rsl3"), ("mds_like", "aml_like", "erastin"), ("ht1080", "b16_like", "erastin"),
])  # fmt: skip
def test_presets_differ_in_sensitivity_the_way_their_sources_say(sensitive, resistant, drug):
    assert death(sensitive, drug) < 0.97 * death(resistant, drug)


@pytest.mark.mechanism("M113")
@pytest.mark.parametrize(("preset", "clone", "dose"), [("melanoma_like", "dedifferentiated", 0.1), ("sclc_like", "non_neuroendocrine", 0.3)])
def test_a_clone_of_a_preset_is_the_sensitive_one(preset, clone, dose):
    half = {"preset": preset, "clones": {clone: {"share": 0.5}}}
    model = hours(dish("x", arms={"x": bath("rsl3", dose)}, tumour=half, mechanisms__ferroptosis={"p_s": 0}), 10)
    t, code = model.tumour, model.config.clone_names().index(clone)
    left = [(t.state[t.clone == c] == 0).mean() if (t.clone == c).any() else 0.0 for c in (0, code)]
    assert left[0] > 0.9 and left[1] < 0.2


@pytest.mark.mechanism("M110")
def test_stem_like_cells_of_a_breast_carcinoma_are_what_an_inducer_leaves():
    many = {"preset": "tnbc_like", "clones": {"stem_like": {"share": 0.2}}}
    model = hours(dish("x", arms={"x": bath("rsl3", 0.3)}, tumour=many, mechanisms__ferroptosis={"p_s": 0}), 12)
    assert model.observe()["clone_stem_like_share"] == 1.0 and alive(model) > 10


@pytest.mark.mechanism("M88")
def test_ferroptosis_in_glioblastoma_blunts_dendritic_cells_more_than_elsewhere():
    """The same old ferroptotic corpses and DAMPs; only the preset differs, and its oxidised lipid alone makes the difference."""
    def matured(preset, **priming):
        model = dish(tumour={"preset": preset, "clones": None, "traits": None}, populations__dendritic={"share": 0.3},
                     mechanisms__priming={"k_mature": 0.01, **priming}, mechanisms__damp={"tau_clear_min": 4320})  # fmt: skip
        kill(model, slice(0, 100), 1, 1440)
        return hours(flood(flood(model, "atp", 0.1), "hmgb1", 0.5), 6).counters["dc_matured"]

    assert falls([matured("xenograft"), matured("gbm_like")], 1.1)
    assert matured("gbm_like", k_ox=0.001) == matured("xenograft", k_ox=0.001)


@pytest.mark.mechanism("M58")
def test_intrinsic_resistance_is_there_before_the_drug_and_acquired_is_what_it_leaves():
    """A tumour that resists from the start outlives a sensitive one; of the sensitive one only its resistant clones are left."""
    assert death("nsclc_keap1_like", "erastin") > 1.5 * death("ht1080", "erastin")
    model = dish("x", arms={"x": bath("rsl3", 0.3)}, tumour={"preset": "ct26_like", "clones": {n: {"share": 0.1} for n in ("fsp1_high", "nrf2_high", "acsl4_low")}})
    before = model.tumour.fsp1.mean(), model.tumour.nrf2.mean(), model.tumour.acsl4.mean()
    t = hours(model, 12).tumour
    left = t.state == 0
    assert 0 < left.sum() < CELLS / 2
    assert t.fsp1[left].mean() > 1.3 * before[0] and t.nrf2[left].mean() > 1.2 * before[1] and t.acsl4[left].mean() < before[2]


def test_cells_of_blood_start_in_suspension_only():
    with pytest.raises(ConfigError) as caught:
        config_of(TISSUE, tumour={"preset": "aml_like"})
    (fault,) = caught.value.faults
    assert fault.key == "initial.kind" and "cells of aml_like are in no tissue" in fault.problem and fault.expected == "monolayer or cells"


@pytest.mark.parametrize("name", TUMOURS)
def test_a_preset_takes_a_few_steps(name):
    model = dish(tumour={"preset": name}) if TUMOURS[name].suspended else hours(dish(tumour={"preset": name}), 0.2)
    assert alive(model) == CELLS
