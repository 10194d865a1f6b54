"""Therapy: the course of each agent in plasma, and what particles do in cells.

One compartment: c(t) = sum over doses of size * peak * exp(-k (t - t_dose)). `peak` converts mg/kg:

    drug        1000 f_unbound / (MW V)     uM       antibody   1e6 / (MW V)    nM
    particle    the level that lets %ID of the dose leak into the tumour while it lasts:
                M k / (P f_v),  M = 1000 %ID/100 mouse / (MW mass) uM,  k = ln 2/half-life,  f_v vessel share;
                into the tumour directly: 1000 mouse / (MW mass)
"""

import math


class Course:
    """One drug, antibody or platform of the arm; times in min from the start of the run."""

    def __init__(self, name, entry, doses, peak, half_life_min):
        self.name, self.entry, self.doses, self.peak = name, entry, doses, peak
        self.rate = math.log(2.0) / half_life_min

    def plasma(self, minute):
        """Plasma concentration now."""
        past = [(size, minute - at) for at, size, route in self.doses if route == "iv" and minute >= at]
        return sum(size * self.peak * math.exp(-self.rate * age) for size, age in past)

    def plasma_mean(self, start, stop):
        """Mean plasma concentration between two minutes."""
        total = 0.0
        for at, size, route in self.doses:
            if route == "iv" and stop > at:
                first, last = max(start - at, 0.0), stop - at
                total += (
                    size
                    * self.peak
                    * (math.exp(-self.rate * first) - math.exp(-self.rate * last))
                    / self.rate
                )
        return total / (stop - start)

    def bath(self, minute):
        """Concentration held everywhere since the last bath dose, None before any."""
        sizes = [size for at, size, route in self.doses if route == "bath" and minute >= at]
        return sizes[-1] if sizes else None

    def injected(self, start, stop):
        """Dose put into the tumour in [start, stop)."""
        return sum(size for at, size, route in self.doses if route == "intratumoral" and start <= at < stop)


class Therapy:
    """The arm's agents; drugs that particles carry are drugs of the arm."""

    def __init__(self, config, arm, vessel_share):
        plan, library = config.therapy_of(arm), config.library
        mouse_per_mass = config.tumour.mouse_g / config.tumour.mass_g
        self.drugs, self.antibodies, self.particles = [], [], []
        self.events = plan.events

        def doses(item, size, route):
            return [((day - config.start_day) * 1440.0, size, route) for day in item.day]

        for item in plan.drugs:
            e = library.drug(item.name)
            size = item.bath_uM if item.route == "bath" else item.dose_mg_kg
            peak = 1e3 * e.unbound_fraction / (e.mw_g_mol * e.volume_l_kg)
            self.drugs.append(
                Course(item.name, e, doses(item, size, item.route), peak, e.plasma_half_life_min)
            )
        for item in plan.antibodies:
            e = library.antibody(item.name)
            peak = 1e6 / (e.mw_g_mol * e.volume_l_kg)
            self.antibodies.append(
                Course(item.name, e, doses(item, item.dose_mg_kg, "iv"), peak, e.half_life_in(config.tumour.mouse_g) * 1440.0)
            )
        for item in plan.nanoparticles:
            e = library.nanoparticle(item.name)
            peak = 1e3 * mouse_per_mass / e.mw_g_mol
            if item.route != "intratumoral":
                rate = math.log(2.0) / e.plasma_half_life_min
                peak *= e.percent_id / 100.0 * rate / (e.vessel_exchange * vessel_share)
            self.particles.append(
                Course(item.name, e, doses(item, item.dose_mg_kg, item.route), peak, e.plasma_half_life_min)
            )
            for payload in e.payloads:
                if payload.drug is not None and payload.drug not in [d.name for d in self.drugs]:
                    d = library.drug(payload.drug)
                    self.drugs.append(Course(payload.drug, d, [], 0.0, d.plasma_half_life_min))

    @property
    def agents(self):
        """All of them."""
        return [*self.drugs, *self.antibodies, *self.particles]


def acid(ph, release):
    """Share of acid-labile bonds open at a pH: 1/(1 + 10^(slope (pH - pKa)))."""
    return 1.0 / (1.0 + 10.0 ** (release.slope * (ph - release.pka)))


def release_rate(particle, p, oxygen, gsh):
    """Release inside a cell, 1/min: basal, acid, GSH- and hypoxia-gated; `gsh` None: not reckoned."""
    r = particle.entry.release
    k = r.k0 + r.k_ph * acid(p.endosome_ph, r) + r.k_hypoxia * p.k_o2 / (p.k_o2 + oxygen)
    if gsh is not None:
        k += r.k_gsh * gsh / (r.gsh_half_uM + gsh)
    return p.release_scale * k


def release_outside(particle, p):
    """Release of free particles in tissue, 1/min."""
    r = particle.entry.release
    return (
        p.release_scale * (r.k0 + r.k_ph * acid(p.tissue_ph, r)) if particle.entry.releases_outside else 0.0
    )


def free_share(payload, library):
    """Share of a released drug that acts: the payload's own, or the drug's."""
    drug = library.drug(payload.drug)
    return drug.unbound_fraction if payload.free_fraction is None else payload.free_fraction


def carry(cell, particle, p, concentration, oxygen, gsh, uptake, cell_fraction, minutes):
    """Take up, then release for `minutes`; returns (payload let go, uM in the cell; iron flux, uM/min).

    Uptake 1/min of the voxel's concentration, divided by V_cell/V_voxel. Iron: the labile
    part of what is let go per minute, at most `cap`.
    """
    held = cell.held.get(particle.name, 0.0) + uptake * concentration * minutes / cell_fraction
    k = release_rate(particle, p, oxygen, gsh)
    let_go = -held * math.expm1(-k * minutes)
    iron, labile, cap = particle.entry.iron_terms
    cell.held[particle.name] = held - let_go
    events = cell.model.events
    events[f"{cell.kind} takes up particles"] += uptake * concentration > 0.0
    events[f"{cell.kind} releases payload"] += let_go > 0.0
    flux = min(cap, labile * iron * let_go / minutes)
    events[f"{cell.kind} gets iron"] += flux > 0.0
    return let_go, flux
