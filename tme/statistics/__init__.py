"""Statistics of experiments: intervals, paired tests, synergy, lines. Arrays in, numbers out.

Figures, sentences, comparisons, targets and studies take their numbers from here and nowhere else. Means carry
Student-t intervals, ratios and products of means those of their linear terms: with the four to ten replicates of a usual
run they cover what they claim, while percentile bootstrap intervals of so few values are too narrow (about 80 % instead of
95 % at n = 4, 90 % at n = 10). The bootstrap is there for what has no closed form, from six replicates on (`FEWEST_TO_RESAMPLE`).
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
from tme.statistics.outcomes import (
    COLUMNS,
    Curves,
    TimeToSize,
    answer_points,
    curves,
    day_to_read,
    doses_of_points,
    false_discovery,
    growth_rows,
    in_question,
    responses,
    times_to_size,
)
from tme.statistics.paired_tests import ExactTest, benjamini_hochberg, holm, least_p, sign_test, wilcoxon
from tme.statistics.power import pairs_needed
from tme.statistics.proportion import proportion
from tme.statistics.question import Answered, Question, answer, asked_later, faults_of, marked, question_of
from tme.statistics.response import PARTIAL, PROGRESSIVE, response_class, response_counts
from tme.statistics.survival import SurvivalCurve, kaplan_meier, logrank
from tme.statistics.synergy import bliss_excess, bliss_of_groups, bliss_of_pairs, hsa_excess, hsa_of_pairs

__all__ = [
    "COLUMNS",
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
    "Curves",
    "DoseResponse",
    "DoseTable",
    "Estimate",
    "ExactTest",
    "Hill",
    "Line",
    "Question",
    "SurvivalCurve",
    "TimeToSize",
    "answer",
    "answer_points",
    "area_under_curve",
    "asked_later",
    "band",
    "benjamini_hochberg",
    "bliss_excess",
    "bliss_of_groups",
    "bliss_of_pairs",
    "bootstrap",
    "control_arm",
    "curves",
    "day_to_read",
    "difference",
    "dose_response",
    "dose_table",
    "dose_units",
    "doses_given",
    "doses_of_points",
    "evaluate",
    "evaluate_all",
    "false_discovery",
    "faults_of",
    "fit_hill",
    "fit_line",
    "growth_inhibition",
    "growth_rows",
    "holm",
    "hsa_excess",
    "hsa_of_pairs",
    "in_question",
    "jackknife",
    "kaplan_meier",
    "least_p",
    "loewe_excess",
    "loewe_share",
    "logrank",
    "marked",
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
    "responses",
    "share_of_control",
    "sign_test",
    "time_to_reach",
    "times_to_size",
    "wilcoxon",
]
