"""Every law of the model beside the pathways, one mechanism a file. A new one: its file, and its line below.

`MECHANISMS` is the plan in the order in which entries of one phase act. `PARAMETER_SETS` are all groups a
config may name under `mechanisms:`.
"""

from collections.abc import Mapping

from tme.core.terms import Term
from tme.library.cells import CellEntry
from tme.mechanisms import (
    antigen_loss,
    corpse_signals,
    damp,
    death,
    division,
    exhaustion,
    ifng_response,
    invasion,
    killing,
    matrix,
    metastasis,
    motility,
    other_deaths,
    phagocytosis,
    polarisation,
    priming,
    receptors,
    recruitment,
    resolve,
    room,
    secretion,
    sensing,
    suppression,
    t_cell_memory,
    uptake,
    vessels,
)

MECHANISMS = (
    vessels.Vessels,
    sensing.Sensing,
    room.Crowding,
    ifng_response.IfngResponse,
    receptors.LigandExpression,
    motility.Motility,
    antigen_loss.MhcLost,
    receptors.HostLigands,
    killing.Killing,
    exhaustion.Exhaustion,
    motility.SlowMotility,
    polarisation.Polarisation,
    priming.Maturation,
    division.DivisionHazard,
    death.Death,
    other_deaths.OtherDeaths,
    damp.Clearance,
    phagocytosis.Phagocytosis,
    death.Turnover,
    priming.LymphNode,
    t_cell_memory.TCellMemory,
    resolve.Resolve,
    room.Closing,
    division.Division,
    antigen_loss.AntigenLoss,
    invasion.Invasion,
    recruitment.Recruitment,
    metastasis.Metastasis,
    uptake.Uptake,
    uptake.CellUptake,
    ifng_response.ChemokineSecretion,
    damp.DampRelease,
    corpse_signals.CorpseSignals,
    secretion.CellSecretion,
    suppression.InflamedTissue,
)

PARAMETER_SETS = {
    s.group: s
    for s in (
        ifng_response.PARAMETERS,
        damp.PARAMETERS,
        priming.PARAMETERS,
        t_cell_memory.PARAMETERS,
        antigen_loss.PARAMETERS,
        corpse_signals.PARAMETERS,
        matrix.PARAMETERS,
        metastasis.PARAMETERS,
        other_deaths.PARAMETERS,
        recruitment.PARAMETERS,
        motility.PARAMETERS,
        killing.PARAMETERS,
        receptors.PARAMETERS,
        exhaustion.PARAMETERS,
        polarisation.PARAMETERS,
        suppression.PARAMETERS,
        division.PARAMETERS,
        room.PARAMETERS,
        death.PARAMETERS,
        death.T_CELL,
        uptake.PARAMETERS,
        vessels.PARAMETERS,
        invasion.PARAMETERS,
    )
}


def cell_terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """Terms of what cell types do: which types have them follows from their entries."""
    return tuple(t for m in (motility, recruitment, death, secretion, phagocytosis, uptake) for t in m.terms(cells))
