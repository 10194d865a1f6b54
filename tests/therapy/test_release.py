"""Release: each trigger opens a particle, they combine, two stages take longer than one, and the compiled law agrees."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import UNBREAKABLE, config_of, dish, hours, mean, rises
from test_routes import of_library

from tme.config import ConfigError
from tme.library import load_library
from tme.library.particles import Release, Stage
from tme.therapy import release
from tme.therapy.nanoparticles import plain_rate

SLOW = {"mechanisms__ferroptosis": UNBREAKABLE}
LEVELS = {"ph": 5.5, "gsh": 2000.0, "hypoxia": 10.0, "ros": 0.5, "glucose": 2.0, "light": 25.0, "sound": 1.0}


def number(value, unit):
    return {"value": value, "unit": unit, "source": "assumed: a test"}


def stage(model=Stage, **rates):
    """A stage with these rates, 1/min, and other keys."""
    return model.model_validate({k: number(v, "1/min") if k.startswith("k") else v for k, v in rates.items()})


def levels(**changed):
    return {k: lambda v=v: v for k, v in {**LEVELS, **changed}.items()}


@pytest.mark.mechanism("M130")
@pytest.mark.parametrize(
    ("trigger", "less", "more"),
    [("ph", 7.4, 5.0), ("gsh", 10.0, 5000.0), ("hypoxia", 100.0, 1.0), ("ros", 0.01, 5.0), ("glucose", 0.1, 10.0), ("light", 0.0, 50.0), ("sound", 0.0, 1.0)],
)
def test_a_trigger_raises_release_and_alone_sets_it(trigger, less, more):
    one = stage(**{f"k_{trigger}": 0.01})
    slow, fast = (release.release_rate(one, levels(**{trigger: x}), 5.0) for x in (less, more))
    assert 0.0 <= slow < 0.5 * fast <= 0.005
    assert one.triggers == (trigger,)


@pytest.mark.mechanism("M130")
def test_triggers_add_up_or_are_needed_all_at_once():
    rates = {"k_ph": 0.01, "k_gsh": 0.02}
    either, both = stage(**rates), stage(combine="all", **rates)
    reduced = levels(gsh=0.0)
    assert release.release_rate(either, reduced, 5.0) > 0.0 == release.release_rate(both, reduced, 5.0)
    x, y = release.effects(both, levels(), 5.0).values()
    assert release.release_rate(both, levels(), 5.0) == pytest.approx(0.01 * x * y)
    assert release.release_rate(either, levels(), 5.0) == pytest.approx(0.01 * x + 0.02 * y)


def test_the_compiled_law_of_acid_gsh_and_hypoxia_is_the_same():
    three = stage(k0=0.001, k_ph=0.01, k_gsh=0.02, k_hypoxia=0.03)
    ph = 0.01 * release.acid(5.5, three.pka, three.slope)
    compiled = plain_rate(ph, 0.001, 0.02, 2000.0, three.gsh_half_uM, 0.03, 10.0, 5.0)
    assert three.plain and not stage(k_ros=0.1).plain and not stage(combine="all", k_ph=1).plain
    assert release.release_rate(three, levels(), 5.0) == pytest.approx(compiled, rel=1e-14)


@pytest.mark.mechanism("M130", "N12")
def test_what_has_to_open_first_comes_out_later_and_keeps_its_amount():
    """Against the two ordinary differential equations, closed and open load, in fine steps."""
    k_open, k_out, dt = 0.01, 0.02, 1.0
    share, left, out = np.zeros(1), 1.0, 0.0
    closed, open_, fine = 1.0, 0.0, 0.01
    for _ in range(200):
        rate, share = release.staged(share, k_open, k_out, dt)
        gone = left * -np.expm1(-rate[0] * dt)
        left, out = left - gone, out + gone
    for _ in range(20000):
        closed, open_ = closed - k_open * closed * fine, open_ + (k_open * closed - k_out * open_) * fine
    assert left + out == pytest.approx(1.0, rel=1e-12)
    assert left == pytest.approx(closed + open_, rel=0.02)
    assert out < -np.expm1(-k_out * 200) * 0.9
    assert share[0] == pytest.approx(open_ / (closed + open_), rel=0.05)


def test_with_instant_opening_two_stages_are_one():
    rate, share = release.staged(np.zeros(3), 1e3, 0.02, 10.0)
    assert rate == pytest.approx(0.02) and share == pytest.approx(1.0)


@pytest.mark.mechanism("M130")
def test_light_and_sound_count_while_they_are_on():
    everywhere = np.ones(4)
    grid = SimpleNamespace(n_voxels=4)
    entry = SimpleNamespace(kind="sound")
    o = SimpleNamespace(tick=5, ticks=10, entry=entry, item=SimpleNamespace(place=None))
    share = [release.on_during(SimpleNamespace(tick=t), o, 10) for t in (4, 10, 14, 20, 30)]
    assert share == [0.0, 0.6, 1.0, 0.4, 0.0]
    model = SimpleNamespace(tick=10, grid=grid, therapy=SimpleNamespace(events=(o,)))
    assert np.array_equal(release.sound_on(model, 10), 0.6 * everywhere)
    assert np.array_equal(release.light_on(model, 10), 0.0 * everywhere)


def particle(**rates):
    """The RSL3 micelle with another release law."""
    e = load_library().nanoparticle("peg_pdpa_rsl3")
    opens = rates.pop("opens", None)
    law = stage(Release, **rates)
    if opens:
        law = law.model_copy(update={"opens": stage(**opens)})
    return e.model_copy(update={"release": law, "releases_outside": opens is None})


def held_after(n, entry, **changes):
    """Payload still in cells after n hours in a bath of one hour."""
    arm = {"nanoparticles": [{"name": "own_np", "bath_uM": 100, "route": "bath", "day": 0}, {"name": "own_np", "bath_uM": 0, "route": "bath", "day": 1 / 24}]}
    model = of_library({"own_np": entry}, arm, {**DISH_OF, **changes})
    return mean(hours(model, n), "np_own_np")


DISH_OF = {
    "name": "dish", "start_day": 0, "horizon_day": 4, "domain": {"size_um": [240, 240], "at_edge": "continue"}, "initial": {"kind": "monolayer", "occupancy": 1.0},
    "tumour": {"preset": "ht1080", "cv": 0}, "fields": {"oxygen": {"initial": 140, "held": True}, "cystine": {"initial": 40, "held": True}},
    "mechanisms": {"vessels": {"per_mm2": 0}, "division": {"k_div": 0}, "death": {"k_apo": 0, "k_nec": 0}, "ferroptosis": UNBREAKABLE}, "arms": {"control": {}},
}  # fmt: skip


@pytest.mark.mechanism("M130", "N4", "N17")
def test_peroxide_of_the_cell_opens_a_particle_as_the_plain_law_would_at_that_rate():
    shut, ros, plain = (held_after(4, particle(**r)) for r in ({"k0": 1e-9}, {"k_ros": 0.02}, {"k0": 0.02}))
    assert shut > ros > plain


@pytest.mark.mechanism("M130", "N12")
def test_two_stages_hold_the_payload_longer_in_cells_than_the_second_alone():
    one = held_after(4, particle(k_gsh=0.02))
    two = held_after(4, particle(k_gsh=0.02, opens={"k_ph": 0.005}))
    never = held_after(4, particle(k_gsh=0.02, opens={"k_light": 0.5}))
    assert rises([one, two, never], 1.1)


def test_daughters_and_resumed_runs_keep_how_far_particles_have_opened():
    model = hours(dish("x", arms={"x": {"nanoparticles": [{"name": "sequential_cgamp_fe", "bath_uM": 100, "route": "bath", "day": 0}]}}, **SLOW), 1)
    column = model.tumour.declared["np_open_sequential_cgamp_fe"]
    assert column.at_division == "copy"
    share = model.tumour.np_open_sequential_cgamp_fe[: model.tumour.n]
    assert 0.0 < share.min() <= share.max() < 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"release": {"combine": "some"}}, "combine"),
        ({"release": {"k_heat": 1}}, "unknown key"),
        ({"carried_by": "neutrophi"}, "neutrophil"),
        ({"release": {"opens": {"k0": number(1, "1/min")}}}, "releases_outside: false"),
    ],
)
def test_a_wrong_release_law_or_carrier_is_refused(change, words):
    with pytest.raises(ConfigError) as caught:
        config_of(DISH_OF, entries={"nanoparticles": {"peg_pdpa_rsl3": change}})
    assert words in str(caught.value)
