"""Do the tests notice a wrong line? Break one line at a time and see which tests fail.

    python benchmarks/mutants.py --log mutants.jsonl            # 300 mutants, seed 1; again: goes on where it was
    python benchmarks/mutants.py --log mutants.jsonl --first 10 # the first ten only
    python benchmarks/mutants.py --log mutants.jsonl --report   # killed, survived, by file; the survivors
    python benchmarks/mutants.py --list                         # what would be mutated

Mutants are drawn with a fixed seed over kernels/, core/ and mechanisms/, at least two a file and the rest by
the number of places a file offers. Left out, being data and words: parameter declarations, docstrings,
annotations, messages, what a mechanism declares of itself, and code for another device (*_cuda.py).

Each runs in a copy of the tree: first the tests of its own file, then the whole-model tests, then all other
fast tests and last the golden runs; the first failing stage is its killer. A copy of the warm compiler cache is
given to each, and the files that import the mutated one get a comment at their end, since compiled code does not
notice edits in another file, and notices one in its own by its text. Standard library only.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path

from mutations import PACKAGES, Mutant, sample

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("tme", "tests", "configs", "benchmarks", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "CITATION.cff")
WHOLE = ["tests/test_model.py", "tests/twin", "tests/mechanisms"]
STATISTICS = "tests/statistics/"
OWN = {
    "kernels/rng.py": ["tests/kernels/test_rng.py"],
    "kernels/elementary.py": ["tests/kernels/test_elementary.py"],
    "kernels/lod.py": ["tests/kernels/test_lod.py", STATISTICS + "test_mirror.py"],
    "kernels/movement.py": [STATISTICS + "test_walk.py"],
    "kernels/stencil.py": ["tests/kernels/test_stencil.py", "tests/kernels/test_multigrid.py"],
    "kernels/simd.py": ["tests/kernels/test_lod.py"],
    "kernels/neighbours.py": ["tests/kernels/test_stencil.py", STATISTICS + "test_walk.py", STATISTICS + "test_division_rate.py"],
    "kernels/row_moves.py": [STATISTICS + "test_death_rate.py", STATISTICS + "test_division_rate.py"],
    "kernels/red_black/solve.py": ["tests/kernels/test_red_black.py", "tests/kernels/test_cycle.py", "tests/kernels/test_threads.py"],
    "kernels/red_black/assemble.py": ["tests/kernels/test_red_black.py", "tests/kernels/test_cycle.py", "tests/kernels/test_threads.py"],
    "kernels/red_black/iterate.py": ["tests/kernels/test_red_black.py", "tests/kernels/test_cycle.py", "tests/kernels/test_threads.py"],
    "kernels/threads.py": ["tests/kernels/test_threads.py", "tests/core/test_solvers.py"],
    "kernels/superpose.py": ["tests/kernels/test_superpose.py"],
    "kernels/greens_function.py": ["tests/kernels/test_superpose.py"],
    "core/superposition.py": ["tests/kernels/test_superpose.py"],
    "core/vessels.py": ["tests/core/test_vessels.py"],
    "kernels/transfer.py": ["tests/core/test_wider_voxels.py"],
    "kernels/exchange.py": ["tests/core", "tests/therapy/test_ledgers.py"],
    "kernels/": ["tests/kernels/test_cycle.py", "tests/kernels/test_multigrid.py", "tests/core/test_field.py"],
    "core/field_solver.py": ["tests/core/test_field.py", "tests/kernels/test_red_black.py", "tests/kernels/test_superpose.py", "tests/core/test_wider_voxels.py"],
    "core/field.py": ["tests/core/test_field.py", "tests/kernels/test_red_black.py", "tests/kernels/test_superpose.py", "tests/core/test_wider_voxels.py"],
    "core/subdomain.py": ["tests/core/test_wider_voxels.py"],
    "core/population.py": ["tests/core/test_population.py", "tests/test_model_mesa.py"],
    "core/grid.py": ["tests/core"],
    "core/": ["tests/core", "tests/test_model_mesa.py", "tests/test_model.py"],
    "mechanisms/division.py": [STATISTICS + "test_division_rate.py", "tests/mechanisms/test_selection.py"],
    "mechanisms/death.py": [STATISTICS + "test_death_rate.py"],
    "mechanisms/resolve.py": [STATISTICS + "test_death_rate.py"],
    "mechanisms/motility.py": [STATISTICS + "test_walk.py"],
    "mechanisms/recruitment.py": [STATISTICS + "test_recruitment_rate.py"],
    "mechanisms/vessels.py": [STATISTICS + "test_recruitment_rate.py", "tests/mechanisms/test_nanoparticles.py"],
    "pathways/ferroptosis.py": ["tests/mechanisms/test_ferroptosis_chemistry.py", "tests/mechanisms/test_ferroptosis_numbers.py", "tests/mechanisms/test_redox.py", "tests/mechanisms/test_iron.py", "tests/mechanisms/test_lipids.py", "tests/mechanisms/test_defences.py"],
    "pathways/entries.py": ["tests/mechanisms/test_ferroptosis_chemistry.py", "tests/mechanisms/test_schedule.py"],
    "mechanisms/damp.py": ["tests/mechanisms/test_damps.py"],
    "mechanisms/ifng_response.py": ["tests/mechanisms/test_ifng.py"],
    "mechanisms/killing.py": ["tests/mechanisms/test_checkpoint.py", "tests/mechanisms/test_loop.py"],
    "mechanisms/exhaustion.py": ["tests/mechanisms/test_checkpoint.py", "tests/mechanisms/test_exhaustion_law.py"],
    "mechanisms/receptors.py": ["tests/mechanisms/test_receptors.py", "tests/mechanisms/test_checkpoint.py"],
    "mechanisms/priming.py": ["tests/mechanisms/test_priming.py"],
    "mechanisms/polarisation.py": ["tests/mechanisms/test_macrophages.py"],
    "mechanisms/suppression.py": ["tests/mechanisms/test_suppression.py"],
    "mechanisms/secretion.py": ["tests/mechanisms/test_suppression.py", "tests/mechanisms/test_cell_types.py", "tests/mechanisms/test_tissue_types.py"],
    "mechanisms/phagocytosis.py": ["tests/mechanisms/test_cell_types.py"],
    "mechanisms/uptake.py": ["tests/mechanisms/test_redox.py", "tests/mechanisms/test_ifng.py"],
    "mechanisms/": ["tests/mechanisms"],
}  # fmt: skip


# ---- running one --------------------------------------------------------------------------------------
def importers(root: Path, file: str) -> set[str]:
    """Files of the package that import `file`, directly or not (names as in `Mutant.file`)."""
    needs = defaultdict(set)
    for path in (root / "tme").rglob("*.py"):
        name = path.relative_to(root / "tme").as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tme"):
                base = node.module.removeprefix("tme").lstrip(".").replace(".", "/")
                for target in (f"{base}.py", f"{base}/__init__.py", *(f"{base}/{a.name}.py" for a in node.names)):
                    needs[target].add(name)
    found, todo = set(), [file]
    while todo:
        for name in needs[todo.pop()] - found:
            found.add(name)
            todo.append(name)
    return found - {file}


def own_tests(file: str) -> list[str]:
    """Tests most likely to notice."""
    return OWN.get(file) or OWN[file.split("/")[0] + "/"]


def stages(tree: Path, file: str) -> list[tuple[str, list[str]]]:
    """(name, arguments of pytest) in order; a stage leaves out what an earlier one ran."""
    def exist(names: list[str]) -> list[str]:
        return [n for n in names if (tree / n).exists()]

    own = exist(own_tests(file))
    whole = [n for n in exist(WHOLE) if n not in own]
    quick = [n for n in exist(["tests/kernels", "tests/core", "tests/statistics", "tests/test_model_mesa.py", "tests/config", "tests/library"]) if n not in own]
    skip = [f"--deselect={n}" for n in own]
    return [("own", own), ("whole", [*whole, *skip]), ("rest", [*quick, *skip]), ("golden", exist(["tests/golden"]))]


class Bench:
    """A copy of the tree with a warm compiler cache."""

    def __init__(self, work: Path, jit: bool) -> None:
        self.work, self.tree, self.warm, self.jit = work, work / "tree", work / "warm", jit

    def prepare(self, files: set[str], last: str) -> None:
        """Copy the tree and run all stages once: they must pass, and they fill the cache."""
        if not self.tree.exists():
            self.tree.mkdir(parents=True)
            for name in COPIED:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
                elif source.exists():
                    shutil.copy2(source, self.tree / name)
        todo = sorted({test for file in files for test in own_tests(file)})
        tests = {"own": todo, "whole": [*todo, *WHOLE], "rest": ["tests"], "golden": ["tests"]}[last]
        tests = [t for t in dict.fromkeys(tests) if (self.tree / t).exists()]
        mark = self.work / f"ready-{hashlib.sha256(' '.join(tests).encode()).hexdigest()[:12]}"
        if mark.exists():
            return
        print(f"without a mutant: {len(tests)} test files or folders ...", flush=True)
        code, seconds, tail = self.pytest(tests, self.warm, 3600.0)
        if code != 0:
            raise SystemExit(f"the tests fail without a mutant:\n{tail}")
        print(f"... pass in {seconds:.0f} s", flush=True)
        mark.touch()

    def pytest(self, arguments: list[str], cache: Path, timeout: float) -> tuple[int | None, float, str]:
        """(exit code or None for too long, seconds, last lines)."""
        env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(self.tree),
               "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_DISABLE_INTEL_SVML": "1"}  # fmt: skip
        if not self.jit:
            env["NUMBA_DISABLE_JIT"] = "1"
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow", "--no-header", "--tb=line", *arguments]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            return None, time.perf_counter() - start, ""
        return process.returncode, time.perf_counter() - start, "\n".join(text.splitlines()[-8:])

    def run(self, mutant: Mutant, timeout: float, last: str) -> dict:
        """Break, test stage by stage, mend."""
        whole = self.tree / "tme"
        kept = {whole / name: (whole / name).read_text() for name in (mutant.file, *importers(self.tree, mutant.file))}
        path = whole / mutant.file
        cache = self.work / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(self.warm, cache, copy_function=os.link)  # numba replaces files, it never writes into one
        out = {"verdict": "survived", "stage": "", "seconds": 0.0, "cpu_seconds": 0.0, "told": ""}
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        try:
            for p, source in kept.items():
                p.write_text(mutant.apply(source) if p == path else f"{source}# beside a mutant\n")
            for stage, arguments in stages(self.tree, mutant.file):
                if not [a for a in arguments if not a.startswith("-")]:
                    continue
                code, seconds, tail = self.pytest(arguments, cache, timeout)
                out["seconds"] += seconds
                if code not in (0, 5):
                    failed = [line for line in tail.splitlines() if line.startswith(("FAILED", "ERROR"))]
                    out |= {"verdict": "killed", "stage": stage, "told": "too long" if code is None else (failed or [tail])[0][:200]}
                    break
                if stage == last:
                    break
        finally:
            out["cpu_seconds"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 1)
            for p, source in kept.items():
                p.write_text(source)
        return out


# ---- the log ------------------------------------------------------------------------------------------
def read_log(path: Path) -> list[dict]:
    """Rows of the log; a torn last line is dropped."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def report(rows: list[dict]) -> str:
    """Killed and survived in all and by file, killers by stage, the survivors."""
    done = [r for r in rows if "verdict" in r]
    if not done:
        return "nothing was run"
    killed = [r for r in done if r["verdict"] == "killed"]
    out = [f"{len(killed)} of {len(done)} mutants killed ({100 * len(killed) / len(done):.1f} %), "
           f"{sum(r['seconds'] for r in done) / len(done):.0f} s each, of them {sum(r['cpu_seconds'] for r in done) / len(done):.0f} s of processor"]  # fmt: skip
    out.append("by stage: " + ", ".join(f"{s} {n}" for s, n in Counter(r["stage"] for r in killed).items()))
    for file in sorted({r["file"] for r in done}):
        mine = [r for r in done if r["file"] == file]
        out.append(f"  {file:36s} {sum(r['verdict'] == 'killed' for r in mine):3d} of {len(mine)}")
    out.append("survivors:")
    for r in (r for r in done if r["verdict"] == "survived"):
        out.append(f"  #{r['number']} {r['file']}:{r['line']} {r['kind']}: {one_line(r['before'])}  ->  {one_line(r['after'])}")
    return "\n".join(out)


def one_line(text: str) -> str:
    """Source on one line of at most 70 letters."""
    text = " ".join(text.split())
    return text if len(text) <= 70 else text[:67] + "..."


def digest(root: Path) -> str:
    """Hash of the mutated packages' sources: a log belongs to one state of them."""
    out = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / "tme" / package).glob("*.py")):
            out.update(path.read_bytes())
    return out.hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, help="run only the first so many")
    parser.add_argument("--only", default="", help="only those of files that start so, e.g. mechanisms/death")
    parser.add_argument("--last-stage", choices=["own", "whole", "rest", "golden"], default="golden")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds a stage may take")
    parser.add_argument("--work", type=Path, help="folder for the copy and its cache (kept if given)")
    parser.add_argument("--no-jit", action="store_true", help="without the compiler (quick for kernels, slow for models)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report", action="store_true")
    a = parser.parse_args()
    if a.report:
        print(report(read_log(a.log)))
        return
    work = a.work or Path(tempfile.mkdtemp(prefix="mutants-"))
    root = work / "tree" if (work / "tree").exists() else ROOT
    mutants = sample(root, a.n, a.seed)
    if a.list:
        for k, m in enumerate(mutants):
            print(f"#{k} {m.file}:{m.line} {m.kind}: {one_line(m.before)}  ->  {one_line(m.after)}")
        return
    bench = Bench(work.resolve(), not a.no_jit)
    rows = read_log(a.log)
    head = {"seed": a.seed, "n": a.n, "sources": digest(root)}
    if rows and rows[0] != head:
        raise SystemExit(f"{a.log} is of other sources, seed or number: {rows[0]}; give another --log")
    done = {r["number"] for r in rows if "number" in r}
    todo = [(k, m) for k, m in enumerate(mutants[: a.first]) if k not in done and m.file.startswith(a.only)]
    try:
        bench.prepare({m.file for _, m in todo}, a.last_stage)
        with open(a.log, "a") as log:
            if not rows:
                print(json.dumps(head), file=log, flush=True)
            for k, mutant in todo:
                row = {"number": k, **asdict(mutant), **bench.run(mutant, a.timeout, a.last_stage)}
                print(json.dumps(row), file=log, flush=True)
                print(f"#{k} {row['verdict']:8s} {row['stage']:6s} {row['seconds']:5.0f} s  {mutant.file}:{mutant.line} {mutant.kind}: "
                      f"{one_line(mutant.before)}  ->  {one_line(mutant.after)}", flush=True)  # fmt: skip
    finally:
        if a.work is None:
            shutil.rmtree(work, ignore_errors=True)
    print(report(read_log(a.log)))


if __name__ == "__main__":
    main()
