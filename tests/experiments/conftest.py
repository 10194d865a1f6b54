"""A finished run of the made-up model, for comparison."""

from __future__ import annotations

import pytest
from fake_model import BRANCHED, QUIET

from tme.experiments import run


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The branched run in one piece, one process."""
    made = run(BRANCHED, tmp_path_factory.mktemp("reference") / "run", jobs=1, **QUIET)
    assert made.exit_code == 0
    return made
