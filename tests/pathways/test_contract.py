"""The contract of a pathway: a table and two functions are enough, wrong ones are refused, written kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sugar
from dishes import Cells
from scipy.integrate import solve_ivp

from tme.core.device import DeviceError
from tme.kernels.elementary import law
from tme.kernels.source_digest import closure, digest
from tme.library import load_library
from tme.pathways import PATHWAYS, device, runs, store, write
from tme.pathways.contract import State, plain

ROOT = Path(__file__).parents[2]


def exact(pathway, cells, hours):
    """LSODA on the very laws of a table, as `contract` reads them."""
    p, names = cells.p, {g.name: cells.col[g.name][0] for g in pathway.given}
    neutral = {f"{t.name.split('.')[1]}_{'factor' if t.effect == 'multiplies' else 'added'}": t.neutral for t in pathway.terms}

    def call(law_, known):
        f = plain(law_)
        return f(*(known[n] for n in f.__code__.co_varnames[: f.__code__.co_argcount]))

    def derivative(_t, y):
        known = {"p": p, "alive": 1.0, **names, **neutral, **{s.var: v for s, v in zip(pathway.states, y)}}
        known |= dict(zip(pathway.frozen, call(pathway.conditions, known)))
        out = []
        for s, v, rate in zip(pathway.states, y, call(pathway.rates, known)):
            if s.loss is not None:
                out.append(call(s.loss, known) * (rate - v))
            else:
                out.append(rate[0] + rate[1] * v if s.kind == "grow" else rate[0] - rate[1] * v)
        return out

    start = [cells.col[n][0] for n in pathway.state_names]
    return solve_ivp(derivative, (0, hours * 60), start, method="LSODA", rtol=1e-9, atol=1e-12).y[:, -1]


@pytest.mark.parametrize("pathway", [sugar.PATHWAY, *PATHWAYS.values()], ids=lambda p: p.name)
def test_kernels_written_from_a_table_follow_its_equations(pathway):
    cells = Cells(pathway)
    there = exact(pathway, cells, 6)
    cells.run(6, dt=1.0, resting_every=1)
    np.testing.assert_allclose([cells.col[n][0] for n in pathway.state_names], there, rtol=2e-3, atol=1e-9)


def test_a_users_pathway_is_short():
    assert len((Path(__file__).parent / "sugar.py").read_text().splitlines()) <= 75
    code = [line for line in (Path(__file__).parent / "sugar.py").read_text().splitlines() if line.strip()]
    assert len(code) <= 60


@law
def rates_with_atp(p, g, n, a, uptake, xct):
    """Those of `sugar`, and ATP."""
    made = p.k_ppp * g
    spent = p.k_spend * (1.0 + xct)
    return (uptake, p.k_use + p.k_ppp), (made, spent), xct / (1.0 + n), (2.0 * p.k_use * g, 0.1 + 0.0 * a)


def test_a_state_is_added_by_one_line_and_its_rate():
    longer = replace(sugar.PATHWAY, states=(*sugar.PATHWAY.states, State("atp_made", "uM", "A", about="ATP")), rates=rates_with_atp)
    cells = Cells(longer)
    there = exact(longer, cells, 6)
    cells.run(6, resting_every=1)
    assert cells.col["atp_made"][0] == pytest.approx(there[-1], rel=1e-3) and there[-1] > 10.0


@pytest.mark.parametrize(("change", "message"), [
    ({"frozen": ("uptak",)}, "rates asks for 'uptake', which the table has not; it has"),
    ({"damage": "bond"}, "damage is 'bond', which is no state of it"),
    ({"cause": 0}, "cells die of its damage of cause 0; expected the cause under which deaths are counted: 1 ferroptosis"),
    ({"cause": 7}, "cells die of its damage of cause 7; expected .* 6 disulfidptosis"),
    ({"frozen": ("uptake", "xct")}, "two entries of its table have one name in laws"),
])  # fmt: skip
def test_a_table_that_does_not_fit_its_laws_is_refused(change, message):
    with pytest.raises(ValueError, match=f"pathway sugar: .*{message}"):
        replace(sugar.PATHWAY, **change)


def test_a_law_inside_a_function_is_refused():
    @law
    def inner(p, b):
        return b > 0.1

    with pytest.raises(ValueError, match="inner is defined inside a function"):
        replace(sugar.PATHWAY, awake=inner)


def test_pathways_keep_their_columns_and_clocks_apart():
    """No two pathways of a cell type write one column."""
    every = runs(load_library().cells)
    for cells in {e.cells for e in every}:
        written = [c for e in every if e.cells == cells for c in (*e.pathway.state_names, e.pathway.ticker)]
        assert len(set(written)) == len(written)


# ---- the files -------------------------------------------------------------------------------------------------
@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(store.numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(store.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def test_a_text_has_one_file_however_many_ask_for_it(cache_folder):
    text, found = write.source(sugar.PATHWAY), []
    threads = [threading.Thread(target=lambda: found.append(store.kept("sugar", text))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(found)) == 1 and found[0].read_text() == text
    assert [p.name for p in found[0].parent.iterdir()] == [found[0].name]


def test_half_a_file_is_written_anew(cache_folder):
    text = write.source(sugar.PATHWAY)
    path = store.kept("sugar", text)
    path.write_text(text[:100])
    assert store.kept("sugar", text) == path and path.read_text() == text


@pytest.mark.parametrize("blocked", [1, 2])
def test_where_the_cache_cannot_be_written_another_folder_is_taken(cache_folder, blocked):
    (cache_folder / "temporary").mkdir()
    for folder in store.folders()[:blocked]:
        folder.parent.write_text("a file where a folder should be")
    path = store.kept("sugar", write.source(sugar.PATHWAY))
    assert path.is_file() and not path.is_relative_to(store.folders()[0])
    assert path.is_relative_to(store.folders()[1]) == (blocked == 1)


def test_compiled_code_depends_on_the_file_of_the_laws():
    path = Path(store.kernels(PATHWAYS["ferroptosis"]).__file__)
    names = {p.name for p in closure(path)}
    assert {"ferroptosis.py", "ferroptosis_parameters.py", "chemistry.py", "elementary.py", path.name} <= names
    assert digest(path) != digest(store.kernels(PATHWAYS["cuproptosis"]).__file__)


def test_a_users_laws_are_part_of_the_text(tmp_path, monkeypatch):
    before = write.source(sugar.PATHWAY)
    other = tmp_path / "sugar.py"
    other.write_text(Path(sugar.__file__).read_text() + "\n# edited\n")
    monkeypatch.setattr(write.inspect, "getsourcefile", lambda _f: str(other))
    assert write.source(sugar.PATHWAY) != before


def test_the_same_text_comes_out_of_every_process():
    code = "from tme.pathways import PATHWAYS, write; import hashlib; print(*(hashlib.sha256(write.source(p, m).encode()).hexdigest() for p in PATHWAYS.values() for m in (False, True)))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}
    seen = {subprocess.run([sys.executable, "-c", code], env={**env, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout for seed in "12"}
    assert len(seen) == 1


def test_a_written_file_can_be_read():
    for pathway in PATHWAYS.values():
        for modulated in (False, True):
            lines = write.source(pathway, modulated).splitlines()
            assert max(map(len, lines)) <= 200 and len(lines) < 450


# ---- the device ------------------------------------------------------------------------------------------------
def test_a_pathway_that_the_device_lacks_is_refused_by_name():
    with pytest.raises(DeviceError, match="the pathway sugar has no device kernel") as error:
        device.DeviceStepper(replace(sugar.PATHWAY, device=False), modulated=False)
    assert error.value.exit_code == 2
