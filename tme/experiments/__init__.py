"""Experiments: arms x replicates x sweep points, run safely into a directory, read back and compared."""

from __future__ import annotations

from typing import Any

__all__ = ["Run", "RunError", "evaluate", "load", "run", "status"]

_LATE = {
    "Run": "results",
    "load": "results",
    "status": "results",
    "evaluate": "evaluation",
    "RunError": "run_directory",
    "run": "runner",
}


def __getattr__(name: str) -> Any:
    """Import the parts on first use."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"tme.experiments.{_LATE[name]}"), name)
    raise AttributeError(f"module 'tme.experiments' has no attribute {name!r}")
