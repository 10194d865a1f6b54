"""`tme robust`: does the conclusion hold over everything that is not known?"""

from __future__ import annotations

from tme.cli.shared import AllowPlugins, ConfigPath, Quick, Set
from tme.cli.study import Exec, Executor, Fresh, Jobs, Out, Seed, Threads, carry_out


def robust(
    config: ConfigPath, out: Out = None, seed: Seed = None, set_: Set = None, quick: Quick = False, jobs: Jobs = None, threads: Threads = 1,
    executor: Exec = Executor.processes, fresh: Fresh = False, allow_plugins: AllowPlugins = False,
) -> None:  # fmt: skip
    """Ask the primary question over draws of all numbers and structural switches: how often each conclusion holds; resumable."""
    carry_out("robust", config, set_, seed, quick, out, allow_plugins, jobs=jobs, threads=threads, executor=executor.value, fresh=fresh)
