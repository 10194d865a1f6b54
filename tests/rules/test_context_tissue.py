"""Context in small tumours: what plasma brings, acid, EMT after contact is lost, VEGF and vessels, copper and division, invasion."""

import numpy as np
import pytest
from breadth import held, on, treated
from support import UNBREAKABLE, alive, bath, dish, flood, hours, kill, level, mean, rises, tissue

import tme

ALONE = {"populations": dict.fromkeys(("cd8", "macrophage", "dendritic", "treg"))}
COPPER = {"mechanisms__cuproptosis": {"on": True}}


# ---- what plasma brings --------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M98")
def test_plasmas_transferrin_iron_sets_the_labile_iron_of_the_tumour():
    lip = []
    for plasma in (3, 25, 120):
        model = tissue(**on("M98.rich", "M98.poor"), fields__transferrin={"vessel_value": plasma}, **ALONE)
        lip.append(mean(hours(model, 12), "lip"))
    assert rises(lip, 1.1)
    assert level(model, "transferrin") < 120


@pytest.mark.mechanism("M114")
def test_plasmas_copper_sets_the_copper_of_the_tumour():
    models = [hours(tissue(fields__copper={"vessel_value": plasma}, **COPPER, **ALONE), 12) for plasma in (0.1, 0.3, 2)]
    assert rises([mean(m, "copper") if "copper" in m.tumour.declared else 0.0 for m in models], 1.5)
    off = tissue(fields__copper={"vessel_value": 2}, **ALONE)
    assert "copper" not in off.tumour.declared


@pytest.mark.mechanism("M34")
def test_tumours_are_acid_inside_and_acid_frees_iron():
    model = hours(tissue(**on("M34.acid"), **ALONE), 6)
    inside = model.fields["acid"].at(model.tumour.voxel).mean()
    assert 2.0 < inside < 30.0 and 0.0 < level(model, "acid") < inside
    assert mean(model, "term_ferroptosis_ncoa4") > 1.1


# ---- copper and division ---------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M115")
def test_some_copper_helps_division_and_much_stops_it():
    def grown(copper, *rules):
        roomy = {"domain__size_um": [480, 480], "initial__occupancy": 0.2, "mechanisms__division": {"k_div": 0.001}}
        lasting = {"mechanisms__cuproptosis": {"on": True, "fdx1": 0}}
        return alive(hours(treated({}, *rules, **held("copper", copper), **roomy, **lasting), 18))

    both = ("M115.cofactor", "M115.toxic")
    plain = grown(3)
    assert grown(3, *both) > 1.1 * plain
    assert grown(15, *both) < 0.7 * plain == 0.7 * grown(15)


# ---- EMT ------------------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M55")
def test_cells_that_lose_contact_turn_resistant_with_a_delay_of_days():
    model = dish(**on("M55.emt"))
    inner = model.tumour.memory_m55_emt.min()
    assert inner < 0.1
    rows = np.flatnonzero(np.arange(model.tumour.n) % 4 != 0)
    kill(model, rows, cause=4)
    seen = [mean(hours(model, n), "memory_m55_emt") for n in (1, 11, 24, 36)]
    assert rises(seen, 1.2) and seen[0] < 0.25 and seen[-1] > 0.7
    assert mean(model, "term_ferroptosis_initiation") == pytest.approx(1 - 0.5 * seen[-1], rel=0.02)


@pytest.mark.mechanism("M55")
def test_scattered_cells_withstand_rsl3_better_than_packed_ones():
    def plooh(occupancy, *rules):
        return mean(hours(treated(bath("rsl3", 0.05), *rules, initial__occupancy=occupancy), 8), "plooh")

    gain = {o: plooh(o, "M55.emt") / plooh(o) for o in (0.15, 1.0)}
    assert gain[0.15] < 0.9 and gain[0.15] < gain[1.0] - 0.05


# ---- hypoxia: VEGF, vessels, glucose, radiation --------------------------------------------------------------------------------
def secreted(oxygen, *rules):
    """VEGF after a day in a tumour at one level of oxygen."""
    return level(hours(flood(tissue(**on(*rules), fields__vegf={}, **ALONE), "oxygen", oxygen), 24), "vegf")


@pytest.mark.mechanism("M108")
def test_hypoxic_cells_make_more_vegf():
    assert secreted(3.0, "M108.vegf") > 2.0 * secreted(3.0) > 0
    assert secreted(38.0, "M108.vegf") < 1.1 * secreted(38.0)


@pytest.mark.mechanism("M108")
def test_m2_macrophages_make_vegf_and_m1_macrophages_none():
    few = {"populations": {"macrophage": {"share": 0.2}}, "fields__vegf": {}}
    m2, m1 = tissue(**few), tissue(**few)
    for model, polarised in ((m2, 0.0), (m1, 1.0)):
        model.macrophage.m1[:] = polarised
    levels = [level(hours(model, 2), "vegf") for model in (m2, m1)]
    assert levels[0] > 1.1 * levels[1] > 0.0


BED = {"mechanisms__vessels": {"per_mm2": 400, "core_factor": 0.3, "rim_um": 20, "tau_growth_d": 1.0}}


def opened(vegf, *rules, n=48):
    """Length of open vessel in the tumour after n hours at a level of VEGF."""
    model = hours(flood(tissue(**on(*rules), fields__vegf={}, **BED, **ALONE), "vegf", vegf), n)
    inside = model.lattice.depth_um()[model.vessels.voxels] > 0
    return float(model.vessels.weight[inside].sum())


@pytest.mark.mechanism("M108")
def test_vegf_opens_vessels_of_the_core_within_days():
    none, soon, later = opened(5.0), opened(5.0, "M108.vessels", n=7), opened(5.0, "M108.vessels", n=72)
    assert later > 1.25 * none > 0
    assert none <= soon < later
    assert opened(0.0, "M108.vessels") == none


@pytest.mark.mechanism("M108")
def test_grown_vessels_outlast_a_checkpoint():
    def model():
        return flood(tissue(**on("M108.vessels"), fields__vegf={"initial": 5, "held": True}, **BED, **ALONE), "vegf", 5.0)

    whole, half = hours(model(), 26), hours(model(), 13)
    half = tme.TumourModel.from_state(half.config, half.state_dict(), seed=1)
    half = hours(half, 13)
    assert {k: v.tobytes() for k, v in whole.state_dict().items()} == {k: v.tobytes() for k, v in half.state_dict().items()}


@pytest.mark.mechanism("M108")
def test_hypoxic_cells_take_up_more_glucose():
    def glucose(oxygen, *rules):
        model = hours(flood(tissue(**on(*rules), fields__glucose={}, **ALONE), "oxygen", oxygen), 2)
        return float(model.fields["glucose"].at(model.tumour.voxel).mean())

    assert glucose(3.0, "M108.glucose") < 0.8 * glucose(3.0)
    assert glucose(38.0, "M108.glucose") == pytest.approx(glucose(38.0), rel=0.02)


@pytest.mark.mechanism("M108")
def test_radiation_leaves_less_ros_in_hypoxia():
    def initiation(oxygen):
        model = dish("x", arms={"x": {"events": [{"name": "radiation", "dose_gy": 8, "day": 0}]}}, fields__oxygen__initial=oxygen)
        return mean(hours(model, 1), "term_ferroptosis_initiation")

    assert 1.1 < initiation(0.5) < 0.8 * initiation(38.0)


# ---- invasion --------------------------------------------------------------------------------------------------------------
def spread(*rules, speed=20.0, **changes):
    """Mean distance of tumour cells from their centre after a day, um, and the model."""
    model = hours(tissue(**on(*rules), mechanisms__invasion={"speed_um_h": speed}, **ALONE, **changes), 24)
    _, y, x = model.grid.coordinates(model.tumour.voxel)
    return float(np.hypot(y - y.mean(), x - x.mean()).mean()) * model.grid.dx_um, model


@pytest.mark.mechanism("M109")
def test_cells_with_much_acsl4_leave_the_tumour_more():
    rich = {"tumour__traits": {"acsl4": 3}, "mechanisms__ferroptosis": UNBREAKABLE}
    none, still = spread(speed=0.0, **rich)
    plain, walked = spread(**rich)
    more, model = spread("M109.acsl4", **rich)
    assert 1.1 * none < plain < 0.95 * more
    assert model.counters["tumour_steps"] > 1.5 * walked.counters["tumour_steps"]
    assert still.counters["tumour_steps"] == 0 < walked.counters["tumour_steps"]
    assert walked.tumour.n == still.tumour.n and len(set(walked.tumour.voxel.tolist())) == walked.tumour.n
    assert (walked.lattice.tissue_row[walked.tumour.voxel] == np.arange(walked.tumour.n)).all()
    assert not [e for e in still.plan.entries if e.name == "invasion"]


@pytest.mark.mechanism("M109")
def test_cells_that_lost_contact_walk_faster_and_a_day_later():
    plain, _ = spread(speed=10.0)
    more, model = spread("M55.motility", speed=10.0)
    assert more > plain and model.tumour.term_invasion_speed.max() > 1.5


def test_walks_are_the_same_whatever_the_order_of_rows_and_across_a_checkpoint():
    def model():
        return tissue(mechanisms__invasion={"speed_um_h": 20}, **ALONE)

    whole, half = hours(model(), 4), hours(model(), 2)
    half = hours(tme.TumourModel.from_state(half.config, half.state_dict(), seed=1), 2)
    assert {k: v.tobytes() for k, v in whole.state_dict().items()} == {k: v.tobytes() for k, v in half.state_dict().items()}


# ---- matrix ----------------------------------------------------------------------------------------------------------------
STROMA = {"populations__caf": {"share": 0.3}, "domain__immune_per_voxel": 8}
GIVEN = {"x": {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 0}], "nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 5, "day": 0}]}}


@pytest.mark.mechanism("M111")
def test_matrix_of_fibroblasts_holds_antibodies_and_particles_back():
    with_rule, without = (hours(tissue("x", arms=GIVEN, **on(*r), **STROMA), 6) for r in (("M111.matrix_passage",), ()))
    assert level(with_rule, "anti_pdl1") < 0.9 * level(without, "anti_pdl1")
    assert mean(with_rule, "np_iron_oxide") < 0.9 * mean(without, "np_iron_oxide")
    assert level(with_rule, "oxygen") == pytest.approx(level(without, "oxygen"), rel=0.01)  # what is less reached kills a cell or two less
    bare = hours(tissue("x", arms=GIVEN, **on("M111.matrix_passage")), 6)
    assert bare.vessels.passage.min() == 1.0 > 0.9 > with_rule.vessels.passage.min()


@pytest.mark.mechanism("M111")
def test_matrix_lies_where_fibroblasts_are_and_slows_t_cells_there():
    model = tissue(**on("M111.matrix_speed"), **STROMA, populations__cd8={"per_mm2": 600})
    inside = model.lattice.depth_um() > 40
    ecm = model.fields["ecm"].concentration
    entry, caf = model.config.library.fields["ecm"], model.config.library.cells["caf"]
    made = next(s.rate for s in caf.secretes if s.field == "ecm") * model.per_cell * model.caf.n
    assert ecm.sum() == pytest.approx(made / entry.decay, rel=0.02)  # what is made is what decays: counted once
    assert 0.02 < ecm[inside].mean() < 1.5 and ecm[model.lattice.depth_um() < -100].mean() < 0.1 * ecm[inside].mean()
    speed = model.cd8.term_motility_speed
    there = model.fields["ecm"].at(model.cd8.voxel)
    assert speed[there > 0.2].max() < 0.8 < speed[there < 0.02].min()


@pytest.mark.mechanism("M111")
def test_what_matrix_lets_pass_outlasts_a_checkpoint():
    def model():
        return tissue("x", arms=GIVEN, **on("M111.matrix_passage"), **STROMA)

    whole, half = hours(model(), 4), hours(model(), 2)
    assert whole.vessels.passage.min() < 0.9
    half = hours(tme.TumourModel.from_state(half.config, half.state_dict(), arm="x", seed=1), 2)
    assert {k: v.tobytes() for k, v in whole.state_dict().items()} == {k: v.tobytes() for k, v in half.state_dict().items()}
