"""Therapies: they interpret library entries and schedules, and know no brand names.

`THERAPIES` are the plan's entries, `PARAMETER_SETS` the groups a config may name under `mechanisms:`.
"""

from typing import Any

from tme.therapy import (
    antibodies,
    drugs,
    events,
    heat,
    implant,
    internalisation,
    light,
    nanoparticles,
    release,
    resection,
    routes,
    transfer,
    vaccination,
)

THERAPIES = (
    drugs.DrugDelivery,
    antibodies.AntibodyDelivery,
    drugs.BloodEnzymes,
    nanoparticles.ParticleDelivery,
    routes.LocalDelivery,
    events.EventSignals,
    light.Light,
    heat.Heat,
    drugs.IronSalts,
    nanoparticles.ParticleCargo,
    antibodies.Checkpoint,
    events.EventDeaths,
    light.LightDeaths,
    heat.HeatDeaths,
    vaccination.Vaccination,
    resection.Resection,
    implant.Implant,
    transfer.CellTransfer,
    drugs.DrugLoss,
    nanoparticles.ParticleLoss,
    antibodies.Neutralisation,
    internalisation.Internalisation,
)

PARAMETER_SETS = {nanoparticles.PARAMETERS.group: nanoparticles.PARAMETERS}


def taken_up(arm: Any) -> set[str]:
    """Fields from which the drugs and events of an arm take at a linear rate."""
    return {*drugs.eaten(arm.drugs), *events.consumed(arm.events)}


def needed(arm: Any) -> set[str]:
    """Fields that are there for an arm's sake: what its enzymes remove, and what opens its particles."""
    stages = [s for a in arm.nanoparticles for s in (a.entry.release, a.entry.release.opens) if s is not None]
    return {*drugs.eaten(arm.drugs), *release.heard(stages)["fields"]}
