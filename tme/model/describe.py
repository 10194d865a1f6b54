"""A model described: the plan of a tick, every number with unit, source and origin, the arms.

What `tme describe` prints; a Methods section that writes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tme import pathways
from tme.config.hashing import used_entries
from tme.core.mechanism import rows_of
from tme.model.initial_cells import arrangement, report_lines
from tme.model.mechanisms import mechanism_table
from tme.model.registry import PLAN, alteration_rules, known_to_rules, parameter_registry, tumour_overrides
from tme.model.tumour_model import TumourModel
from tme.rules.resolve import chosen, woken
from tme.rules.tables import rule_rows


def describe(config: Any) -> dict[str, Any]:
    """Plain data about the experiment: lists of rows for the plan, parameters, fields, library numbers, arms."""
    richest = max(config.arms, key=lambda a: sum(len(x) for x in agents_of(config, a)))
    model = TumourModel(config, arm=richest, empty=True)
    return {
        "experiment": experiment(config, model),
        f"plan of a tick (arm {richest})": plan_rows(model),
        "rules": rules_in_force(config),
        "what each entry touches": access_rows(model),
        "parameters": parameter_rows(config, model),
        "fields": field_rows(model),
        "library numbers in use": library_rows(config, model),
        "arms": arm_rows(config),
        "criterion of multi-rate chemistry": criterion(config),
    }


def rules_in_force(config: Any) -> list[dict[str, Any]]:
    """The rules that are on, as sentences."""
    events = {item.name for arm in config.arms for item in config.therapy_of(arm).events}
    on = woken(chosen(config), config.library, events) | alteration_rules(config)
    return rule_rows(on, known_to_rules(config), on)


def agents_of(config: Any, arm: str) -> tuple[list[str], ...]:
    """Names of drugs, antibodies, nanoparticles and events of an arm."""
    therapy = config.therapy_of(arm)
    return tuple([i.name for i in kind] for kind in (therapy.drugs, therapy.antibodies, therapy.nanoparticles, therapy.events))


def experiment(config: Any, model: Any) -> dict[str, Any]:
    """The frame of the experiment."""
    return {
        "name": config.name,
        "digest": config.digest,
        "seed": config.seed,
        "days": f"{config.start_day:g} to {config.horizon_day:g}, treatment from day 0",
        "replicates": config.replicates,
        "branches from one tumour at day": config.branch_at_day,
        "lattice (nz, ny, nx)": str(model.grid.shape),
        "voxel um": model.grid.dx_um,
        "base tick min": model.dt_min,
        "tumour": config.tumour.preset,
        "start": config.initial.kind,
        **({} if (tissue := arrangement(config)) is None else {"tissue": "; ".join(line.strip() for line in report_lines(tissue.report))}),
    }


def plan_rows(model: Any) -> list[dict[str, Any]]:
    """One row per entry of the plan, in the order of a tick."""
    return [
        {
            "phase": f"{int(m.phase)} {m.phase.name.lower()}",
            "entry": m.name,
            "every min": m.every * model.dt_min,
            "does": m.about,
            "stands for": " ".join(m.ids),
        }
        for m in model.plan.entries
    ]


def access_rows(model: Any) -> list[dict[str, Any]]:
    """What each entry of the plan reads, may replace, and contributes to, by real names (`core.mechanism`)."""
    return [
        {"entry": m.name, "reads": brief(m.reads, model), "writes": brief(m.writes, model), "adds to": brief(m.adds, model)}
        for m in model.plan.entries
    ]


def brief(names: tuple[str, ...], model: Any) -> str:
    """Names of columns, terms and states in one line: `tumour.(state ifng)`, `field.(atp hmgb1).source`, `cd8.*` for all columns."""
    left = list(names)
    out = []
    for population in model.populations:
        rows = rows_of(population)
        if set(rows) <= set(left):
            left = [name for name in left if name not in rows]
            out.append(f"{population.kind}.*")
    parts: dict[str, list[str]] = {}
    for name in left:
        owner, _, part = name.rpartition(".")
        parts.setdefault(owner, []).append(part)
    owners: dict[tuple[str, ...], list[str]] = {}
    for owner, its in parts.items():
        owners.setdefault(tuple(its), []).append(owner)
    for of, who in owners.items():
        fields = [owner.removeprefix("field.") for owner in who if owner.startswith("field.")]
        out += [f"field.{one_or_more(fields)}.{one_or_more(of)}"] if fields else []
        out += [f"{owner}.{one_or_more(of)}" for owner in who if not owner.startswith("field.")]
    return ", ".join(out)


def one_or_more(words: Sequence[str]) -> str:
    """A word as it is, several in brackets."""
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


def at_work(model: Any, group: str) -> bool:
    """Whether a group of parameters does anything in a model: its law, if one has it to itself, is in the plan."""
    laws = [cls.name for cls in (*PLAN, *model.own.laws) if cls.parameters is not None and cls.parameters.group == group]
    return not laws or bool({m.name for m in model.plan.entries} & {*laws})


def span(ends: tuple[float, float], stated: bool) -> str:
    """A range in words; whether it is stated or by rule."""
    return f"{ends[0]:.4g} to {ends[1]:.4g}" + " (by rule)" * (not stated)


def parameter_rows(config: Any, model: Any) -> list[dict[str, Any]]:
    """Every parameter: value in force, unit, bounds, range, source of the default, who set it, and whether the model uses it."""
    overrides = tumour_overrides(config)
    own = config.mechanism_parameters()
    rows = []
    for group, parameters in config.registry.items():
        for p in parameters.values():
            value = overrides.get(group, {}).get(p.name, p.value)
            origin = "default"
            if p.name in own.get(group, {}):
                file, line = config.origin.get(f"mechanisms.{group}.{p.name}", ("config", 0))
                origin = f"{file}:{line}"
            elif p.name in overrides.get(group, {}):
                origin = f"tumour preset {config.tumour.preset}"
            rows.append({"parameter": f"{group}.{p.name}", "value": float(value), "unit": p.unit, "bounds": f"{p.low:g} to {p.high:g}",
                         "range": span(p.range, p.stated is not None), "set by": origin, "in use": at_work(model, group), "status": p.status if origin == "default" else set_status(config, group, p.name, origin),
                         "source": p.source, "about": p.about})  # fmt: skip
    return rows


def set_status(config: Any, group: str, name: str, origin: str) -> str:
    """What stands behind a parameter that is not the default: the tumour type's number has its own, a config's is chosen."""
    entry = config.library.tumour(config.tumour.preset)
    number = entry.numbers.get("drift_per_division" if (group, name) == ("division", "drift") else f"parameters.{group}.{name}")
    return number.status if origin.startswith("tumour preset") and number is not None else "chosen"


def field_rows(model: Any) -> list[dict[str, Any]]:
    """How each field of the richest arm is solved."""
    return [
        {"field": name, "unit": f.unit, "diffusion um^2/min": f.diffusion, "decay 1/min": f.decay, "mode": f.mode,
         "every min": model.clock[name] * model.dt_min, "voxels um": f.on_solver_grid.grid.dx_um, "tolerance": f.tol}
        for name, f in model.fields.items()
    ]  # fmt: skip


def idle(config: Any, model: Any, kind: str, name: str) -> bool:
    """Whether an entry that counts for the hash does nothing in the model: an axis that is off, a field that is not there."""
    return (kind == "receptors" and name not in config.axes()) or (kind == "fields" and name not in model.fields)


def entries_in_force(config: Any) -> dict[str, dict[str, Any]]:
    """Entries that the experiment uses, kind -> name -> entry, rules and axes as the config has them, its own among them."""
    out = {kind: {name: config.library.entries[kind][name] for name in named} for kind, named in used_entries(config).items()}
    out["rules"] = {**out.get("rules", {}), **chosen(config)}
    out["receptors"] = {**out.get("receptors", {}), **config.axes()}
    return out


def set_at(config: Any, kind: str, name: str, key: str) -> str:
    """Where the config sets a number of an entry: its dotted key, or ''."""
    for above in (f"{kind}.{name}", f"entries.{kind}.{name}"):
        whole = f"{above}.{key}"
        if whole in config.origin or any(k.startswith(whole + ".") for k in config.origin):
            return whole
    return ""


def library_rows(config: Any, model: Any) -> list[dict[str, Any]]:
    """Numbers of the entries the experiment uses, with unit, range, source, and the file and line that set them where that is a config."""
    rows = []
    for kind, named in entries_in_force(config).items():
        for name, entry in named.items():
            own = config.library.origin.get(kind, {}).get(name) or "tme"
            for key, number in entry.numbers.items():
                at = set_at(config, kind, name, key)
                file, line = next(((f, n) for k, (f, n) in config.origin.items() if at and (k == at or k.startswith(at + "."))), ("", 0))
                rows.append({"number": f"{kind}.{name}.{key}", "value": number.value, "unit": number.unit,
                             "range": span(number.prior, number.range is not None), "in use": not idle(config, model, kind, name),
                             "from": f"{file}:{line}" if file else own, "status": number.status, "source": number.source})  # fmt: skip
    return rows


def arm_rows(config: Any) -> list[dict[str, Any]]:
    """What each arm gives, when, how much."""
    rows = []
    for arm in config.arms:
        therapy = config.therapy_of(arm)
        items = [*therapy.drugs, *therapy.antibodies, *therapy.nanoparticles]
        if not items and not therapy.events:
            rows.append({"arm": arm, "agent": "none"})
        for item in items:
            rows.append({"arm": arm, "agent": item.name, "dose": amount(item), "route": item.route, "days": " ".join(f"{d:g}" for d in item.day)})
        for item in therapy.events:
            said = item.model_dump(exclude_none=True, exclude={"name", "day", "place"})
            dose = ", ".join(f"{k} {v:g}" if isinstance(v, (int, float)) else f"{k} {v}" for k, v in said.items())
            place = item.place.kind if item.place is not None else ""
            rows.append({"arm": arm, "agent": item.name, "dose": dose, "route": place, "days": " ".join(f"{d:g}" for d in item.day)})
    return rows


def amount(item: Any) -> str:
    """How much of an agent is given, in words."""
    if item.route == "bath":
        in_nM = getattr(item, "bath_nM", None)
        return f"{in_nM:g} nM held" if in_nM is not None else f"{item.bath_uM:g} uM held"
    size = f"{item.dose_mg_kg:g} mg/kg" if item.dose_mg is None else f"{item.dose_mg:g} mg"
    return size if item.route != "depot" else f"{size}, {item.release_per_h:g} of it per h"


def criterion(config: Any) -> str:
    """The rule by which resting cells take longer steps, in words."""
    p = parameter_registry()["ferroptosis"].build(tumour_overrides(config).get("ferroptosis", {}))
    every = f"every {config.clocks.dt_min:g} min"
    said = [
        f"chemistry {every} in cells with PLOOH > {p.active_plooh:g} uM, peroxide signal > "
        f"{p.active_peroxide:g} uM or iron influx > {p.active_iron:g} uM/min; else every {config.clocks.chemistry_resting_min:g} min"
    ]
    for run in pathways.runs_of(config):
        if run.is_on(config) and run.name != "ferroptosis":
            said.append(f"{run.name} {every} in cells for which its law `awake` holds ({waking(run.pathway)})")
    return "; ".join(said)


def waking(pathway: Any) -> str:
    """The thresholds of a pathway's waking: its parameters called active_..."""
    return ", ".join(f"{q.name} {q.value:g} {q.unit}" for q in pathway.parameters if q.name.startswith("active_"))


__all__ = ["describe", "mechanism_table"]
