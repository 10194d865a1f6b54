"""The start of immune cells and of what they secrete: the state that an untreated tumour keeps.

T cells are as old as turnover leaves them, a ~ Exp(life), and as tired as contacts in that time have made them:

    e = 1 - exp(-x a/life),  x = s/(1 - s),  mean s         s = exhaustion.start
    q = start_output (1 - e)/(1 + k_sup T)                  secretion of IFN-gamma, of those that are specific

Macrophages are where the tissue holds them, m1 = m*(fields), which in turn they shape: found in a few rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.kernels.rng import Stream, uniforms
from tme.mechanisms.exhaustion import PARAMETERS as EXHAUSTION
from tme.mechanisms.killing import PARAMETERS as KILLING
from tme.mechanisms.recruitment import specific

AGE = 3  # draw of Stream.TYPE: how long a T cell has been there
ROUNDS = 4
CHEMOKINE = "cxcl"  # waits for the response of tumour cells


def settle_guests(model: Any) -> None:
    """Exhaustion and secretion of killers, polarisation of macrophages, with the fields that they secrete into."""
    for killers in model.killers:
        tire(model, killers)
    entries = model.config.field_entries()
    names = [n for n in model.fields if n in entries and entries[n].steady_at_start and entries[n].made and n != CHEMOKINE]
    for _ in range(ROUNDS):
        for killers in model.killers:
            stimulate(model, killers)
        for name in names:
            settle_field(model, name)
        for law in model._entries:
            if law.name == "polarisation":
                law.settle(model)


def tire(model: Any, killers: Any) -> None:
    """Who is specific, and how exhausted those are."""
    c, n = killers.col, killers.n
    if "specific" not in killers.declared or n == 0:
        return
    uid = c.uid[:n]
    c.specific[:n] = specific(model, uid, KILLING.build(model.config_for("killing")).specific)
    start, u = EXHAUSTION.build(model.config_for("exhaustion")).start, np.empty(n)
    uniforms(model.seed64, int(Stream.TYPE), 0, uid, AGE, u)
    c.exhaustion[:n] = np.where(c.specific[:n] == 1, 1.0 - u ** (start / (1.0 - start)), 0.0)


def stimulate(model: Any, killers: Any) -> None:
    """Secretion of IFN-gamma that earlier contacts have left."""
    c, n, p = killers.col, killers.n, KILLING.build(model.config_for("killing"))
    if "specific" in killers.declared and n:
        suppression = model.fields["suppression"].at(c.voxel[:n])
        c.stimulus[:n] = p.start_output * (1.0 - c.exhaustion[:n]) * c.specific[:n] / (1.0 + p.k_sup * suppression)


def settle_field(model: Any, name: str = CHEMOKINE) -> None:
    """The steady state of a field under what cells secrete now."""
    field, on = model.fields[name], model.fields[name].on_solver_grid
    if name in model.held_fields or on.source is None:
        return
    on.source[:] = 0.0
    field.source_voxels = None
    for law in model._entries:
        if f"field.{name}.source" in law.adds and hasattr(law, "add"):
            law.add(model, name)
    bring_to_steady_state(model, name, 2)


def bring_to_steady_state(model: Any, name: str, solves: int = 3) -> None:
    """Solve for the steady state of a field, whatever its mode; where nothing takes the substance away it stays as it is."""
    field = model.fields[name]
    if field.has_sink:
        mode, field.mode = field.mode, "quasi_steady"
        for _ in range(solves):
            field.advance(1.0, model.workspace)
        field.mode = mode
