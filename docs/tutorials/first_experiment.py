"""# First experiment

A question, four arms, a wrong word, a run, an answer. The question: does it matter whether the ferroptosis inducer RSL3 comes on particles
or free in blood?
"""

# %%
# ## Write the question
# An experiment states what differs from the one that it extends; `configs/base.yaml` is an untreated B16-like nodule with its immune cells.
# Arms name drugs, particles, antibodies and events of the library (`tme list drugs`). The dose is the same in both arms. `primary` says beforehand
# what the run is to answer, so that the answer cannot be chosen afterwards ([how a run is judged](../statistics.md)).
import os
from pathlib import Path

Path("carried.yaml").write_text("""
extends: configs/base
name: carried
horizon_day: 2
replicates: 3
branch_at_day: 0                  # grow each tumour once; both arms go on from there
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
# The command would be `tme run carried.yaml`. From Python, without the report:
import tme

run = tme.run("carried.yaml", out="carried", report=False, jobs=2)
print(run, run.exit_code)

# %%
# ## The answer
# `compare` answers the primary question first. Three pairs are few; the sentences say how many would be needed.
print("\n".join(str(run.compare()).splitlines()[:6]))

# %%
# Why is it so? The level of GPX4 that is left in living tumour cells, and what reached them, tell.
import matplotlib.pyplot as plt

series = run.series()
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for arm, rows in series.groupby("arm", sort=False):
    mean = rows.groupby("day").mean(numeric_only=True)
    axes[0].plot(mean.index, mean["tumour_alive"], label=arm)
    axes[1].plot(mean.index, mean["gpx4_median"], label=arm)
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

config = tme.load_config("carried.yaml")
uptake = config.library.nanoparticle("peg_pdpa_rsl3").numbers["uptake_tumour"].value
for factor in (1, 3):
    found = evaluate(config, "carried", 1, ["tumour_alive"], [2], values={"entries.nanoparticles.peg_pdpa_rsl3.uptake_tumour": factor * uptake})
    print(f"uptake {factor} times as fast: {found['carried']['values']['tumour_alive'][0]:.0f} cells on day 2")

# %%
# The same change for a whole run: `tme run carried.yaml --set entries.nanoparticles.peg_pdpa_rsl3.uptake_tumour=...`, or as a
# `sweep:` in the file. Results go to another directory, since its name holds a hash of everything that the config says.
