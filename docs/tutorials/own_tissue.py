"""# Your own tissue

A measured section instead of a drawn nodule: from a table with a row for each cell to an experiment on it, and back to the statistics by which a simulated
section is held against a measured one. The table here is made up in the form of a CODEX table (`configs/codex_field.py`), with two images in it; yours needs two coordinates and a cell
type. All that the table can hold and all that is refused: [Start from a measured tissue](../tissue.md).
"""

# %%
# ## Look at the table
# `tme import tissue` reads the names of columns and types, proposes the part of a config that reads the table, and says of what it is unsure. Nothing is written
# without `--out`.
import os

os.system("head -3 configs/codex_field.csv")
os.system("tme import tissue configs/codex_field.csv --only Region=t_cells | head -18")

# %%
# ## Say what it cannot know
# That PD-L1 is seen on tumour cells here, and that PD-1 marks CD8 T cells, is knowledge about the experiment: types are mapped with `--map`, a unit is said with
# `--unit`. What was doubted and is now said is no longer listed.
os.system(
    "tme import tissue configs/codex_field.csv --only Region=t_cells --unit um --map PDL1p=tumour --map PDL1n=tumour --map PD1p=cd8 --map PD1n=cd8 "
    "--map unclear=ignore --out mine.yaml | tail -6"
)
# picture: Cells of the table as measured, on the lattice, in detail, and how far they moved.

# %%
# Two files were written: the picture, of the cells as measured and as placed (a voxel holds one tumour cell, so that some must move; it shows which and how far), and the
# config, of which this is the part that matters:
os.system("sed -n '/^initial/,$p' mine.yaml")

# %%
# ## Ask it something
# The proposal has one untreated arm. An experiment extends it by what it asks: here whether PD-L1 a day later needs the IFN-γ of the T cells in the
# section. T cells of a transferred clone all see the tumour, hence `specific: 1`.
from pathlib import Path

Path("question.yaml").write_text("""
extends: mine
name: question
horizon_day: 1
replicates: 4
mechanisms: {killing: {specific: 1}}
arms:
  control: {}
  anti_ifng: {antibodies: [{name: anti_ifng, dose_mg_kg: 10, day: 0}]}
primary: {readout: pdl1_positive_share, contrasts: ["anti_ifng < control"]}
output: {record_every_h: 6, snapshot_days: [0, 1]}
""")
os.system("tme check question.yaml | grep '^#'")
os.system("tme run question.yaml --out tissue | tail -4")

# %%
# Replicates have the same cells at the same places; what differs is what they draw: traits, clocks, and every chance after that. Their spread is that of the model on this
# section, not that among patients. For more sections, `sweep: {initial.tile.index: [...]}` takes tiles of one table, and `only` another image.
#
# ## Hold it against the measured
# `tme spatial` gives the same statistics for a table and for a run: who lies beside whom beyond chance, distances to the nearest, how cells lie about the margin, niches. First
# the measured section; its types get the names that they have here (`--types OLD=NEW` does the same on the command line):
import pandas as pd

table = pd.read_csv("configs/codex_field.csv").query("Region == 't_cells'")
table["Cell Type"] = table["Cell Type"].map({"PDL1p": "tumour", "PDL1n": "tumour", "PD1p": "cd8", "PD1n": "cd8"})
table.dropna(subset="Cell Type").to_csv("section.csv", index=False)
os.system("tme spatial section.csv --out measured | sed -n '/^contacts/,/^niches/p' | head -n -2")

# %%
# and the run after a day, all replicates:
os.system("tme spatial tissue --arm control --hour 24 --out simulated | sed -n '/^contacts/,/^niches/p' | head -n -2")

# %%
# The measured T cells lie together, eleven times as often as chance has it; after a day in the model they no longer do. Its T cells
# search by its laws, not as those of this section did: a difference worth explaining before such a run is believed.
#
# Any of these statistics can be a row of the data table that [`tme calibrate`](../calibrate.md) takes, so that a measured section can fix numbers of the model:
os.system("tme spatial section.csv --target spatial.contacts.cd8.tumour --arm control --day 1 --out measured > told.txt; cat measured/data.csv")

# %%
# ## See it
# The tumour cells of one replicate by PD-L1, with and without the antibody:
import matplotlib.pyplot as plt

import tme

run = tme.load("tissue")
figure, axes = plt.subplots(1, 2, figsize=(7, 3.6), layout="constrained", sharex=True, sharey=True)
for ax, arm, said in zip(axes, ("control", "anti_ifng"), ("untreated", "anti-IFN-γ")):
    cells = run.cells(arm, 0, 24.0)
    alive = cells[cells["fate"] == "alive"]
    tumour, cd8 = alive[alive["cell_type"] == "tumour"], alive[alive["cell_type"] == "cd8"]
    drawn = ax.scatter(tumour["x_um"], tumour["y_um"], c=tumour["pdl1"], s=16, cmap="viridis", vmin=0, vmax=1, linewidths=0)
    ax.scatter(cd8["x_um"], cd8["y_um"], s=26, color="#D55E00", edgecolors="white", linewidths=0.6, label="CD8 T cells")
    ax.set(title=f"{said}, day 1", xlabel="x (µm)", aspect="equal")
axes[0].set_ylabel("y (µm)")
axes[0].legend(loc="upper left", fontsize=7, framealpha=0.9)
figure.colorbar(drawn, ax=axes, label="PD-L1 (share of its maximum)", shrink=0.8)
figure.savefig("pdl1.png", dpi=110)
# picture: PD-L1 of the tumour cells after a day, untreated and with anti-IFN-gamma; T cells in orange.
