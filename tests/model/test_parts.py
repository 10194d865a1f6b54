"""What a model carries is what its class declares, whatever acts in it."""

import inspect

import mesa
import pytest
from support import bath, dish, hours, particles, tissue

from tme.model import TumourModel

MESA = set(vars(mesa.Model(rng=1)))
DECLARED = set(inspect.get_annotations(TumourModel))
ALL = {
    **bath("rsl3", 0.5),
    "antibodies": [{"name": "anti_pd1", "dose_mg_kg": 5, "day": 0}, {"name": "anti_ctla4", "dose_mg_kg": 5, "day": 0}],
    "nanoparticles": [{"name": "cnsi_fe", "dose_mg_kg": 2, "day": 0, "route": "intratumoral"}],
}
MODELS = {
    "dish": dish,
    "tissue": tissue,
    "therapy": lambda: tissue("all", arms={"all": ALL}),
    "particles": lambda: tissue("np", arms={"np": particles("peg_pdpa_rsl3", 20)}),
    "radiation": lambda: tissue("rt", arms={"rt": {"events": [{"name": "radiation", "dose_gy": 8, "day": 0}]}}),
}


def undeclared(model):
    """Names of attributes that neither Mesa nor the class knows, and that are no population."""
    return sorted(set(vars(model)) - MESA - DECLARED - {p.kind for p in model.populations})


@pytest.mark.parametrize("name", MODELS)
def test_a_model_after_ten_ticks_carries_only_what_its_class_declares(name):
    model = MODELS[name]()
    for _ in range(10):
        model.step()
    assert undeclared(model) == []


def test_every_declared_part_exists_before_the_first_tick():
    assert sorted(DECLARED - set(vars(tissue()))) == []


def test_a_resumed_model_lacks_only_the_report_on_its_first_cells():
    model = tissue()
    hours(model, 0.1)
    again = TumourModel.from_state(model.config, model.state_dict(), arm=model.arm_name, seed=model.seed_used)
    assert DECLARED - set(vars(again)) == {"placement"}
    assert undeclared(again) == []


def test_an_attribute_hung_on_the_model_is_found():
    model = dish()
    model.pd1_free = 1.0
    assert undeclared(model) == ["pd1_free"]
