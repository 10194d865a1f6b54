"""`--to sbml`: every pathway of a run as SBML Level 3 Version 2 core, a file each.

One cell in surroundings that do not change: states with a unit of concentration are species, the others parameters, all with
rate rules; traits, inputs, terms (neutral) and the run's numbers are parameters to set. The cell starts at its steady state;
when damage reaches 1 the event `death` notes `death_time` (min) and sets `alive` to 0. The tumour's pathways are written
whether the run had them on or not, those of other cell types where they were on.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tme.experiments.run_directory import CONFIG, RunError
from tme.exporting.contract import Choice, Format
from tme.exporting.mathml import compared, math_of, number, symbol
from tme.exporting.odes import Odes
from tme.exporting.output import file_name, xml_text
from tme.exporting.sbml_units import Units
from tme.pathways import runs_of
from tme.pathways.contract import argument
from tme.pathways.entries import PathwayEntry

CORE = "http://www.sbml.org/sbml/level3/version2/core"
XHTML = "http://www.w3.org/1999/xhtml"
CONCENTRATIONS = ("nM", "uM", "mM", "M")


class Sbml(Format):
    """Pathways as SBML."""

    name, about, ending = "sbml", "every pathway as SBML, one cell in constant surroundings", "-sbml"
    selects = False

    def is_folder(self, path: Path) -> bool:
        """Always."""
        return True

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """The folder."""
        config = config_of(run, choice.allow_plugins)
        for entry in entries_of(config):
            (place / f"{file_name(entry.name)}.xml").write_text(sbml_of(entry, config), encoding="utf-8")
        return ()


def config_of(run: Any, allow_plugins: bool) -> Any:
    """The run's config, loaded anew; its plugins are code and run only where that is allowed."""
    from tme.model import load_config

    if run.config.get("plugins") and not allow_plugins:
        raise RunError(f"{run.path}: the run has plugins ({', '.join(map(str, run.config['plugins']))}), whose pathways are code; run it with --allow-plugins")
    return load_config(run.path / CONFIG, allow_plugins=allow_plugins)


def entries_of(config: Any) -> list[type[PathwayEntry]]:
    """The pathways to write: the tumour's, and those that other cell types have on."""
    return [e for e in runs_of(config) if e.cells == "tumour" or e.is_on(config)]


def odes_of(entry: type[PathwayEntry], config: Any) -> Odes:
    """The equations with the run's numbers; traits are those of the tumour's reference cell, or of the cell type."""
    from tme.model.registry import tumour_overrides

    overrides = tumour_overrides(config).get(entry.name, {})
    given = dict(config.tumour_traits()) if entry.cells == "tumour" else {}
    if entry.preset is not None:
        given = entry.preset.build(overrides)._asdict()
    return Odes.of(entry.pathway, entry.numbers(overrides)._asdict(), given)


def sbml_of(entry: type[PathwayEntry], config: Any) -> str:
    """The document."""
    return document(entry, odes_of(entry, config))


def document(entry: type[PathwayEntry], odes: Odes) -> str:
    """The equations as SBML."""
    units = Units()
    root = ET.Element("sbml", {"xmlns": CORE, "level": "3", "version": "2"})
    model = ET.SubElement(root, "model", {"id": entry.name, "name": xml_text(entry.about or entry.name)})
    note(model, f"{entry.name}: {entry.about}. One cell, time in min. Set inputs (fields outside, drugs) and terms before a simulation; terms are neutral.")
    defined = ET.SubElement(model, "listOfUnitDefinitions")
    cell = ET.SubElement(ET.SubElement(model, "listOfCompartments"), "compartment", {"id": "cell", "spatialDimensions": "3", "size": "1", "constant": "true"})
    cell.set("units", "litre")
    start = odes.settled()
    add_species(model, odes, start)
    add_parameters(model, entry, odes, start, units)
    rules = ET.SubElement(model, "listOfRules")
    for name, formula in {**odes.held, **odes.parts}.items():
        ET.SubElement(rules, "assignmentRule", {"variable": name}).append(math_of(formula))
    for name, formula in odes.rates.items():
        ET.SubElement(rules, "rateRule", {"variable": name}).append(math_of(formula))
    if entry.pathway.damage:
        add_death(model, entry.pathway.damage)
    minute = units.name_of("min")
    model.set("timeUnits", minute or "second")
    model.set("substanceUnits", units.name_of("umol") or "mole")
    model.set("volumeUnits", "litre")
    model.set("extentUnits", units.name_of("umol") or "mole")
    units.write(defined)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def note(parent: ET.Element, text: str) -> None:
    """A remark, escaped."""
    ET.SubElement(ET.SubElement(parent, "notes"), "p", {"xmlns": XHTML}).text = xml_text(text)


def is_species(unit: str) -> bool:
    """Whether a state of this unit is a species."""
    return unit in CONCENTRATIONS


def add_species(model: ET.Element, odes: Odes, start: dict[str, float]) -> None:
    """States that are concentrations."""
    states = [s for s in odes.pathway.states if is_species(s.unit)]
    if not states:
        return
    listed = ET.SubElement(model, "listOfSpecies")
    for s in states:
        fixed = {"compartment": "cell", "hasOnlySubstanceUnits": "false", "boundaryCondition": "false", "constant": "false"}
        scale = {"nM": 1e-3, "uM": 1.0, "mM": 1e3, "M": 1e6}[s.unit]
        if scale != 1.0:
            raise RunError(f"pathway {odes.pathway.name}: the state {s.name} is in {s.unit}; expected uM")
        one = ET.SubElement(listed, "species", {"id": s.name, "name": xml_text(s.about or s.name), "initialConcentration": number(start[s.name]), **fixed})
        note(one, f"{s.symbol}, {s.about} [{s.unit}]")


def add_parameters(model: ET.Element, entry: type[PathwayEntry], odes: Odes, start: dict[str, float], units: Units) -> None:
    """Everything else that has a value."""
    listed = ET.SubElement(model, "listOfParameters")

    def add(name: str, value: float | None, unit: str, constant: bool, about: str) -> None:
        known = {"units": units.name_of(unit)} if units.name_of(unit) else {}
        given = {} if value is None else {"value": number(value)}
        note(ET.SubElement(listed, "parameter", {"id": name, **given, **known, "constant": "true" if constant else "false"}), f"{about} [{unit}]")

    pathway = odes.pathway
    for s in pathway.states:
        if not is_species(s.unit):
            add(s.name, start[s.name], s.unit, False, f"{s.symbol}, {s.about}")
    for g in pathway.given:
        add(g.name, odes.given[g.name], g.unit, False, f"{'trait' if g in pathway.traits else 'input'}: {g.about}")
    for t in pathway.terms:
        add(argument(t), t.neutral, t.unit, False, f"term {t.name}: {t.about}")
    for p in pathway.parameters:
        add(odes.spelled[p.name], odes.parameters[p.name], p.unit, True, f"{p.about}; {p.status}, {p.source}")
    add("alive", 1.0, "1", False, "1 in a living cell, 0 once it has died")
    add("death_time", 0.0, "min", False, "when the cell died; 0 while it lives")
    for name in (*odes.held, *odes.parts):
        add(name, None, "", False, "held fixed over a step" if name in odes.held else "a part that rates share")


def add_death(model: ET.Element, damage: str) -> None:
    """Damage of 1 kills."""
    event = ET.SubElement(ET.SubElement(model, "listOfEvents"), "event", {"id": "death", "useValuesFromTriggerTime": "true"})
    trigger = ET.SubElement(event, "trigger", {"initialValue": "false", "persistent": "true"})
    trigger.append(compared("geq", damage, 1.0))
    listed = ET.SubElement(event, "listOfEventAssignments")
    ET.SubElement(listed, "eventAssignment", {"variable": "alive"}).append(math_of(0.0))
    ET.SubElement(listed, "eventAssignment", {"variable": "death_time"}).append(symbol("time"))
