"""The primary question: contrasts that can be read, of arms that exist, on a day that is recorded."""

from __future__ import annotations

from tme.config.access import Access, divides
from tme.config.base import REFERENCE
from tme.config.errors import listed, nearest
from tme.core.plugins import joined


def check_primary(look: Access) -> None:
    """Contrasts and their arms, and the day."""
    if not look.mapping("primary"):
        return
    check_day(look)
    texts = [(i, t) for i, t in enumerate(look.items("primary", "contrasts")) if isinstance(t, str)]
    if look.context.contrasts is None:
        return
    arms = look.mapping("arms") if look.get("arms") is not None else {"control": {}}
    for k, problem, expected, arm in look.context.contrasts([t for _, t in texts], arms):
        path = ("primary", "contrasts", texts[k][0])
        look.unknown(path, "arm", arm, arms) if arm else look.fault(path, problem, expected)


def check_readout(look: Access) -> None:
    """A readout that no series has, of a config with other faults: what a sound one has is asked of its model."""
    name, known = look.get("primary", "readout"), look.context.readouts
    if known is None or not isinstance(name, str) or not name or joined(look.context.plugins).readouts:
        return
    names = known(look.context.library.cells, (REFERENCE, *look.mapping("tumour", "clones")))
    if name not in names:
        look.fault(("primary", "readout"), f"unknown readout '{name}'", listed(names, 20), nearest(name, names))


def check_day(look: Access) -> None:
    """A day after treatment starts and before the end, on which the simulations record a row."""
    path, day, horizon = ("primary", "day"), look.number("primary", "day"), look.number("horizon_day")
    every = look.number("output", "record_every_h", default=6.0)
    if day is None or horizon is None or day <= 0:
        return  # none given, or the schema's to report
    if day > horizon:
        look.fault(path, f"day {day:g} is after the end of the run on day {horizon:g}", f"a day up to {horizon:g}, or none: the last")
    elif every and every > 0 and day != horizon and not divides(24.0 * day, every):
        before = int(24.0 * day / every) * every / 24.0
        near = [d for d in (before, before + every / 24.0) if 0 < d <= horizon]
        look.fault(path, f"day {day:g} is not recorded (output.record_every_h is {every:g})", " or ".join(f"{d:g}" for d in near) or "a smaller record_every_h")
