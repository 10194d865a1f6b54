"""Tumour cells and their corpses.

`state`: 0 alive, 1 ferroptotic corpse (keeps its chemistry), 2 killed by a CD8, 3 necrotic, 4 other
apoptosis, 5 cuproptosis, 6 disulfidptosis. `fate`: 1 divide; 11-16 die of the cause 1-6.
"""

from __future__ import annotations

from tme.core.population import Column, Population

TRAITS = (
    Column("xct", "f8", "1", 1.0, about="SLC7A11 expression relative to the reference cell"),
    Column("gpx4_trait", "f8", "1", 1.0, about="GPX4 synthesis relative to the reference cell"),
    Column("fsp1", "f8", "1", 1.0, about="FSP1 activity"),
    Column("acsl4", "f8", "1", 1.0, about="ACSL4 activity"),
    Column("tfr1", "f8", "1", 1.0, about="transferrin receptor"),
    Column("nrf2", "f8", "1", 1.0, about="NRF2 activity"),
    Column("mufa", "f8", "1", 0.0, about="MUFA load relative to PUFA"),
    Column("antigenicity", "f8", "1", 1.0, about="recognisability by CD8 T cells"),
)

LOCAL = (
    Column("oxygen", "f8", "mmHg", 38.0),
    Column("cystine", "f8", "uM", 40.0),
    Column("ifng", "f8", "ng/mL"),
    Column("peroxide", "f8", "uM", about="S, diffusible lipid-peroxide signal"),
    Column("aa", "f8", "uM", about="arachidonic acid outside the cell"),
    Column("crowding", "f8", "cells", about="cells between it and the surface, which a daughter has to push"),
    Column("e_xct", "f8", "1", about="sum of (c/Ki)^n over xc- inhibitors"),
    Column("e_gpx4", "f8", "1/min", about="loss rate of active GPX4 by covalent inhibitors"),
    Column("e_fsp1", "f8", "1", about="sum of c/Ki over FSP1 inhibitors"),
    Column("e_bso", "f8", "1", about="sum of c/Ki over GCL inhibitors"),
    Column("e_trap", "f8", "1", about="radical trapping by drugs, in units of kap0"),
    Column("e_chel", "f8", "1/min", about="chelation rate of labile iron"),
    Column("j_drug", "f8", "uM/min", about="labile iron entering from iron salts outside"),
    Column("j_fe", "f8", "uM/min", about="labile iron entering, all sources beyond transferrin"),
)

OTHER = (
    Column("state", "i1", "code", 0, "reset"),
    Column("clone", "i1", "code", about="0 reference, then the config's clones in their order"),
    Column("death_tick", "i4", "tick", -1, "reset"),
    Column("pdl1", "f8", "1", 0.0, about="surface PD-L1, 0-1"),
    Column("mhc1", "f8", "1", 0.4, about="surface MHC-I, 0-1"),
    Column("pdl1_answer", "f8", "1", 1.0, about="1 where PD-L1 answers IFN-gamma, 0 where it does not, 2 where it is there without; inherited"),
    Column("pdl1_free", "f8", "1", 0.0, about="PD-L1 not covered by antibody"),
    Column("hits", "f8", "1", 0.0, "reset", about="CTL hits, as of hit_tick"),
    Column("hit_tick", "i4", "tick", 0, "reset"),
    Column("new_hits", "i4", "1", 0, "reset"),
)


class Tumour(Population):
    """Tumour cells: heritable traits, what they sense, how CD8 see them; pathways bring their own columns."""

    kind = "tumour"
    code = 1
    columns = (*TRAITS, *LOCAL, *OTHER)
