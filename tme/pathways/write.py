"""The kernels of a pathway, written from its table as Python source that can be read (`store` keeps and imports it).

`source(pathway)` gives the base kernel, `source(pathway, modulated=True)` one in which every term has a number per
cell; an absent term is filled in block by block. `device_source` gives the kernel of the CUDA device.
"""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

from tme.kernels.source_digest import PACKAGE
from tme.pathways.contract import Law, Pathway, arguments, plain
from tme.pathways.layout import Plan, broken


def mark(law: Law) -> str:
    """Name of a law, with a digest of its file where that is none of the package's (those are in numba's digest)."""
    file = inspect.getsourcefile(plain(law))
    if file is None or PACKAGE in Path(file).resolve().parents:
        return plain(law).__name__
    return f"{plain(law).__name__} {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}"


def imports(pathway: Pathway) -> str:
    """Import lines of the laws, by module."""
    modules: dict[str, list[str]] = {}
    for law, _ in pathway.laws():
        modules.setdefault(plain(law).__module__, []).append(plain(law).__name__)
    return "\n".join(f"from {module} import {', '.join(sorted(set(names)))}" for module, names in sorted(modules.items()))


def source(pathway: Pathway, modulated: bool = False) -> str:
    """The file of the processor's kernels: step_cell, step_block, advance_rows, select, begin and what they need."""
    plan = Plan(pathway, modulated)
    variant = "every term has a number per cell" if modulated else "no rule acts on it"
    laws = ", ".join(dict.fromkeys(mark(law) for law, _ in pathway.laws()))
    head = f'''"""Kernels of the pathway {pathway.name} where {variant}. Written by tme.pathways.write from its table: change that.

Laws: {laws}.
"""

import numpy as np

from tme.kernels.chemistry import BLOCK, decay, exp_fast, grow, whole_block
from tme.kernels.elementary import exp, law
from tme.kernels.jit import serial
from tme.kernels.simd import copy_64, prefetch_64
{imports(pathway)}

COLUMNS = {len(plan.columns)}  # states, traits, inputs{", terms" if modulated else ""}
STATES = {len(pathway.states)}
'''
    offsets = {f"_{n.upper()}": k for n, k in plan.places.items()}
    head += f"(\n{broken(list(offsets), 4, ',')}\n) = (\n    BLOCK * k for k in (\n{broken(list(map(str, offsets.values())), 8, ',')}\n    )\n)  # fmt: skip\n"
    head += f"_SCRATCH = BLOCK * {max(plan.places.values()) + 1}\n"
    if modulated:
        head += f"_NEUTRAL = ({', '.join(str(t.neutral) for t in plan.terms.values())},)\n"
    return "\n\n".join([head, *(part.strip("\n") for part in (
        keeps(plan), halves(plan), cell(plan), block(plan), advancing(plan), selecting(plan), beginning(plan),
    ) if part)]) + "\n"  # fmt: skip


def keeps(plan: Plan) -> str:
    """What half a step leaves, for losses that are the same in all cells."""
    if not plan.uniform:
        return ""
    words = ", ".join(f"exp(-0.5 * h * {plan.call(s.loss, {}, '{name}')})" for s in plan.uniform if s.loss)
    return f'''
@law
def keep_half(p, h):
    """What half a step of h min leaves of {", ".join(s.name for s in plan.uniform)}."""
    return ({words},)
'''


def halves(plan: Plan) -> str:
    """One stage of the midpoint step."""
    states = plan.pathway.states
    y = [s.var for s in states]
    arguments_ = ["p", "h", *y, *(f"r_{s.var}" for s in plan.moving), *(f"keep_{s.var}" for s in states if s.loss is not None), *plan.fixed]
    found = [f"{s.var}_end" if s.loss is not None else f"({s.var}_in, {s.var}_loss)" for s in states]
    call = plan.call(plan.pathway.rates, {s.var: f"r_{s.var}" for s in plan.moving}, "{name}")
    lines = []
    for s in states:
        v = s.var
        if s.loss is not None:
            lines.append(f"{v}_new = {v}_end + ({v} - {v}_end) * keep_{v}")
        else:
            lines.append(f"{v}_new = {s.kind}({v}, {v}_in, {v}_loss, h)")
        if s.cap is not None:
            lines += [f"{v}_most = {plan.call(s.cap, {}, '{name}')}", f"{v}_new = {v}_most if {v}_new > {v}_most else {v}_new"]
    body = "\n".join(f"    {line}" for line in lines)
    return f'''
@law
def move(
{broken(arguments_, 4, ",")}
):  # fmt: skip
    """The states after h min at the rates of state r: every one by its own linear rate."""
    (
{broken(found, 8, ",")}
    ) = {call}  # fmt: skip
{body}
    return (
{broken([f"{v}_new" for v in y], 8, ",")}
    )  # fmt: skip
'''


def held_call(plan: Plan, form: str, h: str, indent: int) -> tuple[str, list[str]]:
    """The call of `conditions`, and what half a step leaves by a cell's own losses."""
    own = [f"{plan.exact(s)}(-0.5 * {h} * {plan.call(s.loss, {'p': 'p'}, form)})" for s in plan.per_cell if s.loss]
    return plan.call(plan.pathway.conditions, {"p": "p"}, form, indent), own


def cell(plan: Plan) -> str:
    """One cell, from numbers: what tests and the device take."""
    p = plan.pathway
    y = [s.var for s in p.states]
    given = [var for var, _ in plan.columns]
    call, own = held_call(plan, "{name}", "h", 8)
    lines = [f"({', '.join(p.frozen)},) = {call}  # fmt: skip"]
    lines += [f"keep_{s.var} = {word}" for s, word in zip(plan.per_cell, own)]
    if plan.uniform:
        lines.append(f"({', '.join(f'keep_{s.var}' for s in plan.uniform)},) = keep_half(p, h)")
    kept = [f"keep_{s.var}" for s in p.states if s.loss is not None]
    rest = [*(f"{k}" for k in kept), *plan.fixed]
    body = "\n".join(f"    {line}" for line in lines)
    middle = broken(["p", "0.5 * h", *y, *(s.var for s in plan.moving), *rest], 8, ",")
    end = broken(["p", "h", *y, *(f"mid_{s.var}" for s in plan.moving), *(f"{k} * {k}" for k in kept), *plan.fixed], 8, ",")
    body += f"\n    ({', '.join(f'mid_{v}' for v in y)},) = move(\n{middle}\n    )  # fmt: skip"
    body += f"\n    return move(\n{end}\n    )  # fmt: skip"
    return f'''
@law
def step_cell(
{broken(["p", "h", *given, "alive"], 4, ",")}
):  # fmt: skip
    """The states of one cell after an exponential midpoint step of h min. Numbers in, a tuple out."""
{body}
'''


def block(plan: Plan) -> str:
    """The same for a block of cells in scratch."""
    p = plan.pathway
    at = "w[_{NAME} + j]"
    call, own = held_call(plan, at, "w[_H + j]", 16)
    targets = "(\n" + broken([f"w[_{n.upper()} + j]" for n in p.frozen], 12, ",") + "\n        )"
    targets = ", ".join([targets, *(f"w[_KEEP_{s.var.upper()} + j]" for s in plan.per_cell)])
    if own:
        call = ",\n            ".join([call, *own])
    y = [s.var for s in p.states]
    moving = [s.var for s in plan.moving]
    kept = [f"keep_{s.var}" for s in p.states if s.loss is not None]

    def load(names: list[str]) -> str:
        return "\n".join(f"        {n} = w[_{n.upper()} + j]" for n in names)

    middle = [f"w[_MID_{v.upper()} + j]" if v in moving else "_" for v in y]
    return f'''
@serial
def step_block(p, w):
    """Step the cells of scratch `w` in place, as `step_cell` does: loops of fixed length that vectorise."""
    for j in range(BLOCK):
        {targets} = (
            {call}
        )  # fmt: skip
    for j in range(BLOCK):
{load([*y, *kept, *plan.fixed])}
        (
{broken(middle, 12, ",")}
        ) = move(
{broken(["p", "0.5 * w[_H + j]", *y, *moving, *kept, *plan.fixed], 12, ",")}
        )  # fmt: skip
    for j in range(BLOCK):
{load([*y, *(f"mid_{v}" for v in moving), *kept, *plan.fixed])}
        (
{broken([f"w[_{v.upper()} + j]" for v in y], 12, ",")}
        ) = move(
{broken(["p", "w[_H + j]", *y, *(f"mid_{v}" for v in moving), *(f"{k} * {k}" for k in kept), *plan.fixed], 12, ",")}
        )  # fmt: skip
'''


def advancing(plan: Plan) -> str:
    """The loop over blocks. It is one function: each one that takes the columns is dear to compile."""
    kept = [f"keep_{s.var}" for s in plan.uniform]
    keeps = f"({', '.join(kept)},) = keep_half(p, h)" if kept else "pass"
    fill = "".join(f"                w[_{k.upper()} + j] = {k}\n" for k in ["h", *kept])
    always = len(plan.columns) - (len(plan.terms) if plan.modulated else 0)
    take = gather = ""
    if plan.modulated:
        take = f'''
            for k in range(len(_NEUTRAL)):
                place = np.uint64(({always} + k) * BLOCK)
                if columns[{always} + k].size > 0:
                    copy_64(columns[{always} + k], row, w, place)
                else:
                    for j in range(np.uint64(BLOCK)):
                        w[place + j] = _NEUTRAL[k]'''
        gather = f'''
            for k in range(len(_NEUTRAL)):
                column = columns[{always} + k]
                for j in range(BLOCK):
                    w[({always} + k) * BLOCK + j] = column[index[j]] if column.size > 0 else _NEUTRAL[k]'''
    return f'''
@serial
def advance_rows(lo, hi, rows, tick, dt_min, p, state, clock, *columns):
    """Step the listed cells from number `lo` to `hi` from their own clock to `tick`, block after block.

    Neighbours that share a clock move as vectors, and the next block is asked for while this one is stepped.
    """
    w, index = np.empty(_SCRATCH), np.empty(BLOCK, np.uint64)
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        whole = whole_block(rows, first, m, clock)
        row = np.uint64(rows[first])
        if whole:
            h = dt_min * (tick - clock[row])
            {keeps}
            for j in range(BLOCK):
{fill}            for j in range(np.uint64(BLOCK)):
                w[np.uint64(_ALIVE) + j] = 1.0 if state[row + j] == 0 else 0.0
            for j in range(np.uint64(BLOCK)):
                clock[row + j] = tick
            for k in range({always}):
                copy_64(columns[k], row, w, np.uint64(k * BLOCK)){take}
            for k in range({always}):
                prefetch_64(columns[k], row + np.uint64(BLOCK))
        else:
            known = -1.0
            for j in range(BLOCK):
                index[j] = np.uint64(rows[first + min(j, m - 1)])
                h = dt_min * (tick - clock[index[j]])
                if h != known:
                    {keeps}
                    known = h
{fill}                w[_ALIVE + j] = 1.0 if state[index[j]] == 0 else 0.0
            for j in range(BLOCK):
                clock[index[j]] = tick
            for k in range({always}):
                column = columns[k]
                for j in range(BLOCK):
                    w[k * BLOCK + j] = column[index[j]]{gather}
        step_block(p, w)
        for k in range(STATES):
            if whole:
                copy_64(w, np.uint64(k * BLOCK), columns[k], row)
            else:
                column = columns[k]
                for j in range(m):
                    column[index[j]] = w[k * BLOCK + j]
'''


def seen(plan: Plan, law: Law) -> list[str]:
    """Columns that a law reads, in the order of the table."""
    return [name for var, name in plan.columns if var in arguments(law)]


def selecting(plan: Plan) -> str:
    """Which cells are due."""
    p = plan.pathway
    spelled = {var: f"{name}[i]" for var, name in plan.columns}
    corpse = f"(state[i] == 0) | (state[i] == {p.cause})" if p.in_corpses else "state[i] == 0"
    return f'''
@serial
def select(lo, hi, tick, resting_every, p, state, clock, out_rows, {", ".join(seen(plan, p.awake))}):
    """List the rows from `lo` to `hi` to step at `tick` in `out_rows`, from `lo` on; returns where the list ends.

    Cells that are awake are due at every tick, resting ones on multiples of `resting_every`; one that wakes between
    multiples catches up in a single step. A row already at `tick` is left out.
    """
    resting_due = tick % resting_every == 0
    count = lo
    for i in range(np.uint64(lo), np.uint64(hi)):
        has_chemistry = {corpse}
        due = has_chemistry & (resting_due | {plan.call(p.awake, spelled, "{name}")}) & (clock[i] < tick)
        out_rows[count] = i
        count += due
    return count
'''


def beginning(plan: Plan) -> str:
    """From where settling begins."""
    p = plan.pathway
    names = [name for _, name in plan.columns]
    where = broken([f"{s.name}[i]" for s in p.states], 12, ",")
    if p.resting is None:
        what = "(" + ", ".join(f"{float(s.start)}" for s in p.states) + ",)"
    else:
        spelled = {"p": "p", "alive": "1.0", **{g.name: f"{g.name}[i]" for g in p.given}}
        what = plan.call(p.resting, spelled, "({name}[i] if {name}.size > 0 else 1.0)", 12)
        what = what.replace("_added.size > 0 else 1.0", "_added.size > 0 else 0.0")
    return f'''
@serial
def begin(
{broken(["n", "p", *names], 4, ",")}
):  # fmt: skip
    """Set the states (n,) from which the steps to the steady state begin."""
    for i in range(n):
        (
{where}
        ) = {what}  # fmt: skip
'''


def device_source(pathway: Pathway, modulated: bool, cpu: str) -> str:
    """The file of the device's kernel; `cpu` is the module with the same pathway's step_cell."""
    plan = Plan(pathway, modulated)
    n = len(plan.columns)
    read = [f"w[{k} * m + i]" for k in range(n)]
    write = "\n".join(f"        w[{k} * m + i] = {s.var}" for k, s in enumerate(pathway.states))
    return f'''"""The kernel of the pathway {pathway.name} on a CUDA device. Written by tme.pathways.write from its table: change that."""

import sys

from numba import cuda

from tme.kernels.cuda.share import device_law

step_cell = device_law(sys.modules["{cpu}"].step_cell)


@cuda.jit
def step_cells(w, m, p):
    """Step cells 0 to m - 1; `w` holds their {n} columns one after another, then alive and minutes, (m,) each."""
    for i in range(cuda.grid(1), m, cuda.gridsize(1)):
        (
{broken([s.var for s in pathway.states], 12, ",")}
        ) = step_cell(
{broken(["p", f"w[{n + 1} * m + i]", *read, f"w[{n} * m + i]"], 12, ",")}
        )  # fmt: skip
{write}
'''

