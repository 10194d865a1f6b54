"""Statistics of experiments: intervals, paired tests, synergy, lines. Arrays in, numbers out.

Figures, sentences, comparisons, targets and studies take their numbers from here and nowhere else. Means carry
Student-t intervals: with the four to ten replicates of a usual run they cover what they claim, while percentile
bootstrap intervals of so few values are too narrow (about 80 % instead of 95 % at n = 4). The bootstrap serves
what has no closed form, from six replicates on (`FEWEST_TO_RESAMPLE`).
"""

from tme.statistics.estimate import FEWEST_FOR_P, FEWEST_TO_RESAMPLE, LEVEL, Estimate
from tme.statistics.intervals import (
    band,
    bootstrap,
    difference,
    mean_interval,
    mean_of_amounts,
    pairs,
    ratio_of_means,
    share_of_control,
)
from tme.statistics.lines import Line, fit_line
from tme.statistics.paired_tests import ExactTest, holm, least_p, sign_test, wilcoxon
from tme.statistics.synergy import bliss_excess, bliss_of_groups, bliss_of_pairs

__all__ = [
    "FEWEST_FOR_P",
    "FEWEST_TO_RESAMPLE",
    "LEVEL",
    "Estimate",
    "ExactTest",
    "Line",
    "band",
    "bliss_excess",
    "bliss_of_groups",
    "bliss_of_pairs",
    "bootstrap",
    "difference",
    "fit_line",
    "holm",
    "least_p",
    "mean_interval",
    "mean_of_amounts",
    "pairs",
    "ratio_of_means",
    "share_of_control",
    "sign_test",
    "wilcoxon",
]
