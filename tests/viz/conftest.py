"""Small synthetic runs, written once per session and worker, and copied where a test changes them."""

from __future__ import annotations

import shutil

import pytest
import synthetic

SMALLEST: dict[str, float] = {}


@pytest.fixture(scope="session")
def four_arms(tmp_path_factory):
    """4 arms x 4 replicates on a small lattice, with its report written."""
    from tme.viz import report, style

    root = tmp_path_factory.mktemp("four")
    run = synthetic.write_run(root, n=96, scale=0.18, days=(0, 1, 5, 11), every_h=6.0)
    save = style.save

    def watched(figure, path, dpi):
        out = save(figure, path, dpi)
        texts = figure.findobj(match=lambda artist: hasattr(artist, "get_fontsize"))
        SMALLEST[path.stem] = min(text.get_fontsize() for text in texts if text.get_text())
        return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", watched)
        report.write(run)
    return run


@pytest.fixture(scope="session")
def smallest_letters(four_arms):
    """Figure name -> smallest font size (pt) in it."""
    return SMALLEST


@pytest.fixture
def copy_of(tmp_path):
    """A function that copies a run directory into the test's own folder."""

    def copy(run, name="copy-0123abcd"):
        return shutil.copytree(run, tmp_path / name, ignore=shutil.ignore_patterns("figures", "report.html"))

    return copy
