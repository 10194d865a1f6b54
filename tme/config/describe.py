"""A config in tables: arms, agents, fields, parameters, each number with unit, source and origin."""

from __future__ import annotations

from typing import Any

KINDS = ("drugs", "antibodies", "nanoparticles")


def describe(config: Any) -> dict[str, Any]:
    """What the config says and where each value came from; the model adds its plan and populations.

    Tables are lists of rows. `set_by` is "file:line", "--set", "tumour <preset>" or "default".
    """
    return {
        "name": config.name,
        "digest": config.digest,
        "arms": arm_rows(config),
        "space": config.domain.model_dump(mode="json"),
        "clocks": config.clocks.model_dump(mode="json"),
        "initial": config.initial.model_dump(mode="json", exclude_none=True),
        "tumour": config.tumour.model_dump(mode="json", exclude_none=True),
        "populations": config.populations.model_dump(mode="json", exclude_none=True),
        "fields": field_rows(config),
        "library": library_rows(config),
        "parameters": parameter_rows(config),
    }


def where(config: Any, key: str) -> str:
    """The place that set a key: "file:line", "--set", or "" if nothing did."""
    place = config.origin.get(key)
    if place is None:
        return ""
    file, line = place
    return f"{file}:{line}" if line else file


def arm_rows(config: Any) -> list[dict[str, Any]]:
    """One row per arm and agent."""
    rows = []
    for arm in config.arms:
        therapy = config.therapy_of(arm)
        items = [(kind, item) for kind in KINDS for item in getattr(therapy, kind)]
        for kind, item in items:
            bath = getattr(item, "bath_uM", None) if item.route == "bath" else None
            dose = f"{bath:g} uM" if bath is not None else f"{item.dose_mg_kg:g} mg/kg"
            rows.append(
                {
                    "arm": arm,
                    "agent": item.name,
                    "kind": kind,
                    "dose": dose,
                    "days": list(item.day),
                    "route": item.route,
                }
            )
        if not items:
            rows.append({"arm": arm, "agent": "none", "kind": "", "dose": "", "days": [], "route": ""})
    return rows


def field_rows(config: Any) -> list[dict[str, Any]]:
    """One row per number of every field and of every agent's field."""
    given = {item.name for arm in config.arms for k in KINDS for item in getattr(config.therapy_of(arm), k)}
    rows = []
    for name, entry in config.library.spreading().items():
        if name not in config.library.fields and name not in given:
            continue
        rows += entry_rows(
            config,
            name,
            entry,
            only=("clock_min", "diffusion", "decay", "initial", "vessel_value", "vessel_exchange"),
        )
    return rows


def library_rows(config: Any) -> list[dict[str, Any]]:
    """One row per number of every agent given, payload drugs included, and of the tumour type."""
    given = {
        (k, item.name) for arm in config.arms for k in KINDS for item in getattr(config.therapy_of(arm), k)
    }
    for _kind, name in [g for g in given if g[0] == "nanoparticles"]:
        given |= {("drugs", p.drug) for p in config.library.nanoparticle(name).payloads if p.drug}
    rows = []
    for kind, name in sorted(given):
        rows += entry_rows(config, name, getattr(config.library, kind)[name])
    return rows + entry_rows(config, config.tumour.preset, config.library.tumour(config.tumour.preset))


def entry_rows(config: Any, name: str, entry: Any, only: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The numbers of one entry, with what the config made of them."""
    rows = []
    for key, number in entry.numbers.items():
        if only and key not in only:
            continue
        changed = where(config, f"fields.{name}.{key}")
        value = getattr(entry, key) if changed else number.value
        unit = number.unit
        source = f"set in {changed}" if changed else number.source
        rows.append(
            {
                "name": f"{name}.{key}",
                "value": value,
                "unit": unit,
                "source": source,
                "set_by": changed or "library",
            }
        )
    return rows


def parameter_rows(config: Any) -> list[dict[str, Any]]:
    """One row per mechanism parameter."""
    preset, own = config.tumour_parameters(), config.mechanism_parameters()
    rows = []
    for group, parameters in config.registry.items():
        for name, p in parameters.items():
            value, by, source = p.value, "default", p.source
            if name in preset.get(group, {}):
                value, by = preset[group][name], f"tumour {config.tumour.preset}"
                source = preset_source(config, group, name) or source
            if name in own.get(group, {}):
                value, by = own[group][name], where(config, f"mechanisms.{group}.{name}")
                source = f"set in {by}"
            rows.append(
                {"name": f"{group}.{name}", "value": value, "unit": p.unit, "low": p.low, "high": p.high,
                 "about": p.about, "source": source, "set_by": by}
            )  # fmt: skip
    return rows


def preset_source(config: Any, group: str, name: str) -> str:
    """Source of a parameter that the tumour type sets."""
    number = config.library.tumour(config.tumour.preset).parameters.get(group, {}).get(name)
    return number.source if number is not None else ""
