"""How a law reads a term: an array (n,) where a rule acts on it, an empty one where none does."""

from __future__ import annotations

from tme.kernels.jit import rule


@rule
def factor(term, i):
    """The factor of cell i; 1 where no rule acts."""
    return term[i] if term.size > 0 else 1.0


@rule
def added(term, i):
    """The amount added in cell i; 0 where no rule acts."""
    return term[i] if term.size > 0 else 0.0
