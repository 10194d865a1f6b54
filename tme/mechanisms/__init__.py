"""Every law of the model beside the pathways, one mechanism a file. A new one: its file, and its line below.

`MECHANISMS` is the plan in the order in which entries of one phase act. `PARAMETER_SETS` are all groups a
config may name under `mechanisms:`.
"""

from collections.abc import Mapping

from tme.core.terms import Term
from tme.library.cells import CellEntry
from tme.mechanisms import (
    damp,
    death,
    division,
    exhaustion,
    ifng_response,
    killing,
    motility,
    phagocytosis,
    polarisation,
    priming,
    receptors,
    recruitment,
    resolve,
    secretion,
    sensing,
    suppression,
    uptake,
    vessels,
)

MECHANISMS = (
    vessels.Vessels,
    sensing.Sensing,
    ifng_response.IfngResponse,
    receptors.LigandExpression,
    motility.Motility,
    receptors.HostLigands,
    killing.Killing,
    exhaustion.Exhaustion,
    motility.SlowMotility,
    polarisation.Polarisation,
    priming.Maturation,
    division.DivisionHazard,
    death.Death,
    damp.Clearance,
    phagocytosis.Phagocytosis,
    death.Turnover,
    priming.LymphNode,
    resolve.Resolve,
    division.Division,
    recruitment.Recruitment,
    uptake.Uptake,
    uptake.CellUptake,
    ifng_response.ChemokineSecretion,
    damp.DampRelease,
    secretion.CellSecretion,
    suppression.InflamedTissue,
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
        receptors.PARAMETERS,
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


def cell_terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """Terms of what cell types do: which types have them follows from their entries."""
    return tuple(t for m in (motility, recruitment, death, secretion, phagocytosis) for t in m.terms(cells))
