"""A term is a quantity in a law that rules may modulate: declared beside the law, given to it as one number a cell.

    TERMS = (Term("division.rate", "1", "multiplies", ("tumour",), 0.0, 10.0, "factor on the rate of division"),)

A term that multiplies is a factor (1 where no rule acts), one that adds is an amount in its own unit (0). A law asks
`population.term("division.rate")` for an array (n,), empty where no active rule touches the term, and reads it with
`kernels.terms.factor` or `kernels.terms.added`: an empty array costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tme.core.population import Column


@dataclass(frozen=True)
class Term:
    """One quantity that rules may raise, lower or add to.

    `effect` "multiplies" or "adds"; `cells` the cell types that have it; `low` and `high` bound the factor or the
    amount. `column` names a column of those cell types that holds the term always, for laws that read it anyway;
    without one a column exists only where an active rule touches the term.

    `pool` names the group of rules that compete for one site (inhibitors of one enzyme, drugs that add to one rate), and
    `pool_column` the column that holds their sum of (s/half)^hill, or of slope s. The law itself divides by 1 + sum, or
    adds it, so that the drugs of a pool cost nothing but their sum.

    `acts_with`: the parameter, "group.name", at whose 0 the law has no use for the term; who acts on it alone is refused then.
    """

    name: str
    unit: str
    effect: Literal["multiplies", "adds"]
    cells: tuple[str, ...]
    low: float
    high: float
    about: str
    column: str = ""
    pool: str = ""
    pool_column: str = ""
    acts_with: str = ""

    @property
    def neutral(self) -> float:
        """What it is where no rule acts."""
        return 1.0 if self.effect == "multiplies" else 0.0

    @property
    def place(self) -> str:
        """Name of the column that holds it."""
        return self.column or "term_" + self.name.replace(".", "_")

    def declared(self) -> Column:
        """The column of a term without one of its own; a daughter keeps her mother's value until the next evaluation."""
        return Column(self.place, "f8", self.unit, self.neutral, "copy", self.about)
