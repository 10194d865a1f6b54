"""Moving rows of a population and finding what is flagged."""

from __future__ import annotations

from tme.kernels.jit import serial


@serial
def copy_rows(columns, source, target, m):
    """Copy `m` rows of all `columns` (k, capacity), `source[j]` -> `target[j]`; one compiled version per width."""
    for k in range(columns.shape[0]):
        column = columns[k]
        for j in range(m):
            column[target[j]] = column[source[j]]


@serial
def plan_removal(doomed, m, n, is_doomed, source, target):
    """Pair each hole left of the new end with a surviving row from the tail.

    `doomed` (m,) rows to remove, distinct; `is_doomed` (capacity,) uint8 scratch, all zero on entry and
    exit. Returns (number of moves, new row count).
    """
    for j in range(m):
        is_doomed[doomed[j]] = 1
    left = n - m
    tail = n - 1
    moves = 0
    for j in range(m):
        row = doomed[j]
        if row < left:
            while is_doomed[tail] == 1:
                tail -= 1
            source[moves] = tail
            target[moves] = row
            moves += 1
            tail -= 1
    for j in range(m):
        is_doomed[doomed[j]] = 0
    return moves, left


@serial
def flags(fate, n):
    """All flags of the first `n` rows or-ed together: 0 where there is nothing to do."""
    seen = 0
    for i in range(n):
        seen |= fate[i]
    return seen
