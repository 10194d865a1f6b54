"""The made-up experiment with two treatments and both, and a small study of robustness on it."""

from __future__ import annotations

from made_up import Config

from tme.config.study import Given
from tme.studies import robust
from tme.studies.design import Ask
from tme.studies.ranges import Range

RANGES = [Range("b", 0.2, 0.6, 0.4, unit="1"), Range("i", 0.0, 0.5, 0.3), Range("s", -0.1, 0.2, 0.05, unit="1"), Range("a", -20, 20, 0), Range("c", 0, 1, 0.5)]
SWITCHES = {"route": {"open": {}, "closed": {"s": 0.0}}, "idle": {"yes": {}, "no": {"z": 1.0}}}
CUTS = {"route": {"s": 0.0}}


class Four(Config):
    """The made-up experiment with two treatments and both."""

    def to_dict(self):
        return {**super().to_dict(), "arms": {"control": {}, "immune": {"antibodies": [{"name": "x"}]}, "drug": {"drugs": [{"name": "y"}]}, "both": {"use": ["immune", "drug"]}}}


ARMS = {"control": {}, "immune": {}, "drug": {}, "both": {}}


def ask(patch, draws, repeated, seeds):
    """Let `tme robust` ask this experiment, in studies of that size; draws count whose control has 99 to 1,000."""
    patch.setattr(robust, "all_ranges", lambda config, switches: RANGES)
    patch.setattr(robust, "switches_of", lambda config: SWITCHES)
    patch.setattr(robust, "cuts_of", lambda config: CUTS)
    patch.setattr(robust, "sizes", lambda config, quick: (draws, repeated, seeds))
    patch.setattr(robust, "ask_of", lambda config, kind, readouts, days: Ask(tuple(readouts), tuple(days)))
    patch.setattr(robust, "cost", lambda config, pairs, day: "no time")
    patch.setattr(robust, "given_of", lambda config: [Given(low=99, high=1000, over_day=None)])
