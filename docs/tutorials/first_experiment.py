"""# First experiment

A question, three arms, a wrong word, a run, an answer. The question: does it matter whether the ferroptosis inducer RSL3 comes on particles
or free in blood?
"""

# %%
# ## Write the question
# An experiment states what differs from the one that it extends; `configs/base.yaml` is an untreated B16-like nodule with its immune cells.
# Arms name drugs, particles, antibodies and events of the library (`tme list drugs`). The dose is the same in both treated arms. `primary` says beforehand
# what the run is to answer, so that the answer cannot be chosen afterwards ([how a run is judged](../statistics.md)).
import os
from pathlib import Path

Path("carried.yaml").write_text("""
extends: configs/base
name: carried
horizon_day: 2
replicates: 3
branch_at_day: 0                  # grow each tumour once; all arms go on from there
domain: {size_um: [600, 600], at_edge: continue}
initial: {n_cells: 100}
arms:
  control: {}
  free: {drugs: [{name: rsl3, dose_mg_kg: 5, day: 0}]}
  carried: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 5, day: 0}]}
primary:
  contrasts: [carried < control, carried < free]
output: {record_every_h: 6, snapshot_days: [2]}
""")

# %%
# ## A wrong word
# Mistakes are told before anything is written, with file and line, all at once. Suppose the name of the particle had a letter too many:
wrong = Path("carried.yaml").read_text().replace("name: peg_pdpa_rsl3, dose_mg_kg", "name: peg_pdpa_rsl33, dose_mgkg")
_ = Path("wrong.yaml").write_text(wrong)
os.system("tme check wrong.yaml")

# %%
# ## Look before you run
# What a tick does, in order, and every number with its source, is one command away. Of the particle, for instance:
os.system("tme describe carried.yaml | grep 'peg_pdpa_rsl3' | head -6")

# %%
# ## Run it
# The command would be `tme run carried.yaml`, which also draws a report. From Python:
import tme

run = tme.run("carried.yaml", out="carried", report=False, jobs=2)

# %%
# ## The answer
# That was the primary question, answered first. Three pairs are few; the sentences say how many would be needed to find an effect of this size. Everything else
# is exploratory (`print(run.compare())` has it all). The numbers behind it:
table = run.endpoints()[["arm", "replicate", "tumour_alive", "dead_ferroptosis", "dead_immune", "gpx4_median"]]
print(table.round(2).to_string(index=False))

# %%
# Why is it so? The GPX4 that is left in living tumour cells tells: free RSL3 acts at once and is gone within the day, particles bring it more slowly, more of it, and for longer.
import matplotlib.pyplot as plt

series = run.series()
colours = {"control": "#4D4D4D", "free": "#0072B2", "carried": "#D55E00"}
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for arm, rows in series.groupby("arm", sort=False):
    mean = rows.groupby("day").mean(numeric_only=True)
    axes[0].plot(mean.index, mean["tumour_alive"], color=colours[arm], label=arm)
    axes[1].plot(mean.index, mean["gpx4_median"], color=colours[arm], label=arm)
axes[0].set(xlabel="day", ylabel="living tumour cells", ylim=(0, None))
axes[1].set(xlabel="day", ylabel="active GPX4, median cell", ylim=(0, None))
axes[0].legend(frameon=False)
for a in axes:
    a.spines[["top", "right"]].set_visible(False)
figure.savefig("carried.png", dpi=150)
# picture: Living tumour cells and active GPX4 over two days: control, free RSL3, RSL3 on particles

# %%
# ## Change one number
# Any number of the library has a dotted key. `evaluate` simulates some arms on one tumour in memory, which suits a quick look: here, particles that
# tumour cells take up three times as fast.
from tme.experiments import evaluate
from tme.experiments.plan import replicate_seed

config = tme.load_config("carried.yaml")
seed = replicate_seed(config.seed, 0)  # the first tumour of the run
uptake = config.library.nanoparticle("peg_pdpa_rsl3").numbers["uptake_tumour"].value
for factor in (1, 3):
    found = evaluate(config, "carried", seed, ["tumour_alive"], [2], values={"entries.nanoparticles.peg_pdpa_rsl3.uptake_tumour": factor * uptake})
    print(f"uptake {factor} times as fast: {found['carried']['values']['tumour_alive'][0]:.0f} cells on day 2")

# %%
# The same change for a whole run: `tme run carried.yaml --set entries.nanoparticles.peg_pdpa_rsl3.uptake_tumour=...`, or as a
# `sweep:` in the file. Results go to another directory, since its name holds a hash of everything that the config says.
