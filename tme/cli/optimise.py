"""`tme optimise`: which doses, order and schedule?"""

from __future__ import annotations

from tme.cli.shared import (
    AllowMixed,
    AllowPlugins,
    Cluster,
    ClusterOptions,
    ConfigPath,
    ExecutorName,
    ExecutorOption,
    Jobs,
    Quick,
    Scheduler,
    Set,
    Threads,
    where,
)
from tme.cli.study import Fresh, Out, Seed, carry_out


def optimise(
    config: ConfigPath, out: Out = None, seed: Seed = None, set_: Set = None, quick: Quick = False, jobs: Jobs = None, threads: Threads = 1,
    executor: ExecutorOption = ExecutorName.processes, scheduler: Scheduler = None, cluster: Cluster = None, cluster_options: ClusterOptions = None,
    allow_mixed: AllowMixed = False, fresh: Fresh = False, allow_plugins: AllowPlugins = False,
) -> None:  # fmt: skip
    """Search doses, order and schedule of an arm for the Pareto front under limits, beside a grid of equal cost; resumable."""
    how = where(scheduler, cluster, cluster_options, allow_mixed)
    carry_out("optimise", config, set_, seed, quick, out, allow_plugins, jobs=jobs, threads=threads, executor=executor.value, fresh=fresh, **how)
