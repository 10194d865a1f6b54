"""Shared fixtures: one thread per process, since the suite runs on two cores in parallel."""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "2")
