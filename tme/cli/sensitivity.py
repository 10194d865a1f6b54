"""`tme sensitivity`: which numbers an outcome depends on, alone and together."""

from __future__ import annotations

from tme.cli.study import command

sensitivity = command("sensitivity", "Rank numbers by their effect (Morris), then share out the variance (Sobol); resumable.")
