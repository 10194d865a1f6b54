"""Order, timing and ratio of agents decide what a schedule achieves."""

import pytest
from support import died, dish, hours, mean, rises, tissue

BODY = {
    "mechanisms__vessels": {"per_mm2": 400, "normal_factor": 1},
    "fields__rsl3": {"decay": 0.1, "vessel_exchange": 0.5},  # a short pulse, whatever the library holds
    "seed": 2,
}
PULSES = {"bso": 3000, "rsl3": 7}  # mg/kg; alone it kills about half of the dish


def order(bso_day, rsl3_day, **changes):
    """A dish with vessels a day after a pulse of BSO and a pulse of RSL3."""
    drugs = [
        {"name": n, "dose_mg_kg": PULSES[n], "day": d} for n, d in (("bso", bso_day), ("rsl3", rsl3_day))
    ]
    model = dish("s", arms={"control": {}, "s": {"drugs": drugs}}, tumour__cv=0.2, **BODY, **changes)
    return hours(model, 20)


@pytest.mark.mechanism("M123")
def test_sensitising_before_inducing_kills_more_than_after():
    before, after = order(0, 0.15), order(0.65, 0.15)
    assert died(before) > 1.3 * died(after) + 5


@pytest.mark.mechanism("M123")
def test_order_makes_no_difference_when_the_sensitiser_hits_nothing():
    cut = {"mechanisms__ferroptosis__v_gcl": 0, "mechanisms__ferroptosis__d_leth": 5000}
    before, after = order(0, 0.15, **cut), order(0.65, 0.15, **cut)
    assert mean(before, "gpx4") == pytest.approx(mean(after, "gpx4"), rel=1e-9)


@pytest.mark.mechanism("M123")
def test_a_larger_pulse_of_the_inducer_kills_more():
    def deaths(dose):
        arms = {"s": {"drugs": [{"name": "rsl3", "dose_mg_kg": dose, "day": 0.05}]}}
        return died(hours(dish("s", arms=arms, tumour__cv=0.2, **BODY), 16))

    assert rises([deaths(5), deaths(15), deaths(40)])


@pytest.mark.mechanism("M123")
def test_the_ratio_of_antibody_to_inducer_trades_deaths_for_the_index_of_autoimmunity():
    """At one dose of the inducer more antibody brings more T cells without brakes in the body, and no more ferroptosis at once."""

    def treated(antibody, inducer):
        arms = {"s": {"antibodies": [{"name": "anti_pd1", "dose_mg_kg": antibody, "day": 0}], "drugs": [{"name": "rsl3", "bath_uM": inducer, "route": "bath"}]}}
        model = hours(tissue("s", arms=arms), 6)
        return model.observe()["irae_t_index"], died(model)

    low, high, more = treated(0.0005, 0.3), treated(10, 0.3), treated(0.0005, 3.0)
    assert high[0] > 1.3 * low[0] and high[1] == pytest.approx(low[1], rel=0.2)
    assert more[0] == pytest.approx(low[0], rel=0.2) and more[1] > 1.2 * low[1]
