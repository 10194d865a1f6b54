"""A tumour as a Mesa model: built from a config, its initial tissue, described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tme.model.loading import load_config
    from tme.model.registry import parameter_registry
    from tme.model.tumour_model import TumourModel

_LATE = {"TumourModel": "tumour_model", "load_config": "loading", "parameter_registry": "registry"}


def __getattr__(name: str) -> Any:
    """Import the model on first use: what only asks for names and numbers does without Mesa."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"tme.model.{_LATE[name]}"), name)
    raise AttributeError(f"module 'tme.model' has no attribute {name!r}")


__all__ = ["TumourModel", "load_config", "parameter_registry"]
