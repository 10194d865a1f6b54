"""`tme robust`: does the conclusion hold over everything that is not known?"""

from __future__ import annotations

from tme.cli.study import command

robust = command("robust", "Ask the primary question over draws of all numbers and structural switches: how often each conclusion holds; resumable.")
