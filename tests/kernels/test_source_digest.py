"""Compiled code is kept under what it was compiled from, no less and no more."""

import shutil

import pytest

from tme.kernels import source_digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Four files: `a` imports `b` and, through it, `c`; nobody imports `d`."""
    texts = {"a": "from tme.b import (\n    one,\n    two,\n)\n", "b": "import tme.c\n", "c": "x = 1\n", "d": "y = 1\n"}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(source_digest, "PACKAGE", tmp_path)
    yield tmp_path
    source_digest.imported.cache_clear()
    source_digest.closure.cache_clear()


def fresh(path):
    source_digest.imported.cache_clear()
    source_digest.closure.cache_clear()
    return source_digest.digest(path)


def test_an_edit_of_an_imported_file_counts_and_one_elsewhere_does_not(package):
    before = fresh(package / "a.py")
    (package / "d.py").write_text("y = 2\n")
    assert fresh(package / "a.py") == before
    (package / "c.py").write_text("x = 2\n")
    assert fresh(package / "a.py") != before


def test_another_checkout_of_the_same_sources_finds_the_same_code(package, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(package, other, dirs_exist_ok=True)
    before = fresh(package / "a.py")
    monkeypatch.setattr(source_digest, "PACKAGE", other)
    assert fresh(other / "a.py") == before


def test_what_a_kernel_file_imports_is_found_in_the_package_itself():
    names = {p.name for p in source_digest.closure(source_digest.PACKAGE / "mechanisms" / "killing.py")}
    assert {"killing.py", "neighbours.py", "rng.py", "elementary.py", "jit.py"} <= names
    assert "ferroptosis.py" not in names
