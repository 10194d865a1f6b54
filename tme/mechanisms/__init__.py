"""Every law of the model beside the pathways, one mechanism a file. A new one: its file, and its line below.

`MECHANISMS` is the plan in the order in which entries of one phase act. `PARAMETER_SETS` are all groups a
config may name under `mechanisms:`.
"""

from tme.mechanisms import (
    damp,
    death,
    division,
    exhaustion,
    ifng_response,
    killing,
    motility,
    polarisation,
    priming,
    recruitment,
    resolve,
    sensing,
    suppression,
    uptake,
    vessels,
)

MECHANISMS = (
    vessels.Vessels,
    sensing.Sensing,
    ifng_response.IfngResponse,
    motility.Cd8Motility,
    killing.Killing,
    exhaustion.Exhaustion,
    motility.SlowMotility,
    polarisation.Polarisation,
    priming.Maturation,
    division.DivisionHazard,
    death.Death,
    damp.Clearance,
    death.ImmuneTurnover,
    priming.LymphNode,
    resolve.Resolve,
    division.Division,
    recruitment.Recruitment,
    uptake.Uptake,
    ifng_response.ChemokineSecretion,
    killing.IfngSecretion,
    damp.DampRelease,
    suppression.Suppression,
)

PARAMETER_SETS = {
    s.group: s
    for s in (
        ifng_response.PARAMETERS,
        damp.PARAMETERS,
        priming.PARAMETERS,
        recruitment.PARAMETERS,
        motility.PARAMETERS,
        killing.PARAMETERS,
        exhaustion.PARAMETERS,
        polarisation.PARAMETERS,
        suppression.PARAMETERS,
        division.PARAMETERS,
        death.PARAMETERS,
        death.T_CELL,
        uptake.PARAMETERS,
        vessels.PARAMETERS,
    )
}
