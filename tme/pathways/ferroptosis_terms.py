"""What rules may modulate in the ferroptosis pathway. In laws a factor is `xct_factor`, an amount `mufa_added`."""

from __future__ import annotations

from tme.core.terms import Term

CELLS = ("tumour", "cd8")


def factor(name: str, about: str, high: float = 100.0, low: float = 0.0) -> Term:
    """A term that multiplies."""
    return Term(f"ferroptosis.{name}", "1", "multiplies", CELLS, low, high, about)


def amount(name: str, unit: str, about: str, high: float, low: float = 0.0) -> Term:
    """A term that adds."""
    return Term(f"ferroptosis.{name}", unit, "adds", CELLS, low, high, about)


TERMS = (
    # cystine, cysteine, GSH, GPX4
    factor("xct", "system xc- (SLC7A11): cystine import"),
    amount("p53", "1", "p53 activity; represses SLC7A11 by half at 1", 2.0),
    factor("cysteine_supply", "cysteine from sources other than system xc-: transsulphuration, EAAT3"),
    factor("gcl", "GSH synthesis by glutamate-cysteine ligase"),
    amount("gsh_loss", "1/min", "share of GSH spent or exported per minute", 10.0),
    amount("gsh_use", "uM/min", "GSH bound or oxidised by others, at an amount per minute", 1000.0),
    factor("gssg_recycling", "share of oxidised GSH recycled by GSR and NADPH: divides what is lost", 100.0, 0.2),
    factor("gpx4_synthesis", "making of GPX4"),
    amount("gpx4_loss", "1/min", "loss of active GPX4: covalent inhibitors, degradation", 10.0),
    factor("gpx4_activity", "peroxide that active GPX4 clears"),
    # radicals and what traps them
    factor("fsp1", "FSP1: reduction of CoQ10"),
    factor("coq_reduction", "reduction of CoQ10 by FSP1 and DHODH together"),
    factor("coq_trapping", "trapping of radicals by CoQ10H2, and vitamin K reduced with it"),
    factor("vitamin_e", "trapping of radicals by vitamin E"),
    factor("gch1", "trapping of radicals by BH4; nothing where kap_b is 0"),
    amount("trap", "1", "trapping of radicals by drugs, in units of kap0", 1000.0),
    factor("plooh_clearance", "clearing of hydroperoxide other than by GPX4: GSTP1, PRDX1"),
    factor("initiation", "initiation of chains by lipoxygenases, POR and a leaking electron chain"),
    factor("h2o2", "H2O2 of the cell's own, with which iron starts chains"),
    factor("repair", "repair of the membrane"),
    # iron
    factor("tfr1", "uptake of transferrin iron"),
    amount("iron_influx", "uM/min", "labile iron set free or let in beyond transferrin: haem, salts, particles", 50.0),
    factor("fpn", "export and use of labile iron: ferroportin, iron-sulphur clusters"),
    amount("iron_chelation", "1/min", "labile iron bound per minute", 10.0),
    factor("ferritin_storage", "storage of iron in ferritin"),
    factor("ncoa4", "ferritinophagy"),
    # lipid, NRF2, IFN-gamma
    factor("acsl4", "ACSL4: PUFA into phospholipid"),
    factor("lipid_supply", "supply of PUFA to phospholipid"),
    amount("mufa", "1", "MUFA in place of PUFA", 100.0),
    factor("nrf2", "NRF2 activity"),
    factor("ifng_sensitivity", "IFN-gamma that the cell feels"),
)  # fmt: skip
