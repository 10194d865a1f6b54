"""A PhysiCell project as a config: settings, rules and cells read, translated, written, checked; the rest listed.

    imported = translate("my_project")     # faults raise ConfigError, all at once, with file and line
    imported.write("my_project.yaml")      # config, library, table of cells and report beside each other

What PhysiCell's user would want to know stands in `docs/physicell.md`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.importing import physicell_cells as cells_csv
from tme.importing import physicell_rules as rules_csv
from tme.importing import physicell_words as words
from tme.importing.notes import HEADINGS, ORDER, Note, as_markdown, bare, in_order, printable, shown
from tme.importing.physicell_data import CellType, Listed, Project
from tme.importing.physicell_grammar import Grammar, Setting
from tme.importing.physicell_parts import Parts, width
from tme.importing.physicell_project import Settings
from tme.importing.physicell_write import Lattice, as_yaml, config_of, table_text
from tme.importing.physicell_xml import open_settings
from tme.library import load_library
from tme.library.cell_checks import TAKEN
from tme.model import load_config
from tme.readouts import columns

SETTINGS = "PhysiCell_settings.xml"
TUMOUR_WORDS = ("tumor", "tumour", "cancer", "malignant", "carcinoma", "melanoma", "glioma", "sarcoma")


@dataclass
class Imported:
    """A translated project: config and library as plain data, the table of cells as text, and what was said of it."""

    name: str
    source: str  # the settings file
    config: dict[str, Any]
    library: dict[str, Any]
    table: str
    notes: list[Note] = field(default_factory=list)

    def files(self, config: Path) -> dict[Path, str]:
        """What is written, and where: the config and its companions of the same stem."""
        stem = config.stem
        library, cells, listed_in = (config.with_name(f"{stem}_{end}") for end in ("library.yaml", "cells.csv", "import.md"))
        whole = {**self.config, "library": [library.name], "initial": {**self.config["initial"], "file": cells.name}}
        return {
            config: as_yaml(whole, f"imported from a PhysiCell project, {self.source}; what was left out or approximated is in {listed_in.name}"),
            library: as_yaml(self.library, f"entries of {config.name}, from {self.source} of a PhysiCell project"),
            cells: self.table,
            listed_in: as_markdown(f"PhysiCell project {shown(self.name)} as a config of tme", self.notes),
        }

    def write(self, config: str | Path, overwrite: bool = False) -> list[Path]:
        """Write all files, after a check of the config as it will stand. ConfigError, and nothing written, where one is in the way."""
        config = Path(config)
        files = self.files(config)
        taken = [] if overwrite else [Fault(printable(str(p)), 0, "", "is there already", "another --out, or --overwrite") for p in files if p.exists()]
        if config.suffix not in (".yaml", ".yml"):
            taken.append(Fault(printable(str(config)), 0, "--out", f"ends with {shown(config.suffix)}", ".yaml"))
        if taken:
            raise ConfigError(taken)
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                (Path(folder) / path.name).write_text(text, encoding="utf-8")
            load_config(Path(folder) / config.name)
        try:
            config.parent.mkdir(parents=True, exist_ok=True)
            for path, text in files.items():
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError([Fault(printable(str(config)), 0, "--out", f"cannot be written: {error.strerror}")]) from error
        return list(files)


def translate(folder: str | Path, tumour: str = "", settings: str = "") -> Imported:
    """The project in a folder. ConfigError with every fault of its files.

    `tumour` names the cell type that is the tumour, where the names do not tell; `settings` the settings file, where it
    is not `config/PhysiCell_settings.xml` or `PhysiCell_settings.xml`.
    """
    root, faults = Path(folder), list[Fault]()
    project, rules = parsed(root, settings, faults)
    if project is None or faults:
        raise ConfigError(faults)
    name = tumour_of(project, tumour, faults)
    table = cells_of(root, project, faults)
    if faults:
        raise ConfigError(faults)
    roles = roles_of(project, rules, name)
    if not table.counts()[name]:
        where = project.cells.filename if project.cells is not None else project.file
        raise ConfigError([Fault(bare(where), 0, "", f"places no cell of {shown(name)}, the tumour", "at least one; --tumour names another type")])
    return built(project, rules, table, roles, plain_name(root))


def parsed(root: Path, settings: str, faults: list[Fault]) -> tuple[Project | None, list[rules_csv.Rule]]:
    """The settings and their rules; faults for what cannot be read."""
    path = settings_path(root, settings, faults)
    tree = open_settings(path, relative(path, root), faults) if path is not None else None
    if tree is None or path is None:
        return None, []
    project = Settings(relative(path, root), tree, faults).project()
    rules: list[rules_csv.Rule] = []
    for item in project.rules:
        found = beside(root, path, item, project, faults)
        if found is not None:
            rules += rules_csv.read(found, relative(found, root), item.version, faults)
    return project, named(project, rules, faults)


def named(project: Project, rules: list[rules_csv.Rule], faults: list[Fault]) -> list[rules_csv.Rule]:
    """Rules with the one name of their signal and behaviour; faults for names that do not exist and rules that do not go together."""
    signals = {n: words.signals(project.substrates, project.types, t) for n, t in project.types.items()}
    behaviours = words.behaviours(project.substrates, project.types)
    good = rules_csv.names_exist(rules, project.types, signals, behaviours, faults)
    plain = [replace(r, signal=signals[r.cell][r.signal], behaviour=behaviours.get(r.behaviour, r.behaviour)) for r in good]
    bases = {(r.cell, r.behaviour): words.base_value(project.types[r.cell], r.behaviour) for r in plain}
    faults += rules_csv.clashes(plain, bases)
    return plain


def settings_path(root: Path, settings: str, faults: list[Fault]) -> Path | None:
    """The settings file of a project."""
    if not root.is_dir():
        faults.append(Fault(printable(str(root)), 0, "", "is no folder", "the folder of a PhysiCell project"))
        return None
    tried = [root / settings] if settings else [root / "config" / SETTINGS, root / SETTINGS]
    for path in tried:
        if path.is_file():
            return path
    there = sorted(p.relative_to(root).as_posix() for p in [*root.glob("*.xml"), *root.glob("config/*.xml")])
    expected = f"{' or '.join(p.relative_to(root).as_posix() for p in tried)}; --settings names another" + (f" ({', '.join(printable(t) for t in there[:5])})" if there else "")
    faults.append(Fault(printable(str(root)), 0, "", "has no settings file", printable(expected)))
    return None


def beside(root: Path, settings: Path, item: Listed, project: Project, faults: list[Fault]) -> Path | None:
    """The file that the settings name, relative to the project, or to the settings; it must lie within the project."""
    place = Path(item.folder) / item.filename
    tried = [base / place for base in (root, settings.parent, settings.parent.parent)] + [settings.parent / item.filename]
    inside = [p for p in tried if p.resolve().is_relative_to(root.resolve())]
    for path in inside:
        if path.is_file():
            if path != tried[0]:
                project.notes.append(Note("warning", project.file, item.line, f"{shown(place.as_posix())} is not there", f"{shown(relative(path, root))} is taken; PhysiCell looks from the project's folder alone"))
            return path
    what = f"no such file: {shown(place.as_posix())}" if inside else f"leaves the project: {shown(place.as_posix())}"
    near = nearest(Path(item.filename).name, [p.name for p in settings.parent.iterdir()])
    faults.append(Fault(project.file, item.line, "filename", what, "a file of the project, relative to its folder", printable(near)))
    return None


def relative(path: Path, root: Path) -> str:
    """A file's name for messages."""
    return printable(path.resolve().relative_to(root.resolve()).as_posix() if path.resolve().is_relative_to(root.resolve()) else path.name)


def cells_of(root: Path, project: Project, faults: list[Fault]) -> cells_csv.Table:
    """The cells at the start: from the table, else as PhysiCell's template places them."""
    if project.cells is not None:
        path = beside(root, root / project.file, project.cells, project, faults)
        table = cells_csv.Table() if path is None else cells_csv.read(path, relative(path, root), project.types, project.domain, faults)
        for column, (count, line) in table.own.items():
            project.notes.append(Note("left out", relative(path, root) if path else "", line, f"{count} cells have their own {shown(column)}", "cells of a type begin alike"))
        if project.number_of_cells is not None and project.number_of_cells[0] > 0:
            project.notes.append(Note("warning", project.file, project.number_of_cells[1], f"number_of_cells is {project.number_of_cells[0]}",
                                      "PhysiCell's own setup may place these beside those of the table; here the table is all"))  # fmt: skip
        return table
    if project.number_of_cells is None or project.number_of_cells[0] == 0:
        faults.append(Fault(project.file, 0, "initial_conditions.cell_positions", "no table of cells is enabled, and user_parameters.number_of_cells is 0 or missing: the project's C++ code places cells, and is not read",
                            "a table, x,y,z,type, named there and enabled"))  # fmt: skip
        return cells_csv.Table()
    count, line = project.number_of_cells
    project.notes.append(Note("approximated", project.file, line, f"number_of_cells {count}", "so many of each type, evenly over the domain, as the template's setup does; the project's own C++ code is not read"))
    return cells_csv.scattered(project.types, count, project.domain)


def tumour_of(project: Project, asked: str, faults: list[Fault]) -> str:
    """The cell type that is the tumour: the one asked for, the only one whose name says so, or the only one that divides."""
    if asked:
        if asked not in project.types:
            faults.append(Fault(project.file, 0, "--tumour", f"there is no cell type {shown(asked)}", listed(map(shown, project.types)), bare(nearest(asked, project.types))))
        return asked
    by_name = [n for n in project.types if any(w in n.lower() for w in TUMOUR_WORDS)]
    dividing = [n for n, t in project.types.items() if t.divides_min is not None]
    for some in (by_name, [n for n in by_name if n in dividing], dividing if not by_name else []):
        if len(some) == 1:
            return some[0]
    if len(project.types) == 1:
        return next(iter(project.types))
    several = f"{' and '.join(map(shown, (by_name or dividing)[:4]))} may be" if by_name or dividing else "none of the cell types is called so or divides"
    faults.append(Fault(project.file, 0, "cell_definitions", f"which type is the tumour? {several}", "--tumour NAME; a model here has one"))
    return ""


def roles_of(project: Project, rules: list[rules_csv.Rule], tumour: str) -> dict[str, str]:
    """Tumour, tissue that keeps its place, or guests that move among others, by cell type."""
    moved = {r.cell for r in rules if r.behaviour == "migration speed" and r.to > 0.0}

    def role(cell: CellType) -> str:
        if cell.name == tumour:
            return "tumour"
        return "guest" if cell.motile and (cell.speed > 0.0 or cell.name in moved) else "tissue"

    return {name: role(cell) for name, cell in project.types.items()}


def built(project: Project, rules: list[rules_csv.Rule], table: cells_csv.Table, roles: dict[str, str], name: str) -> Imported:
    """Texts of all files, and the notes."""
    library = load_library()
    series = (*columns.ALWAYS, *columns.SPREAD, *columns.OTHER_DEATHS)
    taken = [*library.spreading(), *library.cells, *library.events, *library.rules, *TAKEN, *series, "corner", "vessel", "time", "ignore", "none"]
    names = words.Names(taken)
    oxygen = oxygen_of(project)
    fields = {s: "oxygen" if s == oxygen else names.free(s) for s in project.substrates}
    units = {s: "mmHg" if s == oxygen else unit_of(v.unit) for s, v in project.substrates.items()}
    kinds = {t: "tumour" if role == "tumour" else names.free(t) for t, role in roles.items()}
    setting = Setting(project, fields, units, kinds, roles)
    grammar = Grammar(setting, names)
    grammar.add(rules)
    lattice = Lattice(project.domain, width(project.domain, project.types, roles))
    parts = Parts(setting, grammar, lattice.dx_um)
    entries = {"fields": parts.fields(oxygen), "cells": parts.cells(), "rules": grammar.entries}
    config, own = config_of(setting, parts, lattice, entries, name)
    notes = [*project.notes, *grammar.notes, *parts.notes, *lattice.notes(project.file, table), *names_told(setting), *added(setting, oxygen)]
    return Imported(name, project.file, config, own, table_text(table, kinds, lattice), in_order(notes))


def oxygen_of(project: Project) -> str | None:
    """The substrate that is our oxygen, in mmHg; a warning where its unit is another."""
    name = words.oxygen_of(project.substrates)
    if name is None:
        return None
    s = project.substrates[name]
    if s.unit.lower() not in ("mmhg", "", "dimensionless", "none"):
        project.notes.append(Note("warning", project.file, s.line, f"{shown(name)} is in {shown(s.unit)}", "oxygen is in mmHg here, so this is a field of its own, and the chemistry of the cells has 38 mmHg"))
        return None
    if s.unit.lower() != "mmhg":
        project.notes.append(Note("warning", project.file, s.line, f"{shown(name)} has the unit {shown(s.unit)}", "its numbers are taken as mmHg"))
    return name


def unit_of(text: str) -> str:
    """A unit as it may stand in our files."""
    plain = "".join(c for c in text if c.isascii() and (c.isalnum() or c in " /^*().-%"))[:24].strip()
    return "1" if plain.lower() in ("", "dimensionless", "none", "1") else plain


def names_told(setting: Setting) -> Iterator[Note]:
    """What substrates and cell types are called here."""
    p = setting.project
    for name, s in p.substrates.items():
        yield Note("taken", p.file, s.line, f"substrate {shown(name)}", f"field.{setting.fields[name]}, in {setting.units[name]}")
    for name, t in p.types.items():
        role = {"tumour": "the tumour", "tissue": "tissue that keeps its place", "guest": "a guest that moves among others"}[setting.roles[name]]
        yield Note("taken", p.file, t.line, f"cell type {shown(name)}", f"{setting.kinds[name]}, {role}")


def added(setting: Setting, oxygen: str | None) -> Iterator[Note]:
    """What stands in the config and not in the project."""
    file = setting.project.file
    yield Note("added", file, 0, "the ferroptosis chemistry of tumour cells, at rest", "so that drugs, particles and antibodies of the library act in arms that you add")
    yield Note("added", file, 0, "cystine held at 40 uM", "tumour cells take it up; PhysiCell has none")
    if oxygen is None:
        yield Note("added", file, 0, "oxygen held at 38 mmHg", "the chemistry needs it")
    yield Note("added", file, 0, "our laws off that PhysiCell has not", "vessels, our oxygen uptake, growth by HMGB1, arrest by IFN-gamma, drift of traits")


def plain_name(root: Path) -> str:
    """A name for the config, from the folder's."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in root.resolve().name).strip("_")[:60]
    return plain if plain and plain[0].isalpha() else f"physicell_{plain}".strip("_")


def report(notes: list[Note]) -> Iterator[Any]:
    """Lines for a terminal: everything but what was taken as it is."""
    for word in ORDER:
        some = [n for n in notes if n.word == word]
        if some and word != "taken":
            yield f"{HEADINGS[word]} ({len(some)})"
            yield from (f"  {printable(str(n))}" for n in some)
    taken = sum(n.word == "taken" for n in notes)
    yield f"{taken} things taken as they are"
