"""# Your own cell type, rule and pathway

A killer cell that the library does not have, a rule that holds it down, and a way of dying of your own. The first two are entries in a file, the third
is one short Python file. Whole examples of every kind lie in `configs/own/`.
"""

# %%
# ## A cell type
# A cell type does what the parts of its entry say: it moves, enters, lives, kills, secretes. This one extends natural killer cells, which kill the more the
# less MHC-I a tumour cell shows, and secretes IFN-γ while it holds a tumour cell.
from pathlib import Path

Path("cells.yaml").write_text("""
cells:
  my_killer:
    extends: nk
    about: killer cells that make much IFN-gamma
    kills: {hit: {value: 0.1, unit: 1/min, range: [0.01, 0.2], source: "assumed: twice a CD8"}}
    secretes:
      - field: ifng
        times: engaged
        molecules_s: {value: 200, unit: 1/s, range: [20, 500], source: "assumed: as much as a CD8"}
        weight_kda: {value: 17, unit: kDa, source: "UniProt P01580"}
""")

# %%
# ## A rule
# A rule reads one signal (`tme list signals`) and raises or lowers one term of a law (`tme list terms`) in some cell types. This one says: short of oxygen,
# my killers live less long. It is off until a config switches it on.
Path("rules.yaml").write_text("""
rules:
  hypoxia_costs_killers:
    in: my_killer
    signal: field.oxygen
    raises: turnover.rate
    response: falling                # a lack of the signal acts, not its presence
    to: {value: 50, unit: 1, range: [1, 100], source: "assumed: hours instead of a week without oxygen"}
    half: {value: 10, unit: mmHg, range: [2, 20], source: "assumed: where cells call tissue hypoxic"}
    hill: {value: 2, unit: 1, range: [1, 4], source: "assumed: as other rules of oxygen"}
    evidence: hypothetical
    source: "chosen: a tutorial"
""")

# %%
# ## A pathway
# A pathway is a table of states, each with a level that it moves to or a rate at which it is made and lost, and two functions: `conditions`, what a step holds fixed,
# and `rates`, one item for each state. This one is a stress that oxygen's absence builds up within hours and that kills at 1. Loops, checkpoints, daughters, columns of the
# tables and the signal `own.stress` of rules all follow from the table.
Path("stress.py").write_text('''
from tme.core.parameters import ParameterSet, par
from tme.kernels.elementary import law
from tme.pathways.contract import Given, Pathway, State
from tme.pathways.entries import PathwayDeath, PathwayEntry

PARAMETERS = ParameterSet(
    "my_stress",
    par("level", 2.5, "1", 0.0, 10.0, "assumed: lethal below some 12 mmHg", "stress that a cell without oxygen heads for"),
    par("half", 8.0, "mmHg", 0.1, 50.0, "assumed: hypoxia", "oxygen of half that"),
    par("rate", 0.005, "1/min", 1e-6, 1.0, "assumed: hours", "rate of approach"),
)


@law
def conditions(p, oxygen_here):
    """The level that a cell heads for."""
    return (p.level / (1.0 + oxygen_here / p.half),)


@law
def rates(p, s, headed):
    """One item for each state."""
    return (headed,)


@law
def approach(p):
    return p.rate


@law
def awake(p, s):
    return s > 0.5                   # then it is stepped at every tick


PATHWAY = Pathway(
    "my_stress", PARAMETERS,
    states=(State("stress", "1", "S", 0.0, loss=approach, about="what lack of oxygen leaves"),),
    traits=(), inputs=(Given("oxygen_here", "mmHg", 38.0, "oxygen outside", field="oxygen"),),
    frozen=("headed",), terms=(), conditions=conditions, rates=rates, awake=awake, damage="stress", cause=3,  # counted as necrosis
)


class Stress(PathwayEntry):
    name, pathway, parameters, about = "my_stress", PATHWAY, PARAMETERS, "stress of lacking oxygen"


class StressDeath(PathwayDeath):
    name, of, about = "my_stress_death", Stress, "stress kills"


PLUGINS = (Stress, StressDeath)
''')

# %%
# ## The experiment
# Arms share their tumours, so what differs between them is what an arm adds. Cell types, rules and pathways belong to the whole experiment; switches make two of it.
Path("own.yaml").write_text("""
extends: configs/base
name: own
horizon_day: 1
domain: {size_um: [600, 600], at_edge: continue}
initial: {n_cells: 150}
library: [cells.yaml, rules.yaml]
plugins: [stress.py]
populations: {my_killer: {per_mm2: 200}}
rules: {hypoxia_costs_killers: "on"}
""")

# %%
# A plugin is code, which runs with your rights, so a command has to say that it may.
import os

os.system("tme check own.yaml")

# %%
# With that, the rule reads as a sentence among ours:
import tme
from tme.model.registry import known_to_rules
from tme.rules.tables import rule_rows

config = tme.load_config("own.yaml", allow_plugins=True)
print(next(r["says"] for r in rule_rows(config.library.rules, known_to_rules(config)) if r["rule"] == "hypoxia_costs_killers"))

# %%
# ## What each does
# One tumour, four times: as it is, without the rule, without the pathway, and without the cells.
from tme.experiments import evaluate

changes = {
    "all of it": {},
    "without the rule": {"rules.hypoxia_costs_killers": "off"},
    "without the pathway": {"mechanisms.my_stress.on": False},
    "without the cells": {"populations.my_killer.per_mm2": 0},
}
for what, values in changes.items():
    one = evaluate(config, "control", 5, ["tumour_alive", "my_killer", "dead_immune", "dead_necrosis"], [1], values=values)["control"]["values"]
    print(f"{what:20}", "  ".join(f"{name} {value[0]:.0f}" for name, value in one.items() if value[0] is not None))

# %%
# ## Go on
# Checkpoint axes, events, laws with columns of their own, pathways in other cell types: [your own files](../own.md). What a table of a pathway may hold: the
# [contract](../../tme/pathways/contract.py).
