"""Generated experiments: sound ones run, broken ones are refused with the key that is wrong.

A case is its number; `python -c "from generated import *; print(as_yaml(valid(Random(17))))"` shows one.
"""

from random import Random

import numpy as np
import pytest
from generated import CSV, as_yaml, table, valid
from spoilt import broken

from tme.config import ConfigError
from tme.model import TumourModel, load_config

CHUNK = 20


def chunks(n, first=0):
    """Numbers of cases, CHUNK to a test."""
    return [range(k, min(k + CHUNK, first + n)) for k in range(first, first + n, CHUNK)]


def said(cases):
    """Name of a chunk of cases."""
    return f"{cases[0]}-{cases[-1]}"


@pytest.fixture
def place(tmp_path):
    (tmp_path / CSV).write_text(table())
    return tmp_path


def loaded(place, data):
    """The config of generated data, through a file as users do."""
    path = place / "generated.yaml"
    path.write_text(as_yaml(data))
    return load_config(path)


def run_valid(place, case):
    """Load, build an arm, run five ticks (sixty now and then); every column and field stays a number."""
    rng = Random(case)
    data = valid(rng)
    config = loaded(place, data)
    again = type(config).model_validate(config.to_dict())
    assert again.to_dict() == config.to_dict()
    arm = rng.choice([*config.arms, "growth"])
    model = TumourModel(config, arm=arm)
    for _ in range(61 if case % 25 == 0 else 5):
        model.step()
    model.observe()
    for name, field in model.fields.items():
        assert np.isfinite(field.concentration).all() and field.concentration.min() >= 0.0, name
    for population in model.populations:
        for name in population.declared:
            assert np.isfinite(getattr(population, name)).all(), (population.kind, name)


def run_broken(place, case):
    """Refused, every fault with a key, one of them at, above or below the place that was broken."""
    data, path, way = broken(Random(case))
    with pytest.raises(ConfigError) as caught:
        loaded(place, data)
    assert caught.value.exit_code == 2
    where = ".".join(map(str, path))
    keys = [f.key for f in caught.value.faults]
    assert all(keys), str(caught.value)
    near = [k for k in keys if f"{k}.".startswith(f"{where}.") or f"{where}.".startswith(f"{k}.")]
    assert near, f"{way} at {where}, told as {keys}"


def run_all(one, place, cases):
    """Every case of a chunk; all failures at once."""
    failures = []
    for case in cases:
        try:
            one(place, case)
        except (Exception, pytest.fail.Exception) as error:
            lines = str(error).splitlines() or [""]
            failures.append(f"case {case}: {type(error).__name__}: {lines[0]}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("cases", chunks(40), ids=said)
def test_a_generated_experiment_runs(place, cases):
    run_all(run_valid, place, cases)


@pytest.mark.parametrize("cases", chunks(300), ids=said)
def test_a_broken_experiment_is_refused_with_its_key(place, cases):
    run_all(run_broken, place, cases)


@pytest.mark.slow
@pytest.mark.parametrize("cases", chunks(1000, first=1000), ids=said)
def test_a_thousand_generated_experiments_run(place, cases):
    run_all(run_valid, place, cases)


@pytest.mark.slow
@pytest.mark.parametrize("cases", chunks(1000, first=1000), ids=said)
def test_a_thousand_broken_experiments_are_refused(place, cases):
    run_all(run_broken, place, cases)
