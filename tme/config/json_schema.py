"""The JSON schema of an experiment file, with the parameters and library entries that exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.config.schema import Experiment


def json_schema(registry: Mapping[str, Any], library: Any) -> dict[str, Any]:
    """JSON schema (draft 2020-12) for editors: completion of keys, parameters and entry names."""
    schema = Experiment.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "tme experiment"
    properties = schema["properties"]
    properties["extends"] = {"type": "string", "description": "A config beside this one, by name, or a path."}
    partial = {"type": "object", "description": "What --quick changes; any keys of this file."}
    properties["quick"] = partial
    schema["required"] = []  # whatever is missing may come from the config this one extends
    properties["mechanisms"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": groups(registry),
    }
    properties["arms"]["properties"] = {
        "only": {"type": "boolean", "description": "true: the arms given here are all there are."},
        "factorial": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Arms of which all subsets become arms, an untreated control included.",
        },
    }
    schema["$defs"]["Primary"]["properties"]["contrasts"]["examples"] = [["combination < control", "bliss(combination; anti_pdl1, rsl3_np) > 0"]]
    types = sorted(n for n in library.cells if n != "tumour")
    properties["populations"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {n: {"anyOf": [{"$ref": "#/$defs/Density"}, {"type": "null"}]} for n in types},
    }
    names = list(library.spreading())
    properties["fields"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {n: {"$ref": "#/$defs/FieldChange"} for n in names},
    }
    parts = schema["$defs"]
    for part, kind in (
        ("DrugDose", "drugs"),
        ("AntibodyDose", "antibodies"),
        ("ParticleDose", "nanoparticles"),
    ):
        parts[part]["properties"]["name"] = named(library.entries[kind])
    parts["Tumour"]["properties"]["preset"] = named(library.tumours)
    for part in ("Tumour", "Clone"):
        parts[part]["properties"]["alterations"] = {"type": "array", "items": named(library.alterations)}
    properties["entries"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            kind: {"type": "object", "properties": {n: {"type": "object"} for n in entries}}
            for kind, entries in library.entries.items()
        },
    }
    parts["Cells"]["properties"]["types"]["additionalProperties"] = {"enum": [*sorted(library.cells), "ignore"]}
    for name in ("Domain", "Nodule", "Monolayer", "Spheroid", "Cells"):
        parts[name].pop("required", None)
    return schema


def named(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Names of entries for completion; a file under `library:` may bring others."""
    return {"anyOf": [{"enum": sorted(entries)}, {"type": "string"}]}


def groups(registry: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter group with bounds, units and defaults."""
    out = {}
    for group, parameters in registry.items():
        inside: dict[str, Any] = {"on": {"type": "boolean", "default": True}}
        for p in parameters:
            about = f"{p.about}; " if p.about else ""
            inside[p.name] = {
                "type": "number",
                "minimum": p.low,
                "maximum": p.high,
                "default": p.value,
                "description": f"{about}{p.unit}; {p.source}",
            }
        out[group] = {"type": "object", "additionalProperties": False, "properties": inside}
    return out
