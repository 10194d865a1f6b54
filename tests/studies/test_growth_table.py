"""Tables of measured growth: units, what is around a value, replicates, and what is told of a wrong one."""

from __future__ import annotations

import pytest

from tme.config import ConfigError
from tme.studies import growth_table

ARMS, READOUTS = ["control", "combination"], list(growth_table.SIZES)


def read(tmp_path, text, readouts=READOUTS):
    path = tmp_path / "growth.csv"
    path.write_text(text, encoding="utf-8")
    return growth_table.read(path, ARMS, readouts)


def faults(tmp_path, text, readouts=READOUTS):
    with pytest.raises(ConfigError) as told:
        read(tmp_path, text, readouts)
    return {(f.line, f.key): f for f in told.value.faults}


def test_units_say_which_column_a_value_is_of(tmp_path):
    found = read(tmp_path, "day,value,unit,arm\n1,900,cells,control\n2,0.5,mm2,combination\n3,2,mm3,\n4,1.5,relative,control\n")
    assert [(p.readout, p.arm, p.relative_to_day) for p in found] == [
        ("tumour_alive", "control", None), ("tumour_area_mm2", "combination", None), ("tumour_volume_mm3", "control", None), ("tumour_volume_mm3", "control", 0.0),
    ]  # fmt: skip


def test_a_multiple_is_of_what_the_run_recorded(tmp_path):
    (one,) = read(tmp_path, "day,value,unit,relative_to_day\n4,1.5,relative,1\n", ["tumour_alive"])
    assert (one.readout, one.relative_to_day) == ("tumour_alive", 1.0)


def test_a_table_of_calibrate_is_read_too(tmp_path):
    (one,) = read(tmp_path, "# from a paper\nday,readout,value,sd,use\n4,tumour_alive,900,80,check\n")
    assert (one.low, one.high) == (820, 980)


def test_error_low_and_high_stand_around_the_value(tmp_path):
    a, b = read(tmp_path, "day,value,unit,error,low,high\n1,10,mm3,2,,\n2,10,mm3,,7,15\n")
    assert (a.low, a.high, b.low, b.high) == (8, 12, 7, 15)


def test_replicates_of_one_day_become_their_mean_with_its_error(tmp_path):
    (one,) = read(tmp_path, "day,value,unit,replicate\n1,8,mm3,a\n1,8,mm3,b\n1,8,mm3,c\n")
    assert (one.n, one.value, one.low, one.high) == pytest.approx((3, 8, 8, 8))


def test_every_fault_is_told_with_its_line_and_the_nearest_name(tmp_path):
    found = faults(tmp_path, "day,value,unit,arm,sd,low,high\n0,x,mm3,contrl,,,\n1,2,mm9,control,-1,,\n2,,cells,,,,\n3,2,,,,,\n4,2,mm3,,,3,4\n5,2,mm3,,,1,\n6,2,mm3,,1,1,3\n7,2\n")
    assert {line for line, _ in found} == {2, 3, 4, 5, 6, 7, 8, 9}
    assert "did you mean 'control'" in str(found[2, "arm"]) and "did you mean 'mm3'" in str(found[3, "unit"])
    assert {(2, "value"), (3, "sd"), (4, "value"), (5, "unit"), (6, "value"), (7, "high"), (8, "low")} <= set(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("day,value,unit\n", "has a header and no rows"),
        ("day,unit\n1,mm3\n", "missing column"),
        ("day,value,units\n1,2,mm3\n", "did you mean 'unit'"),
        ("day,value,readout\n1,2,cd8\n", "unknown readout 'cd8'"),
        ("day,value,readout,unit\n1,2,tumour_alive,mm3\n", "tumour_volume_mm3, or no unit"),
        ("day,value,unit\n0,2,relative\n", "1 there"),
    ],
)
def test_tables_that_cannot_be_growth_are_refused(tmp_path, text, words):
    assert any(words in str(f) for f in faults(tmp_path, text).values())
