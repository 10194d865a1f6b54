"""The targets on the model as it stands; a claim that misses without being listed here fails."""

from __future__ import annotations

import pytest

from tme.targets import chosen, measure

KNOWN_MISSES: dict[str, set[str]] = {
    "T2": {"an untreated spot reaches about 20 um"},
    "T8": {"erastin coupled 10-20 h"},
    "T9": {"deferoxamine 100 uM rescues RSL3 1 uM"},
    "T14": {"output peaks about 3 h"},
    "T19": {"IFN-gamma+ CD8 up", "Treg down"},
    "T42": {"flat from day 3 to day 7", "control 4 to 8 times at day 7", "CTL fall after day 5"},
    "T32": {"breast_4t1_like doubles in 1.5-4 d"},
}
CHEAP = ("T5", "T7", "T10", "T31", "T40")
SLOW = ("T1", "T2", "T3", "T8", "T9", "T11", "T14", "T19", "T28", "T29", "T30", "T32", "T34", "T39", "T42")


def score(target_id: str) -> None:
    (target,) = chosen([target_id])
    row = measure(target)
    assert "error" not in row["value"], row["value"]
    assert row["value"], "a target prints what it measured, whatever it is"
    missed = set(row["value"].get("missed", []))
    assert missed <= KNOWN_MISSES.get(target_id, set()), row["value"]


@pytest.mark.parametrize("target_id", CHEAP)
def test_a_target_of_cells_or_fields_scores_as_known(target_id):
    score(target_id)


@pytest.mark.slow
@pytest.mark.parametrize("target_id", SLOW)
def test_a_target_of_tissue_scores_as_known(target_id):
    score(target_id)
