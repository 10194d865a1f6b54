"""Immune cells: CD8 T cells, Tregs, macrophages, dendritic cells; how they walk, act, arrive and go.

All share voxels up to the lattice's capacity. `heading` is the direction of the last step, -1 before any.
"""

import math

import mesa

from twin.philox import child_uid, happens
from twin.rules import factor


class ImmuneCell(mesa.Agent):
    """What all of them have."""

    kind, code, speed = "immune", 0, 0.0
    alive = True
    FLOATS, INTEGERS = ("speed",), ("voxel", "n_div", "born_tick", "heading")

    def __init__(self, model, uid, voxel, born_tick=0, **columns):
        super().__init__(model)
        self.uid, self.voxel, self.born_tick = uid, voxel, born_tick
        self.n_div, self.heading, self.fate, self.held = 0, -1, None, {}
        self.shares, self.memories, self.terms = {}, {}, {}  # of rules
        self.__dict__.update(model.checkpoints.columns(self.kind))
        self.__dict__.update(columns)

    def stays(self):
        """Whether the cell is held in place."""
        return False

    def proposal(self, field, bias, persistence, minutes):
        """(voxel, direction) the cell wants to enter, None if it stays.

        A step along direction k happens with probability speed minutes/dx / |k|. The direction is up the
        field with probability `bias` (unless it is flat there), else the old heading with probability
        `persistence`, else any.
        """
        lattice = self.model.lattice
        if self.stays():
            return None
        a, b, c, _ = self.model.dice.words("move", self.model.tick, self.uid)
        u_move, u_new = (a + 0.5) / 2.0**32, (c + 0.5) / 2.0**32
        u_bias, u_keep = ((b >> 16) + 0.5) / 2.0**16, ((b & 0xFFFF) + 0.5) / 2.0**16
        bias = bias * factor(self, "motility.bias")
        k = self.uphill(field, u_bias / bias) if u_bias < bias else None
        if k is None:
            k = (
                self.heading
                if self.heading >= 0 and u_keep < persistence
                else int(u_new * len(lattice.directions))
            )
        if u_move >= self.speed * factor(self, "motility.speed") * minutes / lattice.dx / lattice.lengths[k]:
            return None
        voxel = lattice.neighbours[self.voxel][k]
        return None if voxel is None else (voxel, k)

    def uphill(self, field, u):
        """Direction whose mean over u is that of the gradient; None where the field is flat.

        The gradient (central differences, 0 next to a wall) is a sum of one axis, one diagonal of two axes and
        one of three; one of them is chosen in proportion to its share times its length.
        """
        lattice = self.model.lattice
        slopes = []
        for axis in range(3):
            ends = []
            for sign in (-1, 1):
                offset = [0, 0, 0]
                offset[axis] = sign
                ends.append(None if lattice.flat and axis == 0 else lattice.shifted(self.voxel, offset))
            slopes.append(0.0 if None in ends else float(field.c[ends[1]] - field.c[ends[0]]))
        low, mid, high = sorted(abs(g) for g in slopes)
        if high == 0.0:
            return None
        parts = [(high - mid, high), (math.sqrt(2.0) * (mid - low), mid), (math.sqrt(3.0) * low, low)]
        t = u * (parts[0][0] + parts[1][0] + parts[2][0])
        if t < parts[0][0]:
            least = high
        else:
            least = mid if t < parts[0][0] + parts[1][0] else low
        step = tuple(0 if g == 0.0 or abs(g) < least else (1 if g > 0.0 else -1) for g in slopes)
        return lattice.directions.index(step)

    def may_turn_over(self, rate, minutes):
        """Death of age or departure at `rate` 1/min."""
        if self.fate is None and happens(
            self.model.dice.uniform("turnover", self.model.tick, self.uid), rate * factor(self, "turnover.rate"), minutes
        ):
            self.fate = "leave"


def walk(model, cells, field, bias, persistence, minutes):
    """All propose; a voxel with room admits the one of highest random priority, ties to the smaller uid."""
    wanted = {}
    for cell in cells:
        proposal = cell.proposal(field, bias, persistence, minutes)
        if proposal is not None:
            wanted.setdefault(proposal[0], []).append((cell, proposal[1]))
    room = {voxel: model.lattice.has_room(voxel) for voxel in wanted}
    for voxel, bidders in wanted.items():
        if not room[voxel]:
            model.events["move refused"] += len(bidders)
            continue
        bidders.sort(key=lambda bid: (-model.dice.words("grant", model.tick, bid[0].uid)[0], bid[0].uid))
        cell, heading = bidders[0]
        model.lattice.immune[cell.voxel] -= 1
        model.lattice.immune[voxel] += 1
        cell.voxel, cell.heading = voxel, heading
        model.events["move granted"] += 1
        model.events["move refused"] += len(bidders) - 1


class Cd8(ImmuneCell):
    """A CD8 T cell, searching or engaged with one tumour cell."""

    kind, code = "cd8", 2
    FLOATS = ("speed", "function", "exhaustion", "stimulus")
    INTEGERS = ("voxel", "n_div", "born_tick", "heading", "engaged", "target_uid", "target_voxel", "kills", "specific")
    DEFAULTS = {
        "speed": 3.0,
        "engaged": 0,
        "target_uid": 0,
        "target_voxel": -1,
        "function": 1.0,
        "exhaustion": 0.0,
        "stimulus": 0.0,
        "kills": 0,
        "specific": 1,
    }

    def __init__(self, model, uid, voxel, born_tick=0, **columns):
        super().__init__(model, uid, voxel, born_tick, **{**self.DEFAULTS, **columns})

    def stays(self):
        """Engaged cells stay put."""
        return self.engaged == 1

    def switch_mode(self, p, minutes):
        """Slow to fast and back at constant rates; any other speed counts as slow."""
        u = self.model.dice.uniform("mode", self.model.tick, self.uid)
        if self.speed == p.cd8_fast_um_min:
            fast = not happens(u, p.cd8_to_slow_per_min, minutes)
        else:
            fast = happens(u, p.cd8_to_fast_per_min, minutes)
        self.speed = p.cd8_fast_um_min if fast else p.cd8_slow_um_min

    def reach(self):
        """Own voxel, then the neighbours in the order of directions."""
        return [self.voxel, *(v for v in self.model.lattice.neighbours[self.voxel] if v is not None)]

    def held_target(self):
        """The living cell it holds, if still where it was or, having been pushed, within reach."""
        tissue = self.model.lattice.tissue
        for voxel in (self.target_voxel, *self.reach()):
            cell = tissue.get(voxel)
            if cell is not None and cell.uid == self.target_uid:
                return cell if cell.alive else None
        return None

    def contact(self, p, suppression, minutes):
        """One tick of contact; returns (target, hit) or None if it holds nobody afterwards."""
        dice, tick, events = self.model.dice, self.model.tick, self.model.events
        if self.engaged:
            target = self.held_target()
            if target is None or happens(dice.uniform("detach", tick, self.uid), 1.0 / p.hold_min, minutes):
                self.engaged, self.function = 0, 0.0
                self.model.checkpoints.let_go(self)
                events["CD8 detaches"] += 1
                events["CD8 loses its target"] += target is None
                return None
        else:
            target = self.attach(p, minutes)
            if target is None:
                return None
            events["CD8 attaches"] += 1
        self.target_voxel = target.voxel
        self.function = (1.0 - self.exhaustion) * self.model.checkpoints.signals(self, target)
        self.function /= 1.0 + p.k_sup * float(suppression.c[self.voxel])
        rate = p.k_hit * self.function * factor(self, "killing.hit_rate")
        hit = happens(dice.uniform("hit", tick, self.uid), rate, minutes)
        events["CD8 hits"] += hit
        return target, hit

    def attach(self, p, minutes):
        """One living cell within reach, all alike; recognised by antigenicity and MHC-I, unless it is a bystander."""
        if not self.specific:
            return None
        u_pick, u_attach = self.model.dice.pair("attach", self.model.tick, self.uid)
        cells = [self.model.lattice.tissue.get(v) for v in self.reach()]
        living = [c for c in cells if c is not None and c.alive]
        if not living:
            return None
        target = living[int(u_pick * len(living))]
        rate = (
            p.k_attach
            * factor(self, "killing.attach_rate")
            * min(p.recognition * factor(self, "killing.recognition"), 1.0)
            * target.antigenicity
            * (p.mhc_floor + (1.0 - p.mhc_floor) * target.mhc1)
        )
        if not happens(u_attach, rate, minutes):
            return None
        self.engaged, self.target_uid = 1, target.uid
        return target

    def follow_contact(self, p, minutes):
        """Secretion of IFN-gamma rises to the function while it holds a cell, and falls off slowly."""
        goal = self.function if self.engaged else 0.0
        tau = p.ifng_rise_min if goal > self.stimulus else p.ifng_fall_min
        self.stimulus = goal + (self.stimulus - goal) * math.exp(-minutes / tau)

    def exhaust(self, p, minutes):
        """de/dt = (1 - e) g/tau while engaged, g the product of what all axes do to exhaustion."""
        if self.engaged:
            g = self.model.checkpoints.drive(self) * factor(self, "exhaustion.rate")
            self.exhaustion = 1.0 - (1.0 - self.exhaustion) * math.exp(-g * minutes / (p.tau_d * 1440.0))
            self.model.events["CD8 exhausts"] += 1

    def may_turn_over(self, p, cxcl, surplus, minutes):
        """Leaves with the surplus; dies at 1/life, sooner off chemokine; engaged divides at k_expand f."""
        dice, tick = self.model.dice, self.model.tick
        rate = 1.0 / (p.life_d * 1440.0) * factor(self, "turnover.rate")
        if float(cxcl.c[self.voxel]) < p.c_min:
            rate *= p.off_tumour
        if surplus > 0.0 and dice.uniform("cd8_death", tick, self.uid, 1) < surplus:
            self.fate = "leave"
            self.model.events["CD8 in surplus"] += 1
        elif happens(dice.uniform("cd8_death", tick, self.uid), rate, minutes):
            self.fate = "leave"
        elif self.engaged and self.n_div < p.n_max:
            u = dice.uniform("cd8_divide", tick, self.uid)
            self.fate = "divide" if happens(u, p.k_expand * self.function * factor(self, "division.rate"), minutes) else None

    def divide(self):
        """A daughter in the own voxel, else in the first neighbour with room from a random direction on."""
        lattice, model = self.model.lattice, self.model
        self.fate = None
        places = [self.voxel]
        if not lattice.has_room(self.voxel):
            n = len(lattice.directions)
            first = model.dice.words("cd8_divide", model.tick, self.uid, 1)[0] % n
            places = [lattice.neighbours[self.voxel][(first + k) % n] for k in range(n)]
        place = next((v for v in places if v is not None and lattice.has_room(v)), None)
        if place is None:
            return
        self.n_div += 1
        keep = {n: getattr(self, n) for n in ("speed", "function", "exhaustion", "stimulus", "specific")}
        daughter = Cd8(model, child_uid(self.uid, self.n_div), place, model.tick, **keep)
        daughter.n_div = self.n_div
        daughter.shares, daughter.memories, daughter.terms = dict(self.shares), dict(self.memories), dict(self.terms)
        model.add(daughter)
        model.events["CD8 division"] += 1


class Treg(ImmuneCell):
    """A regulatory T cell."""

    kind, code, speed = "treg", 5, 2.0


class Macrophage(ImmuneCell):
    """A macrophage between M2 (m1 = 0) and M1 (m1 = 1), with the iron its particles release."""

    kind, code, speed = "macrophage", 3, 0.75
    FLOATS = ("speed", "m1", "iron_load")
    m1, iron_load = 0.4, 0.0

    def polarise(self, p, fields, minutes):
        """m1 relaxes to a/(a + 1 + w_sup T/(k_sup + T)); a sums IFN-gamma, iron, ATP and peroxide."""

        def half(amount, k):
            return amount / (k + amount)

        ifng, atp, peroxide, suppression = (
            float(fields[n].c[self.voxel]) for n in ("ifng", "atp", "peroxide", "suppression")
        )
        a = p.a0 + p.w_ifn * half(ifng, p.k_ifn) + p.w_fe * half(self.iron_load, p.k_fe)
        a += p.w_damp * half(atp, p.k_damp) + p.w_ros * half(peroxide, p.k_ros)
        goal = a / (a + 1.0 + p.w_sup * half(suppression, p.k_sup))
        before, self.m1 = self.m1, goal + (self.m1 - goal) * math.exp(-minutes / p.tau_min)
        self.model.events["macrophage turns to M1"] += before < 0.5 <= self.m1


class Dendritic(ImmuneCell):
    """A dendritic cell, immature until danger matures it; a mature one leaves for the lymph node."""

    kind, code, speed = "dendritic", 4, 0.7
    FLOATS = ("speed", "antigen", "blunting", "early_corpses")
    INTEGERS = ("voxel", "n_div", "born_tick", "heading", "mature", "mature_tick")
    mature, mature_tick, antigen, blunting, early_corpses = 0, -1, 0.0, 0.0, 0.0

    def feed_and_mature(self, p, damp, atp, hmgb1, minutes):
        """Antigen from fresh corpses within reach, blunting from old ferroptotic ones; danger matures."""
        if self.mature:
            return
        lattice, tick = self.model.lattice, self.model.tick
        fresh = old = self.early_corpses = 0.0
        for v in (self.voxel, *lattice.neighbours[self.voxel]):
            cell = lattice.tissue.get(v)
            if cell is not None and not cell.alive:
                crt, oxidised = cell.as_food(damp, p.late_min)
                fresh, old = fresh + crt, old + oxidised
                self.early_corpses += cell.state == "ferroptosis" and not oxidised
        reach = 9.0 / (1 + len(lattice.directions))  # in space there are 27 places for nine in a plane
        fresh, old = fresh * reach, old * reach
        self.antigen = 1.0 - (1.0 - self.antigen) * math.exp(
            -p.k_eat * fresh * factor(self, "maturation.antigen") * minutes
        )
        self.blunting += p.k_ox * old * minutes
        a, h = float(atp.c[self.voxel]), float(hmgb1.c[self.voxel])
        danger = 0.5 * a / (p.k_atp + a) + 0.5 * h / (p.k_hmgb1 + h)
        if happens(
            self.model.dice.uniform("mature", tick, self.uid),
            p.k_mature * factor(self, "maturation.rate") * danger / (1.0 + self.blunting / p.k_x),
            minutes,
        ):
            self.mature, self.mature_tick = 1, tick
            self.model.events["DC matures"] += 1

    def quality(self, p):
        """What its arrival is worth to the node."""
        return (p.q0 + (1.0 - p.q0) * self.antigen) / (1.0 + self.blunting / p.k_x) * factor(self, "priming.gain")


class LymphNode:
    """Output B of primed CD8: cells travel, prime on arrival, CD8 expand; B relaxes to 1 within tau_b.

    What they prime is reckoned per 1000 living tumour cells, at least those of the start.
    """

    def __init__(self, p, minutes):
        self.p, self.minutes, self.output, self.tumour_cells = p, minutes, 1.0, 1
        travel = round(p.travel_min / minutes)
        self.on_the_way = [0.0] * travel
        self.expanding = [0.0] * (round((p.travel_min + p.expansion_min) / minutes) - travel)

    def receive(self, leaving, primed, living):
        """One clock interval: quality `leaving` the tumour now; who arrives primes, what was primed earlier takes effect."""
        self.on_the_way.append(leaving)
        self.expanding.append(self.on_the_way.pop(0) * primed)
        due = self.expanding.pop(0)
        self.output = 1.0 + (self.output - 1.0) * math.exp(-self.minutes / self.p.tau_b_min)
        self.output += self.p.gain * due * 1000.0 / max(living, self.tumour_cells)
        return due


IMMUNE = {cls.kind: cls for cls in (Cd8, Dendritic, Treg, Macrophage)}
