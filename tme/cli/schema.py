"""`tme schema`: the JSON schema of experiment files."""

from __future__ import annotations

from tme.cli.shared import echo_json


def schema() -> None:
    """Print the JSON schema of experiment files, for editors."""
    from tme.config.json_schema import json_schema
    from tme.library import load_library
    from tme.model import parameter_registry

    echo_json(json_schema(parameter_registry(), load_library()))
