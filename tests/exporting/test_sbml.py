"""SBML of every pathway: the document is sound, and simulated by others cells die when ours do."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tme.exporting.odes import Odes
from tme.exporting.sbml import document
from tme.exporting.trace import NoFormula, made, name, run, shared, symbolic, text_of
from tme.kernels.elementary import law, power
from tme.pathways import PATHWAYS, RUNS, stepping

TOLERANCE_MIN = 2.0  # as the contract of the chemistry: death times within 2 min
NS = {"s": "http://www.sbml.org/sbml/level3/version2/core", "m": "http://www.w3.org/1998/Math/MathML"}
ENTRIES = {e.name: e for e in RUNS}
DEATHS = {  # what is set before the simulation
    "ferroptosis": {
        "untreated": {}, "RSL3 1": {"e_gpx4": 0.08}, "RSL3 0.1": {"e_gpx4": 0.008}, "erastin 10": {"e_xct": (10 / 0.16) ** 1.5}, "no cystine": {"cystine": 0.0},
        "iron 1": {"j_fe": 1.0}, "RSL3 1 + Fer-1": {"e_gpx4": 0.08, "e_trap": 20.0}, "RSL3 0.02 + iFSP1": {"e_gpx4": 0.0016, "e_fsp1": 10.0},
        "IFN 10 + AA 35": {"ifng": 10.0, "aa": 35.0}, "erastin at 1 mmHg": {"e_xct": 500.0, "oxygen": 1.0}, "signal": {"e_xct": 500.0, "peroxide": 0.5},
    },
    "cuproptosis": {"untreated": {}, "elesclomol 0.04": {"j_cu": 0.014}, "elesclomol 0.1": {"j_cu": 0.035}, "the same, GSH 10 %": {"j_cu": 0.014, "gsh": 260.0}},
    "disulfidptosis": {
        "untreated": {}, "no glucose, SLC7A11 3": {"glucose_outside": 0.1, "xct": 3.0}, "no glucose": {"glucose_outside": 0.0},
        "no glucose, erastin": {"glucose_outside": 0.0, "xct": 3.0, "e_xct": 5.0}, "NRF2 3": {"glucose_outside": 0.1, "nrf2": 3.0},
    },
}  # fmt: skip
HOURS = 72


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def numbers(pathway, **changes):
    """Parameters by name."""
    return {**pathway.parameters.build()._asdict(), **changes}


@pytest.fixture(scope="module")
def documents():
    """SBML of each pathway."""
    return {n: document(e, Odes.of(e.pathway, numbers(e.pathway))) for n, e in ENTRIES.items()}


def ours(pathway, cases):
    """Minutes to death by the kernels, from the steady state at the table's inputs; nan for a cell alive at the end."""
    n, p = len(cases), pathway.parameters.build()
    col = {s.name: np.full(n, s.start) for s in pathway.states} | {g.name: np.full(n, float(g.default)) for g in pathway.given}
    state, clock, death = np.zeros(n, np.int8), np.zeros(n, np.int32), np.full(n, math.nan)
    stepping.settle(pathway, n, p, state, *col.values())
    for i, changes in enumerate(cases):
        for key, value in changes.items():
            col[key][i] = value
    rows = np.arange(n, dtype=np.int64)
    for minute in range(1, HOURS * 60 + 1):
        stepping.advance(pathway, rows, n, minute, 1.0, p, state, clock, *col.values())
        new = (col[pathway.damage] >= 1.0) & (state == 0)
        state[new], death[new] = pathway.cause, minute
    return death


# ---- the document, read by hand --------------------------------------------------------------------------------------------
OPERATORS = {"plus": "+", "minus": "-", "times": "*", "divide": "/", "power": "**"}


def expression(node):
    """A MathML element as a Python expression."""
    tag = node.tag.split("}")[1]
    if tag == "math":
        return expression(node[0])
    if tag == "ci":
        return node.text
    if tag == "cn":
        return f"{node.text}e{node[0].tail}" if node.get("type") == "e-notation" else node.text
    if tag == "piecewise":
        piece, otherwise = node
        return f"({expression(piece[0])} if {expression(piece[1])} else {expression(otherwise[0])})"
    assert tag == "apply", tag
    what, parts = node[0].tag.split("}")[1], [expression(n) for n in node[1:]]
    if what == "gt":
        return f"({parts[0]} > {parts[1]})"
    return f"({f' {OPERATORS[what]} '.join(parts)})" if what in OPERATORS else f"{what}({parts[0]})"


def simulated(text, changes, damage):
    """Minutes to death of the document's equations by LSODA."""
    model = ET.fromstring(text).find("s:model", NS)
    values = {p.get("id"): float(p.get("value")) for p in model.iter(f"{{{NS['s']}}}parameter") if p.get("value")}
    values |= {s.get("id"): float(s.get("initialConcentration")) for s in model.iter(f"{{{NS['s']}}}species")}
    rates = {r.get("variable"): expression(r[0]) for r in model.iter(f"{{{NS['s']}}}rateRule")}
    waiting = {r.get("variable"): expression(r[0]) for r in model.iter(f"{{{NS['s']}}}assignmentRule")}
    start = [values.pop(s) for s in rates]
    scope = {"ln": math.log, "exp": math.exp, "root": math.sqrt, **values, **changes}
    lines = [f"    {', '.join(rates)}, = y", *(f"    {k} = {e}" for k, e in waiting.items()), f"    return [{', '.join(rates.values())}]"]
    exec("def derivative(t, y):\n" + "\n".join(lines), scope)
    end = lambda _t, y: y[list(rates).index(damage)] - 1.0  # noqa: E731
    end.terminal = True
    found = solve_ivp(scope["derivative"], (0, HOURS * 60), start, method="LSODA", rtol=1e-7, atol=1e-10, events=end)
    return found.t_events[0][0] if len(found.t_events[0]) else math.nan


@pytest.mark.parametrize("pathway", DEATHS)
def test_cells_of_the_document_die_when_ours_do(documents, pathway):
    cases, damage = DEATHS[pathway], PATHWAYS[pathway].damage
    exact = [simulated(documents[pathway], changes, damage) for changes in cases.values()]
    found = ours(PATHWAYS[pathway], list(cases.values()))
    told = dict(zip(cases, zip(exact, found)))
    assert all(math.isnan(a) == math.isnan(b) and not abs(a - b) > TOLERANCE_MIN for a, b in told.values()), told
    assert any(a > 0 for a in exact) and any(math.isnan(a) for a in exact)


@pytest.mark.parametrize("pathway", DEATHS)
@pytest.mark.skipif(find_spec("roadrunner") is None, reason="libRoadRunner is not installed")
def test_libroadrunner_simulates_the_same_death_times(documents, pathway):
    import roadrunner

    cases, times = DEATHS[pathway], []
    for changes in cases.values():
        model = roadrunner.RoadRunner(documents[pathway])
        model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-8, 1e-10
        for key, value in changes.items():
            model[key] = value
        model.simulate(0, HOURS * 60, HOURS + 1)
        times.append(model["death_time"] if model["alive"] == 0 else math.nan)
    told = dict(zip(cases, zip(times, ours(PATHWAYS[pathway], list(cases.values())))))
    assert all(math.isnan(a) == math.isnan(b) and not abs(a - b) > TOLERANCE_MIN for a, b in told.values()), told


@pytest.mark.parametrize("pathway", DEATHS)
@pytest.mark.skipif(find_spec("libsbml") is None, reason="libSBML is not installed")
def test_libsbml_finds_no_error(documents, pathway):
    import libsbml

    read = libsbml.readSBMLFromString(documents[pathway])
    read.checkConsistency()
    errors = [read.getError(k).getMessage() for k in range(read.getNumErrors()) if read.getError(k).getSeverity() >= libsbml.LIBSBML_SEV_ERROR]
    assert not errors and read.getLevel() == 3 and read.getVersion() == 2


@pytest.mark.parametrize("pathway", DEATHS)
def test_everything_that_is_asked_for_is_declared_once(documents, pathway):
    model = ET.fromstring(documents[pathway]).find("s:model", NS)
    ids = [e.get("id") for tag in ("parameter", "species", "compartment") for e in model.iter(f"{{{NS['s']}}}{tag}")]
    assert len(ids) == len(set(ids))
    assert {c.text for c in model.iter(f"{{{NS['m']}}}ci")} <= set(ids)
    ruled = [r.get("variable") for tag in ("rateRule", "assignmentRule") for r in model.iter(f"{{{NS['s']}}}{tag}")]
    assert len(ruled) == len(set(ruled)) and {s.name for s in PATHWAYS[pathway].states} <= set(ruled)
    units = {u.get("id") for u in model.iter(f"{{{NS['s']}}}unitDefinition")} | {"dimensionless", None}
    assert {p.get("units") for p in model.iter(f"{{{NS['s']}}}parameter")} <= units


def test_numbers_and_traits_are_those_of_the_run_and_hostile_words_are_escaped():
    entry = ENTRIES["disulfidptosis"]
    odes = Odes.of(entry.pathway, numbers(entry.pathway, k_ppp=0.123), {"xct": 2.5})
    odd = SimpleNamespace(name="odd", about="<script>&\"'\x00", pathway=entry.pathway)
    model = ET.fromstring(document(odd, odes)).find("s:model", NS)
    values = {p.get("id"): p.get("value") for p in model.iter(f"{{{NS['s']}}}parameter")}
    assert values["k_ppp"] == "0.123" and values["xct"] == "2.5" and model.get("name") == "<script>&\"'\ufffd"


def test_a_run_gives_a_file_for_each_pathway_of_the_tumour_and_those_of_others_that_are_on(tmp_path):
    import tme
    from tme.exporting import export

    folder = tmp_path / "run"
    folder.mkdir()
    config = "horizon_day: 1\nname: x\ndomain: {size_um: [300, 300]}\ninitial: {kind: nodule, n_cells: 9}\nmechanisms: {ferroptosis: {v_x: 20}, ferroptosis_cd8: {on: true}}\narms: {control: {}}\n"
    (folder / "config.resolved.yaml").write_text(config)
    out, _ = export(tme.load(folder), "sbml", tmp_path / "out")
    assert {p.stem for p in out.iterdir()} == {*PATHWAYS, "ferroptosis_cd8"}
    found = {}
    for stem in ("ferroptosis", "ferroptosis_cd8"):
        model = ET.parse(out / f"{stem}.xml").getroot().find("s:model", NS)
        found[stem] = {p.get("id"): p.get("value") for p in model.iter(f"{{{NS['s']}}}parameter")}
    assert found["ferroptosis"]["v_x"] == "20.0" and found["ferroptosis_cd8"]["v_x"] == "24.0" and found["ferroptosis_cd8"]["fsp1"] == "0.5"


def test_code_that_a_run_names_does_not_run_unasked(tmp_path):
    import tme
    from tme.experiments import RunError
    from tme.exporting import export

    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "bomb.py").write_text("raise SystemExit('ran')\n")
    (folder / "config.resolved.yaml").write_text("horizon_day: 1\nname: x\ndomain: {size_um: [300, 300]}\ninitial: {kind: nodule, n_cells: 9}\nplugins: [bomb.py]\n")
    with pytest.raises(RunError, match="--allow-plugins") as refused:
        export(tme.load(folder), "sbml", tmp_path / "out")
    assert refused.value.exit_code == 2 and not (tmp_path / "out").exists()


# ---- formulas ----------------------------------------------------------------------------------------------------------------
@law
def curved(x, y):
    """A law that calls another."""
    return power(x, 2.0) / (1.0 + twice(y)) - 0.0


@law
def twice(x):
    """Twice x."""
    return 2.0 * x


@law
def branching(x):
    """A law that no formula holds."""
    return x if x > 1.0 else 1.0


def test_a_law_becomes_the_formula_that_it_computes():
    formula = symbolic(curved)(name("a"), name("b"))
    assert text_of(formula) == "((a ** 2.0) / (1.0 + (2.0 * b)))"
    assert eval(text_of(formula), {"a": 3.0, "b": 0.5}) == pytest.approx(curved(3.0, 0.5), rel=1e-12)


def test_a_law_that_branches_is_refused_by_name():
    with pytest.raises(NoFormula, match="the law branching cannot be written as a formula: it decides by a comparison"):
        run(branching, {"x": name("x")})


def test_parts_that_occur_twice_get_a_name():
    part = made("+", name("a"), 1.0)
    found = shared({"x": made("*", part, part), "y": part}, "part_")
    assert {k: text_of(f) for k, f in found.items()} == {"part_1": "(a + 1.0)", "x": "(part_1 * part_1)", "y": "part_1"}
