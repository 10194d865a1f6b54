"""A made-up field of cells in a CODEX table's form, a PhysiCell project of our own writing and copies of it with something changed, and the command."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tme import cli

SAMPLE = Path(__file__).parent / "physicell_sample"


class Copy:
    """A copy of the sample in a folder of its own; `change` replaces text of one of its files."""

    def __init__(self, folder):
        self.root = folder
        shutil.copytree(SAMPLE, folder)

    def path(self, name):
        return self.root / "config" / name

    def change(self, name, old, new, count=1):
        text = self.path(name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        self.path(name).write_text(text.replace(old, new, count), encoding="utf-8")
        return self

    def line_of(self, name, text):
        lines = self.path(name).read_text(encoding="utf-8").splitlines()
        return next(k for k, line in enumerate(lines, 1) if text in line)


@pytest.fixture
def project(tmp_path):
    return Copy(tmp_path / "project")


@pytest.fixture
def tme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*args):
        try:
            cli.main([str(a) for a in args])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call


def packed(n=200, spacing=13.0, seed=4):
    """Places (n, 2) of cells some way apart, um."""
    side = int(np.ceil(np.sqrt(n)))
    i, j = np.meshgrid(np.arange(side), np.arange(side))
    return (np.stack([i.ravel(), j.ravel()], axis=1)[:n] + np.random.default_rng(seed).uniform(-0.3, 0.3, (n, 2))) * spacing


def codex(names=("PDL1n", "PDL1p", "PD1p"), scale=1.0, region="a", **more):
    """Text of a table in CODEX form."""
    lines = ["cell_id,AbsoluteY,AbsoluteX,PD1,PDL1,Region,Cell Type" + "".join(f",{c}" for c in more)]
    for k, (x, y) in enumerate(packed()):
        lines.append(f"{k},{scale * y:.5f},{scale * x:.5f},{100 + k % 7},{500 + 9 * k},{region},{names[(k % 40 == 0) * 2 or k % 3 == 0]}" + "".join(f",{v}" for v in more.values()))
    return "\n".join(lines) + "\n"
