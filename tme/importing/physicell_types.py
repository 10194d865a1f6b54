"""Read cell definitions: cycle, death, volume, motility, secretion, what a cell does to others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tme.config.errors import listed, nearest
from tme.importing.notes import Note, bare, shown
from tme.importing.physicell_data import MIN, PER_MIN, UM3, UM_MIN, CellType, Exchange
from tme.importing.physicell_xml import Element, Reader

DEATHS = {"100": "apoptosis", "101": "necrosis"}
EATEN = {"apoptotic_phagocytosis_rate": ("apoptotic",), "necrotic_phagocytosis_rate": ("necrotic",), "other_dead_phagocytosis_rate": ("other",),
         "dead_phagocytosis_rate": ("apoptotic", "necrotic", "other")}  # fmt: skip
NOTHING = Element("", 0)


class Definitions:
    """The cell definitions of a settings file."""

    def __init__(self, reader: Reader, root: Element, substrates: list[str], notes: list[Note]) -> None:
        self.reader, self.substrates, self.notes = reader, substrates, notes
        self.nodes: dict[str, Element] = {}
        for node in (root.find("cell_definitions") or NOTHING).all("cell_definition"):
            name = node.attributes.get("name", "")
            if not name or name != name.strip() or "," in name:
                reader.fault(node, "cell_definition", f"has the name {shown(name)}", "a name without commas and without blanks around it")
            elif name in self.nodes:
                reader.fault(node, f"cell_definition {shown(name)}", f"stands in line {self.nodes[name].line} already", "another name")
            else:
                self.nodes[name] = node
        if not self.nodes:
            reader.fault(root, "cell_definitions", "holds no cell type", "at least one <cell_definition>")

    def read(self) -> dict[str, CellType]:
        """Each cell type by its name."""
        return {name: self.one(name, node, number) for number, (name, node) in enumerate(self.nodes.items())}

    def chain(self, name: str) -> list[Element]:
        """The definition, its parent, and so on."""
        out: list[Element] = []
        while True:
            node = self.nodes[name]
            if node in out:
                self.reader.fault(node, f"cell_definition {shown(name)}.parent_type", "leads back to itself", "a parent further up")
                return out
            out.append(node)
            parent = node.attributes.get("parent_type", "")
            if not parent:
                return out
            if parent not in self.nodes:
                self.reader.fault(node, f"cell_definition {shown(name)}.parent_type", f"is {shown(parent)}, which there is not", listed(map(shown, self.nodes)), bare(nearest(parent, self.nodes)))
                return out
            name = parent

    def one(self, name: str, node: Element, number: int) -> CellType:
        """One cell type, with what it inherits."""
        chain = [n.find("phenotype") or NOTHING for n in self.chain(name)]
        text = node.attributes.get("ID", str(number))
        if not text.isdigit():
            self.reader.fault(node, f"cell_definition {shown(name)}.ID", f"is {shown(text)}", "a number from 0 on")
        out = CellType(name, node.line, int(text) if text.isdigit() else number)
        self.cycle(chain, out)
        self.deaths(chain, out)
        total = first(chain, "volume/total")
        out.volume = self.value(total, UM3, 2494.0, 1e-6)
        if total is None:
            self.note("warning", node.line, f"{shown(name)} states no volume", "PhysiCell's default, 2494 um^3, is taken")
        self.motility(chain, out)
        self.exchange(chain, out)
        self.towards_others(chain, out)
        custom = [c for n in self.chain(name) for c in (n.find("custom_data") or NOTHING).children]
        out.custom = tuple(dict.fromkeys(c.tag for c in custom))
        for item in (first(chain, "intracellular"),):
            if item is not None:
                out.not_here.append((item.line, f"an intracellular model of type {shown(item.attributes.get('type', ''))}"))
        for part in (node.find("initial_parameter_distributions"),):
            if part is not None and self.reader.switch(part):
                out.not_here.append((part.line, "initial_parameter_distributions"))
        return out

    def note(self, word: str, line: int, what: str, why: str = "") -> None:
        """Keep something to tell."""
        self.notes.append(Note(word, self.reader.file, line, what, why))  # type: ignore[arg-type]

    def value(self, element: Element | None, units: tuple[str, ...], default: float, low: float = 0.0, high: float = float("inf")) -> float:
        """The number of an element, or the default."""
        found = self.reader.value(element, units, default, low, high) if element is not None else None
        return default if found is None else found

    # ---- cycle and death ------------------------------------------------------------------------------------------
    def cycle(self, chain: list[Element], out: CellType) -> None:
        """The rate out of each phase, from rates or from durations."""
        cycle = first(chain, "cycle")
        if cycle is None:
            return
        out.lines["cycle"] = cycle.line
        rates: dict[int, float] = {}
        for item in (cycle.find("phase_transition_rates") or NOTHING).all("rate"):
            rates[self.index(item, "start_index")] = self.value(item, (), 0.0)
        for item in (cycle.find("phase_durations") or NOTHING).all("duration"):
            minutes = self.value(item, (), 0.0)
            rates[self.index(item, "index")] = 1.0 / minutes if minutes > 0.0 else 0.0
        for part, units in (("phase_transition_rates", PER_MIN), ("phase_durations", MIN)):
            node = cycle.find(part)
            if node is not None:
                self.reader.check_unit(node, units)
        out.cycle = [rates[k] for k in sorted(rates)]
        if sorted(rates) != list(range(len(rates))):
            self.reader.fault(cycle, f"{shown(out.name)}.cycle", f"has rates of phases {sorted(rates)}", "one for each phase from 0 on")

    def index(self, item: Element, key: str) -> int:
        """The phase that a rate or duration belongs to."""
        text = item.attributes.get(key, "0")
        return int(text) if text.isdigit() else 0

    def deaths(self, chain: list[Element], out: CellType) -> None:
        """Rates of apoptosis and necrosis, and how long an apoptotic cell stays."""
        models: dict[str, Element] = {}
        for phenotype in reversed(chain):  # what comes later is nearer to the type itself
            for model in (phenotype.find("death") or NOTHING).all("model"):
                kind = DEATHS.get(model.attributes.get("code", "")) or model.attributes.get("name", "").lower()
                if kind not in DEATHS.values():
                    self.reader.fault(model, f"{shown(out.name)}.death.model", f"has code {shown(model.attributes.get('code', ''))}", "100 (apoptosis) or 101 (necrosis)")
                models[kind] = model
        for kind, model in models.items():
            rate = model.find("death_rate")
            out.lines[kind] = rate.line if rate is not None else model.line
            if kind in ("apoptosis", "necrosis"):
                setattr(out, kind, self.value(rate, PER_MIN, 0.0))
        model = models.get("apoptosis", NOTHING)
        minutes = [self.value(d, (), 0.0) for d in (model.find("phase_durations") or NOTHING).all("duration")]
        rates = [self.value(r, (), 0.0) for r in (model.find("phase_transition_rates") or NOTHING).all("rate")]
        out.corpse_min = sum(minutes) if minutes else sum(1.0 / r for r in rates if r > 0.0) if rates else None

    # ---- motion ---------------------------------------------------------------------------------------------------
    def motility(self, chain: list[Element], out: CellType) -> None:
        """Speed, persistence, bias, and what is followed."""
        enabled = first(chain, "motility/options/enabled")
        out.motile = self.reader.switch(enabled)
        for key, path, units, high in (("speed", "speed", UM_MIN, float("inf")), ("persistence_min", "persistence_time", MIN, float("inf")),
                                       ("bias", "migration_bias", (), 1.0)):  # fmt: skip
            element = first(chain, f"motility/{path}")
            out.lines[key] = element.line if element is not None else out.line
            setattr(out, key, self.value(element, units, getattr(out, key), 0.0, high))
        simple, advanced = (self.reader.switch(first(chain, f"motility/options/{kind}/enabled")) for kind in ("chemotaxis", "advanced_chemotaxis"))
        place = first(chain, "motility/options/advanced_chemotaxis" if advanced else "motility/options/chemotaxis")
        out.lines["follows"] = place.line if place is not None else out.line
        if simple and advanced:
            self.reader.fault(place or NOTHING, f"{shown(out.name)}.motility.options", "has chemotaxis and advanced_chemotaxis enabled; PhysiCell takes one of them", "one of them")
        elif simple:
            named = first(chain, "motility/options/chemotaxis/substrate")
            name = named.text.strip() if named is not None else ""
            direction = self.value(first(chain, "motility/options/chemotaxis/direction"), (), 1.0, -1.0, 1.0)
            if self.known(named or NOTHING, f"{out.name}.chemotaxis", name, self.substrates):
                out.follows[name] = direction
        elif advanced:
            for item in (first(chain, "motility/options/advanced_chemotaxis/chemotactic_sensitivities") or NOTHING).all("chemotactic_sensitivity"):
                name = item.attributes.get("substrate", "")
                weight = self.value(item, (), 0.0, -float("inf"))
                if self.known(item, f"{out.name}.chemotactic_sensitivity", name, self.substrates) and weight:
                    out.follows[name] = weight

    # ---- substrates -----------------------------------------------------------------------------------------------
    def exchange(self, chain: list[Element], out: CellType) -> None:
        """Secretion, uptake and export of each substrate; what the type leaves out is its parent's."""
        for phenotype in reversed(chain):
            for item in (phenotype.find("secretion") or NOTHING).all("substrate"):
                name = item.attributes.get("name", "")
                if not self.known(item, f"{out.name}.secretion", name, self.substrates):
                    continue
                former = out.exchange.get(name, Exchange(item.line))
                numbers = [self.value(item.find(tag), units, default, low) for tag, units, default, low in (
                    ("secretion_rate", PER_MIN, former.secretion, 0.0), ("secretion_target", (), former.target, 0.0),
                    ("uptake_rate", PER_MIN, former.uptake, 0.0), ("net_export_rate", (), former.export, -float("inf")))]  # fmt: skip
                out.exchange[name] = Exchange(item.line, *numbers)
                if numbers[0] > 0.0 and numbers[1] == 0.0:
                    self.note("warning", item.line, f"{shown(out.name)} secretes {shown(name)} towards a target of 0", "that is uptake, in PhysiCell as here")

    # ---- others ---------------------------------------------------------------------------------------------------
    def towards_others(self, chain: list[Element], out: CellType) -> None:
        """What a cell does to other cells, and what becomes of it."""
        for tag, kinds in EATEN.items():
            element = first(chain, f"cell_interactions/{tag}")
            if element is not None:
                out.eats.update(dict.fromkeys(kinds, self.value(element, PER_MIN, 0.0)))
                out.lines["eats"] = element.line
        for item, name, rate in self.pairs(chain, out, "cell_interactions/attack_rates", "attack_rate"):
            out.attacks[name] = rate
            out.lines[f"attack {name}"] = item.line
        damage = first(chain, "cell_interactions/attack_damage_rate") or first(chain, "cell_interactions/damage_rate")
        out.attack_damage = self.value(damage, PER_MIN, 1.0)
        out.attack_min = self.value(first(chain, "cell_interactions/attack_duration"), MIN, 30.0, 1e-9)
        for path, one, words in (("cell_interactions/live_phagocytosis_rates", "phagocytosis_rate", "eats living"),
                                 ("cell_interactions/fusion_rates", "fusion_rate", "fuses with"),
                                 ("cell_transformations/transformation_rates", "transformation_rate", "turns into")):  # fmt: skip
            for item, name, rate in self.pairs(chain, out, path, one):
                if rate > 0.0:
                    out.not_here.append((item.line, f"{shown(out.name)} {words} {shown(name)}, {rate:g} 1/min"))
        for tag in ("damage_rate", "damage_repair_rate"):
            element = first(chain, f"cell_integrity/{tag}")
            if self.value(element, PER_MIN, 0.0) > 0.0 and element is not None:
                out.not_here.append((element.line, f"{shown(out.name)}: {tag} of cell_integrity"))

    def pairs(self, chain: list[Element], out: CellType, path: str, one: str) -> Iterator[tuple[Element, str, float]]:
        """(element, cell type, rate) of a list of rates towards cell types."""
        node = first(chain, path)
        for item in (node or NOTHING).children:
            if item.tag != one:
                self.reader.fault(item, f"{shown(out.name)}.{path.rpartition('/')[2]}", f"holds <{bare(item.tag)}>", f"<{one}>", nearest(item.tag, [one]))
                continue
            name = item.attributes.get("name", "")
            if self.known(item, f"{out.name}.{one}", name, self.nodes):
                yield item, name, self.value(item, PER_MIN, 0.0)

    def known(self, item: Element, key: str, name: str, names: Iterable[str]) -> bool:
        """Whether there is such a substrate or cell type; a fault if not."""
        names = list(names)
        if name in names:
            return True
        self.reader.fault(item, bare(key), f"unknown name {shown(name)}", listed(map(shown, names)), bare(nearest(name, names)))
        return False


def first(chain: list[Element], path: str) -> Element | None:
    """The element at a path of the first phenotype of the chain that has it."""
    return next((found for phenotype in chain if (found := phenotype.find(path)) is not None), None)
