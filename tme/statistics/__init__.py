"""Statistics of experiments: intervals, paired tests, synergy, lines. Arrays in, numbers out.

Figures, sentences, comparisons, targets and studies take their numbers from here and nowhere else. Means carry
Student-t intervals: with the four to ten replicates of a usual run they cover what they claim, while percentile
bootstrap intervals of so few values are too narrow (about 80 % instead of 95 % at n = 4). The bootstrap serves
what has no closed form, from six replicates on (`FEWEST_TO_RESAMPLE`).
"""

from tme.statistics.arms import control_arm, dose_units, doses_given
from tme.statistics.contrasts import GRAMMAR, Answer, Contrast, ContrastError, evaluate, evaluate_all, parse
from tme.statistics.doses import DoseTable, dose_table
from tme.statistics.estimate import FEWEST_FOR_P, FEWEST_TO_RESAMPLE, LEVEL, Estimate
from tme.statistics.growth import FOLD, area_under_curve, growth_inhibition, time_to_reach
from tme.statistics.hill import DoseResponse, Hill, dose_response, fit_hill
from tme.statistics.intervals import (
    band,
    bootstrap,
    difference,
    jackknife,
    mean_interval,
    mean_of_amounts,
    pairs,
    ratio_of_means,
    share_of_control,
)
from tme.statistics.lines import Line, fit_line
from tme.statistics.loewe import loewe_excess, loewe_share
from tme.statistics.paired_tests import ExactTest, benjamini_hochberg, holm, least_p, sign_test, wilcoxon
from tme.statistics.power import pairs_needed
from tme.statistics.proportion import proportion
from tme.statistics.question import Answered, Question, answer, faults_of, question_of
from tme.statistics.response import PARTIAL, PROGRESSIVE, response_class, response_counts
from tme.statistics.survival import SurvivalCurve, kaplan_meier, logrank
from tme.statistics.synergy import bliss_excess, bliss_of_groups, bliss_of_pairs, hsa_excess, hsa_of_pairs

__all__ = [
    "FEWEST_FOR_P",
    "FEWEST_TO_RESAMPLE",
    "FOLD",
    "GRAMMAR",
    "LEVEL",
    "PARTIAL",
    "PROGRESSIVE",
    "Answer",
    "Answered",
    "Contrast",
    "ContrastError",
    "DoseResponse",
    "DoseTable",
    "Estimate",
    "ExactTest",
    "Hill",
    "Line",
    "Question",
    "SurvivalCurve",
    "answer",
    "area_under_curve",
    "band",
    "benjamini_hochberg",
    "bliss_excess",
    "bliss_of_groups",
    "bliss_of_pairs",
    "bootstrap",
    "control_arm",
    "difference",
    "dose_response",
    "dose_table",
    "dose_units",
    "doses_given",
    "evaluate",
    "evaluate_all",
    "faults_of",
    "fit_hill",
    "fit_line",
    "growth_inhibition",
    "holm",
    "hsa_excess",
    "hsa_of_pairs",
    "jackknife",
    "kaplan_meier",
    "least_p",
    "loewe_excess",
    "loewe_share",
    "logrank",
    "mean_interval",
    "mean_of_amounts",
    "pairs",
    "pairs_needed",
    "parse",
    "proportion",
    "question_of",
    "ratio_of_means",
    "response_class",
    "response_counts",
    "share_of_control",
    "sign_test",
    "time_to_reach",
    "wilcoxon",
]
