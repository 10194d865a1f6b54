"""Movies: a picture per snapshot, of every arm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import synthetic
from PIL import Image

from tme.viz import movie
from tme.viz.load import Missing


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.write_run(tmp_path_factory.mktemp("small"), arms=("control", "combination"), replicates=1, n=48, scale=0.05, days=(0, 1, 4), every_h=12)


def test_every_arm_has_its_movie_and_all_have_one_together(small):
    paths = movie.write(small, "gif")
    assert [p.name for p in paths] == ["movie_control.gif", "movie_combination.gif", "movie_all.gif"]
    with Image.open(paths[2]) as found:
        assert found.n_frames == 3
        frames = [np.asarray(found.convert("RGB")) for k in range(3) if found.seek(k) is None]
    assert all(np.abs(a.astype(int) - b).mean() > 1 for a, b in pairwise(frames))
    assert not list(small.glob("figures/.*"))


def test_mp4_is_written_where_its_extra_is_installed(small):
    pytest.importorskip("imageio_ffmpeg", reason="the extra `movie` is not installed")
    body = movie.write(small, "mp4")[0].read_bytes()
    assert body[4:8] == b"ftyp" and len(body) > 2000


def test_without_the_extra_one_line_says_what_to_install(small, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(movie.MissingExtra, match=r'pip install "tme\[movie\]"'):
        movie.write(small, "mp4")


def test_a_run_without_snapshots_has_no_movie(small, copy_of):
    run = copy_of(small)
    for path in run.rglob("cells_*.h5ad"):
        path.unlink()
    with pytest.raises(Missing):
        movie.write(run, "gif")
