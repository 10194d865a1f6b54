"""`tme calibrate`: numbers from measured data."""

from __future__ import annotations

from tme.cli.shared import AllowPlugins, ConfigPath, Quick, Set
from tme.cli.study import Exec, Executor, Fresh, Jobs, Out, Seed, Threads, carry_out


def calibrate(
    config: ConfigPath, out: Out = None, seed: Seed = None, set_: Set = None, quick: Quick = False, jobs: Jobs = None, threads: Threads = 1,
    executor: Exec = Executor.processes, fresh: Fresh = False, allow_plugins: AllowPlugins = False,
) -> None:  # fmt: skip
    """Fit numbers to a data table: history matching, then ABC-SMC; posterior and prediction; resumable."""
    carry_out("calibrate", config, set_, seed, quick, out, allow_plugins, jobs=jobs, threads=threads, executor=executor.value, fresh=fresh)
