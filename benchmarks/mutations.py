"""Where a line can be broken, and how: the mutants of a file from its syntax tree. Used by mutants.py."""

from __future__ import annotations

import ast
import itertools
import random
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("kernels", "core", "mechanisms")
DECLARED = {"reads", "writes", "adds", "ids", "about", "name", "PARAMETERS", "T_CELL", "columns", "_KEY", "SETTINGS"}


@dataclass(frozen=True)
class Mutant:
    """One broken line: `before` at (line, column) of a file becomes `after`."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    before: str
    after: str

    def apply(self, source: str) -> str:
        """The file with the mutant in it."""
        lines = source.splitlines(keepends=True)
        start = sum(len(s) for s in lines[: self.line - 1]) + _characters(lines[self.line - 1], self.column)
        end = sum(len(s) for s in lines[: self.end_line - 1]) + _characters(lines[self.end_line - 1], self.end_column)
        return source[:start] + self.after + source[end:]


def _characters(line: str, column: int) -> int:
    """ast counts bytes."""
    return len(line.encode()[:column].decode())


# ---- what can be broken -------------------------------------------------------------------------------
COMPARE = {ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
           ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,)}  # fmt: skip
BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
          ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr}  # fmt: skip
SWAPPED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}


def changed(node: ast.AST, **fields: object) -> str:
    """Source of the node with fields replaced, in parentheses where it is an operation."""
    new = type(node)(**{**{f: getattr(node, f) for f in node._fields}, **fields})
    text = ast.unparse(ast.fix_missing_locations(new))
    return f"({text})" if isinstance(node, (ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp)) else text


def ways(node: ast.AST) -> list[tuple[str, str]]:
    """Every (kind, new source) of one node."""
    out: list[tuple[str, str]] = []
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        options = COMPARE.get(type(node.ops[0]), ())
        if "uniform(" in ast.unparse(node):
            options = options[-1:]  # a draw never equals its bound: < and <= are one
        out += [("comparison", changed(node, ops=[new()])) for new in options]
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in BINARY:
        text_left = isinstance(getattr(node, "left", None), ast.Constant) and isinstance(node.left.value, str)
        if not text_left:
            out.append(("arithmetic", changed(node, op=BINARY[type(node.op)]())))
    elif isinstance(node, ast.BoolOp):
        out.append(("and/or", changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)) and not isinstance(node.operand, ast.Constant):
        out.append(("sign or not", f"({ast.unparse(node.operand)})"))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
        new = [value + 1] if isinstance(value, int) else ([1.0] if value == 0.0 else [value * 1.5, 0.0 if value == 1.0 else -value])
        out += [("constant", f"({n!r})") for n in new]
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        out.append(("constant", repr(not node.value)))
    elif isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in SWAPPED:
            out.append(("min/max", ast.unparse(node).replace(name, SWAPPED[name], 1)))
        if name in ("range", "prange"):
            last = 0 if len(node.args) == 1 else 1
            args = [ast.unparse(a) for a in node.args]
            args[last] += " - 1"
            out.append(("off by one", f"{ast.unparse(node.func)}({', '.join(args)})"))
    elif isinstance(node, (ast.If, ast.While)):
        return []
    if isinstance(node, (ast.AugAssign, ast.Expr, ast.Continue, ast.Break)) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Subscript, ast.Attribute))
    ):
        out.append(("deleted statement", "pass"))
    return out


class Sites(ast.NodeVisitor):
    """Collects the mutants of a file, passing over data and words."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.lines, self.found = file, source.splitlines(), []

    def text(self, node: ast.AST) -> str:
        """Source of a node (`ast.get_source_segment` splits the whole file each time)."""
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
        lines[0] = lines[0].encode()[node.col_offset :].decode()
        return "\n".join(lines)

    def visit(self, node: ast.AST) -> None:
        if self.is_words(node):
            return
        for kind, after in ways(node):
            before = self.text(node)
            self.found.append(
                Mutant(self.file, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, kind, before, after)
            )
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for child in node.body:
                self.visit(child)
        else:
            self.generic_visit(node)

    def is_words(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.arguments, ast.Assert)):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return True
        if isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "__str__"):
            return True
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return True
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        return any(isinstance(t, ast.Name) and t.id in DECLARED for t in targets)


def sites(root: Path) -> dict[str, list[Mutant]]:
    """All mutants by file."""
    out = {}
    for package in PACKAGES:
        for path in sorted((root / "tme" / package).glob("*.py")):
            name = path.relative_to(root / "tme").as_posix()
            if path.name.endswith(("_parameters.py", "_cuda.py")):
                continue
            source = path.read_text()
            finder = Sites(name, source)
            finder.visit(ast.parse(source))
            if finder.found:
                out[name] = finder.found
    return out


def another_program(mutant: Mutant, source: str) -> bool:
    """Whether the mutant is a Python program, and another one."""
    try:
        return ast.dump(ast.parse(mutant.apply(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


def sample(root: Path, n: int, seed: int) -> list[Mutant]:
    """`n` mutants: two a file (fewer if a file has fewer), the rest in proportion to the places; shuffled."""
    rng, every = random.Random(seed), sites(root)
    for found in every.values():
        rng.shuffle(found)
    n = min(n, sum(map(len, every.values())))
    taken = {name: min(2, len(found)) for name, found in every.items()}
    total = sum(len(found) for found in every.values())
    want = {name: n * len(found) / total for name, found in every.items()}
    while sum(taken.values()) < n:
        behind = max((name for name in every if taken[name] < len(every[name])), key=lambda name: want[name] - taken[name])
        taken[behind] += 1
    chosen = []
    for name, found in every.items():
        source = (root / "tme" / name).read_text()
        good = (m for m in found if another_program(m, source))
        chosen += itertools.islice(good, taken[name])
    rng.shuffle(chosen)
    return chosen[:n]
