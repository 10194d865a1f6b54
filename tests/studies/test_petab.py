"""PEtab in and out: what can be represented comes back as it went, the rest is listed, what is wrong is told with its line."""

from __future__ import annotations

import math

import pytest

from tme.config import ConfigError
from tme.studies import petab
from tme.studies.data_table import Row
from tme.studies.ranges import Range

ARMS, READOUTS, DAYS = ("control", "drug"), ("tumour_alive", "cd8_per_mm2"), (-1.0, 7.0)
TABLES = {
    "parameters": "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
    "mechanisms__division__k_div\tlog10\t1e-4\t1e-3\t4e-4\t1\nmechanisms__killing__k_hit\tlin\t0\t1\t0.08\t0\n",
    "conditions": "conditionId\tconditionName\ncontrol\tuntreated\ndrug\t\n",
    "observables": "observableId\tobservableFormula\tobservableTransformation\tnoiseFormula\nalive\ttumour_alive\tlog10\tnoiseParameter1_alive\ncd8\tcd8_per_mm2\t\t4\n",
    "measurements": "observableId\tsimulationConditionId\tmeasurement\ttime\tnoiseParameters\nalive\tcontrol\t100\t1\t0.1\nalive\tdrug\t50\t3\t0.1\ncd8\tdrug\t30\t3\t\n",
}


def problem_in(folder, **changed):
    for name, text in TABLES.items():
        old, new = changed.get(name, ("", ""))
        assert old in text
        (folder / f"{name}.tsv").write_text(text.replace(old, new, 1) if old else text)
    path = folder / "problem.yaml"
    path.write_text("format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- {sbml_files: [], condition_files: [conditions.tsv], observable_files: [observables.tsv], measurement_files: [measurements.tsv]}\n")
    return path


def read(path):
    return petab.read(path, ARMS, READOUTS, DAYS, ())


def test_a_problem_is_read(tmp_path):
    found = read(problem_in(tmp_path))
    assert [(r.arm, r.readout, r.day, r.value) for r in found.rows] == [("control", "tumour_alive", 1.0, 100.0), ("drug", "tumour_alive", 3.0, 50.0), ("drug", "cd8_per_mm2", 3.0, 30.0)]
    assert found.rows[0].log and found.rows[0].noise(0.2) == pytest.approx(0.1 * math.log(10)) and found.rows[2].noise(0.2) == 4.0
    (k_div,) = found.parameters
    assert (k_div.key, k_div.low, k_div.high, k_div.scale) == ("mechanisms.division.k_div", 1e-4, 1e-3, "log")
    assert found.fixed == {"mechanisms.killing.k_hit": 0.08} and found.left_out == []


def test_what_is_written_is_read_again(tmp_path):
    rows = [Row("control", "tumour_alive", 3.0, 240.0, 24.0, 0.0, True, True), Row("drug", "cd8_per_mm2", 5.0, 0.0, 3.0, None, False), Row("drug", "tumour_alive", 5.0, 80.0, 8.0, None, True, True)]
    ranges = [Range("mechanisms.division.k_div", 1e-4, 1e-3, 4e-4, "log"), Range("entries.drugs.rsl3.plasma_half_life_min", 20.0, 60.0, 30.0)]
    petab.write(tmp_path / "petab", "mine", rows, ranges, 0.2, [3e-4, 41.0])
    found = read(tmp_path / "petab" / "mine.yaml")
    assert [(r.arm, r.readout, r.day, r.value, r.relative_to_day, r.fit, r.log) for r in found.rows] == [(r.arm, r.readout, r.day, r.value, r.relative_to_day, r.fit, r.log) for r in rows]
    assert [r.sd for r in found.rows] == pytest.approx([r.sd for r in rows])
    assert [(p.key, p.low, p.high, p.scale) for p in found.parameters] == [(r.key, r.low, r.high, r.scale) for r in ranges]
    assert "3e-04" in (tmp_path / "petab" / "parameters.tsv").read_text() or "0.0003" in (tmp_path / "petab" / "parameters.tsv").read_text()
    said = (tmp_path / "petab" / "left_out.txt").read_text()
    assert "no SBML" in said and "relativeToDay" in said and "column use" in said


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        ("observables", "\ttumour_alive\tlog10", "\ttumour_alive + cd8_per_mm2\tlog10", "no readout"),
        ("observables", "noiseFormula\nalive\ttumour_alive\tlog10\tnoiseParameter1_alive", "noiseFormula\tnoiseDistribution\nalive\ttumour_alive\tlog10\tnoiseParameter1_alive\tlaplace", "not normal"),
        ("measurements", "\ttime\tnoiseParameters\nalive\tcontrol\t100\t1\t", "\ttime\tnoiseParameters\nalive\tcontrol\t100\tinf\t", "time inf"),
        ("measurements", "alive\tcontrol\t100\t1\t0.1", "alive\tcontrol\t100\t1\tsigma", "study.noise"),
        ("parameters", "mechanisms__killing__k_hit\tlin\t0\t1\t0.08\t0", "sd_alive\tlin\t0\t1\t0.08\t1", "no dotted key"),
        ("conditions", "conditionName\ncontrol\tuntreated", "glucose\ncontrol\t5", "changes glucose"),
    ],
)
def test_what_cannot_be_represented_is_listed(tmp_path, table, old, new, words):
    found = read(problem_in(tmp_path, **{table: (old, new)}))
    assert found.rows and any(words in note for note in found.left_out)


def test_a_prior_that_is_not_even_is_listed(tmp_path):
    (tmp_path / "x").mkdir()
    path = problem_in(tmp_path / "x", parameters=("\testimate\nmechanisms__division__k_div\tlog10\t1e-4\t1e-3\t4e-4\t1", "\testimate\tobjectivePriorType\nmechanisms__division__k_div\tlog10\t1e-4\t1e-3\t4e-4\t1\tlaplace"))
    assert "laplace" in read(path).left_out[0]


def test_measurements_of_one_value_are_averaged(tmp_path):
    path = problem_in(tmp_path, measurements=("alive\tcontrol\t100\t1\t0.1\n", "alive\tcontrol\t100\t1\t0.1\nalive\tcontrol\t400\t1\t0.1\n"))
    first = read(path).rows[0]
    assert first.value == pytest.approx(200.0) and first.n == 2 and first.noise(0.2) == pytest.approx(0.1 * math.log(10) / math.sqrt(2))


@pytest.mark.parametrize(
    ("table", "old", "new", "line", "words"),
    [
        ("measurements", "alive\tdrug\t50\t3", "alive\tdrug\t50\t30", 3, "beyond the horizon"),
        ("measurements", "alive\tdrug\t50", "alife\tdrug\t50", 3, "did you mean 'alive'"),
        ("measurements", "alive\tdrug\t50", "alive\tdrg\t50", 3, "did you mean 'drug'"),
        ("measurements", "alive\tdrug\t50", "alive\tdrug\t-50", 3, "above 0"),
        ("measurements", "alive\tdrug\t50", "alive\tdrug\tmany", 3, "a number"),
        ("measurements", "measurement\ttime", "measurment\ttime", 1, "missing column"),
        ("conditions", "drug\t", "durg\t", 3, "unknown condition 'drug'"),
        ("parameters", "log10\t1e-4\t1e-3", "log10\t1e-2\t1e-3", 2, "turned round"),
        ("parameters", "log10\t1e-4", "log10\t0", 2, "bounds above 0"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path, table, old, new, line, words):
    with pytest.raises(ConfigError) as told:
        read(problem_in(tmp_path, **{table: (old, new)}))
    if table == "conditions":
        assert words in str(told.value)
        return
    fault = told.value.faults[0]
    assert fault.file.endswith(f"{table}.tsv") and fault.line == line and words in str(fault)


def test_a_condition_that_is_no_arm_and_a_file_that_is_no_problem_are_refused(tmp_path):
    path = problem_in(tmp_path)
    with pytest.raises(ConfigError, match=r"conditions.tsv:3: conditionId: 'drug' is no arm"):
        petab.read(path, ("control", "drugs"), READOUTS, DAYS, ())
    path.write_text("format_version: 2.0.0\n")
    with pytest.raises(ConfigError, match="format version 1"):
        read(path)
    path.write_text("format_version: 1\nparameter_file: nothing.tsv\nproblems: [{condition_files: [conditions.tsv], observable_files: [observables.tsv], measurement_files: [measurements.tsv]}]\n")
    with pytest.raises(ConfigError, match=r"nothing.tsv: cannot be read"):
        read(path)
