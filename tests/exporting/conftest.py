"""One made-up run for all tests of a file."""

from __future__ import annotations

import pytest
from made import make

import tme


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run."""
    return tme.load(make(tmp_path_factory.mktemp("runs") / "made-0123abcd"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, in which the test works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
