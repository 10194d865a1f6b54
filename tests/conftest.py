"""Shared fixtures: one thread per process, since the suite runs on two cores in parallel."""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "2")


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate-golden", action="store_true", help="write tests/golden/golden.json anew; CHANGELOG.md must say why"
    )
