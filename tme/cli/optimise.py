"""`tme optimise`: which doses, order and schedule?"""

from __future__ import annotations

from tme.cli.study import command

optimise = command("optimise", "Search doses, order and schedule of an arm for the Pareto front under limits, beside a grid of equal cost; resumable.")
