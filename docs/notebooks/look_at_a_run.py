"""# Look at a run in a notebook

A very small experiment is run and looked at in every way there is, one line each. It needs `pip install "tme[notebook,spatial]"`
and the folder `configs/` of the repository beside the notebook. `python docs/make_notebook.py` runs the cells anew and writes this file.
"""

# %%
# ## Run
# The question of the main experiment, of tumours so small that a minute does: does an antibody against PD-L1 work better
# beside particles that bring the ferroptosis inducer RSL3? `overrides` are what `--set` is on the command line.
import tme

small = ["initial.n_cells=100", "horizon_day=1", "domain.size_um=[600,600]", "output.snapshot_days=[0,0.5,1]", "output.record_every_h=2"]
run = tme.run(tme.load_config("configs/quick.yaml", overrides=small), "small", progress=False, report=False)

# %%
# A run shows itself: the answer to its question with its interval, its arms, growth. (`tme.load("small")` opens it again, also while it is written.)
run

# %%
# ## See every cell
# The same viewer as `tme view small` and the report: all arms side by side, any state of the cells, fields, time, a click for a cell's own history. It asks the
# kernel for what it draws, so that nothing is copied into the notebook, and needs a running one.
tme.view(run)

# %%
# ## Figures one by one
# Each has its caption; `dir(run.plot)` lists them.
run.plot.growth()

# %%
# ## The numbers
# The primary question first; all else is labelled exploratory.
run.compare()

# %%
# pandas: `cells`, `fields`, `series` or `summary`, a row for each cell, voxel or moment.
run.to_pandas("cells", arm="combination", replicate=0, hour=24).groupby(["cell_type", "fate"], observed=True)[["gsh", "plooh", "exhaustion"]].median().round(2)

# %%
# AnnData, for scanpy and squidpy:
run.to_anndata(arm="combination", replicate=0)

# %%
# xarray, for fields:
run.to_xarray(fields=["oxygen", "ifng"])
