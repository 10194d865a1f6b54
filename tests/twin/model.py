"""The slow twin: a Mesa model with one agent a cell, and a tick of nine phases in order.

It says what the package's arrays must do and shares no code with them: from the package it takes only
configuration values (parameters, library entries) and, through `setup`, the state at the start. Times in
min, lengths in um, concentrations in the unit of their field.
"""

import math
from collections import Counter

import mesa
import numpy as np

from twin import vessels
from twin.dosing import carry_particles, dose
from twin.fields import Field, fixed_faces
from twin.immune_cells import IMMUNE, LymphNode, walk
from twin.lattice import Lattice
from twin.philox import Dice, happens, recruit_uid
from twin.receptors import Checkpoints
from twin.rules import Rules, factor
from twin.secretion import secrete
from twin.therapy import Therapy

CELL_UM3 = 2494.0

# Clocks in min; what is not listed happens at every tick. A field is solved at its own clock.
CLOCK = {
    "vessels": 360, "ifng_response": 6, "particles": 10, "slow_motility": 5, "polarisation": 10,
    "maturation": 10, "checkpoint": 2, "division": 10, "death": 6, "clearance": 10, "immune_turnover": 10,
    "lymph_node": 10, "recruitment": 30, "crowding": 60, "closing": 10,
}  # fmt: skip


class TwinModel(mesa.Model):
    """One tumour under one arm; cells are put in by `twin.setup`."""

    def __init__(self, config, parameters, seed, arm, rules, terms):
        super().__init__(rng=seed % 2**32)
        self.config, self.p, self.dice = config, parameters, Dice(seed)
        self.tick, self.dt = 0, float(config.clocks.dt_min)
        self.events = Counter()
        self.touched_edge = False
        d = config.domain
        n = [round(s / d.dx_um) for s in d.size_um]
        shape = (1, n[1], n[0]) if len(n) == 2 else (n[2], n[1], n[0])
        periodic = [d.boundary.get(a, "no_flux") == "periodic" for a in "zyx"]
        self.lattice = Lattice(shape, d.dx_um, d.thickness_um, periodic, d.immune_per_voxel)
        self.lattice.gap = 0.5 * parameters.closing.gap_um / d.dx_um
        self.cell_fraction = CELL_UM3 / self.lattice.voxel_um3
        self.per_cell = 3375.0 / self.lattice.voxel_um3  # rates of cells are those of tissue with one in 15 um cubed
        self.surface_is_new = False
        self.cells = {"tumour": {}, **{kind: {} for kind in IMMUNE}}
        self.vessel_share = parameters.vessels.per_mm2 * 1e-6 * 8000.0 / vessels.NOMINAL
        self.therapy = Therapy(config, arm, self.vessel_share)
        self.refuse_what_is_lacking()
        self.rules = Rules(self, rules, terms)
        self.make_fields()
        self.make_vessels()
        self.node = LymphNode(parameters.priming, CLOCK["lymph_node"])
        self.checkpoints, self.depletion = Checkpoints(self), {}
        self.replaces = {}  # by cell type: the entry per vessel and minute that replaces losses at the start
        self.activation = {}  # by cell type: what endothelium keeps of its response, by voxel

    def refuse_what_is_lacking(self):
        """NotImplementedError for cell types and clones that this twin knows nothing of."""
        if others := set(self.config.cell_types()) - set(self.cells):
            raise NotImplementedError(f"the twin has no {', '.join(sorted(others))} cells")
        if self.therapy.drugs and (self.config.felt() or any(c.resists for c in self.config.tumour.clones.values())):
            raise NotImplementedError("in the twin all cells feel a drug alike")

    def make_fields(self):
        """Fields of the config and of the arm; which of them vessels feed, and which are held."""
        heard = {*self.config.fields, *self.rules.fields()}
        own = {n: e for n, e in self.config.field_entries().items() if not e.optional or n in heard}
        entries = dict(own)
        entries.update({agent.name: agent.entry.field_entry(agent.name) for agent in self.therapy.agents})
        k_m = {"oxygen": self.p.uptake.oxygen_k, "ifng": self.p.uptake.ifng_half, "cystine": self.p.ferroptosis.k_cys}
        k_m.update({a.name: a.entry.kd_nM for a in self.therapy.antibodies})
        boundary = self.config.domain.boundary
        faces = fixed_faces(self.lattice, [boundary.get(axis) == "fixed" for axis in "zyx"])
        walled = set(own) if faces.any() else set()
        self.fields = {n: Field(n, e, self.lattice, k_m.get(n, 1.0), n in walled) for n, e in entries.items()}
        for name in own:
            self.fields[name].wall = 2.0 * faces * float(entries[name].diffusion) / self.lattice.dx**2
        self.held = {n for n, e in entries.items() if e.held}
        self.held |= {a.name for a in self.therapy.drugs if any(route == "bath" for _, _, route in a.doses)}
        self.released = {a.name: np.zeros(self.lattice.n_voxels) for a in self.therapy.particles}

    def make_vessels(self):
        """Segments of vessels, and the length of open ones by voxel over that of one vessel: at first all are."""
        self.segments = vessels.segments(self.dice, self.lattice, self.p.vessels.per_mm2)
        self.open_vessels = vessels.open_weight(self.segments, lambda voxels: 1.0)

    # ---- bookkeeping ------------------------------------------------------------------------------
    def add(self, cell):
        """A cell takes its place."""
        if cell.uid in self.cells[cell.kind]:
            raise RuntimeError("a uid was given twice")
        self.cells[cell.kind][cell.uid] = cell
        if cell.kind == "tumour":
            self.lattice.tissue[cell.voxel] = cell
        else:
            self.lattice.immune[cell.voxel] += 1

    def take_away(self, cell):
        """A cell vanishes; the particles it held return to its voxel."""
        for name, amount in cell.held.items():
            self.fields[name].c[cell.voxel] += amount * self.cell_fraction
        if cell.kind == "tumour":
            del self.lattice.tissue[cell.voxel]
        else:
            self.lattice.immune[cell.voxel] -= 1
        del self.cells[cell.kind][cell.uid]
        cell.remove()

    def touch(self, voxel):
        """A tumour cell was pushed or born into a voxel: at the domain's edge, that is noted."""
        self.touched_edge |= self.lattice.near_face(voxel)

    def of(self, kind):
        """Cells of one kind; rules must not depend on the order."""
        return list(self.cells[kind].values())

    def strikes(self, what):
        """Whether a clock strikes in this tick."""
        return self.tick * self.dt % CLOCK[what] == 0

    def solved(self, field):
        """Whether the field is solved in this tick."""
        return self.tick * self.dt % self.fields[field].clock == 0

    def due(self, field):
        """Whether the field is solved in the next tick: its sources are reckoned at the end of this one."""
        return (self.tick + 1) * self.dt % self.fields[field].clock == 0

    # ---- one tick ---------------------------------------------------------------------------------
    def step(self):
        """Nine phases; the ninth, record, is the caller's."""
        self.tick += 1
        dose(self)
        self.diffuse()
        self.sense()
        self.intracellular()
        self.interact()
        self.fate()
        self.resolve()
        secrete(self)

    # 2
    def diffuse(self):
        """Each field at its clock."""
        for name, field in self.fields.items():
            if not self.solved(name) or name in self.held:
                continue
            field.solve(float(field.clock))

    # 3
    def sense(self):
        """Cells read the fields solved in this tick; drugs are felt when any drug field was."""
        solved = {n: f for n, f in self.fields.items() if self.solved(n)}
        for cell in self.of("tumour"):
            cell.sense(solved)
        if self.strikes("crowding"):
            self.measure_crowding()
        if any(self.solved(drug.name) for drug in self.therapy.drugs):
            for cell in self.of("tumour"):
                cell.feel_drugs(self.therapy.drugs, self.fields)
        self.rules.evaluate()

    def measure_crowding(self):
        """Each cell and corpse: how many lie between it and the surface."""
        self.lattice.measure_surface()
        for cell in self.of("tumour"):
            cell.crowding = max(float(self.lattice.surface[cell.voxel]) - 1.0, 0.0)

    # 4
    def intracellular(self):
        """Surface proteins, chemistry, particles."""
        if self.strikes("ifng_response"):
            for cell in self.of("tumour"):
                cell.respond_to_ifng(self.p.ifng_response, CLOCK["ifng_response"])
            self.checkpoints.follow(CLOCK["ifng_response"])
        resting_due = self.tick * self.dt % self.config.clocks.chemistry_resting_min == 0
        for cell in self.of("tumour"):
            cell.peroxidise(self.p.ferroptosis, self.tick, resting_due)
        if self.therapy.particles and self.strikes("particles"):
            carry_particles(self, CLOCK["particles"])

    # 5
    def interact(self):
        """Walk, then contact, exhaustion, polarisation, maturation; antibodies cover for the next tick."""
        p, fields = self.p, self.fields
        for cell in self.of("cd8"):
            cell.switch_mode(p.motility, self.dt)
        walk(self, self.of("cd8"), fields["cxcl"], p.motility.cd8_bias, p.motility.persistence, self.dt)
        if self.strikes("checkpoint"):
            self.checkpoints.count_hosts()
        if self.strikes("slow_motility"):
            for kind, field, bias in (
                ("dendritic", "atp", p.motility.dc_bias),
                ("treg", "cxcl", p.motility.cd8_bias),
                ("macrophage", "cxcl", p.motility.cd8_bias),
            ):
                walk(self, self.of(kind), fields[field], bias, p.motility.persistence, CLOCK["slow_motility"])
        self.contacts()
        for cell in self.of("cd8"):
            cell.follow_contact(p.killing, self.dt)
            cell.exhaust(p.exhaustion, self.dt)
        if self.strikes("polarisation"):
            for cell in self.of("macrophage"):
                cell.polarise(p.polarisation, fields, CLOCK["polarisation"])
        if self.strikes("maturation"):
            for cell in self.of("dendritic"):
                cell.feed_and_mature(p.priming, p.damp, fields["atp"], fields["hmgb1"], CLOCK["maturation"])
        if self.strikes("checkpoint"):
            self.cover()

    def contacts(self):
        """All CD8 act on the state before; then each target takes its hits together; holders share a kill."""
        holding = {}
        for cell in self.of("cd8"):
            contact = cell.contact(self.p.killing, self.fields["suppression"], self.dt)
            if contact is not None:
                holding.setdefault(contact[0].uid, []).append((cell, contact[1]))
        for uid, holders in holding.items():
            target = self.cells["tumour"][uid]
            hits = sum(hit for _, hit in holders)
            if hits:
                target.take_hits(hits, self.p.killing, self.tick)
            if target.fate == "immune":
                self.events["CTL kill"] += 1
                for cell, _ in holders:
                    cell.kills += 1

    def cover(self):
        """Free PD-L1 on each tumour cell, other molecules in each voxel."""
        for cell in self.of("tumour"):
            cell.cover_pdl1(self.checkpoints.left_at("pdl1", cell.voxel))
        self.checkpoints.cover()

    # 6
    def fate(self):
        """Flags only; a cell has one, and killing came first."""
        p = self.p
        for cell in self.of("tumour"):
            cell.may_rupture()
            if self.strikes("division"):
                cell.may_divide(p.division, p.damp, self.fields["hmgb1"], CLOCK["division"])
            if self.strikes("death"):
                cell.may_die(p.death, CLOCK["death"])
            if self.strikes("clearance"):
                cell.may_be_cleared(p.damp, CLOCK["clearance"])
        if self.strikes("clearance"):
            predators = {}
            for m in self.of("macrophage"):
                predators.setdefault(m.voxel, []).append(m.m1 * factor(m, "phagocytosis.living"))
            living = self.config.library.cells["macrophage"].phagocytoses.living
            for cell in self.of("tumour"):
                cell.may_be_eaten(predators, living, CLOCK["clearance"])
        if self.strikes("immune_turnover"):
            self.turn_over(p.cd8_turnover, CLOCK["immune_turnover"])
        if self.strikes("lymph_node"):
            self.migrate(p.priming)

    def turn_over(self, p, minutes):
        """CD8 by their own rule, at most `et_cap` per living tumour cell (0: no cap); others at 1/other_life.

        Depleting anti-CTLA-4 adds to the loss of Tregs.
        """
        alive = sum(cell.alive for cell in self.of("tumour"))
        n = len(self.cells["cd8"])
        surplus = max(0.0, 1.0 - p.et_cap * alive / n) if p.et_cap > 0.0 and n else 0.0
        for cell in self.of("cd8"):
            cell.may_turn_over(p, self.fields["cxcl"], surplus, minutes)
        life = 1.0 / (p.other_life_d * 1440.0)
        depletion = self.depletion.get("treg", 0.0) / (p.ctla4_kill_d * 1440.0)
        for kind, rate in (("treg", life + depletion), ("macrophage", life), ("dendritic", life)):
            for cell in self.of(kind):
                cell.may_turn_over(rate, minutes)

    def migrate(self, p):
        """Dendritic cells leave `residence` after maturing and carry their quality to the node."""
        leaving = 0.0
        for cell in self.of("dendritic"):
            if cell.mature and cell.fate is None and (self.tick - cell.mature_tick) * self.dt >= p.residence_min:
                cell.fate = "leave"
                leaving += cell.quality(p)
                self.events["DC departs"] += 1
        due = self.node.receive(leaving, self.checkpoints.primed(), sum(cell.alive for cell in self.of("tumour")))
        self.events["node output rises"] += due > 0.0

    # 7
    def resolve(self):
        """Deaths, clearance, departures, CD8 births, holes that close, tumour births, arrivals, in this order."""
        for cell in self.of("tumour"):
            if cell.fate in ("ferroptosis", "immune", "necrosis", "apoptosis"):
                self.events[f"dead_{cell.fate}"] += 1
                cell.die(self.tick)
        for cell in self.of("tumour"):
            if cell.fate == "clear":
                self.take_away(cell)
                self.lattice.holes.add(cell.voxel)
                self.events["corpse cleared"] += 1
        for kind in IMMUNE:
            for cell in self.of(kind):
                if cell.fate == "leave":
                    self.take_away(cell)
                    self.events[f"{kind} lost"] += 1
        dividing = [c for c in self.of("cd8") if c.fate == "divide"]
        for cell in sorted(dividing, key=lambda c: (-self.dice.words("cd8_divide", self.tick, c.uid, 2)[0], c.uid)):
            cell.divide()
        if self.strikes("closing"):
            self.close_holes(self.p.closing, CLOCK["closing"])
        self.surface_is_new = False
        dividing = [c for c in self.of("tumour") if c.fate == "divide"]
        for cell in sorted(dividing, key=lambda c: (-self.dice.words("push", self.tick, c.uid, 1)[0], c.uid)):
            cell.divide()
        if self.strikes("recruitment"):
            self.recruit(self.p.recruitment, CLOCK["recruitment"])

    def close_holes(self, p, minutes):
        """A hole is filled at 1/close_h by the cells out to the surface, one place each; who comes last leaves a free voxel."""
        lattice, dice = self.lattice, self.dice
        lattice.holes -= set(lattice.tissue)  # a daughter took it
        now = [v for v in lattice.holes if happens(dice.uniform("close", self.tick, v), 1.0 / (60.0 * p.close_h), minutes)]
        for hole in sorted(now, key=lambda v: (-dice.words("close", self.tick, v, 1)[0], v)):
            path = lattice.way_out(hole, lambda k, hole=hole: dice.words("close", self.tick, hole, k))
            if path is None:
                continue
            free = hole
            for voxel in path[1:-1]:
                if voxel in lattice.tissue:
                    lattice.tissue.pop(voxel).move_to(free)
                    free = voxel
            lattice.holes = (lattice.holes - {hole} | {free}) - {path[-2]}  # what is next to the surface opens to it
            self.events["hole closes"] += 1
            self.events["cells drawn into a hole"] += free != hole

    def recruit(self, p, minutes):
        """At each open vessel: rate (signal/(k + signal) + basal); who finds the voxel full stays out."""
        cxcl, hmgb1 = self.fields["cxcl"].c, self.fields["hmgb1"].c
        near = self.lattice.around([cell.voxel for cell in self.of("tumour")], 100.0)
        for kept in self.activation.values():
            for v in kept:
                kept[v] *= math.exp(-minutes / (p.memory_d * 1440.0))
        for kind, rate, signal, k, basal in (
            ("cd8", p.k_cd8 * self.node.output, cxcl, p.k_c, p.basal),
            ("treg", p.k_treg * (1.0 - self.depletion.get("treg", 0.0)), hmgb1, p.k_h, p.base),
            ("macrophage", p.k_mac, hmgb1, p.k_h, p.base),
            ("dendritic", p.k_dc, hmgb1, p.k_h, 1.0),
        ):
            if self.config.populations.get(kind) is None:
                continue
            factors = self.rules.at_vessels(f"entry.{kind}", self.open_vessels)
            for v, weight in self.open_vessels.items():
                uid = recruit_uid(IMMUNE[kind].code, v, self.tick)
                response = float(signal[v]) / (k + float(signal[v]))
                if kind in self.activation:  # endothelium remembers
                    response = self.activation[kind][v] = max(response, self.activation[kind][v])
                hazard = rate * self.replaces[kind] * weight * (v in near) * (response + basal) * factors[v]
                if happens(self.dice.uniform("recruit", self.tick, uid), hazard, minutes):
                    if self.lattice.has_room(v):
                        cell = IMMUNE[kind](self, uid, v, self.tick)
                        if kind == "cd8":
                            share = 1.0 - (1.0 - self.p.killing.specific) / max(self.node.output, 1.0)
                            cell.specific = int(self.dice.uniform("type", 0, uid, 2) < share)
                        self.add(cell)
                        self.events[f"{kind} recruited"] += 1
                    else:
                        self.events["entry refused"] += 1
