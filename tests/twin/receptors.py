"""Checkpoint axes: what a CD8 meets of each ligand on the cell it holds and on host cells, and what antibodies leave.

    S = R r sum over ligands of (background + 1 - (1 - target)(1 - host))
    factor on a term = without + (to - without) S/(half + S), or without the denominator where `half` is 0
"""

import math

import numpy as np


def factor(effect, signal):
    """Of an effect at a signal."""
    share = signal / (effect.half + signal) if effect.half else signal
    return effect.without + (effect.to - effect.without) * share


def induced(e, s):
    """What a signal induces."""
    return e.level + (e.to - e.level) * s / (e.half + s)


class Checkpoints:
    """The axes of a model that are on."""

    def __init__(self, model):
        self.model = model
        self.axes = model.config.axes()
        self.hosts = {}  # ligand -> voxel -> levels of the host cells there
        self.free = {}  # molecule -> share left per voxel

    def at(self, place):
        """Axes of a place, with their names."""
        return [(n, a) for n, a in self.axes.items() if a.place == place]

    def ligands(self):
        """(axis, name, ligand) of all at contact."""
        return [(a, n, li) for _, a in self.at("contact") for n, li in a.ligands.items()]

    def columns(self, kind):
        """Columns a cell type has for them, with what a newcomer has."""
        out = {f"{n}_signal": 0.0 for n, a in self.at("contact") if kind in a.receptor.on}
        for axis, name, li in self.ligands():
            e = li.on.get(kind)
            if e is not None and e.induced_by and (axis.host or kind == "tumour"):
                out[f"ligand_{name}"] = e.level
        return out

    # ---- antibodies -----------------------------------------------------------------------------------
    def binders(self, molecule):
        """(course, Kd) of the antibodies against a molecule."""
        return [(a, a.entry.kd_nM) for a in self.model.therapy.antibodies if a.entry.target == molecule]

    def left_at(self, molecule, voxel):
        """Share of a molecule that competing antibodies leave in a voxel."""
        fields = self.model.fields
        return 1.0 / (1.0 + sum(float(fields[a.name].c[voxel]) / kd for a, kd in self.binders(molecule)))

    def left_in_plasma(self, molecule):
        """The same in the lymph node."""
        minute = self.model.tick * self.model.dt
        return 1.0 / (1.0 + sum(a.plasma(minute) / kd for a, kd in self.binders(molecule)))

    def left(self, molecule):
        """Per voxel, as of the last time it was reckoned."""
        return self.free.get(molecule, np.ones(self.model.lattice.n_voxels))

    def cover(self):
        """Antibodies cover what is in the tissue."""
        fields = self.model.fields
        for _, axis in self.at("contact"):
            for molecule in axis.names():
                bound = sum(fields[a.name].c / kd for a, kd in self.binders(molecule))
                self.free[molecule] = np.ones(self.model.lattice.n_voxels) / (1.0 + bound)
        if "pd1" in self.free:
            self.model.events["PD-1 covered"] += int((self.free["pd1"] < 0.9).sum())

    def depletion(self):
        """Cell type -> occupancy of depleting antibodies times their strength."""
        minute, out = self.model.tick * self.model.dt, {}
        for a in self.model.therapy.antibodies:
            if a.entry.depletes:
                share = a.plasma(minute) / a.entry.kd_nM * self.left_in_plasma(a.entry.target)
                out[a.entry.depletes] = out.get(a.entry.depletes, 0.0) + share * a.entry.depletion
        return out

    # ---- ligands --------------------------------------------------------------------------------------
    def follow(self, minutes):
        """Induced ligands relax towards what their field induces."""
        for axis, name, li in self.ligands():
            for kind, e in li.on.items():
                if e.induced_by and (axis.host or kind == "tumour"):
                    field = self.model.fields[e.induced_by.removeprefix("field.")]
                    for cell in self.model.of(kind):
                        goal, column = induced(e, float(field.c[cell.voxel])), f"ligand_{name}"
                        keep = math.exp(-minutes / e.tau_min)
                        setattr(cell, column, goal + (getattr(cell, column) - goal) * keep)

    def count_hosts(self):
        """Where host cells are, with what is left of each ligand on them."""
        for axis, name, li in self.ligands():
            if axis.host:
                self.hosts[name] = {}
                for kind in set(li.on) - {"tumour"}:
                    for cell in self.model.of(kind):
                        level = getattr(cell, f"ligand_{name}") if li.on[kind].induced_by else li.on[kind].level
                        level *= self.left_at(name, cell.voxel)
                        self.hosts[name].setdefault(cell.voxel, []).append(level)

    # ---- signals --------------------------------------------------------------------------------------
    def signals(self, cd8, target):
        """Set the signals of a CD8 that holds a cell; returns the factor on its function."""
        out = 1.0
        for name, axis in self.at("contact"):
            met = sum(self.met(axis, n, li, cd8, target) for n, li in axis.ligands.items())
            e = axis.receptor.on["cd8"]
            carried = induced(e, getattr(cd8, e.induced_by.removeprefix("own."))) if e.induced_by else e.level
            signal = met * carried * float(self.left(axis.receptor.name)[cd8.voxel])
            setattr(cd8, f"{name}_signal", signal)
            if "killing" in axis.effects:
                out *= factor(axis.effects["killing"], signal)
        return out

    def met(self, axis, name, li, cd8, target):
        """A ligand as a CD8 meets it."""
        e, x = li.on.get("tumour"), 0.0
        if e is not None and e.free_column:
            x = getattr(target, e.free_column)
        elif e is not None:
            x = getattr(target, f"ligand_{name}") if e.induced_by else e.level
            x *= float(self.left(name)[target.voxel])
        if not axis.host or set(li.on) <= {"tumour"}:
            return li.background * float(self.left(name)[cd8.voxel]) + x
        around = [level for v in cd8.reach() for level in self.hosts.get(name, {}).get(v, [])]
        if around:
            self.model.events["host ligand met"] += 1
        host = sum(around) / len(around) if around else 0.0
        return 1.0 - (1.0 - x) * (1.0 - host * self.model.p.host_ligands.weight)

    def let_go(self, cd8):
        """No signal where nobody is held."""
        for name, _ in self.at("contact"):
            setattr(cd8, f"{name}_signal", 0.0)

    def drive(self, cd8):
        """Product of the effects on exhaustion."""
        effects = [(a.effects["exhaustion"], getattr(cd8, f"{n}_signal")) for n, a in self.at("contact") if "exhaustion" in a.effects]
        return math.prod(factor(e, s) for e, s in effects)

    def primed(self):
        """What the axes in the node make of the priming of cells that arrive now."""
        out = 1.0
        for _, axis in self.at("node"):
            met = sum(li.background + li.on["dendritic"].level * self.left_in_plasma(n) for n, li in axis.ligands.items())
            out *= factor(axis.effects["priming"], met * self.left_in_plasma(axis.receptor.name))
        return out
