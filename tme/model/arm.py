"""The therapy of an arm: agents and events with amounts in field units, and what they take away of receptors."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from tme import therapy
from tme.core.receptors import Receptors
from tme.core.vessels import mean_weight
from tme.kernels.exchange import per_vessel
from tme.mechanisms.matrix import hindered
from tme.model.registry import parameter_registry
from tme.therapy.agents import LN2, Agent, doses_of
from tme.therapy.events import occasions


def build_therapy(model: Any) -> SimpleNamespace:
    """Agents and events of the model's arm, amounts in field units; payload drugs join the drugs."""
    config, library, spec = model.config, model.config.library, model.config.tumour
    arm = config.therapy_of(model.arm_name)

    def agents(items: Any, entry_of: Any, half_life_min: Any, per_mg_kg: Any) -> dict[str, Agent]:
        """One agent a name: what it is given twice adds up."""
        out = {}
        for name in dict.fromkeys(item.name for item in items):
            e = entry_of(name)
            doses = doses_of([i for i in items if i.name == name], model.start_day, spec.mouse_g, partial(per_mg_kg, e))
            out[name] = Agent(name, e, doses, LN2 / half_life_min(e))
        return out

    def in_tumour(e: Any) -> float:
        """mM that 1 mg/kg makes if all of it is in the tumour."""
        return spec.mouse_g / (e.mw_g_mol * spec.mass_g)

    def of_drug(e: Any, route: str) -> float:  # mg/kg over g/mol and L/kg gives mM; what acts and diffuses is unbound, in blood and in tissue
        return 1e3 * e.unbound_fraction / (e.mw_g_mol * e.volume_l_kg) if route == "iv" else 1e3 * e.unbound_fraction * in_tumour(e)

    def of_antibody(e: Any, route: str) -> float:
        return 1e6 / (e.mw_g_mol * e.volume_l_kg) if route == "iv" else 1e6 * in_tumour(e)

    drugs = agents(arm.drugs, library.drug, lambda e: e.plasma_half_life_min, of_drug)
    antibodies = agents(arm.antibodies, library.antibody, lambda e: e.half_life_in(spec.mouse_g) * 1440.0, of_antibody)
    particles = agents(arm.nanoparticles, library.nanoparticle, lambda e: e.plasma_half_life_min, partial(particle_peak, model))
    for particle in particles.values():
        for payload in particle.entry.payloads:
            if payload.drug is not None and payload.drug not in drugs:
                d = library.drug(payload.drug)
                drugs[payload.drug] = Agent(payload.drug, d, (), LN2 / d.plasma_half_life_min)
    lists = {"drugs": list(drugs.values()), "antibodies": list(antibodies.values()), "nanoparticles": list(particles.values())}
    matrix = parameter_registry()["matrix"].build(model.config_for("matrix"))
    lists = {kind: [replace(a, entry=hindered(a.entry, kind, matrix)) for a in some] for kind, some in lists.items()}
    events = occasions(arm.events, library, model.start_day, model.dt_min)
    return SimpleNamespace(**lists, agents=[a for kind in lists.values() for a in kind], events=events)


def build_receptors(model: Any) -> Receptors:
    """The axes that are on, and what the arm's agents take away of them and of soluble factors."""
    arm = model.therapy
    return Receptors(model.config.axes(), therapy.antibodies.binders(arm), model.grid, therapy.antibodies.neutralised(arm))


def particle_peak(model: Any, entry: Any, route: str) -> float:
    """Plasma level (uM payload) per mg/kg such that the stated share of the dose reaches the tumour.

    Mean delivered M = (%ID/100) dose mass_mouse / MW / V_tumour. One-way leak from open vessels brings
    P f_v AUC, with f_v the mean exchange of vessels at rim density over that of one, so peak = M k / (P f_v). A dose put into
    the tumour is delivered whole.
    """
    spec = model.config.tumour
    per_dose_mM = spec.mouse_g / (entry.mw_g_mol * spec.mass_g)
    if route != "iv":
        return 1e3 * per_dose_mM
    vessels = parameter_registry()["vessels"].build(model.config_for("vessels"))
    inflow = entry.vessel_exchange * mean_weight(model.grid, vessels.per_mm2) * per_vessel(model.grid.voxel_um3)
    if inflow == 0.0:
        return 0.0
    delivered = 1e3 * per_dose_mM * entry.percent_id / 100.0
    return delivered * (LN2 / entry.plasma_half_life_min) / inflow
