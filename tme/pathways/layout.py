"""What the writer of kernels knows of a pathway: which names are columns, where everything lies in scratch, how a law is called."""

from __future__ import annotations

from tme.pathways.contract import Law, Pathway, State, argument, arguments, plain

WIDTH = 116


class Plan:
    """What the writer knows of a pathway in one variant: which names are columns and where everything lies in scratch."""

    def __init__(self, pathway: Pathway, modulated: bool) -> None:
        self.pathway, self.modulated = pathway, modulated
        self.terms = {argument(t): t for t in pathway.terms}
        self.columns = [*((s.var, s.name) for s in pathway.states), *((g.name, g.name) for g in pathway.given)]
        if modulated:
            self.columns += [(name, name) for name in self.terms]
        level = [s for s in pathway.states if s.loss is not None]
        self.per_cell = [s for s in level if self.own_loss(s)]
        self.uniform = [s for s in level if not self.own_loss(s)]
        caps = [s.cap for s in pathway.states if s.cap is not None]
        late = {n for law in (pathway.rates, *caps) for n in arguments(law)}
        fixed = [*pathway.frozen, *(g.name for g in pathway.given), "alive", *(self.terms if modulated else ())]
        self.fixed = [n for n in fixed if n in late]  # what `rates` and caps read beside states
        self.moving = [s for s in pathway.states if s.var in arguments(pathway.rates)]
        self.places = self.scratch()

    def own_loss(self, state: State) -> bool:
        """Whether a constant loss differs between cells."""
        needs = set(arguments(state.loss)) - {"p"} if state.loss else set()
        return bool(needs - set(self.terms)) or (self.modulated and bool(needs))

    def exact(self, state: State) -> str:
        """The exponential of a constant loss: the exact one where a table of one number a step would do for it."""
        needs = set(arguments(state.loss)) - {"p"} if state.loss else set()
        return "exp_fast" if needs - set(self.terms) else "exp"

    def scratch(self) -> dict[str, int]:
        """Place (in blocks) of every name; what `conditions` returns takes the places of what it alone has read."""
        names = [var for var, _ in self.columns]
        names += ["alive", "h", *(f"keep_{s.var}" for s in self.pathway.states if s.loss is not None)]
        names += [f"mid_{s.var}" for s in self.moving]
        places = {name: k for k, name in enumerate(names)}
        spent = [name for name, _ in self.columns[len(self.pathway.states) :] if name not in self.fixed]
        for k, name in enumerate(self.pathway.frozen):
            places[name] = places[spent[k]] if k < len(spent) else len(names) + k - len(spent)
        return places

    def call(self, law: Law, spelled: dict[str, str], form: str, indent: int = 8) -> str:
        """The call of a law: names as `spelled` has them, neutral terms as numbers, others in `form`; long ones wrapped."""
        words = []
        for name in arguments(law):
            if name in spelled:
                words.append(spelled[name])
            elif name in self.terms and not self.modulated:
                words.append(neutral(self.terms[name].effect))
            else:
                words.append(form.format(name=name, NAME=name.upper()))
        line = f"{plain(law).__name__}({', '.join(words)})"
        return line if len(line) < WIDTH - indent else f"{plain(law).__name__}(\n{broken(words, indent, ',')}\n{' ' * (indent - 4)})"


def neutral(effect: str) -> str:
    """A term that does nothing, to the bit: x * 1.0 and x + -0.0 are x."""
    return "1.0" if effect == "multiplies" else "-0.0"


def broken(words: list[str], indent: int, end: str = "") -> str:
    """Words joined by commas, wrapped."""
    lines, line = [], " " * indent
    for k, word in enumerate(words):
        piece = word + ("," if k < len(words) - 1 or end else "")
        if len(line) + len(piece) > WIDTH:
            lines.append(line.rstrip())
            line = " " * indent
        line += piece + " "
    return "\n".join([*lines, line.rstrip()])
