"""# Five-minute tour

What an experiment is, what it costs, what stands behind it, and what comes out. All commands run in a checkout of `tme` that is
installed (`pip install -e .`); the experiment here is a very small one, so that the whole tour takes a minute or two of computing.
"""

# %%
# ## An experiment is a file
# `configs/quick.yaml` asks the question of the main experiment of small tumours: does an antibody against PD-L1 work better
# beside particles that bring the ferroptosis inducer RSL3? Everything that it does not state, it takes from the file that it `extends`.
import os

os.system("cat configs/quick.yaml")

# %%
# `tme check` reads it, complains of whatever is wrong, prints it in full, and says what it will cost. `--set` changes any value:
# here a still smaller tumour for a shorter time.
os.system("tme check configs/quick.yaml --set initial.n_cells=120 --set horizon_day=2 --set domain.size_um=[750,750] | tail -2")

# %%
# ## What stands behind it
# Every number has a unit, a range, a source, and a status. `tme describe` prints them all; `--evidence` counts them by group of laws.
os.system("tme describe configs/quick.yaml --evidence | grep -E '^ (numbers|mechanisms.ferroptosis|rules|cells|in all) '")

# %%
# What is known of the biology is a table of rules, which read as sentences (`tme list rules`); so are drugs, particles, cell types, receptors, tumours.
# A config switches them on and off, changes their numbers, and adds its own.
import json
import subprocess

rules = json.loads(subprocess.check_output(["tme", "list", "rules", "--json"]))
for rule in [r for r in rules if r["on"]][:3]:
    print(f"{rule['rule']}: {rule['says']}\n    {rule['source']}")

# %%
# ## Run it
# All arms go on from the same tumours, grown before treatment. The run directory can be completed after any interruption by the same command.
os.system("tme run configs/quick.yaml --set initial.n_cells=120 --set horizon_day=2 --set domain.size_um=[750,750] --out tour")

# %%
# The last lines answer the primary question, with an interval, and say what two pairs of tumours cannot show. `tour/report.html` has the same with
# figures and opens in any browser. What else was written:
os.system("ls tour tour/combination/rep-000")

# %%
# ## Read it
# A run is a few tables and snapshots, which open in pandas (and, where installed, as AnnData and xarray).
import tme

run = tme.load("tour")
print(run.endpoints()[["arm", "replicate", "day", "tumour_alive", "dead_ferroptosis", "cd8_per_mm2"]].round(1).to_string(index=False))

# %%
# The course of all arms:
import matplotlib.pyplot as plt

colours = {"control": "#4D4D4D", "anti_pdl1": "#0072B2", "rsl3_np": "#E69F00", "combination": "#009E73"}
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for arm, table in run.series().groupby("arm", sort=False):
    mean = table.groupby("day")["tumour_alive"].mean()
    axes.plot(mean.index, mean, label=arm, color=colours[arm])
axes.set(xlabel="day of treatment", ylabel="living tumour cells, mean of two", ylim=(0, None))
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False)
figure.savefig("growth.png", dpi=150)
# picture: Living tumour cells by arm over the two days of the small experiment

# %%
# A snapshot has every cell:
cells = run.cells("combination", 0)
table = cells.obs if hasattr(cells, "obs") else cells
print(table["cell_type"].value_counts().to_string())

# %%
# ## Go on
# [Your first experiment](first_experiment.md) writes a question from scratch. [Your own drug and particle](own_drug.md) and
# [your own cell type, rule and pathway](own_cell.md) add what the library does not have. [All shipped experiments](../../configs/README.md)
# are a page of one paragraph each, [the model](../model.md) says what every law does and where its numbers are from,
# and [credibility](../credibility.md) what the answers may be used for.
