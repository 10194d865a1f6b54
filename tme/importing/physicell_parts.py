"""Fields, cell types and numbers of laws from what a PhysiCell project says.

A cell of volume V adds S (target - level) - U level to its voxel there, V over the voxel's volume; here a rate is in the
tissue of one cell, 3,375 um^3, so that rates are times V/3375. What is amount per minute (net export) is over 3375.
"""

from __future__ import annotations

import math
from typing import Any

from tme.importing.notes import Note, shown
from tme.importing.physicell_data import CellType, Domain, Exchange, Project, Substrate
from tme.importing.physicell_grammar import Grammar, Setting, about, best, drift, number

CELL_UM3 = 3375.0
WIDTHS = (15.0, 18.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)  # of voxels, um
WIDEST_SPEED = 60.0  # um/h, of tumour cells that walk
FASTEST_DIVISION = 0.01  # 1/min
CORPSE_MIN = (60.0, 4320.0)
HITS = 3.0
EVERYWHERE_BELOW = 1.0e4  # mmHg: below it necrosis is at its full rate, so that the rules decide alone


def width(domain: Domain, types: dict[str, CellType], roles: dict[str, str]) -> float:
    """Voxel width, um: 15, or the next into which every tissue cell fits."""
    largest = max(t.volume for name, t in types.items() if roles[name] != "guest")
    depth = (lambda dx: domain.dz) if domain.flat else (lambda dx: dx)
    return next((dx for dx in WIDTHS if dx * dx * depth(dx) >= largest), WIDTHS[-1])


class Parts:
    """Builds entries; `notes` says what they leave out."""

    def __init__(self, setting: Setting, grammar: Grammar, dx_um: float) -> None:
        self.setting, self.grammar, self.dx_um = setting, grammar, dx_um
        self.project: Project = setting.project
        self.notes: list[Note] = []

    def note(self, word: str, line: int, what: str, why: str = "") -> None:
        """Keep something to tell of the settings file."""
        self.notes.append(Note(word, self.project.file, line, what, why))  # type: ignore[arg-type]

    def source(self, line: int) -> str:
        """Where a number stands."""
        return f"PhysiCell, {self.project.file}:{line}"

    # ---- fields ---------------------------------------------------------------------------------------------------
    def fields(self, oxygen: str | None) -> dict[str, dict[str, Any]]:
        """The entry of each substrate."""
        return {self.setting.fields[s.name]: self.one_field(s, s.name == oxygen) for s in self.project.substrates.values()}

    def one_field(self, s: Substrate, is_oxygen: bool) -> dict[str, Any]:
        """A substrate: solved backward in time every 6 min, unsplit, with its walls in the system."""
        source, unit = self.source(s.line), self.setting.units[s.name]
        out: dict[str, Any] = {
            "mode": "backward_euler", "clock_min": number(6.0, "min", "chosen: PhysiCell's step of phenotypes"), "diffusion": number(s.diffusion, "um^2/min", source),
            "decay": number(s.decay, "1/min", source), "initial": number(s.initial, unit, source),
        }  # fmt: skip
        axes = "xy" if self.project.domain.flat else "xyz"
        walls = {wall: number(value, unit, source) for wall, value in s.walls.items() if wall[0] in axes}
        if walls:
            out["walls"] = walls
        if len(walls) < len(s.walls):
            self.note("left out", s.line, f"{shown(s.name)} is held at z sides", "one layer of cells has none")
        if is_oxygen:
            return {"extends": "oxygen", "replace": True, **out, "vessel_exchange": number(0.0, "1/min", "chosen: the project has no vessels")}
        return {"about": f"substrate {shown(s.name)} of a PhysiCell project", "unit": unit, **out}

    # ---- cells ----------------------------------------------------------------------------------------------------
    def cells(self) -> dict[str, dict[str, Any]]:
        """The entry of each cell type."""
        out = {}
        for cell in self.project.types.values():
            role = self.setting.roles[cell.name]
            make = {"tumour": self.tumour, "tissue": self.tissue, "guest": self.guest}[role]
            out[self.setting.kinds[cell.name]] = make(cell)
            for line, what in cell.not_here:
                self.note("left out", line, what, "no counterpart")
            self.told(cell, role)
        return out

    def exchange(self, cell: CellType, guest: bool) -> dict[str, Any]:
        """What a type secretes and takes up."""
        secretes, takes_up = [], []
        scale = cell.volume / CELL_UM3
        for name in self.setting.fields:
            e, f, unit = cell.exchange.get(name, Exchange(cell.line)), self.setting.fields[name], self.setting.units[name]
            source = self.source(e.line)
            secretion, uptake = (self.grammar.value(cell, f"{name} {what}") for what in ("secretion", "uptake"))
            if secretion > 0.0 and e.target > 0.0:
                secretes.append({"field": f, "rate": number(secretion * e.target * scale, f"{unit}/min", source)})
            if e.export > 0.0:
                if secretion > 0.0 and e.target > 0.0:
                    self.note("left out", e.line, f"{shown(cell.name)} exports {shown(name)}", "it secretes it as well, and a type has one rate of each")
                else:
                    secretes.append({"field": f, "rate": number(e.export / CELL_UM3, f"{unit}/min", source)})
            elif e.export < 0.0:
                self.note("left out", e.line, f"{shown(cell.name)} exports {shown(name)} at a negative rate", "a constant uptake would empty its voxel; an uptake rate has its place")
            rate = number(self.grammar.corpse.get((cell.name, name), 0.0) * e.target * scale, f"{unit}/min", source)
            if rate["value"] > 0.0:
                secretes.append({"field": f, "rate": rate, "times": "corpse"})
            if uptake + secretion > 0.0:
                item: dict[str, Any] = {"field": f, "rate": number((uptake + secretion) * scale, "1/min", source)}
                takes_up.append(item | {"linear": True} if f == "oxygen" else item)
        out: dict[str, Any] = {"secretes": secretes} if secretes or not guest else {}
        return out | ({"takes_up": takes_up} if takes_up or not guest else {})

    def dies(self, cell: CellType) -> dict[str, Any]:
        """Rates of death of a tissue cell: by rules alone, whatever the oxygen."""
        always = "chosen: in PhysiCell necrosis has no law of its own, only rules"
        return {
            "necrosis": number(self.grammar.value(cell, "necrosis"), "1/min", self.source(cell.lines.get("necrosis", cell.line))),
            "below": number(EVERYWHERE_BELOW, "mmHg", always), "fully_below": number(EVERYWHERE_BELOW, "mmHg", always),
            "apoptosis": number(self.grammar.value(cell, "apoptosis"), "1/min", self.source(cell.lines.get("apoptosis", cell.line))),
        }  # fmt: skip

    def tumour(self, cell: CellType) -> dict[str, Any]:
        """The tumour's entry, with what PhysiCell says in place of ours."""
        volume = number(cell.volume, "um^3", self.source(cell.line))
        return {"extends": "tumour", "replace": True, "about": about(cell), "volume_um3": volume, "dies": self.dies(cell), **self.exchange(cell, False)}

    def tissue(self, cell: CellType) -> dict[str, Any]:
        """A type that keeps its place."""
        volume = number(cell.volume, "um^3", self.source(cell.line))
        return {"about": about(cell), "place": "tissue", "lies": "among", "volume_um3": volume, "dies": self.dies(cell), **self.exchange(cell, False)}

    def guest(self, cell: CellType) -> dict[str, Any]:
        """A type that moves among others."""
        out: dict[str, Any] = {"about": about(cell), "place": "guest", "volume_um3": number(cell.volume, "um^3", self.source(cell.line)), "motion": self.motion(cell)}
        loss = self.grammar.value(cell, "apoptosis")
        if loss > 0.0:
            out["life"] = {"mean_d": number(1.0 / (loss * 1440.0), "d", self.source(cell.lines.get("apoptosis", cell.line)))}
        eats = self.grammar.value(cell, "phagocytose apoptotic cell")
        if eats > 0.0:
            out["phagocytoses"] = {"rate": number(eats, "1/min", self.source(cell.lines.get("eats", cell.line)))}
        attack, damage = self.grammar.value(cell, f"attack {self.setting.tumour}"), self.grammar.damage
        if attack > 0.0 and damage is not None:
            source = self.source(cell.lines.get(f"attack {self.setting.tumour}", cell.line))
            out["kills"] = {
                "recognises": "antigen", "attach": number(attack, "1/min", source), "recognition": number(1.0, "1", "chosen: PhysiCell's attack rate is all of it"),
                "floor": number(1.0, "1", "chosen: MHC-I does not count in PhysiCell"), "hold_min": number(cell.attack_min, "min", source),
                "hit": number(HITS * cell.attack_damage / damage.half, "1/min", f"derived: {HITS:g} hits in the time in which damage reaches {damage.half:g} ({damage.file}:{damage.line})"),
            }  # fmt: skip
        return out | self.exchange(cell, True)

    def motion(self, cell: CellType) -> dict[str, Any]:
        """A walk of the same speed, persistence and drift."""
        speed = self.grammar.value(cell, "migration speed")
        steps = self.dx_um / max(speed, 1e-9)
        persistence = math.exp(-steps / cell.persistence_min) if cell.persistence_min > 0.0 else 0.0
        out: dict[str, Any] = {
            "speed": number(speed, "um/min", self.source(cell.lines["speed"])),
            "persistence": number(persistence, "1", f"derived: what is left of a heading after a voxel at this speed, {self.source(cell.lines['persistence_min'])}"),
        }  # fmt: skip
        if speed > self.dx_um:
            self.note("approximated", cell.lines["speed"], f"{shown(cell.name)} walks at {speed:g} um/min", f"at most a voxel a minute here, {self.dx_um:g} um/min")
        follows, line = best(cell), cell.lines["follows"]
        others = [name for name in cell.follows if name != follows]
        if others:
            self.note("left out", line, f"{shown(cell.name)} follows {', '.join(map(shown, others))}", "a walk follows one field, up its gradient")
        if follows is not None:
            bias = self.grammar.reference.get((cell.name, "migration bias"), drift(cell.bias, self.project.domain.flat))
            out |= {"follows": self.setting.fields[follows], "bias": number(bias, "1", f"derived: a walk of the same drift, {self.source(cell.lines['bias'])}")}
        return out

    def told(self, cell: CellType, role: str) -> None:
        """What a role leaves of a type."""
        name = shown(cell.name)
        if role != "tumour" and cell.divides_min is not None:
            self.note("left out", cell.lines.get("cycle", cell.line), f"{name} divides every {cell.divides_min:.4g} min", "only tumour cells divide by themselves")
        if role == "tumour" and len(cell.cycle) > 1:
            self.note("approximated", cell.lines["cycle"], f"{name} has {len(cell.cycle)} phases", "division at one rate, that of all phases together")
        if role == "guest" and cell.necrosis > 0.0:
            self.note("left out", cell.lines.get("necrosis", cell.line), f"{name} turns necrotic", "cells that move among others are lost at one rate, that of apoptosis")
        if role == "guest":
            self.note("approximated", cell.line, f"{name} moves among others", "it shares places with tissue, two at most in one, and leaves no corpse")
        if role != "guest" and max(cell.eats.values(), default=0.0) > 0.0:
            self.note("left out", cell.lines["eats"], f"{name} eats dead cells", "only cells that move among others clear corpses")
        if role == "guest" and len({*cell.eats.values()}) > 1:
            self.note("approximated", cell.lines["eats"], f"{name} eats apoptotic, necrotic and other dead cells at different rates", "all corpses at the rate of apoptotic ones")
        for other, rate in cell.attacks.items():
            self.attack(cell, role, other, rate)
        if role == "tissue" and cell.motile and cell.speed > 0.0:
            self.note("left out", cell.lines["speed"], f"{name} moves", "it was taken for tissue, which keeps its place")

    def attack(self, cell: CellType, role: str, other: str, rate: float) -> None:
        """What becomes of an attack on a type."""
        if rate == 0.0:
            return
        line, what = cell.lines.get(f"attack {other}", cell.line), f"{shown(cell.name)} attacks {shown(other)}, {rate:g} 1/min"
        if other != self.setting.tumour or role != "guest" or self.grammar.damage is None:
            self.note("left out", line, what, self.grammar.why_no_attack(role, other != self.setting.tumour))
        else:
            self.note("approximated", line, what, "it holds for the attack's duration and hits; three hits kill")

    # ---- laws -----------------------------------------------------------------------------------------------------
    def mechanisms(self) -> dict[str, dict[str, Any]]:
        """Parameters of laws that the tumour's definition sets, and of ours that would act beside PhysiCell's."""
        cell = self.project.types[self.setting.tumour]
        rate = self.grammar.reference.get((cell.name, "cycle entry"), 1.0 / cell.divides_min if cell.divides_min else 0.0)
        if rate > FASTEST_DIVISION:
            self.note("approximated", cell.lines.get("cycle", cell.line), f"{shown(cell.name)} divides at {rate:g} 1/min", f"at most {FASTEST_DIVISION:g} here")
        out: dict[str, dict[str, Any]] = {
            "division": {"k_div": float(f"{min(rate, FASTEST_DIVISION):.12g}"), "o2_low": 0, "o2_high": 0.1, "drift": 0},
            "damp": {"damp_growth": 0},
            "uptake": {"oxygen_vmax": 0, "normal_oxygen": 0},
            "vessels": {"per_mm2": 0},
        }
        if not self.grammar.pressed:
            out["division"]["crowd_half"] = 1.0e6
        if cell.corpse_min is not None:
            out["damp"]["tau_clear_min"] = float(f"{min(max(cell.corpse_min, CORPSE_MIN[0]), CORPSE_MIN[1]):.6g}")
            self.note("approximated", cell.lines.get("apoptosis", cell.line), f"apoptotic cells stay {cell.corpse_min:.4g} min",
                      "corpses of all kinds are cleared after this time on average, necrotic ones too")  # fmt: skip
        speed = self.grammar.value(cell, "migration speed") * 60.0 if cell.motile else 0.0
        if speed > 0.0:
            out["invasion"] = {"speed_um_h": float(f"{min(speed, WIDEST_SPEED):.6g}")}
            said = "single cells leave the tumour's surface for free places, without bias" + (f", at most at {WIDEST_SPEED:g} um/h" if speed > WIDEST_SPEED else "")
            self.note("approximated", cell.lines["speed"], f"{shown(cell.name)} moves at {speed / 60:g} um/min", said)
        if any(role == "guest" for role in self.setting.roles.values()) and self.grammar.damage is not None:
            out["killing"] = {"n_hits": HITS, "hit_window_min": 600, "hit_decay_min": 1440}
        return out
