"""# A mesa.Agent of your own

A `TumourModel` is a `mesa.Model`: its populations are Mesa agents, a `DataCollector` and `batch_run` work on it, and an ordinary agent of yours can live
beside the cells. Here it is a needle that is drawn through the tumour and takes a biopsy.
"""

# %%
# ## The model
# A population is one agent with a column for each quantity, since a million Python objects would be slow. A cell can still be held in the hand.
import mesa
import numpy as np

import tme

config = tme.load_config("configs/base.yaml", overrides=["domain.size_um=[600,600]", "initial.n_cells=150", "domain.at_edge=continue"])
model = tme.TumourModel(config, seed=1)
cell = model.tumour[17]
print(isinstance(model, mesa.Model), [f"{p.kind}: {p.n}" for p in model.agents])
print(f"glutathione of cell 17: {cell.gsh:.0f} uM, at x, y, z = {tuple(round(v, 1) for v in cell.pos)} um")

# %%
# Selections speak the language of an `AgentSet`, at the speed of arrays:
tumour = model.tumour
hypoxic = tumour.select(tumour.oxygen < 10)
print(len(hypoxic), "of", len(tumour), "cells below 10 mmHg; their mean glutathione", round(hypoxic.agg("gsh", np.mean)), "uM")


# %%
# ## The agent
# It has a place on the lattice, moves when it steps, and takes what stands in its voxel. What it may do to the model is up to you; this one only looks, and so
# changes no cell: the cells' random numbers are keyed by the cell, not by a stream that all share.
class Needle(mesa.Agent):
    """Goes from left to right through the middle, one voxel a step, and notes what it meets."""

    def __init__(self, model):
        super().__init__(model)
        _, self.ny, self.nx = model.grid.shape
        self.x, self.found = 0, []

    def step(self):
        voxel = (self.ny // 2) * self.nx + self.x % self.nx
        here = self.model.tumour.select(self.model.tumour.voxel == voxel)
        oxygen = float(self.model.fields["oxygen"].concentration[voxel])
        self.found.append((self.x, oxygen, here.get("gsh")[0] if len(here) else np.nan))
        self.x += 1


needle = Needle(model)
collector = mesa.DataCollector(model_reporters={"day": "sim_day", "alive": "n_alive"})
for _ in range(model.grid.shape[2]):
    model.step()
    needle.step()
    collector.collect(model)
print(collector.get_model_vars_dataframe().tail(1).round(3).to_string(index=False))

# %%
# ## What it found
import matplotlib.pyplot as plt

x, oxygen, gsh = np.array(needle.found).T
figure, axes = plt.subplots(2, 1, figsize=(5, 3.4), sharex=True, layout="constrained")
axes[0].plot(15 * x, oxygen, color="#0072B2")
axes[0].set(ylabel="oxygen, mmHg", ylim=(0, None))
axes[1].plot(15 * x, gsh, ".", color="#D55E00")
axes[1].set(xlabel="position of the needle, µm", ylabel="glutathione, µM", ylim=(0, None))
for a in axes:
    a.spines[["top", "right"]].set_visible(False)
figure.savefig("needle.png", dpi=150)
# picture: Oxygen along the needle, and glutathione of the tumour cells that it met

# %%
# ## It changed nothing
# A second model without a needle has the same cells, to the last bit:
plain = tme.TumourModel(config, seed=1)
for _ in range(model.tick):
    plain.step()
print(np.array_equal(plain.tumour.gsh, model.tumour.gsh), np.array_equal(plain.tumour.uid, model.tumour.uid))

# %%
# An agent that should take part in every experiment, be switched by configs and survive checkpoints is better written as a law
# ([your own files](../own.md#a-law)). What of Mesa is where: [coming from another tool](../coming_from.md).
