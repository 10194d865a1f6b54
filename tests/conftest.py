"""Shared fixtures: one thread per process, since the suite runs on two cores in parallel."""

import os

import pytest

os.environ.setdefault("NUMBA_NUM_THREADS", "2")


def pytest_addoption(parser):
    parser.addoption("--neutral", metavar="ID", help="take this mechanism out and run the tests marked with it (tests/neutral.py)")
    parser.addoption(
        "--regenerate-golden", action="store_true", help="write tests/golden/golden.json anew; CHANGELOG.md must say why"
    )


def pytest_configure(config):
    """Under --neutral the whole session runs without that mechanism."""
    if config.getoption("--neutral"):
        from neutral import neutralised

        without = neutralised(config.getoption("--neutral"))
        without.__enter__()
        config.add_cleanup(lambda: without.__exit__(None, None, None))


def pytest_collection_modifyitems(config, items):
    """Under --neutral the tests marked with the id."""
    mid = config.getoption("--neutral")
    if mid:
        items[:] = [item for item in items if any(mid in mark.args for mark in item.iter_markers("mechanism"))]


@pytest.fixture
def tme(tmp_path, monkeypatch, capsys):
    """The command in an empty folder: its exit code, what it prints, what it complains of."""
    from tme import cli

    monkeypatch.chdir(tmp_path)

    def call(*args):
        try:
            cli.main([str(a) for a in args])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return call
