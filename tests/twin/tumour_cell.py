"""A tumour cell, alive or a corpse: what it does in each phase, rule by rule.

`state` is 'alive' or the cause of death; a corpse holds its voxel until it is cleared. `fate` is what the
end of the tick will do: None, 'divide', a cause of death, or 'clear'.
"""

import math

import mesa

from twin import chemistry
from twin.philox import child_uid, happens
from twin.rules import added, factor

CAUSES = ("alive", "ferroptosis", "immune", "necrosis", "apoptosis")
SENSED = {
    "oxygen": "oxygen",
    "cystine": "cystine",
    "ifng": "ifng",
    "peroxide": "peroxide",
    "arachidonic": "aa",
}
TRAITS = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa", "antigenicity")
VARIED = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1")
DRIFTING = ("nrf2", "antigenicity")
EFFECTS = {
    "xct": "e_xct", "gcl": "e_bso", "fsp1": "e_fsp1", "gpx4": "e_gpx4", "radical_trap": "e_trap",
    "iron_chelation": "e_chel", "iron_supply": "j_drug",
}  # fmt: skip
FLOATS = (
    *chemistry.STATES,
    *TRAITS,
    *SENSED.values(),
    *EFFECTS.values(),
    "j_fe",
    "crowding",
    "pdl1",
    "mhc1",
    "pdl1_free",
    "pdl1_answer",
    "hits",
)
INTEGERS = ("voxel", "n_div", "born_tick", "death_tick", "chem_tick", "hit_tick")


class TumourCell(mesa.Agent):
    """One tumour cell. `held` maps each particle platform to the payload inside, uM."""

    kind, code = "tumour", 1

    def __init__(self, model, uid, **columns):
        super().__init__(model)
        self.uid, self.fate, self.held = uid, None, {}
        self.shares, self.memories, self.terms = {}, {}, {}  # of rules
        self.__dict__.update(model.checkpoints.columns(self.kind))
        self.__dict__.update(columns)

    @property
    def alive(self):
        return self.state == "alive"

    # ---- sense and intracellular ------------------------------------------------------------------
    def sense(self, fields):
        """Read the fields solved in this tick at the own voxel; others keep what was read before."""
        for name, column in SENSED.items():
            if name in fields:
                setattr(self, column, float(fields[name].c[self.voxel]))

    def feel_drugs(self, drugs, fields):
        """Each hit adds (strength c)^exponent to the effect on its target.

        Iron from salts enters living cells at once, or with particles about at the particles' clock.
        """
        targets = {hit.target for drug in drugs for hit in drug.entry.hits}
        for target in targets & set(EFFECTS):
            setattr(self, EFFECTS[target], 0.0)
        for drug in drugs:
            for hit in drug.entry.hits:
                if hit.target not in EFFECTS:
                    continue  # a rule on a term, `rules`, or nothing in cells
                dose = float(fields[drug.name].c[self.voxel]) * hit.strength
                if dose > 0.0:
                    column = EFFECTS[hit.target]
                    setattr(self, column, getattr(self, column) + dose**hit.exponent)
                    self.model.events["drug hit"] += 1
        if "iron_supply" in targets and not self.model.therapy.particles:
            self.j_fe = self.j_drug if self.alive else 0.0

    def respond_to_ifng(self, p, minutes):
        """PD-L1 and MHC-I relax to base + (1 - base) ifng/(ec50 + ifng)."""
        if not self.alive:
            return
        keep = math.exp(-minutes / p.pdl1_tau)
        h = 1.0 if self.pdl1_answer == 2.0 else self.ifng / (p.pdl1_ec50 + self.ifng) * self.pdl1_answer
        pdl1 = (p.pdl1_base + (1.0 - p.pdl1_base) * h) * factor(self, "surface.pdl1")
        mhc1 = min((p.mhc1_base + (1.0 - p.mhc1_base) * self.ifng / (p.mhc1_ec50 + self.ifng)) * factor(self, "surface.mhc1"), 1.0)
        self.model.events["PD-L1 induced"] += pdl1 > max(self.pdl1, 1.5 * p.pdl1_base)
        self.pdl1 = pdl1 + (self.pdl1 - pdl1) * keep
        self.mhc1 = mhc1 + (self.mhc1 - mhc1) * keep

    def is_active(self, p):
        """Whether the chemistry needs every tick: peroxide inside, the signal outside, or an iron load."""
        return self.plooh > p.active_plooh or self.peroxide > p.active_peroxide or self.j_fe > p.active_iron

    def peroxidise(self, p, tick, resting_due):
        """Chemistry of living cells and ferroptotic corpses, from `chem_tick` to now in one step, if due."""
        if (
            self.state in ("alive", "ferroptosis")
            and (resting_due or self.is_active(p))
            and self.chem_tick < tick
        ):
            chemistry.advance(self, p, self.model.dt * (tick - self.chem_tick))
            self.chem_tick = tick

    def cover_pdl1(self, left):
        """PD-L1 of which antibodies leave a share."""
        self.pdl1_free = self.pdl1 * left
        self.model.events["PD-L1 covered"] += self.pdl1_free < 0.9 * self.pdl1

    # ---- killing ----------------------------------------------------------------------------------
    def take_hits(self, n_new, p, tick):
        """Hits add up, fade with `hit_decay_min` once `hit_window_min` is over; `n_hits` of them kill."""
        late = max((tick - self.hit_tick) * self.model.dt - p.hit_window_min, 0.0)
        fade = math.exp(-late / p.hit_decay_min)
        self.hits, self.hit_tick = self.hits * fade + n_new, tick
        if self.hits >= p.n_hits and self.fate is None:
            self.fate = "immune"

    # ---- fate -------------------------------------------------------------------------------------
    def may_be_eaten(self, predators, living, minutes):
        """M1 macrophages within one voxel eat a living cell at `living` m1 each, in space shared out among three times the places."""
        if self.alive and self.fate in (None, "divide"):
            around = (self.voxel, *self.model.lattice.neighbours[self.voxel])
            rate = living * sum(m1 for v in around if v is not None for m1 in predators.get(v, ()))
            rate *= 9.0 / (1 + len(self.model.lattice.directions))
            if rate > 0.0 and happens(self.model.dice.uniform("clear", self.model.tick, self.uid, 2), rate, minutes):
                self.fate = "immune"
                self.model.events["eaten alive"] += 1

    def may_rupture(self):
        """Ferroptosis: membrane damage has reached 1; what a T cell kills in this tick dies of that."""
        if self.alive and self.damage >= 1.0 and self.fate is None:
            self.fate = "ferroptosis"

    def may_divide(self, p, damp, hmgb1, minutes):
        """k_div * (oxygen between o2_low and o2_high, as a share) * (1 + HMGB1's growth), halved by crowd_half cells to push."""
        if self.alive and self.fate is None:
            fed = min(max((self.oxygen - p.o2_low) / (p.o2_high - p.o2_low), 0.0), 1.0)
            h = float(hmgb1.c[self.voxel])
            crowded = p.crowd_half / (p.crowd_half + self.crowding)
            rate = p.k_div * fed * (1.0 + damp.damp_growth * h / (damp.growth_k + h)) * crowded * factor(self, "division.rate")
            if rate > 0.0 and happens(
                self.model.dice.uniform("divide", self.model.tick, self.uid), rate, minutes
            ):
                self.fate = "divide"

    def may_die(self, p, minutes):
        """Necrosis k_nec, in proportion between o2_necrosis (none) and o2_full, else apoptosis k_apo and by drugs; both beat division."""
        if self.alive and self.fate in (None, "divide"):
            u_necrosis, u_apoptosis = self.model.dice.pair("death", self.model.tick, self.uid)
            lack = min(max((p.o2_necrosis - self.oxygen) / (p.o2_necrosis - p.o2_full), 0.0), 1.0)
            drugs = added(self, "death.drug") * factor(self, "death.drug_sensitivity")
            if happens(u_necrosis, p.k_nec * factor(self, "death.necrosis") * lack, minutes):
                self.fate = "necrosis"
            elif happens(u_apoptosis, p.k_apo * factor(self, "death.apoptosis") + drugs, minutes):
                self.fate = "apoptosis"

    def may_be_cleared(self, damp, minutes):
        """A corpse is cleared at 1/tau_clear."""
        if not self.alive and happens(
            self.model.dice.uniform("clear", self.model.tick, self.uid), 1.0 / damp.tau_clear_min, minutes
        ):
            self.fate = "clear"

    # ---- resolve ----------------------------------------------------------------------------------
    def die(self, tick):
        """The flagged cell is a corpse from now on, where it lies."""
        self.state, self.death_tick, self.fate = self.fate, tick, None

    def move_to(self, voxel):
        """Take a voxel; the caller sees to the one left behind."""
        self.voxel = voxel
        self.model.lattice.tissue[voxel] = self

    def divide(self):
        """The cells on the way to room move one step along it, the daughter takes the place that is left beside her mother."""
        lattice, dice, tick = self.model.lattice, self.model.dice, self.model.tick
        self.fate = None
        path = lattice.way_to_room(self.voxel, lambda k: dice.uniform("push", tick, self.uid, k))
        if path is None and not self.model.surface_is_new:
            lattice.measure_surface()
            self.model.surface_is_new = True
            path = lattice.way_to_room(self.voxel, lambda k: dice.uniform("push", tick, self.uid, k))
        if path is None:
            self.model.events["division without room"] += 1
            return
        self.model.events["push over several voxels"] += len(path) > 3
        free = path[-1]
        self.model.touch(free)
        for voxel in reversed(path[1:-1]):
            lattice.tissue.pop(voxel).move_to(free)
            free = voxel
        self.n_div += 1
        daughter = self.daughter(free)
        daughter.drift(self.model.p.division, dice, tick)
        self.model.add(daughter)
        self.model.events["tumour division"] += 1

    def daughter(self, voxel):
        """Everything is inherited but the hits; particles are shared out in halves."""
        for name in self.held:
            self.held[name] *= 0.5
        columns = {name: getattr(self, name) for name in (*FLOATS, *self.model.checkpoints.columns(self.kind), "chem_tick", "clone")}
        columns.update(
            voxel=voxel,
            state="alive",
            born_tick=self.model.tick,
            n_div=0,
            death_tick=-1,
            hits=0.0,
            hit_tick=0,
        )
        child = TumourCell(self.model, child_uid(self.uid, self.n_div), **columns)
        child.held = dict(self.held)
        child.shares, child.memories, child.terms = dict(self.shares), dict(self.memories), dict(self.terms)
        return child

    def drift(self, p, dice, tick):
        """Expression levels keep `memory` of the mother's deviation from the clone; the rest is drawn anew.

        With x = log trait, m = log(clone's level) - s^2/2, s^2 = log(1 + cv^2):
        x' = m + memory (x - m) + sqrt((1 - memory^2) s^2 + drift^2) z. NRF2 and antigenicity only drift:
        x' = x + drift z - drift^2/2.
        """
        tumour = self.model.config.tumour
        spread = math.log1p(tumour.cv**2)
        noise = math.sqrt((1.0 - p.memory**2) * spread + p.drift**2)
        factors = self.model.config.clone_traits().get(self.clone, {})
        reference = self.model.config.tumour_traits()
        for k, name in enumerate(VARIED):
            z = dice.normal("mutate", tick, self.uid, k)
            mean = math.log(reference.get(name, 1.0) * factors.get(name, 1.0)) - 0.5 * spread
            setattr(
                self, name, math.exp(mean + p.memory * (math.log(getattr(self, name)) - mean) + noise * z)
            )
        for k, name in enumerate(DRIFTING, len(VARIED)):
            z = dice.normal("mutate", tick, self.uid, k)
            setattr(self, name, getattr(self, name) * math.exp(p.drift * z - 0.5 * p.drift**2))

    # ---- corpses ----------------------------------------------------------------------------------
    def age_min(self):
        """Minutes since death."""
        return (self.model.tick - self.death_tick) * self.model.dt

    def kind_factor(self, damp):
        """What this kind of corpse releases, ferroptosis = 1."""
        return {"ferroptosis": 1.0, "necrosis": damp.necrosis_factor}.get(self.state, damp.apoptosis_factor)

    def release(self, damp):
        """Level of ATP, HMGB1 and calreticulin: exp(-age/tau_fade) - exp(-age/tau_rise), times the kind's."""
        age = self.age_min()
        return (math.exp(-age / damp.tau_fade_min) - math.exp(-age / damp.tau_rise_min)) * self.kind_factor(
            damp
        )

    def as_food(self, damp, late_min):
        """What a dendritic cell finds on a corpse: calreticulin while it counts, oxidised lipid once late."""
        level = self.release(damp)
        fresh = level if level >= damp.crt_min * self.kind_factor(damp) else 0.0
        return fresh, float(self.state == "ferroptosis" and self.age_min() >= late_min)
