"""What a PhysiCell settings file says, as plain data: domain, substrates, cell types, files of rules and cells.

Values that PhysiCell would take without a word and not as they were meant are faults (`physicell_xml.Reader`). What a cell
type does not say it inherits from `parent_type`, as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tme.config.errors import Fault, listed, nearest
from tme.importing.notes import Note, shown
from tme.importing.physicell_data import (
    MIN,
    PER_MIN,
    UM,
    UM2_MIN,
    WALLS,
    CellType,
    Domain,
    Listed,
    Project,
    Substrate,
)
from tme.importing.physicell_types import Definitions
from tme.importing.physicell_xml import Element, Reader, misplaced


class Settings(Reader):
    """Reads one settings file into a `Project`."""

    def __init__(self, file: str, root: Element, faults: list[Fault]) -> None:
        super().__init__(file, faults)
        self.root = root
        self.notes: list[Note] = []

    def note(self, word: str, line: int, what: str, why: str = "") -> None:
        """Keep something to tell."""
        self.notes.append(Note(word, self.file, line, what, why))  # type: ignore[arg-type]

    def project(self) -> Project:
        """Everything; faults are in `faults`."""
        for line, what, why in misplaced(self.root, self.file, self.faults):
            self.note("left out", line, what, why)
        self.time_order()
        substrates = self.substrates()
        types = self.types(list(substrates))
        return Project(
            file=self.file,
            domain=self.domain(),
            minutes=self.number(self.root, "overall/max_time", MIN, 14400.0, 0.0) or 0.0,
            dt_phenotype=self.number(self.root, "overall/dt_phenotype", MIN, 6.0, 0.0) or 6.0,
            substrates=substrates,
            types=types,
            rules=list(self.rulesets()),
            cells=self.cells(),
            seed=self.seed(),
            number_of_cells=self.number_of_cells(),
            notes=self.notes,
        )

    # ---- domain and time ------------------------------------------------------------------------------------------
    def domain(self) -> Domain:
        """The box."""
        out, node = Domain(), self.root.find("domain")
        if node is None:
            self.fault(self.root, "domain", "is missing", "<domain> with x_min ... z_max, dx, dy, dz")
            return out
        out.line = node.line
        out.flat = self.switch(node.find("use_2D"))
        for axis in "xyz":
            low, high = (self.number(node, f"{axis}_{side}", UM) for side in ("min", "max"))
            if low is None or high is None:
                if node.find(f"{axis}_min") is None or node.find(f"{axis}_max") is None:
                    self.fault(node, f"domain.{axis}", f"{axis}_min or {axis}_max is missing", "both, in micron")
            elif not low < high:
                self.fault(node.find(f"{axis}_max") or node, f"domain.{axis}_max", f"is {high:g}, not above {axis}_min {low:g}", "more")
            else:
                setattr(out, axis, (low, high))
        out.dz = self.number(node, "dz", UM, 20.0, 1e-3) or 20.0
        for axis in ("dx", "dy"):
            self.number(node, axis, UM, 20.0, 1e-3)
        for tag, units in (("time_units", MIN), ("space_units", UM)):
            said = self.root.find(f"overall/{tag}")
            if said is not None and said.text.strip() not in units:
                self.fault(said, f"overall.{tag}", f"is {shown(said.text.strip())}; PhysiCell reads it and computes in {units[0]} all the same", units[0])
        return out

    def time_order(self) -> None:
        """Steps of time in their order: PhysiCell runs others without a word."""
        steps = [(tag, self.number(self.root, f"overall/{tag}", MIN, None, 1e-9)) for tag in ("dt_diffusion", "dt_mechanics", "dt_phenotype")]
        known = [(tag, value) for tag, value in steps if value is not None]
        for (before, a), (after, b) in pairwise(known):
            if a > b:
                element = self.root.find(f"overall/{after}")
                self.fault(element or 0, f"overall.{after}", f"is {b:g}, below {before} {a:g}", f"at least {a:g}")

    def seed(self) -> int | None:
        """The seed of random numbers, where the file has one."""
        for path in ("options/random_seed", "user_parameters/random_seed"):
            element = self.root.find(path)
            if element is not None and element.text.strip().isdigit():
                return int(element.text.strip()) % 2**31
            if element is not None:
                self.note("approximated", element.line, f"random_seed {shown(element.text.strip())}", "no number: seed 1 is used, and written into the config")
        return None

    def number_of_cells(self) -> tuple[int, int] | None:
        """`user_parameters/number_of_cells`, and its line."""
        element = self.root.find("user_parameters/number_of_cells")
        value = self.value(element, (), None, 0.0, 1e8) if element is not None else None
        for other in (self.root.find("user_parameters") or Element("", 0)).children:
            if other.tag not in ("number_of_cells", "random_seed"):
                self.note("left out", other.line, f"user parameter {shown(other.tag)}", "only the project's own C++ code reads it")
        return None if element is None or value is None else (int(value), element.line)

    # ---- substrates -----------------------------------------------------------------------------------------------
    def substrates(self) -> dict[str, Substrate]:
        """All variables of the microenvironment by name."""
        out: dict[str, Substrate] = {}
        for node in (self.root.find("microenvironment_setup") or Element("", 0)).all("variable"):
            name = node.attributes.get("name", "")
            if not name or name != name.strip():
                self.fault(node, "variable", f"has the name {shown(name)}", "a name without blanks around it")
                continue
            if name in out:
                self.fault(node, f"variable {shown(name)}", f"stands in line {out[name].line} already", "another name")
                continue
            out[name] = Substrate(
                name, node.line, node.attributes.get("units", "").strip(),
                self.needed(node, "physical_parameter_set/diffusion_coefficient", UM2_MIN), self.needed(node, "physical_parameter_set/decay_rate", PER_MIN),
                self.needed(node, "initial_condition", ()), self.walls(node, name),
            )  # fmt: skip
        for path in ("initial_condition", "dirichlet_nodes"):
            extra = self.root.find(f"microenvironment_setup/options/{path}")
            if extra is not None and self.switch(extra):
                self.note("left out", extra.line, f"microenvironment_setup/options/{path}", "values voxel by voxel from a file have no counterpart; the walls and one value everywhere have")
        self.activated_somewhere(out)
        return out

    def needed(self, node: Element, path: str, units: tuple[str, ...]) -> float:
        """A number from 0 on that has to be there."""
        if node.find(path) is None:
            self.fault(node, f"{node.tag} {shown(node.attributes.get('name', ''))}", f"has no {path}", "a number from 0 on")
        return self.number(node, path, units, 0.0, 0.0) or 0.0

    def walls(self, node: Element, name: str) -> dict[str, float]:
        """Sides at which a value is held: those that the variable has on, changed by those that have a word of their own."""
        whole = node.find("Dirichlet_boundary_condition")
        on = self.switch(whole)
        value = self.value(whole, (), 0.0, 0.0) if whole is not None and on else 0.0
        out = dict.fromkeys(WALLS.values(), value or 0.0) if on else {}
        for item in (node.find("Dirichlet_options") or Element("", 0)).all("boundary_value"):
            side = item.attributes.get("ID", "")
            if side not in WALLS:
                self.fault(item, f"boundary_value {shown(side)}", "unknown side, which PhysiCell passes over", listed(WALLS), nearest(side, WALLS))
            elif not self.switch(item):
                out.pop(WALLS[side], None)
            else:
                held = self.value(item, (), None, 0.0)
                if held is not None:
                    out[WALLS[side]] = held
                if not on:
                    self.note("warning", item.line, f"{shown(name)} is held at {side}, but its Dirichlet_boundary_condition is not enabled",
                              "PhysiCell then holds it only if another variable's is enabled; here it is held")  # fmt: skip
        return out

    def activated_somewhere(self, substrates: dict[str, Substrate]) -> None:
        """Sides that are on while no variable is: PhysiCell has no boundary at all then, and says nothing."""
        nodes = (self.root.find("microenvironment_setup") or Element("", 0)).all("variable")
        any_on = any(self.switch(n.find("Dirichlet_boundary_condition")) for n in nodes)
        for s in substrates.values():
            if s.walls and not any_on:
                self.fault(s.line, f"variable {shown(s.name)}", "has boundary values enabled while no Dirichlet_boundary_condition is: PhysiCell then holds nothing anywhere",
                           "Dirichlet_boundary_condition enabled=\"true\", or the boundary values off")  # fmt: skip

    # ---- files ----------------------------------------------------------------------------------------------------
    def rulesets(self) -> Iterator[Listed]:
        """Files of rules that are on, with the version of their format."""
        for node in (self.root.find("cell_rules/rulesets") or Element("", 0)).all("ruleset"):
            if not self.switch(node):
                self.note("left out", node.line, "a ruleset that is not enabled", "PhysiCell does not read it either")
                continue
            protocol, form = node.attributes.get("protocol", ""), node.attributes.get("format", "")
            try:
                version = float(node.attributes.get("version", ""))
            except ValueError:
                self.fault(node, "ruleset.version", f"is {shown(node.attributes.get('version', ''))}", "3.0, or 0, 1, 2 of older files")
                continue
            if protocol != "CBHG" or form.lower() != "csv":
                self.fault(node, "ruleset", f"has protocol {shown(protocol)} and format {shown(form)}; PhysiCell skips it with a warning and runs without its rules", 'protocol="CBHG" format="csv"')
                continue
            if version < 3.0:
                self.note("warning", node.line, f"rules of version {version:g}", "PhysiCell from 1.14 on refuses them; read here by their own format")
            yield self.listed(node, version)

    def cells(self) -> Listed | None:
        """The table of cells, where one is named and on."""
        node = self.root.find("initial_conditions/cell_positions")
        if node is None or not self.switch(node):
            return None
        if node.attributes.get("type", "csv").lower() != "csv":
            self.fault(node, "cell_positions.type", f"is {shown(node.attributes.get('type', ''))}", "csv")
            return None
        return self.listed(node, 0.0)

    def listed(self, node: Element, version: float) -> Listed:
        """Folder and name of a file."""
        place = node.find("filename") or node
        folder, name = ((node.find(tag) or Element("", 0)).text.strip() for tag in ("folder", "filename"))
        if not name:
            self.fault(place, f"{node.tag}.filename", "is missing", "the name of a file")
        return Listed(folder, name, place.line, version)

    # ---- cell types -----------------------------------------------------------------------------------------------
    def types(self, substrates: list[str]) -> dict[str, CellType]:
        """All cell definitions by name."""
        return Definitions(self, self.root, substrates, self.notes).read()
