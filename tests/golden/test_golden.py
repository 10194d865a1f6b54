"""Runs whose numbers are kept: nothing changes them unnoticed, and nobody changes them without saying so.

    pytest tests/golden -n 0                          # compare
    pytest tests/golden -n 0 --regenerate-golden      # write them anew; refused until CHANGELOG.md says why

The second tells the eight digits of the new set; a line of the newest section of CHANGELOG.md with the word
"golden" and those digits lets it through. The set in use must be explained in the same way.
"""

import pytest
from cases import CASES, CHANGELOG, STORE, differences, dumped, explained, mark, newest_section, run, stored


def changelog():
    return CHANGELOG.read_text() if CHANGELOG.exists() else ""


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_experiment_gives_its_golden_numbers(name, request):
    if request.config.getoption("--regenerate-golden"):
        pytest.skip("being written anew")
    assert name in stored(), "no golden numbers: pytest tests/golden -n 0 --regenerate-golden"
    found = differences(run(name), stored()[name])
    assert not found, "\n".join(found)


def test_golden_numbers_are_written_anew_only_with_a_line_in_the_changelog(request):
    if not request.config.getoption("--regenerate-golden"):
        pytest.skip("on request")
    text = dumped({name: run(name) for name in CASES})
    if STORE.exists() and text == STORE.read_text():
        return
    assert explained(text, changelog()), (
        f"the numbers change: say why in the newest section of CHANGELOG.md, in a line with 'golden {mark(text)}'"
    )
    STORE.write_text(text)


def test_the_golden_numbers_in_use_are_explained_in_the_changelog():
    assert f"golden {mark(STORE.read_text())}" in changelog().lower()


# ---- the harness --------------------------------------------------------------------------------------
KEPT = {"tick": 5, "counts": {"births": 3}, "places": {"cd8": 7}, "floats": {"field.ifng": 0.25, "field.atp": 0.0}}


def test_integers_agree_exactly_and_floats_within_their_tolerance():
    assert not differences(KEPT | {"floats": {"field.ifng": 0.25 * (1 + 5e-7), "field.atp": 1e-12}}, KEPT)
    assert differences(KEPT | {"counts": {"births": 4}}, KEPT) == ["counts.births: 4, golden 3"]
    assert len(differences(KEPT | {"floats": {"field.ifng": 0.25 * (1 + 2e-6), "field.atp": 0.0}}, KEPT)) == 1
    assert len(differences(KEPT | {"floats": {"field.ifng": 0.25}, "tick": 6}, KEPT)) == 2


def test_only_the_newest_section_explains_a_change():
    digits = mark("x")
    good = f"# Changelog\n\n## Unreleased\n- golden {digits}: less decay\n\n## 0.1.0\n- first\n"
    old = f"# Changelog\n\n## Unreleased\n- faster\n\n## 0.1.0\n- golden {digits}: first\n"
    assert explained("x", good) and not explained("y", good) and not explained("x", old) and not explained("x", "")
    assert newest_section(good).startswith("Unreleased") and "first" not in newest_section(good)
