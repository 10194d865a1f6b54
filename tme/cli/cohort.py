"""`tme cohort`: who responds to which arm, and could a biopsy have told?"""

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


def cohort(
    config: ConfigPath, out: Out = None, seed: Seed = None, set_: Set = None, quick: Quick = False, jobs: Jobs = None, threads: Threads = 1,
    executor: ExecutorOption = ExecutorName.processes, scheduler: Scheduler = None, cluster: Cluster = None, cluster_options: ClusterOptions = None,
    allow_mixed: AllowMixed = False, fresh: Fresh = False, allow_plugins: AllowPlugins = False,
) -> None:  # fmt: skip
    """Simulate virtual patients in all arms: response, time to a size, which arm wins, which features of a biopsy predict it; resumable."""
    how = where(scheduler, cluster, cluster_options, allow_mixed)
    carry_out("cohort", config, set_, seed, quick, out, allow_plugins, jobs=jobs, threads=threads, executor=executor.value, fresh=fresh, **how)
