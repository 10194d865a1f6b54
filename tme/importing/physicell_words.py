"""The signals and behaviours of PhysiCell's grammar by name, and which signals are here something that a cell can know."""

from __future__ import annotations

from collections.abc import Iterable

from tme.importing.physicell_data import CellType, Substrate

CORPSES = ("dead", "apoptotic", "necrotic")
# what a signal is there and why it is nothing here
NO_SIGNAL = {
    "pressure": "cells on a lattice do not overlap, so nothing presses; own.crowding, the cells that a daughter would have to push, is the nearest",
    "volume": "cells have one volume here",
    "damage": "damage is counted in hits of killers, not felt",
    "damage delivered": "damage is counted in hits of killers",
    "total attack time": "a tumour cell counts hits, not minutes",
    "attacking": "no signal of that kind",
    "contact with basement membrane": "there is no basement membrane",
    "contact with dead cell": "contacts count living cells here",
    "contact with apoptotic cell": "contacts count living cells here",
    "contact with necrotic cell": "contacts count living cells here",
    "contact with other dead cell": "contacts count living cells here",
    "dead": "a corpse does nothing here but secrete",
    "apoptotic": "a corpse does nothing here but secrete",
    "necrotic": "a corpse does nothing here but secrete",
    "gradient": "rules hear levels, not gradients",
    "intracellular": "substrates within cells are not tracked",
    "immunogenicity": "there is no such property of a pair of types",
    "custom": "a variable of the project's own C++ code",
    "contact with live cell": "counts of all types add up before the Hill power; here each type is a signal of its own",
}
SAME_SIGNAL = {
    "contact with live cells": "contact with live cell", "contact with dead cells": "contact with dead cell", "contact with apoptotic cells": "contact with apoptotic cell",
    "contact with necrotic cells": "contact with necrotic cell", "contact with other dead cells": "contact with other dead cell", "contact with BM": "contact with basement membrane",
    "is dead": "dead", "is_dead": "dead", "is apoptotic": "apoptotic", "is_apoptotic": "apoptotic", "is necrotic": "necrotic", "is_necrotic": "necrotic",
    "current time": "time", "global time": "time", "is attacking": "attacking", "is_attacking": "attacking",
}  # fmt: skip
MECHANICS = (
    "cell-cell adhesion", "cell-cell adhesion elastic constant", "relative maximum adhesion distance", "cell-cell repulsion", "cell-BM adhesion",
    "cell-BM repulsion", "cell attachment rate", "cell detachment rate", "maximum number of cell attachments", "is_movable", "movable",
)  # fmt: skip
NO_BEHAVIOUR = {
    "mechanics": "cells on a lattice push others by whole places: there is no adhesion, repulsion or attachment",
    "secretion target": "the target is part of the rate here",
    "phase": "division has one rate here, that of all phases together",
    "persistence": "the persistence of a walk is no term of rules",
    "chemotaxis": "which field a type follows is fixed",
    "living": "cells that eat, fuse with or turn into others have no counterpart",
    "damage": "damage is counted in hits of killers",
    "immunogenicity": "there is no such property of a pair of types",
    "custom": "a variable of the project's own C++ code",
}


def signals(substrates: Iterable[str], types: dict[str, CellType], cell: CellType) -> dict[str, str]:
    """Every signal that rules of a cell type may name -> its one name."""
    out = {name: name for name in NO_SIGNAL if name not in ("gradient", "intracellular", "immunogenicity", "custom")} | {"time": "time"} | SAME_SIGNAL
    for x in substrates:
        out |= {x: x, f"intracellular {x}": f"intracellular {x}", f"internalized {x}": f"intracellular {x}"}
        out |= dict.fromkeys((f"{x} gradient", f"grad({x})", f"gradient of {x}"), f"{x} gradient")
    for name, other in types.items():
        out |= dict.fromkeys((f"contact with {name}", f"contact with cell type {other.id}"), f"contact with {name}")
        out[f"immunogenicity to {name}"] = f"immunogenicity to {name}"
    return out | {f"custom:{c}": f"custom:{c}" for c in cell.custom}


def behaviours(substrates: Iterable[str], types: dict[str, CellType]) -> dict[str, str]:
    """Every behaviour -> its one name."""
    out = {name: name for name in (*MECHANICS, "cycle entry", "apoptosis", "necrosis", "migration speed", "migration bias", "migration persistence time",
                                   "attack damage rate", "attack duration", "damage rate", "damage repair rate")}  # fmt: skip
    out |= {f"exit from cycle phase {k}": f"exit from cycle phase {k}" if k else "cycle entry" for k in range(6)}
    out |= {f"phagocytose {kind} cell{s}": f"phagocytose {kind} cell" for kind in ("apoptotic", "necrotic", "other dead") for s in ("", "s")}
    out |= {"phagocytose dead cell": "phagocytose apoptotic cell", "phagocytose dead cells": "phagocytose apoptotic cell", "phagocytosis of dead cells": "phagocytose apoptotic cell"}
    for x in substrates:
        out |= {f"{x} {what}": f"{x} {what}" for what in ("secretion", "secretion target", "uptake", "export")}
        out |= {f"{x} secretion saturation density": f"{x} secretion target", f"chemotactic response to {x}": f"chemotactic response to {x}"}
    for name, other in types.items():
        for verb in ("phagocytose", "attack", "fuse to", "transform to", "asymmetric division to", "immunogenicity to", "adhesive affinity to", "cell adhesion affinity to"):
            out |= dict.fromkeys((f"{verb} {name}", f"{verb} cell type {other.id}"), f"{verb} {name}")
    return out


def base_value(cell: CellType, behaviour: str) -> float | None:
    """What the cell definition says of a behaviour; None where it is nothing that is read here."""
    plain = {"cycle entry": cell.cycle[0] if cell.cycle else 0.0, "apoptosis": cell.apoptosis, "necrosis": cell.necrosis, "migration speed": cell.speed,
             "migration bias": cell.bias, "migration persistence time": cell.persistence_min, "phagocytose apoptotic cell": cell.eats.get("apoptotic", 0.0),
             "phagocytose necrotic cell": cell.eats.get("necrotic", 0.0), "phagocytose other dead cell": cell.eats.get("other", 0.0),
             "attack damage rate": cell.attack_damage, "attack duration": cell.attack_min}  # fmt: skip
    if behaviour in plain:
        return plain[behaviour]
    for name, exchange in cell.exchange.items():
        values = {f"{name} secretion": exchange.secretion, f"{name} secretion target": exchange.target, f"{name} uptake": exchange.uptake, f"{name} export": exchange.export}
        if behaviour in values:
            return values[behaviour]
    if behaviour.startswith("attack "):
        return cell.attacks.get(behaviour.removeprefix("attack "), 0.0)
    if behaviour.startswith("exit from cycle phase "):
        phase = int(behaviour.rpartition(" ")[2])
        return cell.cycle[phase] if phase < len(cell.cycle) else 0.0
    return 0.0 if behaviour.endswith((" secretion", " uptake", " export")) else None


def why_no_behaviour(behaviour: str) -> str:
    """Why a behaviour is nothing here, whatever the type."""
    if behaviour in MECHANICS or behaviour.startswith(("adhesive affinity", "cell adhesion affinity")):
        return NO_BEHAVIOUR["mechanics"]
    for start, key in (("exit from cycle phase", "phase"), ("migration persistence", "persistence"), ("chemotactic response", "chemotaxis"), ("fuse to", "living"),
                       ("transform to", "living"), ("asymmetric division", "living"), ("phagocytose", "living"), ("immunogenicity", "immunogenicity"),
                       ("attack d", "damage"), ("damage", "damage"), ("custom:", "custom")):  # fmt: skip
        if behaviour.startswith(start):
            return NO_BEHAVIOUR[key]
    return NO_BEHAVIOUR["secretion target"] if behaviour.endswith("secretion target") else "no law here has it"


def why_no_signal(signal: str) -> str:
    """Why a signal is nothing here."""
    for start, key in (("intracellular ", "intracellular"), ("custom:", "custom"), ("immunogenicity to ", "immunogenicity")):
        if signal.startswith(start):
            return NO_SIGNAL[key]
    return NO_SIGNAL["gradient"] if signal.endswith(" gradient") else NO_SIGNAL.get(signal, "no signal of that kind")


class Names:
    """Names that substrates and cell types have here: letters, digits and _, unlike any that is taken."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)

    def free(self, name: str, most: int = 40) -> str:
        """A name like this one, of at most so many letters."""
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower()).strip("_")[:most]
        plain = "_".join(part for part in plain.split("_") if part) or "unnamed"
        start = plain if plain[0].isalpha() and plain not in self.taken else f"physicell_{plain}"
        out, k = start, 1
        while out in self.taken:
            k += 1
            out = f"{start}_{k}"
        self.taken.add(out)
        return out


def oxygen_of(substrates: dict[str, Substrate]) -> str | None:
    """The substrate that is oxygen, by its name."""
    return next((name for name in substrates if name.strip().lower() in ("oxygen", "o2")), None)
