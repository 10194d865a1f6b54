"""The picture of a table of cells before and after: it is drawn whatever the names, and says what is there."""

import numpy as np
import pytest

from tme.viz import style
from tme.viz.tissue import Panels, colours_of, crowded, draw, name_colours, plain


def panels(names, kinds, n=60, shape=(20, 14), dx=10.0):
    rng = np.random.default_rng(1)
    place = rng.uniform(0, 1, (n, 2)) * np.array(shape) * dx
    return Panels(place, np.resize(np.array(names, object), n).astype(str), np.resize(np.array(kinds, object), n).astype(str), (place // dx).astype(int), shape, dx, 3)


@pytest.mark.parametrize(
    "made",
    [
        panels(["a", "b"], ["tumour", "cd8"]),
        panels([f"type {k} $x^{k}$" for k in range(30)], ["tumour", "mine", "cd8", "yours"], shape=(12, 60)),
        panels(["<b>\x1b[31m\u202e細胞"], ["tumour"], n=1),
        panels(["a"], ["tumour"], n=9, shape=(3, 3)),
    ],
    ids=["usual", "many names", "one cell", "tiny"],
)
def test_the_picture_is_drawn_whatever_the_names(made, tmp_path):
    path = draw(made, tmp_path / "p.png")
    assert path.read_bytes()[:4] == b"\x89PNG" and [p.name for p in tmp_path.iterdir()] == ["p.png"]


def test_names_are_shown_as_they_can_be():
    assert plain("a$b") == r"a\$b" and plain("\x1b細") == "\N{REPLACEMENT CHARACTER}" * 2 and plain("") == "(empty)"
    assert len(plain("x" * 99)) == 30 and plain("x" * 99).endswith("…")


def test_types_of_the_users_own_have_colours_too():
    found = colours_of(np.array(["tumour", "mine", "cd8", "yours"]))
    assert list(found) == ["tumour", "cd8", "mine", "yours"] and len(set(found.values())) == 4 and found["cd8"] == style.CELL_COLOURS["cd8"]


def test_a_name_has_the_colour_of_its_type_and_a_second_name_one_that_no_type_has():
    made = panels(["T1", "T2", "K"], ["tumour", "tumour", "cd8"])
    found, kinds = name_colours(made, ["T1", "T2", "K"]), colours_of(made.kind)
    assert found["K"] == kinds["cd8"] and len(set(found.values())) == 3 and found["T2"] not in kinds.values()


def test_the_detail_is_where_cells_moved_most():
    made = panels(["a"], ["tumour"], n=200, shape=(60, 60))
    far = np.zeros(200)
    far[17] = 50.0
    low = crowded(made, far, 150.0)
    assert (low <= made.place_um[17]).all() and (made.place_um[17] < low + 150.0).all()
