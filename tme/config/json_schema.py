"""The JSON schema of an experiment file, with the parameters and library entries that exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.config.arms import KINDS
from tme.config.checks_events import PLACED
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
    properties["mechanisms"] = {"type": "object", "additionalProperties": SWITCHED, "properties": groups(registry)}
    properties["arms"]["properties"] = {}  # its words come last, as they are
    properties["arms"]["additionalProperties"] = {"anyOf": [properties["arms"]["additionalProperties"], NOTHING]}
    schema["$defs"]["Primary"]["properties"]["contrasts"]["examples"] = [["combination < control", "bliss(combination; anti_pdl1, rsl3_np) > 0"]]
    types = sorted(n for n in library.cells if n != "tumour")
    density, change = ({"anyOf": [{"$ref": f"#/$defs/{part}"}, NOTHING]} for part in ("Density", "FieldChange"))
    properties["populations"] = {"type": "object", "additionalProperties": density, "properties": dict.fromkeys(types, density)}
    properties["fields"] = {"type": "object", "additionalProperties": change, "properties": dict.fromkeys(library.spreading(), change)}
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
    parts["Cells"]["properties"]["types"]["additionalProperties"] = {"anyOf": [{"enum": [*sorted(library.cells), "ignore"]}, {"type": "string"}]}
    for name in ("Domain", "Nodule", "Monolayer", "Spheroid", "Cells"):
        parts[name].pop("required", None)
    for key in ("ranges", "objectives", "limit", "data"):  # written in several forms (docs of each study)
        parts["Study"]["properties"][key] = {"description": parts["Study"]["properties"][key].get("description", "several forms")}
    ids = {"type": "array", "items": {"type": "string"}}  # one id is as_written's doing
    parts["Study"]["properties"]["targets"] = {"description": "Ids of published targets; with the arm of each as {T42: ctl}.", "anyOf": [ids, parts["Study"]["properties"]["targets"]]}
    parts["Domain"]["properties"]["boundary"] = {"anyOf": [parts["Domain"]["properties"]["boundary"], {"enum": ["no_flux", "periodic", "fixed"]}]}

    parts["EventDose"]["properties"]["place"]["anyOf"].append({"enum": [w for w in parts["Place"]["properties"]["kind"]["enum"] if w not in PLACED]})

    out = as_written(schema)
    for key in (*KINDS, "use"):
        out["$defs"]["Arm"]["properties"][key]["anyOf"].append(NOTHING)
    out["properties"]["arms"]["properties"] = {
        "only": {"type": "boolean", "description": "true: the arms given here are all there are."},
        "factorial": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Arms of which all subsets become arms, an untreated control included.",
        },
    }
    return out


NOTHING = {"type": "null"}  # a key without a value
SWITCHED = {"type": "object", "description": "A law by name, or one of a plugin: {on: true} and its numbers."}


BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}  # pydantic's words, where a validator stands before a bound


def as_written(node: Any) -> Any:
    """A schema that takes what the loader takes: one item for a list of one, nothing for an empty mapping; a start is told by its `kind`, which a child may leave out."""
    if isinstance(node, list):
        return [as_written(v) for v in node]
    if not isinstance(node, dict):
        return node
    out = {BOUNDS.get(k, k): as_written(v) for k, v in node.items()}
    if "oneOf" in out:
        out["anyOf"] = out.pop("oneOf")
        out.pop("discriminator", None)
    if out.get("type") == "array" and isinstance(out.get("items"), dict):
        about = {k: out.pop(k) for k in ("title", "description", "default") if k in out}
        return {**about, "anyOf": [out, out["items"]]}
    if out.get("type") == "object" and "properties" not in out and isinstance(out.get("additionalProperties"), dict):
        about = {k: out.pop(k) for k in ("title", "description", "default") if k in out}
        return {**about, "anyOf": [out, NOTHING]}
    return out


def named(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Names of entries for completion; a file under `library:` may bring others."""
    return {"anyOf": [{"enum": sorted(entries)}, {"type": "string"}]}


def groups(registry: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter group with bounds, units and defaults."""
    out: dict[str, Any] = {}
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
        out[group] = {"type": ["object", "null"], "additionalProperties": False, "properties": inside}
    return out
