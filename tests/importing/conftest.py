"""A PhysiCell project of our own writing, and copies of it with something changed."""

import shutil
from pathlib import Path

import pytest

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
