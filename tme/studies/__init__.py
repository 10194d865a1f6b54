"""Studies: many simulations that answer one question, with its certainty.

A study is a design (points and seeds, `design`), evaluated by workers into an append-only file (`study`, `records`), and
an analysis of the records that gives table.csv, summary.json and, by `tme report`, a figure and a page.
"""

from __future__ import annotations

from typing import Any

_LATE = {
    "Ask": "design", "Point": "design", "Study": "study", "Results": "study", "Interrupted": "study", "evaluate": "evaluate",
}  # fmt: skip

__all__ = ["Ask", "Interrupted", "Point", "Results", "Study", "evaluate"]


def __getattr__(name: str) -> Any:
    """Import the parts on first use."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"tme.studies.{_LATE[name]}"), name)
    raise AttributeError(f"module 'tme.studies' has no attribute {name!r}")
