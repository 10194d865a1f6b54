"""A model described: the plan of a tick, every number with unit, source and origin, the arms.

What `tme describe` prints; a Methods section that writes itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tme import mechanisms, therapy
from tme.build import parameter_registry, tumour_overrides
from tme.library import load_library


def describe(config: Any) -> dict[str, Any]:
    """Plain data about the experiment: lists of rows for the plan, parameters, fields, library numbers, arms."""
    from tme.model import TumourModel

    richest = max(config.arms, key=lambda a: sum(len(x) for x in agents_of(config, a)))
    model = TumourModel(config, arm=richest, empty=True)
    used = {name for arm in config.arms for kind in agents_of(config, arm) for name in kind}
    used |= {a.name for a in model.therapy.drugs}
    return {
        "experiment": experiment(config, model),
        f"plan of a tick (arm {richest})": plan_rows(model),
        "parameters": parameter_rows(config),
        "fields": field_rows(model),
        "library numbers in use": library_rows(config, used),
        "arms": arm_rows(config),
        "criterion of multi-rate chemistry": criterion(config),
    }


def agents_of(config: Any, arm: str) -> tuple[list[str], ...]:
    """Names of drugs, antibodies and nanoparticles of an arm."""
    therapy = config.therapy_of(arm)
    return tuple([i.name for i in kind] for kind in (therapy.drugs, therapy.antibodies, therapy.nanoparticles))


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


def parameter_rows(config: Any) -> list[dict[str, Any]]:
    """Every parameter: value in force, unit, bounds, source of the default, and who set it."""
    overrides = tumour_overrides(config)
    own = config.mechanism_parameters()
    rows = []
    for group, parameters in parameter_registry().items():
        for p in parameters:
            value = overrides.get(group, {}).get(p.name, p.value)
            origin = "default"
            if p.name in own.get(group, {}):
                file, line = config.origin.get(f"mechanisms.{group}.{p.name}", ("config", 0))
                origin = f"{file}:{line}"
            elif p.name in overrides.get(group, {}):
                origin = f"tumour preset {config.tumour.preset}"
            rows.append({"parameter": f"{group}.{p.name}", "value": float(value), "unit": p.unit, "bounds": f"{p.low:g} to {p.high:g}",
                         "set by": origin, "source": p.source, "about": p.about})  # fmt: skip
    return rows


def field_rows(model: Any) -> list[dict[str, Any]]:
    """How each field of the richest arm is solved."""
    return [
        {"field": name, "unit": f.unit, "diffusion um^2/min": f.diffusion, "decay 1/min": f.decay, "mode": f.mode,
         "every min": model.clock[name] * model.dt_min, "voxels um": f.solved_on.grid.dx_um, "tolerance": f.tol}
        for name, f in model.fields.items()
    ]  # fmt: skip


def library_rows(config: Any, used: set[str]) -> list[dict[str, Any]]:
    """Numbers of the library entries the experiment uses, with unit and source."""
    library = config.library
    rows = []
    entries = [("fields", n, e) for n, e in config.field_entries().items()]
    entries += [("tumours", config.tumour.preset, library.tumour(config.tumour.preset))]
    for kind in ("drugs", "antibodies", "nanoparticles"):
        entries += [(kind, n, e) for n, e in getattr(library, kind).items() if n in used]
    entries += [("receptors", n, e) for n, e in config.axes().items()]
    for kind, name, entry in entries:
        for key, number in entry.numbers.items():
            rows.append({"number": f"{kind}.{name}.{key}", "value": number.value, "unit": number.unit,
                         "bounds": "" if number.range is None else f"{number.range[0]:g} to {number.range[1]:g}", "source": number.source})  # fmt: skip
    return rows


def arm_rows(config: Any) -> list[dict[str, Any]]:
    """What each arm gives, when, how much."""
    rows = []
    for arm in config.arms:
        therapy = config.therapy_of(arm)
        items = [*therapy.drugs, *therapy.antibodies, *therapy.nanoparticles]
        if not items:
            rows.append({"arm": arm, "agent": "none"})
        for item in items:
            bath = getattr(item, "bath_uM", None)
            size = f"{bath:g} uM held" if item.route == "bath" else f"{item.dose_mg_kg:g} mg/kg"
            rows.append({"arm": arm, "agent": item.name, "dose": size, "route": item.route, "days": " ".join(f"{d:g}" for d in item.day)})
    return rows


def criterion(config: Any) -> str:
    """The rule by which resting cells take longer steps, in words."""
    p = parameter_registry()["ferroptosis"].build(tumour_overrides(config).get("ferroptosis", {}))
    return (
        f"chemistry every {config.clocks.dt_min:g} min in cells with PLOOH > {p.active_plooh:g} uM, peroxide signal > "
        f"{p.active_peroxide:g} uM or iron influx > {p.active_iron:g} uM/min; else every {config.clocks.chemistry_resting_min:g} min"
    )


def tests_by_id() -> dict[str, str]:
    """Mechanism id -> "file::test" of the tests that carry its mark; empty without a source checkout."""
    folder = Path(__file__).parents[1] / "tests"
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        ids: list[str] = []
        for line in path.read_text().splitlines():
            if line.lstrip().startswith("@pytest.mark.mechanism("):
                ids += re.findall(r"[MDN]\d+", line)
            elif (name := re.match(r"\s*def (test_\w+)", line)) and ids:
                for mid in ids:
                    found.setdefault(mid, []).append(f"{path.relative_to(folder.parent).as_posix()}::{name[1]}")
                ids = []
    return {mid: " ".join(tests) for mid, tests in found.items()}


def mechanism_table() -> list[dict[str, Any]]:
    """One row per mechanism id that a law or a library entry declares: where, which key switches it, which tests."""
    tests = tests_by_id()
    rows: dict[str, dict[str, Any]] = {}
    for cls in (*mechanisms.MECHANISMS, *therapy.THERAPIES):
        for mid in cls.ids:
            row = rows.setdefault(mid, {"id": mid, "where": "", "switch": "", "about": cls.about, "test": tests.get(mid, "")})
            row["where"] += " " * bool(row["where"]) + cls.__module__.replace(".", "/") + ".py"
            if cls.switchable:
                row["switch"] += " " * bool(row["switch"]) + f"mechanisms.{cls.name}.on"
            elif cls.parameters is not None:
                row["switch"] += " " * bool(row["switch"]) + f"mechanisms.{cls.parameters.group}.*"
    for name, axis in load_library().receptors.items():
        for mid in axis.ids:
            row = rows.setdefault(mid, {"id": mid, "where": "", "switch": "", "about": axis.about, "test": tests.get(mid, "")})
            row["where"] += " " * bool(row["where"]) + "tme/library/receptors.yaml"
            row["switch"] += " " * bool(row["switch"]) + f"receptors.{name}"
    for name, entry in load_library().nanoparticles.items():
        rows[entry.id] = {"id": entry.id, "where": f"tme/library/nanoparticles.yaml: {name}", "switch": f"arms.*.nanoparticles: {name}",
                          "about": entry.about, "test": tests.get(entry.id, "")}  # fmt: skip
    return [rows[k] for k in sorted(rows, key=lambda k: (k[0], int(k[1:])))]


__all__ = ["describe", "mechanism_table"]
