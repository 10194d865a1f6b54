"""Library files of the user's own: merged over ours, told by their own lines, part of a run's identity."""

import json

import pytest
from support import TISSUE

from tme.cli import main
from tme.config import ConfigError
from tme.experiments import files
from tme.experiments.provenance import own_files
from tme.experiments.run_directory import prepare, read_config
from tme.model import load_config

MINE = """\
drugs:
  my_drug:
    extends: rsl3
    about: RSL3 that lasts
    plasma_half_life_min: {value: 240, range: [120, 480], status: measured, source: "our own mice, 2026"}
    hits: {gpx4: {k_per_uM_min: 0.2}}
nanoparticles:
  my_particle:
    extends: peg_pdpa_rsl3
    id: N99
    payloads:
      - {drug: my_drug, loading: {value: 1, unit: 1, source: "definition: the field counts my_drug"}}
tumours:
  my_tumour:
    extends: ct26_like
    cv: 0.3
    clones: {hidden: {share: {value: 0.2, unit: 1, source: "assumed: an example"}, traits: {antigenicity: {value: 0.1, unit: 1, source: "assumed: an example"}}}}
fields:
  my_field:
    about: a substance of mine
    unit: uM
    mode: backward_euler
    clock_min: {value: 10, unit: min, source: "assumed: an example"}
    diffusion: {value: 3000, unit: um^2/min, source: "assumed: an example"}
    decay: {value: 0.01, unit: 1/min, source: "assumed: an example"}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(MINE)
    return tmp_path


def write(place, name="x.yaml", **keys):
    """A config that names mine.yaml."""
    data = {**TISSUE, "name": "x", "library": ["mine.yaml"], "tumour": {"preset": "my_tumour"},
            "arms": {"control": {}, "mine": {"nanoparticles": [{"name": "my_particle", "dose_mg_kg": 3, "day": 0}]}}, **keys}  # fmt: skip
    (place / name).write_text(json.dumps(data))
    return place / name


def faults(place, text, **keys):
    """Faults of a config whose library file has this text."""
    (place / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(write(place, **keys))
    return caught.value.faults


def test_entries_of_every_kind_in_one_file_are_used_like_ours(place):
    config = load_config(write(place))
    drug = config.library.drug("my_drug")
    assert (drug.hits[0].k_per_uM_min, drug.diffusion, drug.numbers["plasma_half_life_min"].status) == (0.2, 5000.0, "measured")
    assert config.tumour.cv == 0.3 and config.tumour.clones["hidden"].traits() == {"antigenicity": 0.1}
    assert "my_field" in config.field_entries()
    assert config.library.origin["drugs"]["my_drug"].endswith("mine.yaml")


def test_the_same_paths_change_the_users_entries(place):
    config = load_config(write(place), overrides=["entries.drugs.my_drug.hits.gpx4.k_per_uM_min=0.4",
                                                  "entries.nanoparticles.my_particle.payloads.my_drug.free_fraction=0.5"])  # fmt: skip
    assert config.library.drug("my_drug").hits[0].k_per_uM_min == 0.4
    assert config.library.nanoparticle("my_particle").payloads[0].free_fraction == 0.5


def test_the_file_lies_beside_the_config_that_names_it(place):
    (place / "sub").mkdir()
    (place / "sub" / "mine.yaml").write_text(MINE.replace("value: 240", "value: 300"))
    write(place / "sub", "parent.yaml")
    (place / "child.yaml").write_text("extends: sub/parent.yaml\nname: child\n")
    assert load_config(place / "child.yaml").library.drug("my_drug").plasma_half_life_min == 300


def test_a_clash_is_refused_unless_it_says_replace(place):
    text = "drugs:\n  rsl3:\n    extends: rsl3\n    decay: 0.05\n"
    found = faults(place, text, tumour={}, arms={"control": {}})
    assert [(f.file, f.line, f.key) for f in found] == [("mine.yaml", 2, "drugs.rsl3")]
    assert "in the library already; expected another name, or replace: true" in str(found[0])
    (place / "mine.yaml").write_text(text + "    replace: true\n")
    assert load_config(write(place, tumour={}, arms={"control": {}})).library.drug("rsl3").decay == 0.05


def test_entries_may_be_a_list_with_ids(place):
    (place / "mine.yaml").write_text("drugs:\n  - {id: my_drug, extends: rsl3, decay: 0.05}\n")
    assert load_config(write(place, tumour={}, arms={"control": {}})).library.drug("my_drug").decay == 0.05


def test_two_files_clash_with_each_other_too(place):
    (place / "more.yaml").write_text("drugs:\n  my_drug:\n    extends: bso\n")
    with pytest.raises(ConfigError, match=r"more.yaml:2: drugs.my_drug: my_drug is in mine.yaml already"):
        load_config(write(place, library=["mine.yaml", "more.yaml"]))


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("drugs:", "drgs:", 1, "drgs", "did you mean 'drugs'"),
        ("extends: rsl3", "extends: rls3", 3, "drugs.my_drug.extends", "did you mean 'rsl3'"),
        ("hits: {gpx4", "hits: {gpx5", 6, "drugs.my_drug.hits.gpx5", "did you mean 'gpx4'"),
        ("drug: my_drug", "drug: my_drag", 12, "nanoparticles.my_particle.payloads.my_drag.drug", "'my_drag' is not in drugs"),
        ("unit: um^2/min", "unit: cm^2/s", 24, "fields.my_field.diffusion", "expected 'um^2/min'"),
        ("mode: backward_euler", "mode: backward", 22, "fields.my_field.mode", "did you mean 'backward_euler'"),
        ("    about: a substance", "    abuot: a substance", 20, "fields.my_field.abuot", "did you mean 'about'"),
        ('source: "our own mice, 2026"', "note: 1", 5, "drugs.my_drug.plasma_half_life_min.source", "missing"),
        ("  my_field:", "  rsl3:", 19, "fields.rsl3", "the name is taken by"),
        ("cv: 0.3", "cv: 3", 16, "tumours.my_tumour.cv", "at most 1.5"),
    ],
)  # fmt: skip
def test_a_fault_stands_at_the_users_line(place, old, new, line, key, words):
    assert old in MINE
    found = faults(place, MINE.replace(old, new, 1))
    mine = [f for f in found if f.file == "mine.yaml"]
    assert any((f.line, f.key) == (line, key) and words in str(f) for f in mine), [str(f) for f in found]


def test_a_file_that_is_not_there_is_told_at_the_configs_line(place):
    with pytest.raises(ConfigError) as caught:
        load_config(write(place, library=["mein.yaml"], tumour={}, arms={"control": {}}))
    assert caught.value.faults[0].file == "x.yaml" and "mein.yaml no such file" in str(caught.value)


def test_the_hash_follows_the_content_and_not_the_file(place):
    digest = load_config(write(place)).digest
    (place / "other.yaml").write_text("# a remark\n" + MINE)
    assert load_config(write(place, library=["other.yaml"])).digest == digest
    (place / "mine.yaml").write_text(MINE.replace("value: 240", "value: 241"))
    assert load_config(write(place)).digest != digest


def test_a_run_keeps_a_copy_from_which_its_config_loads(place):
    config = load_config(write(place, sweep={"entries.drugs.my_drug.decay": [0.01, 0.02]}))
    (place / "run").mkdir()
    prepare(place / "run", config)
    assert read_config(place / "run")["library"] == ["library/mine.yaml"]
    assert (place / "run" / "library" / "mine.yaml").read_text() == MINE
    (place / "mine.yaml").unlink()
    again = load_config(place / "run" / "config.resolved.yaml")
    assert again.digest == config.digest and again.library.drug("my_drug") == config.library.drug("my_drug")
    prepare(place / "run", again)  # the same run: it may be completed
    assert config.with_values({"entries.drugs.my_drug.decay": 0.03, "sweep": {}}).library.drug("my_drug").decay == 0.03


def test_provenance_names_the_users_files_with_their_hash(place):
    found = own_files(load_config(write(place)))
    assert [(f["key"], f["sha256"]) for f in found] == [("library", files.sha256(place / "mine.yaml"))]


def test_list_marks_what_is_the_users(place, capsys):
    main_ok(["list", "drugs", "--library", "mine.yaml", "--json"])
    rows = {r["name"]: r for r in json.loads(capsys.readouterr().out)}
    assert rows["my_drug"]["from"].endswith("mine.yaml") and rows["rsl3"]["from"] == ""
    main_ok(["list", "tumours", "--config", str(write(place)), "--json"])
    assert any(r["name"] == "my_tumour" and r["from"] for r in json.loads(capsys.readouterr().out))
    main_ok(["list", "drugs", "--json"])
    assert '"from":' not in capsys.readouterr().out


def main_ok(args):
    """The command, which must end well."""
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code in (0, None)


def test_a_list_that_does_not_exist_is_refused_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["list", "drgus"])
    assert ended.value.code == 2 and "did you mean 'drugs'" in capsys.readouterr().err
