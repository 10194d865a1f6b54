"""Where cells are at the start: they must fit the domain, tables must have their columns, regions must be sound."""

from __future__ import annotations

import math
from typing import Any

from tme.config.access import Access, is_number
from tme.config.checks_tissue import check_rule, check_table
from tme.config.schema import REFERENCE, RELAXING
from tme.library.alterations import LEAST_NRF2

At = tuple[Any, ...]


def shape(look: Access) -> tuple[int, ...] | None:
    """Voxels per axis, or None if the domain is not sound."""
    size, dx = look.items("domain", "size_um"), look.number("domain", "dx_um", default=15.0)
    if (
        not dx
        or dx <= 0
        or len(size) not in (2, 3)
        or not all(is_number(s) and math.isfinite(s) for s in size)
    ):
        return None
    return tuple(max(1, round(s / dx)) for s in size)


def check_initial(look: Access) -> None:
    """The start, or the base of its regions and then these."""
    if look.get("initial", "kind") != "regions":
        check_base(look, ("initial",))
        return
    check_base(look, ("initial", "base"))
    if look.get("initial", "base", "kind") == "regions":
        look.fault(("initial", "base", "kind"), "regions within regions", "one of cells, monolayer, nodule, spheroid")
    for k in range(len(look.items("initial", "regions"))):
        check_region(look, ("initial", "regions", k))
    check_kept(look)


def check_base(look: Access, at: At) -> None:
    """The cells fit into the domain, the table exists and has its columns."""
    n, cells, kind = shape(look), look.number(*at, "n_cells"), look.get(*at, "kind")
    if kind in ("nodule", "spheroid") and n and cells is not None and cells > math.prod(n):
        look.fault(
            (*at, "n_cells"),
            f"{cells:.0f} cells do not fit into a domain of {math.prod(n)} voxels",
            "fewer cells or a larger domain.size_um",
        )
    check_point(look, (*at, "centre_um"))
    if kind == "spheroid" and n and len(n) == 2:
        look.fault(
            (*at, "kind"), "a spheroid needs three dimensions", "domain.size_um: [x, y, z], or kind: nodule"
        )
    before = len(look.faults)
    for column in look.mapping(*at, "traits"):
        check_measured(look, (*at, "traits", column))
    if kind == "cells" and isinstance(look.get(*at, "file"), str):
        check_table(look, at, n, sound=len(look.faults) == before)


def check_point(look: Access, at: At) -> None:
    """A point or extent has as many coordinates as the domain."""
    n, point = shape(look), look.items(*at)
    if point and n and len(point) != len(n):
        look.fault(at, f"has {len(point)} coordinates", f"{len(n)}, as domain.size_um")


def check_measured(look: Access, at: At) -> None:
    """A measured column sets one trait or the start of one state."""
    rule = look.get(*at)
    if not isinstance(rule, dict):
        return
    if ("trait" in rule) == ("state" in rule):
        what = "sets a trait and a state" if "trait" in rule else "sets nothing"
        look.fault(at, what, "either trait: NAME or state: NAME")
    if rule.get("absolute") is True and "state" not in rule:
        look.fault((*at, "absolute"), "a trait is a factor on the reference cell", "absolute with a state only")
    check_rule(look, at, rule)
    check_daughters(look, at, [rule["trait"]] if isinstance(rule.get("trait"), str) else [])


def check_daughters(look: Access, at: At, traits: list[str]) -> None:
    """`daughters_keep` concerns traits that vary within a clone; the others are handed on wholly."""
    kept = look.get(*at, "daughters_keep")
    if kept is None or not (is_number(kept) or isinstance(kept, bool)):
        return
    whole = [t for t in traits if t not in RELAXING]
    if not traits:
        look.fault((*at, "daughters_keep"), "concerns traits and there is none here", "a trait, or no daughters_keep")
    elif whole and kept is not True and kept != 1:
        look.fault((*at, "daughters_keep"), f"daughters keep {whole[0]} wholly", f"true, or one of {', '.join(RELAXING)}")


def check_region(look: Access, at: At) -> None:
    """Points as in the domain, a band that has a width, clones that exist, something that is different there."""
    region = look.get(*at)
    if not isinstance(region, dict):
        return
    check_point(look, (*at, "centre_um"))
    check_point(look, (*at, "size_um"))
    low, high, n = look.number(*at, "from_um"), look.number(*at, "to_um"), shape(look)
    if low is not None and high is not None and high <= low:
        look.fault((*at, "to_um"), f"is {high:g}, not beyond from_um", f"more than {low:g}")
    if region.get("axis") == "z" and n and len(n) == 2:
        look.fault((*at, "axis"), "is z in two dimensions", "x or y")
    clones = (REFERENCE, *look.mapping("tumour", "clones"))
    if isinstance(region.get("clone"), str) and region["clone"] not in clones:
        look.unknown((*at, "clone"), "clone", region["clone"], clones)
    known = [*look.context.library.cells, "none"]
    if isinstance(region.get("cells"), str) and region["cells"] not in known:
        look.unknown((*at, "cells"), "cell type", region["cells"], known)
    if not any(region.get(k) for k in ("traits", "states", "clone", "cells")):
        look.fault(at, "changes nothing", "traits, states, clone or cells")
    elif region.get("cells") not in (None, "tumour") and any(region.get(k) for k in ("traits", "states", "clone")):
        look.fault((*at, "cells"), f"is {region['cells']}: traits, states and clones are tumour cells'", "a region of its own for each")
    nrf2 = look.number(*at, "traits", "nrf2")
    if nrf2 is not None and 0.0 <= nrf2 < LEAST_NRF2:
        look.fault((*at, "traits", "nrf2"), f"is {nrf2:g}: without NRF2 no iron leaves the cell", f"at least {LEAST_NRF2:g}")
    check_daughters(look, at, [*look.mapping(*at, "traits")])


def check_kept(look: Access) -> None:
    """How much daughters keep of a trait is said once: it holds for the trait in the whole tumour."""
    said: dict[str, Any] = {}
    measured = look.mapping("initial", "base", "traits")
    places: list[tuple[At, list[str]]] = [
        (("initial", "base", "traits", c), [str(r.get("trait"))]) for c, r in measured.items() if isinstance(r, dict)
    ]
    for k in range(len(look.items("initial", "regions"))):
        places.append((("initial", "regions", k), [*look.mapping("initial", "regions", k, "traits")]))
    for at, traits in places:
        kept = look.get(*at, "daughters_keep")
        for trait in traits if kept is not None else ():
            if said.setdefault(trait, kept) != kept:
                look.fault((*at, "daughters_keep"), f"is {kept} and was {said[trait]} for {trait}", f"one value for {trait}: it holds in the whole tumour")
