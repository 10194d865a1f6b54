"""What IFN-gamma does to tumour cells: less SLC7A11, more ACSL4, PD-L1, MHC-I and CXCL9/10."""

import numpy as np
import pytest
from support import CELLS, UNBREAKABLE, bath, died, dish, falls, flood, hours, level, mean, rises, tissue

DOSES = (0.0, 0.1, 1.0, 10.0)


def under_ifng(dose, time, arm="control", **changes):
    """A dish after some hours at a dose of IFN-gamma, ng/mL."""
    return hours(flood(dish(arm, **changes), "ifng", dose), time)


@pytest.mark.mechanism("M67")
def test_ifng_lowers_cysteine_and_gsh_through_slc7a11():
    models = [under_ifng(d, 12) for d in DOSES]
    assert falls([mean(m, "cysteine") for m in models], 1.05)
    assert falls([mean(m, "gsh") for m in models], 1.05)
    assert falls([m.observe()["slc7a11_factor"] for m in models], 1.05)


@pytest.mark.mechanism("M67")
def test_with_the_slc7a11_arm_cut_ifng_leaves_gsh_alone():
    cut = {"f_x": 0, "f_acsl": 0}
    rest, exposed = (under_ifng(d, 12, mechanisms__ferroptosis=cut) for d in (0, 10))
    assert np.array_equal(rest.tumour.gsh, exposed.tumour.gsh)
    assert exposed.observe()["slc7a11_factor"] == 1.0


@pytest.mark.mechanism("M67")
def test_ifng_sensitises_to_rsl3_and_less_so_without_the_slc7a11_arm():
    """PLOOH under the same sub-lethal RSL3: IFN-gamma raises it, half of the rise needs f_x."""
    rsl3 = {"arm": "r", "arms__r": bath("rsl3", 0.02), "time": 12}
    rest, full = under_ifng(0, **rsl3), under_ifng(3, **rsl3)
    cut = under_ifng(3, mechanisms__ferroptosis__f_x=0, **rsl3)
    assert mean(rest, "plooh") * 1.2 < mean(full, "plooh")
    assert mean(cut, "plooh") * 1.2 < mean(full, "plooh")


@pytest.mark.mechanism("M68")
def test_ifng_raises_oxidisable_lipid_through_acsl4():
    assert rises([mean(under_ifng(d, 12), "pufa") for d in DOSES], 1.01)
    cut = [under_ifng(d, 12, mechanisms__ferroptosis={"f_acsl": 0, "f_x": 0}) for d in (0, 10)]
    assert np.array_equal(cut[0].tumour.pufa, cut[1].tumour.pufa)


@pytest.mark.mechanism("M68")
def test_ifng_and_arachidonic_acid_kill_together_what_neither_kills_alone():
    """After a day: neither IFN-gamma nor arachidonic acid kills the reference cell, both together do."""

    def after(ifng, aa):
        return died(hours(flood(flood(dish(), "ifng", ifng), "arachidonic", aa), 26))

    assert [after(10, 0), after(0, 35), after(10, 35)] == [0, 0, CELLS]


@pytest.mark.mechanism("M68")
def test_arachidonic_acid_adds_more_lipid_under_ifng():
    def pufa(ifng, aa):
        model = dish(mechanisms__ferroptosis=UNBREAKABLE)
        return mean(hours(flood(flood(model, "ifng", ifng), "arachidonic", aa), 8), "pufa")

    assert pufa(10, 20) - pufa(10, 0) > 1.05 * (pufa(0, 20) - pufa(0, 0))


@pytest.mark.mechanism("M69")
def test_ifng_raises_pdl1_mhc1_and_chemokine():
    models = [under_ifng(d, 12) for d in DOSES]
    assert rises([mean(m, "pdl1") for m in models], 1.05)
    assert rises([mean(m, "mhc1") for m in models], 1.03)  # half of it at 0.1 ng/mL: the last doses are near the most
    assert rises([level(m, "cxcl") for m in models], 1.2)


@pytest.mark.mechanism("M69")
def test_without_secretion_ifng_brings_no_chemokine():
    assert level(under_ifng(10, 6, mechanisms__ifng_response__cxcl_rate=0), "cxcl") == 0.0


@pytest.mark.mechanism("M69")
def test_in_tissue_pdl1_follows_the_ifng_of_cd8():
    """PD-L1 and MHC-I of a tumour under attack, with secretion of IFN-gamma cut, normal and tripled."""
    models = [hours(tissue(mechanisms__killing__ifng_molecules_s=q), 8) for q in (0, 10, 100)]
    assert rises([mean(m, "pdl1") for m in models], 1.05)
    assert rises([mean(m, "mhc1") for m in models], 1.02)
    t = models[0].tumour
    assert t.pdl1[(t.state == 0) & (t.pdl1_answer < 2.0)] == pytest.approx(0.08, rel=1e-6)
    assert t.pdl1[(t.state == 0) & (t.pdl1_answer == 2.0)] == pytest.approx(1.0, rel=1e-6)  # a few carry it without
