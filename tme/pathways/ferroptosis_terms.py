"""What rules may modulate in the ferroptosis pathway. In laws a factor is `xct_factor`, an amount `mufa_added`."""

from __future__ import annotations

from tme.core.terms import Term

CELLS = ("tumour",)  # and whatever other cell types run it


def factor(name: str, about: str, high: float = 100.0, low: float = 0.0, pool: tuple[str, str] = ("", ""), acts_with: str = "") -> Term:
    """A term that multiplies; `pool`: the drugs that compete for it and the column of their sum."""
    return Term(f"ferroptosis.{name}", "1", "multiplies", CELLS, low, high, about, "", *pool, acts_with)


def amount(name: str, unit: str, about: str, high: float, low: float = 0.0, pool: tuple[str, str] = ("", "")) -> Term:
    """A term that adds."""
    return Term(f"ferroptosis.{name}", unit, "adds", CELLS, low, high, about, "", *pool)


TERMS = (
    # cystine, cysteine, GSH, GPX4
    factor("xct", "cystine import by system xc- (SLC7A11)", pool=("xct_inhibitors", "e_xct")),
    amount("p53", "1", "p53 activity, of which 1 halves SLC7A11", 2.0),
    factor("cysteine_supply", "the cysteine supply by transsulphuration and EAAT3"),
    factor("gcl", "GSH synthesis by glutamate-cysteine ligase", pool=("gcl_inhibitors", "e_bso")),
    amount("gsh_loss", "1/min", "the share of GSH that is spent or exported", 10.0),
    amount("gsh_use", "uM/min", "the GSH that others bind or oxidise", 1000.0),
    factor("gssg_recycling", "recycling of oxidised GSH by GSR and NADPH", 100.0, 0.2),
    factor("gpx4_synthesis", "GPX4 synthesis"),
    amount("gpx4_loss", "1/min", "loss of active GPX4", 10.0, pool=("gpx4_inactivators", "e_gpx4")),
    factor("gpx4_activity", "clearing of peroxide by active GPX4"),
    # radicals and what traps them
    factor("fsp1", "FSP1 activity", pool=("fsp1_inhibitors", "e_fsp1")),
    factor("coq_reduction", "reduction of CoQ10 by FSP1 and DHODH together"),
    amount("dhodh", "1/min", "the reduction of CoQ10 by mitochondria (DHODH), which FSP1 inhibitors leave", 1.0),
    factor("coq_trapping", "trapping of radicals by CoQ10H2 and vitamin K"),
    factor("vitamin_e", "trapping of radicals by vitamin E"),
    factor("gch1", "trapping of radicals by BH4 (GCH1)", acts_with="ferroptosis.kap_b"),
    amount("trap", "1", "trapping of radicals by drugs", 1000.0, pool=("radical_traps", "e_trap")),
    factor("plooh_clearance", "clearing of hydroperoxide without GPX4 (GSTP1, PRDX1)"),
    factor("initiation", "initiation of peroxidation by enzymes and mitochondria"),
    factor("h2o2", "H2O2 made by the cell"),
    factor("repair", "repair of the membrane", low=1e-6),
    # iron
    factor("tfr1", "uptake of transferrin iron"),
    amount("iron_influx", "uM/min", "the inflow of labile iron beyond transferrin", 50.0, pool=("iron_salts", "j_drug")),
    factor("fpn", "export and use of labile iron (ferroportin, iron-sulphur clusters)"),
    amount("iron_chelation", "1/min", "the binding of labile iron", 10.0, pool=("iron_chelators", "e_chel")),
    factor("ferritin_storage", "storage of iron in ferritin"),
    factor("ncoa4", "ferritinophagy", low=1e-6),
    # lipid, NRF2, IFN-gamma
    factor("acsl4", "ACSL4 activity"),
    factor("lipid_supply", "the supply of PUFA to phospholipid"),
    amount("mufa", "1", "the MUFA that takes the place of PUFA", 100.0),
    factor("nrf2", "NRF2 activity"),
    factor("ifng_sensitivity", "the IFN-gamma that the cell feels"),
)  # fmt: skip
