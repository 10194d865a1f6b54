"""Therapies: they interpret library entries and schedules, and know no brand names.

`THERAPIES` are the plan's entries, `PARAMETER_SETS` the groups a config may name under `mechanisms:`.
"""

from tme.therapy import antibodies, drugs, nanoparticles

THERAPIES = (
    drugs.DrugDelivery,
    antibodies.AntibodyDelivery,
    nanoparticles.ParticleDelivery,
    drugs.DrugEffects,
    nanoparticles.ParticleCargo,
    antibodies.Checkpoint,
    drugs.DrugLoss,
    nanoparticles.ParticleLoss,
    antibodies.Neutralisation,
)

PARAMETER_SETS = {nanoparticles.PARAMETERS.group: nanoparticles.PARAMETERS}
