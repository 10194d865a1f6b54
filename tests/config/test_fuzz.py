"""Generated experiments: sound ones run, with the same bits for any threads and across a break; broken ones are refused with the key that is wrong.

A case is its number; `python -c "from generated import *; print(as_yaml(valid(Random(17))))"` shows one.
"""

from random import Random

import numpy as np
import pytest
from generated import as_yaml, valid, write
from spoilt import broken, parts

from tme.cli import main
from tme.config import ConfigError
from tme.experiments.checkpoint import read_checkpoint, write_checkpoint
from tme.kernels import threads
from tme.model import TumourModel, load_config

CHUNK = 20
TICKS, BREAK = 7, 3


def chunks(n, first=0):
    """Numbers of cases, CHUNK to a test."""
    return [range(k, min(k + CHUNK, first + n)) for k in range(first, first + n, CHUNK)]


def said(cases):
    """Name of a chunk of cases."""
    return f"{cases[0]}-{cases[-1]}"


@pytest.fixture
def shared(monkeypatch):
    """Sets how many threads work; they share whatever can be shared, and sleep at once when they wait."""
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    monkeypatch.setattr(threads, "SPINS", 0)
    monkeypatch.setattr("tme.core.solvers.WORTH_VOXELS", 0)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    return lambda n: monkeypatch.setattr(threads, "count", lambda: n)


def run_valid(place, case, shared=None):
    """Load, resolve, build an arm, run some ticks (sixty now and then); every column and field stays a number. `shared`: compare the bits too."""
    rng = Random(case)
    config = load_config(write(place, valid(rng)))
    again = type(config).model_validate(config.to_dict())
    assert again.to_dict() == config.to_dict()
    if case % 4 == 0:  # what a run directory keeps loads as itself
        (place / "resolved.yaml").write_text(as_yaml(config.to_dict()))
        resolved = load_config(place / "resolved.yaml")
        assert (resolved.digest, resolved.to_dict()) == (config.digest, config.to_dict())
    arm = rng.choice([*config.arms, "growth"])
    if shared is not None:
        shared(1)
    model = TumourModel(config, arm=arm)
    steps(model, BREAK)
    if shared is not None:
        write_checkpoint(place / "broken_off", model.state_dict(), {"tick": model.tick})
    steps(model, (61 if case % 25 == 0 and shared is None else TICKS) - BREAK)
    model.observe()
    for name, field in model.fields.items():
        assert np.isfinite(field.concentration).all() and field.concentration.min() >= 0.0, name
    for population in model.populations:
        for name in population.declared:
            assert np.isfinite(getattr(population, name)).all(), (population.kind, name)
    if shared is not None:
        shared(2)
        assert not different(model, steps(TumourModel(config, arm=arm), TICKS)), "two threads"
        assert not different(model, steps(TumourModel.from_state(config, read_checkpoint(place / "broken_off")[0], arm=arm), TICKS - BREAK)), "resumed"


def steps(model, n):
    """The model some ticks on."""
    for _ in range(n):
        model.step()
    return model


def different(one, other):
    """Names of arrays of which two models have other bytes."""
    a, b = one.state_dict(), other.state_dict()
    return [k for k in {*a, *b} if k not in a or k not in b or (a[k].dtype, a[k].tobytes()) != (b[k].dtype, b[k].tobytes())]


def run_broken(place, case):
    """Refused, every fault with a key and a line, one of them at, above or below the place that was broken."""
    data, path, way = broken(Random(case))
    file = write(place, data)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert caught.value.exit_code == 2
    keys = [f.key for f in caught.value.faults]
    assert all(keys) and all(f.line for f in caught.value.faults), str(caught.value)
    where = ".".join(map(str, path[1:3] if path[0] == "library" and len(path) > 1 else path))  # an entry of the user's own has no `library` in its key
    near = [k for k in keys if f"{k}.".startswith(f"{where}.") or f"{where}.".startswith(f"{k}.")]
    assert near, f"{way} at {where}, told as {keys}"


def run_all(one, place, cases, *more):
    """Every case of a chunk; all failures at once."""
    failures = []
    for case in cases:
        try:
            one(place, case, *more)
        except (Exception, pytest.fail.Exception) as error:
            lines = str(error).splitlines() or [""]
            failures.append(f"case {case}: {type(error).__name__}: {lines[0]}")
    assert not failures, "\n".join(failures)


WANTED = {
    "library.fields", "library.cells", "library.events", "library.receptors", "library.drugs", "library.alterations", "library.antibodies", "library.nanoparticles",
    "library.tumours", "library.rules", "motion", "entry", "life", "kills", "division", "presents", "polarises", "phagocytoses", "secretes", "takes_up", "pathways", "dies", "yields",
    "k_ph", "k_gsh", "k_hypoxia", "k_ros", "k_glucose", "k_light", "k_sound", "opens", "combine", "coat", "ligand", "carried_by", "normal_leak", "sink", "depletes", "feels", "walls",
    "field", "drug", "own", "near", "contact", "event", "alteration", "time", "raises", "lowers", "adds_to", "lag_h", "group", "needs", "clock_min", "falling", "linear", "cbhg", "dead",
    "radiation", "light", "sound", "heat", "resection", "implant", "vaccination", "cell_transfer", "kill_share", "every_d", "until_d", "factorial",
    "populations.cd4", "populations.nk", "populations.mdsc", "populations.neutrophil", "populations.b_cell", "populations.caf", "populations.normal",
    "mechanisms.cuproptosis", "mechanisms.disulfidptosis", "mechanisms.closing", "mechanisms.matrix", "mechanisms.ferroptosis_mdsc", "fields.ecm", "rules.M69.arrest",
    "nodule", "monolayer", "spheroid", "cells", "regions", "rank", "gated", "tile", "roi", "repeat", "daughters_keep", "resists", "host", "primary", "sweep", "metrics",
}  # fmt: skip


def test_what_users_may_write_is_generated():
    """Each part of the grammar, within some hundred cases."""
    words = set()
    for case in range(200):
        for path, value in parts(valid(Random(case))):
            words |= {path[-1], ".".join(map(str, path[:2]))}
            words |= {value, value.partition(".")[0]} if isinstance(value, str) else set()
    assert WANTED - words == set()


@pytest.mark.parametrize("cases", chunks(40), ids=said)
def test_a_generated_experiment_runs(tmp_path, cases):
    run_all(run_valid, tmp_path, cases)


@pytest.mark.parametrize("cases", [range(40, 48)], ids=said)
def test_a_generated_experiment_has_the_same_bits_on_two_threads_and_resumed(tmp_path, cases, shared):
    run_all(run_valid, tmp_path, cases, shared)


@pytest.mark.parametrize("cases", chunks(180), ids=said)
def test_a_broken_experiment_is_refused_with_its_key(tmp_path, cases):
    run_all(run_broken, tmp_path, cases)


@pytest.mark.parametrize("case", range(0, 60, 6))
def test_a_broken_experiment_ends_a_command_with_2_and_no_traceback(tmp_path, case, capsys):
    path = write(tmp_path, broken(Random(case))[0])
    with pytest.raises(SystemExit) as ended:
        main(["check", str(path)])
    shown = capsys.readouterr()
    assert ended.value.code == 2 and ".yaml:" in shown.err and "Traceback" not in shown.out + shown.err


@pytest.mark.slow
@pytest.mark.parametrize("cases", chunks(1000, first=1000), ids=said)
def test_a_thousand_generated_experiments_run(tmp_path, cases):
    run_all(run_valid, tmp_path, cases)


@pytest.mark.slow
@pytest.mark.parametrize("cases", chunks(400, first=3000), ids=said)
def test_four_hundred_generated_experiments_have_the_same_bits_on_two_threads_and_resumed(tmp_path, cases, shared):
    run_all(run_valid, tmp_path, cases, shared)


@pytest.mark.slow
@pytest.mark.parametrize("cases", chunks(1500, first=1000), ids=said)
def test_fifteen_hundred_broken_experiments_are_refused(tmp_path, cases):
    run_all(run_broken, tmp_path, cases)
