"""The arrays and the slow twin tell the same story, cell by cell, through every kind of event."""

import numpy as np
import pytest

from twin import setup
from twin.philox import Dice, child_uid, philox, recruit_uid

EVENTS = (
    "tumour division", "push over several voxels", "dead_ferroptosis", "CTL kill", "dead_immune", "dead_necrosis",
    "dead_apoptosis", "corpse cleared", "CD8 attaches", "CD8 detaches", "CD8 loses its target", "CD8 hits", "CD8 exhausts",
    "CD8 division", "cd8 lost", "treg lost", "macrophage lost", "dendritic lost", "cd8 recruited", "treg recruited",
    "macrophage recruited", "dendritic recruited", "entry refused", "DC matures", "DC departs", "node output rises",
    "PD-L1 induced", "PD-L1 covered", "PD-1 covered", "drug hit", "injection", "tumour takes up particles",
    "tumour releases payload", "tumour gets iron", "macrophage takes up particles", "macrophage releases payload",
    "macrophage gets iron", "macrophage turns to M1", "vessel opens", "vessel closes", "move granted", "move refused",
)  # fmt: skip

COUNTERS = {
    "births": "tumour division", "kills": "CTL kill", "dead_ferroptosis": "dead_ferroptosis", "dead_immune": "dead_immune",
    "dead_necrosis": "dead_necrosis", "dead_apoptosis": "dead_apoptosis", "cleared": "corpse cleared", "births_cd8": "CD8 division",
    "lost_cd8": "cd8 lost", "lost_treg": "treg lost", "lost_macrophage": "macrophage lost", "lost_dendritic": "dendritic lost",
    "recruited_cd8": "cd8 recruited", "recruited_treg": "treg recruited", "recruited_macrophage": "macrophage recruited",
    "recruited_dendritic": "dendritic recruited", "refused": "entry refused", "dc_matured": "DC matures",
}  # fmt: skip


def run(model, twin, ticks):
    """Step both and compare after every tick; returns the number of living tumour cells after each."""
    alive = []
    for _ in range(ticks):
        model.step()
        twin.step()
        setup.check_equal(model, twin)
        alive.append(int((model.tumour.state == 0).sum()))
    for counter, event in COUNTERS.items():
        assert model.counters[counter] == twin.events[event], counter
    return np.array(alive)


def test_philox_gives_the_published_vectors():
    """Random123's known answers for philox4x32-10."""
    ones = 0xFFFFFFFF
    assert philox((0,) * 4, (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((ones,) * 4, (ones, ones)) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    counter, key = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert philox(counter, key) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def test_arrays_equal_the_twin_through_every_kind_of_event():
    """More than 200 living cells, more than 200 ticks, under all therapies at once."""
    model, twin = setup.build("all")
    setup.check_equal(model, twin)
    alive = run(model, twin, 365)
    assert (alive >= 200).sum() >= 200
    missing = [event for event in EVENTS if not twin.events[event]]
    assert not missing
