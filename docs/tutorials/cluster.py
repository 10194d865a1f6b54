"""# A study on a cluster

A study simulates many points of an experiment. The same command runs them in processes of a laptop, on dask workers of several machines, or in jobs of a queue, and
gives the same tables bit for bit on like processors. Here the cluster is two workers on one machine; on several, `dask worker` is started on each
(`pip install -e ".[cluster,study]"` everywhere).
"""

# %%
# ## The experiment and the study
# Which of three numbers decides how many tumour cells are left after a day with RSL3? `study:` in a config asks; `tme run` does not read it. The ranges are the numbers' own.
import os
from pathlib import Path

Path("which.yaml").write_text("""
extends: configs/rescue
name: which
horizon_day: 1
replicates: 1
domain: {size_um: [180, 180]}
arms:
  only: true
  control: {}
  rsl3: {drugs: [{name: rsl3, bath_uM: 0.05, day: 0, route: bath}]}
primary: {contrasts: [rsl3 < control]}
output: {snapshot_days: []}
study:
  kind: sensitivity
  ranges:
    entries.drugs.rsl3.hits.gpx4.k_per_uM_min: own
    mechanisms.ferroptosis.k_red: own      # FSP1 and DHODH
    mechanisms.ferroptosis.d_leth: own     # lethal load of oxidised lipid
  trajectories: 2                 # of Morris
  keep: 2                         # numbers that go on to Sobol
  draws: 2
""")

# %%
# ## A cluster
# A scheduler, which prints its address, and workers that know it. On a queue this is `--cluster slurm --cluster-options FILE` instead, and nothing is started by hand.
import subprocess

address = "tcp://127.0.0.1:18786"
cluster = [subprocess.Popen(["dask", "scheduler", "--host", "127.0.0.1", "--port", "18786", "--no-dashboard"], stderr=subprocess.DEVNULL)]
cluster += [subprocess.Popen(["dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"], stderr=subprocess.DEVNULL) for _ in range(2)]

from distributed import Client

with Client(address, timeout=300) as client:
    client.wait_for_workers(2)
    print(len(client.scheduler_info()["workers"]), "workers")

# %%
# ## Run it there
os.system("tme sensitivity which.yaml --executor dask --scheduler tcp://127.0.0.1:18786 --out on_dask")

# %%
# Killed at any instant, the same command completes it. The answer:
import json

summary = json.loads(Path("on_dask/summary.json").read_text())
print(summary["lead"])
for sentence in summary["sentences"][:4]:
    print("-", sentence)

# %%
# Without `--executor dask` the same command runs in processes of this machine, and its tables are equal to the last bit (`tests/studies` holds it to that). The cluster is taken down:
for process in reversed(cluster):
    process.terminate()
    process.wait()

# %%
# ## Go on
# Queues, what is promised when machines die, and what 10⁵ simulations cost: [from a laptop to a cluster](../scaling.md). Other studies:
# `tme robust`, [`tme calibrate`](../calibrate.md), [`tme cohort`](../cohort.md), [`tme optimise`](../optimise.md).
