"""A live session: what may be given and changed, when it acts, its log, and the same bits again."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from live_config import ahead, live

from tme.experiments import load
from tme.experiments.live import (
    LOG,
    START,
    Session,
    digest_of,
    free_folder,
    log_of,
    one_arm,
    read_log,
    replay,
    start_of,
)
from tme.experiments.live.numbers import NOT_NOW, agents, catalogue
from tme.experiments.run_directory import RunError, is_done
from tme.model import TumourModel, load_config


def again(model, tmp_path):
    """The session of a run directory done again elsewhere, and where it differed."""
    log = log_of(model.folder)
    return replay(log, start_of(log), tmp_path / "again")


def test_a_session_done_again_from_its_log_gives_the_same_bits(tmp_path):
    model = ahead(live(tmp_path), 100)
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    ahead(model, 7)
    model.change("mechanisms.division.k_div", 0.0009)
    model.give("antibodies", {"name": "anti_pdl1", "dose_mg_kg": 10})
    ahead(model, 40)
    model.give("events", {"name": "radiation", "dose_gy": 6, "place": "tumour"})
    model.change("mechanisms.ferroptosis.d_leth", 30)
    ahead(model, 90)
    model.end()
    second, differs = again(model, tmp_path)
    assert differs == [] and second.tick == model.tick == 237
    assert [x["state"] for x in read_log(second.folder / LOG)[1:]] == [x["state"] for x in read_log(model.folder / LOG)[1:]]
    assert len({x["state"] for x in model.log.lines[1:]}) >= 4  # moments that differ, so that agreement means something


def test_a_log_that_was_changed_no_longer_gives_the_same_bits(tmp_path):
    model = ahead(live(tmp_path), 60)
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    ahead(model, 60)
    model.end()
    log = model.folder / LOG
    log.write_text(log.read_text().replace('"dose_mg_kg": 30', '"dose_mg_kg": 31'))
    _, differs = again(model, tmp_path)
    assert len(differs) == 1 and differs[0].startswith("end at tick 120: state")


@pytest.mark.parametrize(("kind", "item"), [
    ("drugs", {"name": "rsl3", "dose_mg_kg": 30}), ("drugs", {"name": "erastin", "route": "bath", "bath_uM": 5}), ("drugs", {"name": "ike", "route": "intratumoral", "dose_mg_kg": 3}),
    ("drugs", {"name": "ike", "route": "depot", "dose_mg_kg": 3, "release_per_h": 0.2}), ("antibodies", {"name": "anti_ctla4", "dose_mg_kg": 10}),
    ("nanoparticles", {"name": "peg_pdpa_rsl3", "dose_mg_kg": 9}), ("events", {"name": "radiation", "dose_gy": 8}), ("events", {"name": "cell_transfer", "cells": "nk", "count": 15}),
])  # fmt: skip
def test_what_was_given_live_is_the_arm_that_a_run_of_the_final_config_has(tmp_path, kind, item):
    model = ahead(live(tmp_path), 90)  # on the clock of the drugs' fields: a dose must not fall between two intervals
    model.give(kind, item)
    ahead(model, 45)
    whole = TumourModel(load_config(model.folder / "config.resolved.yaml"), seed=model.task.simulation.seed, arm="control")
    untreated = TumourModel(load_config(model.folder / START), seed=model.task.simulation.seed, arm="control")
    for _ in range(135):
        whole.step(), untreated.step()
    assert digest_of(whole.state_dict()) == model.digest() != digest_of(untreated.state_dict())
    model.end()


def test_every_number_that_is_offered_may_change_and_moves_nothing_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("tme.experiments.live.model.write_config", lambda *_: None)  # a hundred times to the disk is no part of this
    model = ahead(live(tmp_path, "treated"), 390)
    model.give("nanoparticles", {"name": "peg_pdpa_rsl3", "dose_mg_kg": 9})
    before, vessels = model.digest(), {k: v.copy() for k, v in vars(model.model.vessels).items() if isinstance(v, np.ndarray)}
    offered = model.numbers()
    assert len(offered) > 100 and len({n.law for n in offered.values()}) > 12
    for key, number in offered.items():
        assert number.unit and number.source and number.least <= number.low <= number.value <= number.high <= number.most, key
        model.change(key, number.high if number.high != number.value else number.low)
    states = {line["key"]: line["state"] for line in model.log.lines if line["event"] == "set"}  # each before its own change, after the others
    assert set(states) == set(offered) and {k: s for k, s in states.items() if s != before} == {} and model.digest() == before
    assert all(n.value == (offered[k].high if offered[k].high != offered[k].value else offered[k].low) for k, n in model.numbers().items())
    for name, array in vessels.items():
        assert np.array_equal(array, getattr(model.model.vessels, name)), name
    model.step()
    model.end()


@pytest.mark.parametrize(("key", "value", "column"), [
    ("mechanisms.division.k_div", 0.005, "births"), ("mechanisms.death.k_apo", 0.001, "dead_apoptosis"), ("mechanisms.uptake.oxygen_vmax", 1000, "oxygen_median"),
])  # fmt: skip
def test_a_changed_number_acts_from_the_next_tick_on(tmp_path, key, value, column):
    model, other = ahead(live(tmp_path / "a"), 30), ahead(live(tmp_path / "b"), 30)
    model.change(key, value)
    assert model.model.observe()[column] == other.model.observe()[column]
    ahead(model, 120), ahead(other, 120)
    a, b = model.model.observe()[column], other.model.observe()[column]
    assert a < b if column == "oxygen_median" else a > b
    model.end(), other.end()


@pytest.mark.parametrize("name", sorted(NOT_NOW))
def test_numbers_that_shaped_the_start_are_refused_with_the_reason(tmp_path, name):
    model = live(tmp_path)
    assert f"mechanisms.{name}" not in model.numbers()
    with pytest.raises(ValueError, match="cannot be changed while the model runs: it"):
        model.change(f"mechanisms.{name}", 1)
    model.end()


BAD = [
    (("set", "mechanisms.division.kdiv", 1), "did you mean 'mechanisms.division.k_div'"), (("set", "mechanisms.division.k_div", 5), r"5 is out of bounds; expected 0 to 0.01 1/min"),
    (("set", "mechanisms.division.k_div", "much"), "is 'much'; expected a number"), (("set", "mechanisms.division.k_div", float("nan")), "is nan"),
    (("set", "mechanisms.division.k_div", True), "is True"), (("set", "domain.size_um", 3), "no number that can be changed"), (("set", None, 3), "no number that can be changed"),
    (("set", "mechanisms.division.k_div", 10**400), "out of bounds|expected a number"),
    (("give", "drugs", {"name": "rsl", "dose_mg_kg": 3}), "rsl: name: unknown drug 'rsl'.*did you mean 'rsl3'"), (("give", "drugs", {"name": "rsl3", "dose_mg_kg": -3}), "rsl3: dose_mg_kg: is -3; expected a number at least 0"),
    (("give", "drugs", {"name": "rsl3", "dose_mg_kg": "3 mg"}), "dose_mg_kg: is '3 mg'"), (("give", "drugs", {"name": "rsl3", "dose_mg_kg": float("inf")}), "dose_mg_kg"),
    (("give", "drugs", {"name": "rsl3"}), "dose_mg_kg: missing"), (("give", "drugs", {"name": "rsl3", "dose_mg_kg": 3, "day": 4}), "day does not go with what is given now"),
    (("give", "drugs", {"dose_mg_kg": 3}), "with its name"), (("give", "drugs", "rsl3"), "with its name"), (("give", "potions", {"name": "rsl3"}), "kind is 'potions'; expected one of drugs"),
    (("give", "events", {"name": "radiation"}), "radiation: dose_gy: missing"), (("give", "antibodies", {"name": "anti_lag3", "dose_mg_kg": 5}), "axis lag3 is off"),
]  # fmt: skip


def test_what_cannot_be_is_refused_in_words_and_changes_nothing(tmp_path):
    model = ahead(live(tmp_path), 20)
    before, log, config = model.digest(), (model.folder / LOG).read_text(), (model.folder / "config.resolved.yaml").read_text()
    for (do, *what), words in BAD:
        with pytest.raises(ValueError, match=words):
            model.change(*what) if do == "set" else model.give(*what)
    assert (model.digest(), (model.folder / LOG).read_text(), (model.folder / "config.resolved.yaml").read_text()) == (before, log, config)
    ahead(model, 5).end()


def test_the_folder_of_a_session_is_complete_and_reads_as_any_run(tmp_path):
    model = ahead(live(tmp_path), 130)
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    ahead(model, 65).end()
    run = load(model.folder)
    assert is_done(model.folder / "control" / "rep-000", verify=True)
    assert run.summary_rows()["stop_reason"][0] == "ended by hand at day -0.11"
    hours = list(run.series()["hour"])
    assert hours[0] == -6 and hours[-1] == pytest.approx(-6 + 195 / 60) and len(hours) == 5
    stored = load_config(model.folder / "config.resolved.yaml")
    assert stored.digest == model.config.digest and list(stored.arms) == ["control"]
    assert json.loads((model.folder / "provenance.json").read_text())["config_digest"] == model.config.digest
    assert not (model.folder / "run.lock").exists()
    with pytest.raises(RunError, match="is not empty"):
        live(tmp_path)


def test_a_run_that_reaches_its_horizon_is_complete_without_being_ended(tmp_path):
    text = live.__globals__["TEXT"].replace("horizon_day: 2", "horizon_day: 0.05").replace("day: [0, 1]", "day: 0").replace("day: 0.5", "day: 0")
    model = live(tmp_path, text=text)
    with Session(model) as session:
        told = session.step(hours=100)
        assert told["tick"] == 432 and session.about()["state"] == "ended"
        assert is_done(model.folder / "control" / "rep-000", verify=True) and model.log.lines[-1]["why"] == "horizon"
        with pytest.raises(ValueError, match="at its end"):
            session.give("drugs", name="rsl3", dose_mg_kg=3)


def test_commands_act_between_ticks_and_say_at_which(tmp_path):
    with Session(live(tmp_path)) as session:
        assert session.about()["state"] == "paused" and session.live.tick == 0
        assert session.step(ticks=3)["tick"] == 3
        assert session.step(hours=1)["tick"] == 63
        assert session.give("drugs", name="rsl3", dose_mg_kg=1)["line"]["tick"] == 63
        session.run()
        told = session.set("mechanisms.division.k_div", 0.0008)
        assert told["line"]["tick"] == told["tick"] >= 63
        at = session.pause()["tick"]
        assert at >= told["tick"] and session.about()["state"] == "paused" and session.live.tick == at
        for bad in ({"do": "fly"}, {"do": "step", "ticks": 0}, {"do": "step", "ticks": 1.5}, {"do": "step", "hours": -1}, {"do": "speed", "hours_per_s": 0}, {}):
            with pytest.raises(ValueError, match="expected"):
                session.ask(bad)
    _, differs = again(session.live, tmp_path)
    assert differs == []
    with pytest.raises(ValueError, match="this session has ended"):
        session.step()


def test_a_limited_speed_is_kept(tmp_path):
    import time

    with Session(live(tmp_path)) as session:
        session.step(ticks=5)
        begun = time.monotonic()
        session.ask({"do": "speed", "hours_per_s": 0.5})
        session.step(ticks=40)  # 40 min at half an hour a second
        assert time.monotonic() - begun > 0.7


def test_many_who_command_at_once_are_all_answered(tmp_path):
    with Session(live(tmp_path)) as session:
        session.run()
        values = [0.0004 + 0.00005 * k for k in range(6)]
        told = []
        threads = [threading.Thread(target=lambda v=v: told.append(session.set("mechanisms.division.k_div", v))) for v in values]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(x["line"]["value"] for x in told) == pytest.approx(values)
        ticks = [line["tick"] for line in session.interventions]
        assert len(ticks) == 6 and ticks == sorted(ticks)
    assert again(session.live, tmp_path)[1] == []


def test_a_model_that_fails_says_so_and_leaves_its_error(tmp_path, monkeypatch):
    model = live(tmp_path)
    session = Session(model)
    session.step(ticks=2)
    monkeypatch.setattr(model.model, "step", lambda: 1 / 0)
    session.step(ticks=1)
    assert session.about()["state"] == "failed" and "ZeroDivisionError" in session.about()["fault"]
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        session.run()
    session.end()
    assert "ZeroDivisionError" in (model.folder / "control" / "rep-000" / "error.txt").read_text()
    assert not (model.folder / "control" / "rep-000" / "DONE").exists() and not (model.folder / "run.lock").exists()


def test_a_session_that_was_cut_off_is_done_again_up_to_its_last_intervention(tmp_path):
    model = ahead(live(tmp_path), 30)
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    ahead(model, 10)
    log = model.folder / LOG
    with open(log, "a") as file:
        file.write('{"event": "set", "tick": 4')  # killed in the middle of a line
    second, differs = again(model, tmp_path)
    assert differs == [] and second.tick == 30
    model.end()


@pytest.mark.parametrize(("harm", "words"), [
    (lambda f: (f / START).unlink(), "has no config.start.yaml beside it"),
    (lambda f: (f / START).write_text((f / START).read_text().replace("n_cells: 60", "n_cells: 61")), "has changed"),
    (lambda f: (f / LOG).write_text("{}\n"), "live.jsonl:1: is no line of a live session"),
    (lambda f: (f / LOG).write_bytes(b"\xff\n"), "cannot be read"),
    (lambda f: (f / LOG).write_text(""), "holds no whole line"),
    (lambda f: (f / LOG).write_text((f / LOG).read_text().replace('"tick": 9', '"tick": -9')), "live.jsonl:2: tick is -9"),
    (lambda f: (f / LOG).write_text((f / LOG).read_text().replace("rsl3", "<b>rsl9")), "live.jsonl:2: <b>rsl9: name: unknown drug"),
    (lambda f: (f / LOG).write_text((f / LOG).read_text() + (f / LOG).read_text()), "begins with one line"),
])  # fmt: skip
def test_a_log_that_cannot_be_done_again_is_told_with_file_and_line(tmp_path, harm, words):
    model = ahead(live(tmp_path), 9)
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    model.end()
    harm(model.folder)
    with pytest.raises(RunError, match=words) as told:
        again(model, tmp_path)
    assert told.value.exit_code == 2


def test_one_arm_is_taken_with_all_that_it_uses_and_nothing_else(tmp_path):
    model = live(tmp_path, "treated")
    assert {a.name for a in model.model.therapy.agents} == {"rsl3", "anti_pdl1"} and list(model.config.arms) == ["treated"]
    model.end()
    with pytest.raises(RunError, match=r"no arm 'traeted'.*did you mean 'treated'"):
        one_arm(load_config(tmp_path / "small.yaml"), "traeted")
    first = free_folder(model.config, tmp_path)
    first.mkdir()
    assert free_folder(model.config, tmp_path).name == f"{first.name}-2"


def test_the_catalogue_offers_all_agents_of_the_library_with_what_they_need(tmp_path):
    model = live(tmp_path, "treated")
    offered, library = agents(model.config), model.config.library
    assert {k: {a["name"] for a in v} for k, v in offered.items()} == {k: set(getattr(library, k)) for k in offered}
    rsl3 = next(a for a in offered["drugs"] if a["name"] == "rsl3")
    assert rsl3["dose"] == 20 and "depot" in rsl3["routes"]
    heat = next(a for a in offered["events"] if a["name"] == "heat")
    assert heat["needs"] == ["minutes"] and set(heat["one_of"]) == {"celsius", "fluence_mw_cm2"}
    json.dumps(catalogue(model.config, model.model), allow_nan=False)
    model.end()
