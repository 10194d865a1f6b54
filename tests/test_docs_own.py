"""The page on files of the user's own: its snippets are written out and run."""

import re
from pathlib import Path

import pytest

from tme.config import ConfigError
from tme.model import TumourModel, load_config

PAGE = (Path(__file__).parents[1] / "docs" / "own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def stepped(config, arm="control", n=240):
    """A model some ticks on."""
    model = TumourModel(config, arm=arm)
    for _ in range(n):
        model.step()
    return model


def test_every_file_of_the_page_is_used_here():
    assert set(FILES) == {"altered.yaml", "my_alterations.yaml", "changed.yaml", "mine.yaml", "own.yaml", "regions.yaml", "my_law.py", "my_memory.py"}


def test_the_changed_numbers_arrive_and_the_swept_one_acts(place):
    config = load_config("changed.yaml", overrides=["entries.drugs.rsl3.plasma_half_life_min=20"])
    assert config.library.drug("rsl3").plasma_half_life_min == 20
    assert config.library.nanoparticle("peg_pdpa_rsl3").payloads[0].free_fraction == 0.5
    assert config.tumour.clones["fsp1_high"].share == 0.1
    key = "entries.drugs.rsl3.hits.gpx4.k_per_uM_min"
    weak, strong = (stepped(config.with_values({key: v, "sweep": {}}), "rsl3") for v in config.sweep[key])
    assert strong.tumour.gpx4.mean() < weak.tumour.gpx4.mean()


def test_the_users_alteration_acts_beside_ours(place):
    model = stepped(load_config("altered.yaml"), n=60)
    t, mine = model.tumour, model.tumour.clone == model.config.clone_names().index("resistant")
    assert mine.any() and set(t.term("ferroptosis.fpn")[: t.n][mine]) == {1.5} and set(t.term("ferroptosis.fpn")[: t.n][~mine]) == {1.0}
    assert t.nrf2[mine].mean() > 2 * t.nrf2[t.clone == 0].mean() > 2.5


def test_the_number_shown_whole_is_one(place):
    shown = re.search(r"<!-- part: numbers -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    (place / "x.yaml").write_text(FILES["changed.yaml"].replace("plasma_half_life_min: 30  ", shown.strip() + "  "))
    number = load_config("x.yaml").library.drug("rsl3").numbers["plasma_half_life_min"]
    assert (number.status, number.range, number.source) == ("measured", (15, 60), "doi 10.1000/xyz")


def test_the_users_entries_work_in_their_direction(place):
    config = load_config("own.yaml", allow_plugins=True)
    control, bath, both = (stepped(config, arm) for arm in ("control", "bath", "both_targets"))
    assert bath.tumour.gpx4.mean() < 0.5 * control.tumour.gpx4.mean()
    assert both.tumour.gsh.mean() < 0.8 * control.tumour.gsh.mean()
    particle = TumourModel(config, arm="particle")
    assert {"my_particle", "slow_rsl3", "my_signal"} <= set(particle.fields)
    assert "hidden" in config.tumour.clones and (control.tumour.clone == config.clone_names().index("hidden")).any()


def test_the_users_law_fills_the_users_field(place):
    config = load_config("own.yaml", allow_plugins=True)
    model = TumourModel(config)
    model.tumour.col.state[:5], model.tumour.col.death_tick[:5] = 1, 0
    for _ in range(60):
        model.step()
    assert model.observe()["my_signal_max"] > 0.03
    assert stepped(config.with_values({"mechanisms.signal_release.on": False}), n=60).observe()["my_signal_max"] == 0.0


def test_the_column_of_the_page_remembers_hypoxia_and_the_rule_slows_division_by_it(place):
    model = stepped(load_config("own.yaml", allow_plugins=True), n=60)
    hours, level = model.tumour.hypoxic_h, model.tumour.term("division.rate")[: model.tumour.n]
    assert hours.max() > 0.5 and hours.min() == 0.0
    assert level[hours > 0.5].max() < level[hours == 0.0].min()


def test_the_regions_of_the_page_are_there(place):
    model = stepped(load_config("regions.yaml"), n=5)
    row = model.observe()
    assert row["clone_mine_share"] > 0.03 and model.cd8.n > 2


def test_the_mistake_of_the_page_is_told_as_the_page_says(place):
    file, old, new, told = re.search(r"<!-- error: (\S+) \| (.*?) \| (.*?) -->\n```\n(.*?)\n```", PAGE, re.DOTALL).groups()
    assert old in FILES[file]
    (place / file).write_text(FILES[file].replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_config("own.yaml", allow_plugins=True)
    assert told == str(caught.value)


def test_what_is_quoted_from_the_examples_stands_there():
    quoted = re.findall(r"<!-- from: (\S+) -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert quoted and all(text in (Path(__file__).parents[1] / name).read_text(encoding="utf-8") for name, text in quoted)
