"""# A live model

A model that waits for you: let it run, stop it, give a drug, change a number, and look at what the cells do. From the command line it opens a page in the browser,
`tme live configs/four_arms.yaml`; in a notebook `tme.live(config)` shows the same page in a cell (extra `notebook`). This tutorial does it in Python, by the same
commands that the page sends, so that it can be run and its figures compared.
"""

# %%
# ## Start
# A session is one arm of an experiment at its first moment. It computes in a thread of its own and takes commands between two ticks. Here the untreated arm of a
# small tumour:
import matplotlib.pyplot as plt

import tme

config = tme.load_config("configs/base.yaml", overrides=["name=tutorial", "seed=1", "domain.size_um=[600,600]", "initial.n_cells=250", "domain.at_edge=continue"])
session = tme.live(config, out="runs/live")
print(session)

# %%
# ## Run and step
# `step` does some hours and waits again. `run()` and `pause()` let it go on until you stop it, as the button of the page does.
print(session.step(hours=12))

# %%
# ## Give something now
# Anything that an arm of a config may have, without a day: drugs, antibodies, particles, events. The answer says after which tick it was given.
given = session.give("drugs", name="rsl3", dose_mg_kg=30)
print(given["line"]["item"]["name"], "after tick", given["tick"])
session.step(hours=6)
session.give("events", name="radiation", dose_gy=4)
session.step(hours=12)
print(session)

# %%
# What cannot be is refused in a sentence, and nothing happens:
for kind, item in (("drugs", {"name": "rsl", "dose_mg_kg": 3}), ("antibodies", {"name": "anti_pdl1", "dose_mg_kg": -3})):
    try:
        session.give(kind, **item)
    except ValueError as fault:
        print(str(fault).split("; expected one of")[0])

# %%
# ## Change a number
# Numbers of the laws that are read at each call may change while the model runs. They are offered with their unit and the range in which they are believed to lie. What shaped the
# start (where vessels lie, traits of the first cells) or is no number of a law (the domain, clocks, the seed) may not.
numbers = session.numbers()
print(len(numbers), "numbers; division now", numbers["mechanisms.division.k_div"], "per min")
told = session.set("mechanisms.division.k_div", 0.001)
print(told["line"]["was"], "->", told["line"]["value"], told["line"]["unit"], "from tick", told["tick"])
session.step(hours=24)
try:
    session.set("mechanisms.vessels.per_mm2", 100)
except ValueError as fault:
    print(fault)

# %%
# ## End
# The run directory is as that of any run: `tme view`, `tme report`, `tme export` and `tme.load` read it. `tme live` ends so on Ctrl-C.
session.end()
run = tme.load("runs/live")
series = run.series()
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(series["hour"], series["tumour_alive"], color="#0072B2")
axes.set(xlabel="hours since day 0", ylabel="living tumour cells", ylim=(0, 1.4 * series["tumour_alive"].max()))
for line in session.interventions:
    hour, what = 24 * line["day"], line["item"]["name"] if line["event"] == "give" else line["key"].split(".", 1)[1]
    axes.axvline(hour, color="#5a5a5a", linewidth=0.8)
    axes.annotate(what, (hour, axes.get_ylim()[1]), xytext=(3, -3), textcoords="offset points", va="top", rotation=90, fontsize=8)
figure.savefig("growth.png", dpi=110)
# picture: Living tumour cells over the session; lines mark what was done.

# %%
# ## The same again
# `live.jsonl` in the run directory has every intervention with its tick and the digest of the whole state at that moment. With the configuration beside it, it gives the same bits:
import os

os.system("tme live --replay runs/live --out runs/again")

# %%
# A session in which only agents were given is an arm like any other: its `config.resolved.yaml` has the doses with their days, and `tme run` on it gives the same
# tumour, with as many replicates as you ask for. Changed numbers cannot be written into a config, which has one value for the whole run; the report of such a run says which they were.
