"""# Your own drug and particle

A drug that the library does not have, a particle that brings it, and the question at which dose they kill. No code: both are entries in a file.
"""

# %%
# ## The drug
# An entry says where a drug goes (pharmacokinetics, diffusion, loss) and what it hits. `extends: small_molecule` leaves the first to typical numbers, so that
# only what is known of the drug has to be written: it inactivates GPX4. Every number has a unit and a source; one that
# nobody measured says `assumed`. A hit on a target of the chemistry (`gpx4`) has that target's constant; any term of any law (`tme list terms`) can be raised or lowered.
from pathlib import Path

Path("mine.yaml").write_text("""
drugs:
  my_drug:
    extends: small_molecule
    about: inactivates GPX4
    mw_g_mol: {value: 480, unit: g/mol, source: "chosen: an invented molecule"}
    stage: experimental
    indication: none
    source: "assumed: a tutorial"
    hits:
      - target: gpx4
        k_per_uM_min: {value: 0.1, unit: 1/(uM min), range: [0.01, 1], source: "assumed: about RSL3"}

nanoparticles:
  my_particle:
    extends: peg_pdpa_rsl3
    id: N900
    about: the PEG-PDPA micelle with my drug
    payloads:
      - drug: my_drug
        loading: {value: 1, unit: 1, source: "definition: the field counts my drug"}
""")

# %%
Path("dish.yaml").write_text("""
extends: configs/rescue            # HT-1080 cells in a dish, without vessels and immune cells
name: dish
library: [mine.yaml]
horizon_day: 1
replicates: 1
domain: {size_um: [240, 240]}
arms:
  only: true
  control: {}
  drug: {drugs: [{name: my_drug, bath_uM: 0.1, route: bath}]}
output: {record_every_h: 6, snapshot_days: []}
""")

# %%
# ## Is it what was meant?
# The drug as this config has it: what was left to `small_molecule`, and what is its own.
import tme

config = tme.load_config("dish.yaml")
for key, number in config.library.drug("my_drug").numbers.items():
    print(f"{key:24} {number.value:>7g} {number.unit:12} {number.source}")

# %%
# ## At which dose does it kill?
# Seven doses in a dish, each in memory, with the dose as a dotted key.
import numpy as np

from tme.experiments import evaluate

doses = np.geomspace(0.001, 1, 7)
alive = []
for dose in doses:
    found = evaluate(config, ["control", "drug"], 1, ["tumour_alive"], [1], values={"arms.drug.drugs.0.bath_uM": float(dose)})
    both = [found[arm]["values"]["tumour_alive"][0] for arm in ("drug", "control")]
    alive.append(both[0] / both[1])
    print(f"{dose:8.3f} uM: {100 * alive[-1]:5.1f} % alive after a day")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(4, 2.8), layout="constrained")
axes.semilogx(doses, 100 * np.array(alive), "o-")
axes.set(xlabel="my_drug in the medium, µM", ylabel="cells alive after a day, %", ylim=(-3, 103))
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("dose.png", dpi=150)
# picture: Cells alive after a day against the dose of the drug in the medium

# %%
# `tme run` of a config with a `sweep:` over the same key draws this curve in its report, with a fitted Hill function and EC50
# (`configs/dose_response.yaml`).
#
# ## The particle in a tumour
# A particle is an agent like a drug: it comes by blood, leaves vessels, is taken up, and lets its payload go by its own rule.
Path("tumour.yaml").write_text("""
extends: configs/base
name: tumour
library: [mine.yaml]
horizon_day: 2
domain: {size_um: [600, 600], at_edge: continue}
initial: {n_cells: 100}
arms:
  control: {}
  particle: {nanoparticles: [{name: my_particle, dose_mg_kg: 30, day: 0}]}
""")

# %%
config = tme.load_config("tumour.yaml")
found = evaluate(config, ["control", "particle"], 5, ["tumour_alive", "gpx4_median"], [0.5, 1, 2])
for arm, one in found.items():
    gpx4 = ", ".join(f"{v:.2f}" for v in one["values"]["gpx4_median"])
    print(f"{arm:9} median GPX4 after 12, 24, 48 h: {gpx4}; living cells after 48 h: {one['values']['tumour_alive'][-1]:.0f}")

# %%
# ## A mistake
# A unit that does not fit, a number out of its bounds or a name that does not exist is told with your file and line:
import os

_ = Path("wrong.yaml").write_text(Path("mine.yaml").read_text().replace("unit: 1/(uM min)", "unit: 1/min"))
os.system("tme list drugs --library wrong.yaml")

# %%
# ## Go on
# What else an entry can say, resistance of clones, release by light or acid, coats and ligands: [your own files](../own.md).
