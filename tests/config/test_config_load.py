"""What a sound config becomes: extends, --set, --quick, presets, arms, sweep, digest."""

import json
import pickle

import pytest

from tme.cli.shared import as_yaml

ARMS = """\
arms:
  control:
  pdl1: {antibodies: [{name: anti_pdl1, dose_mg_kg: 10, day: [0, 3]}]}
  np: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 5, day: 2}]}
  both: {use: [pdl1, np]}
  more: {use: [both, pdl1]}
"""


def test_a_child_states_only_what_differs(yaml):
    yaml.write(yaml.base + "seed: 7\ntumour: {cv: 0.1, mass_g: 0.2}\n", "parent.yaml")
    config = yaml.load("extends: parent\ntumour: {cv: 0.3}\n", base="")
    assert (config.name, config.seed, config.tumour.cv, config.tumour.mass_g) == ("x", 7, 0.3, 0.2)
    assert config.origin["tumour.cv"] == ("x.yaml", 2)
    assert config.origin["tumour.mass_g"] == ("parent.yaml", 5)


def test_another_kind_of_start_replaces_the_parents(yaml):
    yaml.write(yaml.base, "parent.yaml")
    config = yaml.load("extends: parent\ninitial: {kind: monolayer, occupancy: 0.5}\n", base="")
    assert config.initial.occupancy == 0.5


def test_an_arm_set_to_null_is_dropped_and_an_empty_one_is_the_control(yaml):
    yaml.write(yaml.base + ARMS, "parent.yaml")
    config = yaml.load("extends: parent\narms: {more: null, control: null}\n", base="")
    assert list(config.arms) == ["control", "pdl1", "np", "both"]
    assert config.therapy_of("control").antibodies == ()


def test_used_arms_are_folded_in_once(yaml):
    config = yaml.load(ARMS)
    both, more = config.therapy_of("both"), config.therapy_of("more")
    assert [i.name for i in both.antibodies + both.nanoparticles] == ["anti_pdl1", "peg_pdpa_rsl3"]
    assert more.antibodies == both.antibodies
    assert both.nanoparticles[0].day == (2.0,)
    assert config.therapy_of("growth").nanoparticles == ()


def test_what_used_arms_give_adds_up_at_their_own_doses_and_days(yaml):
    text = """\
arms:
  load: {drugs: [{name: ike, dose_mg_kg: 80, day: 0}]}
  keep: {drugs: [{name: ike, dose_mg_kg: 20, day: [1, 4]}], events: [{name: radiation, dose_gy: 2, day: 1}]}
  all: {use: [load, keep], drugs: [{name: ike, dose_mg_kg: 5, route: intratumoral, day: 1}]}
"""
    arm = yaml.load(text).therapy_of("all")
    assert [(i.dose_mg_kg, i.day, i.route) for i in arm.drugs] == [(80, (0.0,), "iv"), (20, (1.0, 4.0), "iv"), (5, (1.0,), "intratumoral")]
    assert [e.dose_gy for e in arm.events] == [2]


def test_a_repeated_dose_is_written_out_until_its_last_day_or_the_end(yaml):
    text = """\
arms:
  a: {drugs: [{name: ike, dose_mg_kg: 80, every_d: 2, until_d: 4}], events: [{name: radiation, dose_gy: 2, day: 1, every_d: 1.5}]}
"""
    config = yaml.load(text)
    arm = config.therapy_of("a")
    assert arm.drugs[0].day == (0.0, 2.0, 4.0)
    assert arm.events[0].day == (1.0, 2.5, 4.0, 5.5)
    assert "every_d" not in str(config.to_dict())
    assert yaml.load(text, overrides=["horizon_day=3"]).therapy_of("a").drugs[0].day == (0.0, 2.0)


def test_set_reaches_into_lists(yaml):
    config = yaml.load(
        ARMS, overrides=["arms.np.nanoparticles.0.dose_mg_kg=3", "arms.pdl1.antibodies.0.day=[1, 2]"]
    )
    assert config.therapy_of("both").nanoparticles[0].dose_mg_kg == 3.0
    assert config.therapy_of("both").antibodies[0].day == (1.0, 2.0)
    assert config.origin["arms.np.nanoparticles.0.dose_mg_kg"] == ("--set", 0)


def test_quick_shrinks_the_experiment_and_drops_late_doses(yaml):
    text = ARMS + "output: {snapshot_days: [0, 2, 5]}\nquick: {horizon_day: 2, replicates: 1}\n"
    assert yaml.load(text).horizon_day == 6.0
    config = yaml.load(text, quick=True)
    assert config.horizon_day == 2.0
    assert config.therapy_of("both").antibodies[0].day == (0.0,)
    assert config.therapy_of("both").nanoparticles == ()
    assert config.output.snapshot_days == (0.0, 2.0)
    assert yaml.load(text, quick=True, overrides=["horizon_day=3"]).horizon_day == 3.0


def test_quick_without_a_quick_section_is_refused(yaml):
    assert yaml.only(quick=True).key == "quick"


def test_the_preset_fills_what_the_config_leaves_out(yaml):
    config = yaml.load(
        "tumour: {preset: breast_4t1_like, clones: {fsp1_high: {share: 0.2}, acsl4_low: null}}\n"
    )
    assert config.tumour.cv == 0.25
    assert set(config.tumour.clones) == {"fsp1_high", "nrf2_high"}
    assert config.tumour.clones["fsp1_high"].share == 0.2
    assert config.tumour.clones["fsp1_high"].traits() == {"fsp1": 6.0}
    assert config.tumour_parameters()["division"]["drift"] == 0.05
    assert "ifng_response" in config.tumour_parameters()


def test_fields_and_agents_may_be_changed(yaml):
    config = yaml.load("fields: {oxygen: {clock_min: 10, held: true}, rsl3: {diffusion: 1}}\n")
    assert config.field_entries()["oxygen"].clock_min == 10.0
    assert config.field_entries()["oxygen"].diffusion == 1e5
    assert config.library.drug("rsl3").field_entry("rsl3").diffusion == 1.0
    assert yaml.load().library.drug("rsl3").diffusion == 5000.0


def test_mechanisms_are_switched_and_set(yaml):
    config = yaml.load("mechanisms: {motility: {on: false}, ferroptosis: {f_x: 0, on: true}}\n")
    assert config.switched_off() == {"motility"}
    assert config.mechanism_parameters() == {"ferroptosis": {"f_x": 0.0}}
    assert isinstance(config.mechanism_parameters()["ferroptosis"]["f_x"], float)


def test_numbers_are_read_as_yaml_1_2_means_them(yaml):
    config = yaml.load("seed: 1e3\ntumour: {mass_g: 5e-1}\nname: no\n")
    assert (config.seed, config.tumour.mass_g, config.name) == (1000, 0.5, "no")


def test_the_boundary_may_be_one_word_or_one_per_axis(yaml):
    one = yaml.load(overrides=["domain.boundary=periodic"])
    assert one.domain.boundary == {"x": "periodic", "y": "periodic", "z": "periodic"}
    assert yaml.load(overrides=["domain.boundary={x: fixed}"]).domain.boundary == {"x": "fixed"}


def test_the_resolved_config_loads_as_itself(yaml):
    config = yaml.load(ARMS + "mechanisms: {ferroptosis: {f_x: 0.5}}\nsweep: {seed: [1, 2]}\n")
    yaml.write(as_yaml(json.loads(json.dumps(config.to_dict()))), "resolved.yaml")
    again = yaml.load(name="resolved.yaml", base=(yaml.folder / "resolved.yaml").read_text())
    assert again == config
    assert again.digest == config.digest


def test_the_digest_follows_the_science_and_not_the_file(yaml):
    config = yaml.load(ARMS)
    assert len(config.digest) == 8
    assert yaml.load(ARMS, name="other.yaml").digest == config.digest
    assert yaml.load("# a remark\n" + ARMS + "output: {checkpoint_every_h: 1}\n").digest == config.digest
    assert yaml.load(ARMS + "seed: 2\n").digest != config.digest
    assert yaml.load(ARMS + "fields: {rsl3: {diffusion: 1}}\n").digest != config.digest
    assert yaml.load(ARMS, overrides=["arms.np.nanoparticles.0.dose_mg_kg=6"]).digest != config.digest


def test_a_config_survives_pickling(yaml):
    config = yaml.load(ARMS)
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert again.digest == config.digest
    assert again.with_values({"seed": 3}).seed == 3


def test_with_values_checks_what_it_puts_in(yaml):
    config = yaml.load(ARMS)
    assert (
        config.with_values({"arms.np.nanoparticles.0.dose_mg_kg": 2})
        .therapy_of("both")
        .nanoparticles[0]
        .dose_mg_kg
        == 2
    )
    with pytest.raises(ValueError, match="horizon_day"):
        config.with_values({"horizon_day": 1})


def test_a_swept_preset_brings_its_own_values(yaml):
    config = yaml.load("sweep: {tumour.preset: [b16_like, breast_4t1_like]}\n")
    assert config.with_values({"tumour.preset": "breast_4t1_like", "sweep": {}}).tumour.cv == 0.25


def test_a_table_of_cells_is_found_beside_the_config_and_counts_by_its_content(yaml, monkeypatch, tmp_path):
    base = "horizon_day: 6\ndomain: {size_um: [900, 900]}\n"
    base += "initial: {kind: cells, file: t.csv, columns: {x: x, y: y, type: t}, types: {T: tumour}}\n"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.csv").write_text("x,y,t\n1,2,T\n")
    config = yaml.load(name="sub/x.yaml", base=base)
    assert config.initial.file == str(tmp_path / "sub" / "t.csv")
    (tmp_path / "t.csv").write_text("x,y,t\n1,2,T\n")
    assert yaml.load(base=base).digest == config.digest
    (tmp_path / "t.csv").write_text("x,y,t\n1,3,T\n")
    assert yaml.load(base=base).digest != config.digest


def test_a_config_cannot_be_changed(yaml):
    with pytest.raises(ValueError, match="frozen"):
        yaml.load().seed = 3


def test_any_cell_type_of_the_library_may_be_named_and_null_takes_one_away(yaml):
    config = yaml.load("populations: {mdsc: {}, caf: {share: 0.2}, treg: null}\n")
    assert set(config.populations) == set(config.cell_types()) == {"mdsc", "caf"}
    assert config.populations["mdsc"].per_mm2 is None and config.populations["caf"].share == 0.2
    assert yaml.load("populations: {mdsc: null, cd8: {share: 0.1}}\n", "y.yaml").to_dict()["populations"] == {"cd8": {"share": 0.1}}
