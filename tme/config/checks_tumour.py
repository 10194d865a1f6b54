"""The tumour of a config: its preset, its clones, and the alterations that cells carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tme.config.access import Access
from tme.config.errors import listed, nearest
from tme.config.schema import CELL_TRAITS, REFERENCE
from tme.library.alterations import LEAST_NRF2

MOST_CLONES = 100  # their codes are kept in a byte
TISSUES = ("nodule", "spheroid")  # starts of cells that hold together


def check_tumour(look: Access) -> None:
    """The preset exists and starts as it can; the clones' shares leave room for the reference cell."""
    preset, known = look.get("tumour", "preset", default="b16_like"), look.context.library.tumours
    if isinstance(preset, str) and preset not in known:
        look.unknown(("tumour", "preset"), "tumour", preset, known)
    elif isinstance(preset, str) and known[preset].suspended:
        for place in (("initial",), ("initial", "base")):
            if look.get(*place, "kind") in TISSUES:
                look.fault((*place, "kind"), f"is {look.get(*place, 'kind')}, and cells of {preset} are in no tissue", "monolayer or cells")
    clones = look.mapping("tumour", "clones")
    for path in (("tumour", "traits"), *(("tumour", "clones", c) for c in clones)):
        nrf2 = look.number(*path, "nrf2")
        if nrf2 is not None and 0.0 <= nrf2 < LEAST_NRF2:
            look.fault((*path, "nrf2"), f"is {nrf2:g}: without NRF2 no iron leaves the cell and it has no resting state", f"at least {LEAST_NRF2:g}")
    usual = {c for entry in known.values() for c in entry.clones}
    families = {"efflux"} | {drug.family for drug in look.context.library.drugs.values() if drug.family}
    for name, clone in clones.items():
        for family in look.mapping("tumour", "clones", name, "resists"):
            if family not in families:
                look.unknown(("tumour", "clones", name, "resists", family), "family of drugs", family, sorted(families))
        changes = isinstance(clone, dict) and {*clone} & {*CELL_TRAITS, "alterations", "resists"}
        if isinstance(clone, dict) and not changes and (meant := nearest(name, usual)) != name and meant:
            look.fault(("tumour", "clones", name), "changes no trait", listed(CELL_TRAITS), meant)
        if name == REFERENCE:
            look.fault(("tumour", "clones", name), "is the name of the cells of no clone", "another name")
    if len(clones) > MOST_CLONES:
        look.fault(("tumour", "clones"), f"has {len(clones)} clones", f"at most {MOST_CLONES}")
    shares = [look.number("tumour", "clones", c, "share", default=0.0) or 0.0 for c in clones]
    if sum(shares) > 1.0 + 1e-12:
        look.fault(("tumour", "clones"), f"the shares add up to {sum(shares):g}", "at most 1 in all")
    check_alterations(look)


def check_alterations(look: Access) -> None:
    """Names exist, once in a cell; rules that an alteration brings act in all tumour cells; NRF2 is left in every cell."""
    known, whole = look.context.library.alterations, names(look, "tumour")
    reference = nrf2_of(look, ("tumour", "traits"), known, whole)
    for path, above in ((("tumour",), ()), *((("tumour", "clones", c), whole) for c in look.mapping("tumour", "clones"))):
        carried = names(look, *path)
        for k, name in enumerate(carried):
            at = (*path, "alterations", k)
            if name not in known:
                look.unknown(at, "alteration", name, known)
            elif name in above or name in carried[:k]:
                look.fault(at, f"{name} is carried already", "each alteration once")
            elif len(path) > 1 and known[name].rules:
                look.fault(at, f"{name} switches rules on, which act in all tumour cells", "tumour.alterations, or an alteration without rules")
        nrf2 = reference if len(path) == 1 else reference * nrf2_of(look, path, known, carried)
        if 0.0 < nrf2 < LEAST_NRF2 and carried:
            said = f"leave {nrf2:g} of NRF2: without it no iron leaves the cell"
            look.fault((*path, "alterations"), said, f"at least {LEAST_NRF2:g}")


def names(look: Access, *path: str) -> list[str]:
    """Alterations at a path; what is no text is the schema's to report."""
    return [name for name in look.items(*path, "alterations") if isinstance(name, str)]


def nrf2_of(look: Access, path: tuple[str, ...], known: Any, carried: Iterable[str]) -> float:
    """NRF2 that traits and alterations give, relative to what is around."""
    out = look.number(*path, "nrf2", default=1.0) or 1.0
    for name in carried:
        number = known[name].traits.get("nrf2") if name in known else None
        out *= number.value if number is not None else 1.0
    return out
