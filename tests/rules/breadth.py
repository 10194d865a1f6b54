"""For tests of the library's rules: what a dish under RSL3 does with rules on and off."""

from support import CELLS, alive, bath, dish, hours

RSL3 = bath("rsl3", 0.05)  # half of the dish is dead after 19 h


def on(*names):
    """A change of a config that switches rules on."""
    return {"rules": dict.fromkeys(names, "on")}


def held(field, level):
    """A change of a config that holds a field at a level."""
    return {f"fields__{field}": {"initial": level, "held": True}}


def treated(arm=RSL3, *rules, **changes):
    """A dish under an arm, with these rules on."""
    return dish("x", arms={"x": arm}, **on(*rules), **changes)


def death_hour(*rules, arm=RSL3, limit=30.0, **changes):
    """Hours until half of the dish has died, at most `limit`."""
    model, h = treated(arm, *rules, **changes), 0.0
    while 2 * alive(model) > CELLS and h < limit:
        hours(model, 0.5)
        h += 0.5
    return h
