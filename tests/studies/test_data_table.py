"""The user's data table: what is right is read, what is wrong is told with its line."""

from __future__ import annotations

import math

import pytest

from tme.config import ConfigError
from tme.studies.data_table import read

ARMS, READOUTS = ("control", "drug"), ("tumour_alive", "tumour_volume_mm3", "cd8_per_mm2")


def rows_of(tmp_path, text, **how):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return read(path, ARMS, READOUTS, (-1.0, 7.0), **how)


def test_a_plain_table_is_read(tmp_path):
    one, two = rows_of(tmp_path, "# from a notebook\nday,readout,value,sd,arm\n\n0,tumour_alive,100,5,\n3,tumour_alive,200,,drug\n")
    assert (one.arm, one.readout, one.day, one.value, one.sd, one.fit) == ("control", "tumour_alive", 0.0, 100.0, 5.0, True)
    assert (two.arm, two.sd) == ("drug", None) and two.noise(0.2) == pytest.approx(0.2)


def test_values_above_zero_are_compared_as_logarithms_and_others_as_they_are(tmp_path):
    rows = rows_of(tmp_path, "day,readout,value,sd\n1,tumour_alive,100,10\n1,cd8_per_mm2,0,3\n2,cd8_per_mm2,50,3\n")
    assert [r.log for r in rows] == [True, False, False]
    assert rows[0].scaled(100.0) == pytest.approx(math.log(100)) and rows[0].noise(0.2) == pytest.approx(0.1)
    assert rows[0].unscaled(rows[0].scaled(37.0)) == pytest.approx(37.0) and math.isfinite(rows[0].scaled(0.0))
    assert rows[1].scaled(4.0) == 4.0 and rows[1].noise(0.2) == 3.0


def test_replicates_become_their_mean_with_its_standard_error(tmp_path):
    table = "day,readout,value,replicate\n1,tumour_alive,90,a\n1,tumour_alive,100,b\n1,tumour_alive,110,c\n1,cd8_per_mm2,0,a\n1,cd8_per_mm2,6,b\n"
    alive, cd8 = rows_of(tmp_path, table)
    assert alive.n == 3 and alive.value == pytest.approx((90 * 100 * 110) ** (1 / 3)) and alive.noise(0.2) == pytest.approx(0.1006 / math.sqrt(3), rel=0.01)
    assert (cd8.value, cd8.sd) == (3.0, pytest.approx(3.0))


def test_days_of_a_config_and_a_column_say_what_is_kept_out_of_the_fit(tmp_path):
    rows = rows_of(tmp_path, "day,readout,value,use\n1,tumour_alive,9,\n3,tumour_alive,9,\n5,tumour_alive,9,check\n6,tumour_alive,9,fit\n", check_days=(3, 6))
    assert [r.fit for r in rows] == [True, False, False, True]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 0, "", "is empty"),
        ("day,readout,value\n", 1, "", "has a header and no rows"),
        ("day,readout,valu\n1,tumour_alive,3\n", 1, "valu", "did you mean 'value'"),
        ("day,value\n1,3\n", 1, "readout", "missing column"),
        ("day,day,readout,value\n1,1,tumour_alive,3\n", 1, "day", "two columns"),
        ("day,readout,value\n1,tumour_aliv,3\n", 2, "readout", "did you mean 'tumour_alive'"),
        ("day,readout,value\n1,tumour_alive,3\n9,tumour_alive,3\n", 3, "day", "beyond the horizon; expected days from -1 to 7"),
        ("day,readout,value\n-2,tumour_alive,3\n", 2, "day", "before the start"),
        ("day,readout,value\none,tumour_alive,3\n", 2, "day", "is 'one'"),
        ("day,readout,value\n1,tumour_alive,nan\n", 2, "value", "finite number"),
        ("day,readout,value\n1,tumour_alive,\n", 2, "value", "is empty"),
        ("day,readout,value\n1,tumour_alive\n", 2, "", "has 2 fields"),
        ("day,readout,value,sd\n1,tumour_alive,3,-1\n", 2, "sd", "0 or more"),
        ("day,readout,value,arm\n1,tumour_alive,3,drg\n", 2, "arm", "did you mean 'drug'"),
        ("day,readout,value,use\n1,tumour_alive,3,chek\n", 2, "use", "did you mean 'check'"),
        ("day,readout,value,relative_to_day\n1,tumour_alive,3,1\n", 2, "relative_to_day", "another day"),
        ("day,readout,value,relative_to_day\n1,tumour_alive,3,8\n", 2, "relative_to_day", "beyond the horizon"),
        ("day,readout,value,use\n1,tumour_alive,3,fit\n1,tumour_alive,4,check\n", 3, "use", "at once"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(tmp_path, text, line, column, words):
    with pytest.raises(ConfigError) as told:
        rows_of(tmp_path, text)
    fault = told.value.faults[0]
    assert fault.file.endswith("data.csv") and (fault.line, fault.key) == (line, column) and words in str(fault)


def test_all_faults_are_told_at_once_and_a_missing_file_too(tmp_path):
    with pytest.raises(ConfigError) as told:
        rows_of(tmp_path, "day,readout,value\n9,tumour_aliv,x\n8,tumour_alive,1\n")
    assert [f.line for f in told.value.faults] == [2, 2, 2, 3]
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "nothing.csv", ARMS, READOUTS, (-1.0, 7.0))
