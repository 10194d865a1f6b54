"""# Calibration

Numbers from data: a growth curve whose truth is known, so that it can be seen whether it is found again. With measured data the steps are the same
([all keys of `tme calibrate`](../calibrate.md)).
"""

# %%
# ## Data
# A table with a day, a readout and a value in each line. These values are made by the model itself, with a division rate of 0.0006/min, as the
# mean of four tumours, and 5 % of noise; their `sd` is wider, since one tumour of 30 cells is not like another.
from pathlib import Path

import numpy as np

import tme
from tme.experiments import evaluate

Path("growing.yaml").write_text("""
extends: configs/rescue
name: growing
horizon_day: 2
replicates: 1
domain: {size_um: [300, 300], at_edge: continue}
initial: {kind: nodule, n_cells: 30}
arms: {only: true, control: {}}
primary: null
mechanisms: {division: {k_div: 0.0007}}       # the dish that it extends has no division
output: {record_every_h: 12}
study:
  kind: calibrate
  data: data.csv
  ranges: {mechanisms.division.k_div: [0.0001, 0.0012]}
  draws: 24
  waves: 0
  generations: 2
  predictions: 10
""")

# %%
truth = {"mechanisms.division.k_div": 0.0006}
config = tme.load_config("growing.yaml")
seen = [evaluate(config, "control", seed, ["tumour_alive"], [0.5, 1, 1.5, 2], values=truth)["control"]["values"]["tumour_alive"] for seed in range(101, 105)]
mean = np.mean(seen, axis=0) * (1 + 0.05 * np.random.default_rng(1).standard_normal(4))
rows = [f"{day},tumour_alive,{value:.0f},{0.15 * value:.1f},{'check' if day == 2 else 'fit'}" for day, value in zip((0.5, 1, 1.5, 2), mean)]
_ = Path("data.csv").write_text("\n".join(["day,readout,value,sd,use", *rows]))
print(Path("data.csv").read_text())

# %%
# ## Calibrate
# The last day is kept out of the fit (`use: check`) and compared with what the posterior predicts.
import os

os.system("tme calibrate growing.yaml --jobs 1 --out calibrated")

# %%
# ## What came out
import json

summary = json.loads(Path("calibrated/summary.json").read_text())
print(summary["lead"])
for sentence in summary["sentences"][:3]:
    print("-", sentence)

# %%
# The posterior is a table of weighted values. The truth lies where it should:
import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("calibrated/table.csv")
name = next(c for c in table if "k_div" in c)
figure, axes = plt.subplots(figsize=(4.2, 2.8), layout="constrained")
axes.hist(1000 * table[name], weights=table["weight"], bins=12, range=(0.1, 1.2), color="#56B4E9", label="posterior")
axes.axvline(0.6, color="#D55E00", label="truth")
axes.set(xlabel="division rate, 1/(1000 min)", ylabel="probability in the bin")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False)
figure.savefig("posterior.png", dpi=150)
# picture: Posterior of the division rate with the truth marked

# %%
# Two dozen particles are few: enough to see that everything works, not to publish. `tme calibrate` says in its report how many it took and how wide
# the answer is beside the prior.
