"""Statistics of experiments: intervals, paired tests, synergy, lines. Arrays in, numbers out.

Figures, sentences, comparisons, targets and studies take their numbers from here and nowhere else. Means carry
Student-t intervals: with the four to ten replicates of a usual run they cover what they claim, while percentile
bootstrap intervals of so few values are too narrow (about 80 % instead of 95 % at n = 4). The bootstrap serves
what has no closed form, from six replicates on (`FEWEST_TO_RESAMPLE`).
"""

from tme.statistics.contrasts import GRAMMAR, Answer, Contrast, ContrastError, evaluate, evaluate_all, parse
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
from tme.statistics.power import pairs_needed
from tme.statistics.synergy import bliss_excess, bliss_of_groups, bliss_of_pairs, hsa_excess, hsa_of_pairs

__all__ = [
    "FEWEST_FOR_P",
    "FEWEST_TO_RESAMPLE",
    "GRAMMAR",
    "LEVEL",
    "Answer",
    "Contrast",
    "ContrastError",
    "Estimate",
    "ExactTest",
    "Line",
    "band",
    "bliss_excess",
    "bliss_of_groups",
    "bliss_of_pairs",
    "bootstrap",
    "difference",
    "evaluate",
    "evaluate_all",
    "fit_line",
    "holm",
    "hsa_excess",
    "hsa_of_pairs",
    "least_p",
    "mean_interval",
    "mean_of_amounts",
    "pairs",
    "pairs_needed",
    "parse",
    "ratio_of_means",
    "share_of_control",
    "sign_test",
    "wilcoxon",
]
