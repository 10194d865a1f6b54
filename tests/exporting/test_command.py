"""`tme export`: exit codes and messages; bad input writes nothing."""

from __future__ import annotations

import pytest


def test_the_path_is_printed_and_remarks_go_to_the_other_stream(tme, run, place):
    code, out, err = tme("export", run.path, "--to", "openvt", "--arm", "control", "--replicate", 0)
    assert (code, out) == (0, "made-0123abcd-openvt.csv\n") and (place / "made-0123abcd-openvt.csv").is_file()
    assert "cellType 2: tumour" in err and "simID 0: control, replicate 0" in err and "3 snapshots; OpenVT asks for 101" in err


@pytest.mark.parametrize(("args", "words"), [
    (("--to", "hdf5"), "'hdf5' is not one of 'h5ad', 'csv', 'zarr', 'vtk', 'sbml', 'openvt', 'ro-crate'"),
    ((), "Missing option '--to'"),
    (("--to", "csv", "--arm", "contrl"), "did you mean 'control'"),
    (("--to", "csv", "--hour", "1"), "expected one of 0, 24, 36.5"),
    (("--to", "csv", "--replicate", "-1"), "'--replicate'"),
    (("--to", "h5ad", "--out", "no/such/x.h5ad"), "--out: there is no folder no/such"),
    (("--to", "ro-crate", "--arm", "control"), "--arm: ro-crate is of the whole run"),
])  # fmt: skip
def test_bad_input_exits_2_says_why_and_writes_nothing(tme, run, place, args, words):
    code, out, err = tme("export", run.path, *args)
    assert code == 2 and words in err and "Traceback" not in err and not out and not list(place.iterdir())


def test_what_is_no_run_is_refused(tme, place):
    code, _out, err = tme("export", place, "--to", "csv")
    assert code == 2 and "no run directory" in err
