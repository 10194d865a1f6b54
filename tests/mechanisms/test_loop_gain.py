"""The gain of the loop: what an inducer and a blockade do together beyond what each does, and what takes it away."""

import numpy as np
import pytest
from support import alive, bath, hours, tissue
from test_loop import ARMS, QUICK

# as many living cells are left in each arm as a ratio of shares needs
RSL3 = bath("rsl3", 0.036)
GIVEN = {**ARMS, "rsl3": RSL3, "both": {**ARMS["both"], **RSL3}}
SEEDS, HOURS = (1, 2, 3), 20


def living(arm, seed, cuts):
    """Share of tumour cells left of one tumour whose delays are short."""
    settings = dict(QUICK)
    for group, values in cuts.items():
        key = f"mechanisms__{group}"
        settings[key] = {**settings.get(key, {}), **values}
    return alive(hours(tissue(arm, seed, arms=GIVEN, **settings), HOURS)) / 250


def excess(**cuts):
    """Log of (what Bliss expects of the combination) over (what it leaves), 0 where the two only add up."""
    left = {arm: np.mean([living(arm, seed, cuts) for seed in SEEDS]) for arm in GIVEN}
    return np.log(left["rsl3"] * left["anti_pdl1"] / left["control"] / left["both"])


@pytest.mark.slow
@pytest.mark.mechanism("M118")
def test_the_excess_of_inducer_and_blockade_breaks_without_ifng_on_slc7a11_and_without_damps():
    """Without the loss of SLC7A11 (M67) a third of the excess and more is gone, without the release from corpses (M70) a fifth."""
    intact = excess()
    assert intact > 0.15
    assert excess(ferroptosis={"f_x": 0}) < 0.65 * intact
    assert excess(damp={"atp_rate": 0, "hmgb1_rate": 0}) < 0.8 * intact
