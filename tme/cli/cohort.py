"""`tme cohort`: who responds to which arm, and could a biopsy have told?"""

from __future__ import annotations

from tme.cli.study import command

cohort = command("cohort", "Simulate virtual patients in all arms: response, time to a size, which arm wins, which features of a biopsy predict it; resumable.")
