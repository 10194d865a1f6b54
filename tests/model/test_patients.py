"""Virtual patients: reproducible, within the ranges of their cohort, correlated as it says, and configs that load."""

import math

import numpy as np
import pytest
from support import TISSUE, config_of

import tme
from tme.config import ConfigError
from tme.library import load_library
from tme.library.cohorts import CohortEntry
from tme.model.patients import patients

COHORT = load_library().cohorts["patients"]
CONFIG = config_of(TISSUE)  # whose cells do not divide
GROWING = config_of(TISSUE, mechanisms__division=None)


def written():
    """The cohort as its file has it."""
    return {
        "about": "x",
        "varies": {k: {"of": v.of, "factor": v.number.model_dump(exclude_none=True)} for k, v in COHORT.varies.items()},
        "correlations": {k: {"between": list(c.between), "r": c.numbers["r"].model_dump(exclude_none=True)} for k, c in COHORT.correlations.items()},
    }


def column(drawn, key):
    """One setting of all patients."""
    return np.array([p[key] for p in drawn])


def test_the_same_seed_gives_the_same_patients_and_more_of_them_changes_none():
    first = tme.patients(CONFIG, 20, seed=3)
    assert first == patients(CONFIG, 20, seed=3) and first[:5] == patients(CONFIG, 5, seed=3)
    assert first != patients(CONFIG, 20, seed=4) and patients(CONFIG, 0) == []


def test_patients_of_a_seed_are_frozen():
    """Studies name patients by seed: these numbers must never change while the cohort's entry stays as it is."""
    one = patients(CONFIG, 1, seed=1)[0]
    assert one["tumour.antigenicity_mean"] / CONFIG.tumour.antigenicity_mean == pytest.approx(0.32752337329185605, rel=1e-12)
    assert one["populations.cd8.per_mm2"] / 300 == pytest.approx(0.2933877717933919, rel=1e-12)


def test_every_draw_lies_within_the_range_around_the_configs_number():
    drawn = patients(CONFIG, 400, seed=2)
    now = {"tumour.antigenicity_mean": CONFIG.tumour.antigenicity_mean, "populations.cd8.per_mm2": 300, "populations.macrophage.share": 0.12}
    for key, base in {**now, "tumour.traits.nrf2": 1.0}.items():
        number = next(v.number for v in COHORT.varies.values() if v.of == key.removesuffix(".per_mm2").removesuffix(".share"))
        factor = column(drawn, key) / base
        low, high = number.range
        assert low <= factor.min() < 1.15 * low and 0.85 * high < factor.max() <= high
        assert 0.42 < (factor < number.value).mean() < 0.58


def test_correlations_of_ranks_are_those_that_the_matrix_implies():
    drawn = patients(GROWING, 3000, seed=5)
    assert [k.removesuffix(".per_mm2").removesuffix(".share") for k in drawn[0]] == [v.of.removesuffix(".per_mm2") for v in COHORT.varies.values()]
    ranks = np.array([np.argsort(np.argsort(column(drawn, key))) for key in drawn[0]])
    implied = 6 / math.pi * np.arcsin(COHORT.matrix() / 2)
    assert np.abs(np.corrcoef(ranks) - implied).max() < 0.075  # 4 standard errors of a rank correlation of 3,000


def test_what_is_not_correlated_with_a_key_leaves_its_draws_alone():
    raw = written()["varies"]
    del raw["vessels"], raw["acsl4"]
    fewer = CohortEntry.model_validate({"about": "x", "varies": raw, "correlations": written()["correlations"]})
    config = config_of(TISSUE, name="another")
    config._library = config.library.with_entry("cohorts", "patients", fewer, {})
    assert (column(patients(config, 50), "tumour.traits.nrf2") == column(patients(CONFIG, 50), "tumour.traits.nrf2")).all()


def test_every_patient_is_a_config_of_its_own_and_what_a_config_lacks_is_left_out():
    drawn = patients(CONFIG, 6, seed=9)
    digests = {CONFIG.with_values(p).digest for p in drawn}
    assert len(digests) == 6 and CONFIG.digest not in digests
    alone = config_of(TISSUE, populations=None)
    assert not [k for k in patients(alone, 1)[0] if k.startswith("populations.")]
    model = tme.TumourModel(CONFIG.with_values(drawn[0]))
    assert abs(model.tumour.antigenicity.mean() / drawn[0]["tumour.antigenicity_mean"] - 1) < 0.15


def test_factors_act_on_what_the_preset_has():
    clear_cell = config_of(TISSUE, tumour__preset="ccrcc_like", mechanisms__vessels=None)
    plain, other, set_by_config = (column(patients(c, 20), "mechanisms.vessels.per_mm2") for c in (config_of(TISSUE, mechanisms__vessels=None), clear_cell, CONFIG))
    base = (config_of(TISSUE, mechanisms__vessels=None).tumour_parameters()["vessels"]["per_mm2"], 130, 150)
    assert np.allclose(plain / base[0], other / base[1]) and np.allclose(plain / base[0], set_by_config / base[2])


def number(value, **more):
    """A pure number as a file has it."""
    return {"value": value, "unit": "1", "source": "assumed: x", **more}


@pytest.mark.parametrize(("change", "words"), [
    ({"varies": {"cv": {"of": "tumour.cv", "factor": number(1)}}}, "needs a range"),
    ({"varies": {"cv": {"of": "tumour.cv", "factor": number(1, range=[0, 2])}}}, "begins at 0"),
    ({"correlations": {"x": {"between": ["cv", "xct"], "r": number(0.5)}}}, "does not vary"),
    ({"correlations": {a + b: {"between": [a, b], "r": number(r)} for a, b, r in (("xct", "fsp1", 0.9), ("fsp1", "nrf2", 0.9), ("xct", "nrf2", -0.9))}}, "not positive definite"),
])  # fmt: skip
def test_a_cohort_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        CohortEntry.model_validate({**written(), **change})


def test_keys_that_no_config_has_and_cohorts_that_there_are_not_are_told(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'patients'"):
        patients(CONFIG, 1, cohort="patient")
    (tmp_path / "mine.yaml").write_text('cohorts:\n  mine:\n    extends: patients\n    varies:\n      growth: {of: mechanisms.division.k_dib}\n')
    with pytest.raises(ConfigError) as caught:
        config_of(TISSUE, library=[str(tmp_path / "mine.yaml")])
    (fault,) = caught.value.faults
    assert fault.line == 5 and "unknown parameter 'division.k_dib'" in fault.problem and fault.expected == "division.k_div"


def test_every_key_of_our_cohorts_exists():
    registry = CONFIG.registry
    for entry in load_library().cohorts.values():
        assert not list(entry.misfits(registry))
