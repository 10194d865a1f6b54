"""Any number of any library entry can be changed in a config, by --set and by a sweep; wrong changes are refused."""

import pytest

from tme.library import KINDS, load_library

ARMS = "arms: {control: {}, np: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 5, day: 2}]}}\n"
HALF_LIFE = "entries.drugs.rsl3.plasma_half_life_min"


def test_a_bare_number_replaces_the_value_and_keeps_the_unit(yaml):
    entry = yaml.load("entries: {drugs: {rsl3: {plasma_half_life_min: 30}}}\n").library.drug("rsl3")
    number = entry.numbers["plasma_half_life_min"]
    assert (entry.plasma_half_life_min, number.unit, number.range, number.status) == (30.0, "min", (10.0, 60.0), "chosen")
    assert "15" in number.source
    assert load_library().drug("rsl3").plasma_half_life_min == 15.0


def test_a_number_beyond_its_prior_is_taken_and_has_no_prior_any_more(yaml):
    number = yaml.load(overrides=[f"{HALF_LIFE}=600"]).library.drug("rsl3").numbers["plasma_half_life_min"]
    assert (number.value, number.range) == (600.0, None)


def test_a_whole_number_replaces_all_and_a_part_of_one_the_rest(yaml):
    text = """\
entries:
  drugs:
    rsl3:
      plasma_half_life_min: {value: 90, range: [60, 120], status: measured, source: "our own mice, 2026"}
      decay: {range: [0.001, 0.2]}
      cell_loss: {source: "doi 10.1000/1"}
"""
    numbers = yaml.load(text).library.drug("rsl3").numbers
    half = numbers["plasma_half_life_min"]
    assert (half.value, half.unit, half.range, half.status, half.source) == (90, "min", (60, 120), "measured", "our own mice, 2026")
    assert (numbers["decay"].value, numbers["decay"].range, numbers["decay"].status) == (0.01, (0.001, 0.2), "tuned")
    assert (numbers["cell_loss"].value, numbers["cell_loss"].status) == (0.02, "measured")


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("drugs.rsl3.hits.gpx4.k_per_uM_min", 0.2, lambda x: x.drug("rsl3").hits[0].k_per_uM_min),
        ("drugs.ike.hits.xct.hill", 2, lambda x: x.drug("ike").hits[0].hill),
        ("nanoparticles.peg_pdpa_rsl3.payloads.rsl3.free_fraction", 0.9, lambda x: x.nanoparticle("peg_pdpa_rsl3").payloads[0].free_fraction),
        ("nanoparticles.iron_oxide.payloads.iron.labile_fraction", 0.02, lambda x: x.nanoparticle("iron_oxide").payloads[0].labile_fraction),
        ("nanoparticles.peg_pdpa_rsl3.release.k_ph", 0.02, lambda x: x.nanoparticle("peg_pdpa_rsl3").release.k_ph),
        ("nanoparticles.peg_pdpa_rsl3.percent_id", 3, lambda x: x.nanoparticle("peg_pdpa_rsl3").percent_id),
        ("tumours.b16_like.clones.fsp1_high.share", 0.1, lambda x: x.tumour("b16_like").clones["fsp1_high"].share),
        ("tumours.b16_like.clones.fsp1_high.traits.fsp1", 9, lambda x: x.tumour("b16_like").clones["fsp1_high"].traits["fsp1"].value),
        ("tumours.b16_like.parameters.vessels.per_mm2", 50, lambda x: x.tumour("b16_like").parameters["vessels"]["per_mm2"].value),
        ("fields.oxygen.initial", 50, lambda x: x.field("oxygen").initial),
        ("antibodies.anti_pdl1.kd_nM", 2, lambda x: x.antibody("anti_pdl1").kd_nM),
    ],
)
def test_one_dotted_path_serves_set_sweep_and_python(yaml, key, value, read):
    path = f"entries.{key}"
    config = yaml.load(ARMS, overrides=[f"{path}={value}"])
    assert read(config.library) == value
    assert read(yaml.load(ARMS).with_values({path: value}).library) == value
    swept = yaml.load(ARMS + f"sweep: {{{path}: [{value}]}}\n")
    assert read(swept.with_values({path: value}).library) == value
    assert config.origin[path] == ("--set", 0)


def test_a_tumour_entry_changed_reaches_the_resolved_tumour(yaml):
    config = yaml.load(overrides=["entries.tumours.b16_like.clones.fsp1_high.share=0.1", "entries.tumours.b16_like.cv=0.3"])
    assert (config.tumour.clones["fsp1_high"].share, config.tumour.cv) == (0.1, 0.3)


def test_the_digest_follows_what_is_used_with_its_changes(yaml):
    plain = yaml.load(ARMS).digest
    assert yaml.load(ARMS, overrides=[f"{HALF_LIFE}=30"]).digest != plain  # as the payload of the platform
    assert yaml.load(ARMS, overrides=["entries.drugs.bso.decay=0.03"]).digest == plain
    assert yaml.load(ARMS, overrides=[f"{HALF_LIFE}=15"]).digest == plain
    assert yaml.load(ARMS, overrides=[f"{HALF_LIFE}.source='doi 10.1000/1'"]).digest == plain
    old = yaml.load(ARMS + "fields: {oxygen: {diffusion: 9e4}}\n")
    assert old.digest == yaml.load(ARMS, overrides=["entries.fields.oxygen.diffusion=9e4"]).digest != plain


def test_a_child_changes_one_number_of_what_its_parent_changed(yaml):
    yaml.write(yaml.base + "entries: {drugs: {rsl3: {decay: 0.02, plasma_half_life_min: {value: 20, range: [10, 30], source: 'assumed: x'}}}}\n", "parent.yaml")
    text = "extends: parent\nentries: {drugs: {rsl3: {plasma_half_life_min: {value: 50, source: 'assumed: y'}}}}\n"
    numbers = yaml.load(text, base="").library.drug("rsl3").numbers
    assert (numbers["decay"].value, numbers["plasma_half_life_min"].value, numbers["plasma_half_life_min"].range) == (0.02, 50, None)


@pytest.mark.parametrize(
    ("text", "key", "words", "meant"),
    [
        ("{drgs: {}}", "drgs", "unknown kind", "drugs"),
        ("{drugs: {rls3: {decay: 1}}}", "drugs.rls3", "there is no rls3 among the drugs", "rsl3"),
        ("{drugs: {oxygen: {decay: 1}}}", "drugs.oxygen", "there is no oxygen", "entries.fields.oxygen"),
        ("{drugs: {rsl3: {half_life: 1}}}", "drugs.rsl3.half_life", "unknown key", "plasma_half_life_min"),
        ("{drugs: {rsl3: {decai: 1}}}", "drugs.rsl3.decai", "unknown key", "decay"),
        ("{drugs: {rsl3: {decay: -1}}}", "drugs.rsl3.decay", "is -1; expected a number at least 0", ""),
        ("{drugs: {rsl3: {unbound_fraction: 2}}}", "drugs.rsl3.unbound_fraction", "at most 1", ""),
        ("{drugs: {rsl3: {decay: much}}}", "drugs.rsl3.decay", "is 'much'; expected a number, or {value", ""),
        ("{drugs: {rsl3: {decay: true}}}", "drugs.rsl3.decay", "expected a number", ""),
        ("{drugs: {rsl3: {decay: {value: 1, unit: 1/h, source: abcd}}}}", "drugs.rsl3.decay", "given in '1/h', expected '1/min'", ""),
        ("{drugs: {rsl3: {decay: {value: 1}}}}", "drugs.rsl3.decay.source", "missing", ""),
        ("{drugs: {rsl3: {decay: {value: 1, source: abcd, status: guessed}}}}", "drugs.rsl3.decay.status", "is 'guessed'", ""),
        ("{drugs: {rsl3: {decay: null}}}", "drugs.rsl3.decay", "missing", ""),
        ("{drugs: {rsl3: {hits: {gpx5: {k_per_uM_min: 1}}}}}", "drugs.rsl3.hits.gpx5", "there is no 'gpx5'", "gpx4"),
        ("{drugs: {rsl3: {hits: {0: {k_per_uM_min: 1}}}}}", "drugs.rsl3.hits.0", "there is no '0'; expected one of gpx4", ""),
        ("{drugs: {rsl3: {hits: {gpx4: {k_per_uM_min: -1}}}}}", "drugs.rsl3.hits.gpx4.k_per_uM_min", "at least 0", ""),
        ("{drugs: {rsl3: {hits: {gpx4: {ki_uM: 1}}}}}", "drugs.rsl3.hits.gpx4", "needs k_per_uM_min and no other", ""),
        ("{drugs: {rsl3: 4}}", "drugs.rsl3", "expected key: value lines", ""),
        ("{tumours: {b16_like: {parameters: {division: {k_dib: 1}}}}}", "tumours.b16_like.parameters.division.k_dib", "its unit is not known", ""),
        ("{tumours: {ht1080: {parameters: {division: {drift: {value: 3, unit: '1', source: abcd}}}}}}", "tumours.ht1080.parameters.division.drift", "3 is out of bounds; expected 0 to 1", ""),
        ("{tumours: {ht1080: {parameters: {division: {drif: {value: 3, unit: '1', source: abcd}}}}}}", "tumours.ht1080.parameters.division.drif", "unknown parameter", "drift"),
        ("{tumours: {b16_like: {clones: {fsp1_high: {share: 2}}}}}", "tumours.b16_like.clones.fsp1_high.share", "at most 1", ""),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused_with_file_line_key_and_nearest_name(yaml, text, key, words, meant):
    fault = yaml.only(f"entries: {text}\n")
    assert (fault.file, fault.line) == ("x.yaml", 4)
    assert fault.key == f"entries.{key}"
    assert words in str(fault)
    assert fault.meant == meant


def test_a_key_of_an_agent_under_fields_is_shown_its_place(yaml):
    fault = yaml.only("fields: {rsl3: {plasma_half_life: 30}}\n")
    assert fault.meant == "entries.drugs.rsl3.plasma_half_life_min"
    assert "other keys go under entries.drugs.rsl3" in str(fault)


def test_a_wrong_value_in_a_sweep_is_told_at_the_sweep(yaml):
    fault = yaml.only(f"sweep: {{{HALF_LIFE}: [30, -1]}}\n")
    assert fault.key == f"sweep.{HALF_LIFE}" and "more than 0" in str(fault)


def test_items_of_a_list_in_an_arm_are_addressed_by_name_too(yaml):
    config = yaml.load(ARMS, overrides=["arms.np.nanoparticles.peg_pdpa_rsl3.dose_mg_kg=3"])
    assert config.arms["np"].nanoparticles[0].dose_mg_kg == 3.0
    fault = yaml.only(ARMS, overrides=["arms.np.nanoparticles.peg.dose_mg_kg=3"])
    assert "'peg' is no item" in fault.problem


def test_rules_pass_through_as_they_are_and_their_ids_may_hold_a_dot(yaml):
    text = "rules: {M11: on, M53.hif1: {to: 0.8}, M31: {to: 2}, M99: true}\n"
    config = yaml.load(text, overrides=["rules.M53.hif2=on", "rules.M31.half=3", "rules.M53.hif1.to=0.5", "rules.M99=false"])
    assert config.rules == {"M11": "on", "M53.hif1": {"to": 0.5}, "M31": {"to": 2, "half": 3}, "M99": False, "M53.hif2": "on"}
    assert yaml.load(text).digest != yaml.load().digest


def test_schema_2_may_be_stated_and_its_former_keys_are_refused_with_their_new_name(yaml):
    assert yaml.load("schema: 2\n").digest == yaml.load().digest
    assert yaml.only("schema: 1\n").key == "schema"
    fault = yaml.only("modifiers: {}\n")
    assert (fault.key, fault.meant) == ("modifiers", "rules")
    assert yaml.load("study: {draws: 5}\n").digest == yaml.load().digest


def test_a_resolved_config_with_changes_loads_as_itself(yaml):
    from tme.cli.shared import as_yaml

    config = yaml.load(ARMS, overrides=[f"{HALF_LIFE}=30", "entries.nanoparticles.peg_pdpa_rsl3.payloads.rsl3.free_fraction=0.9"])
    again = yaml.load(name="resolved.yaml", base=as_yaml(config.to_dict()))
    assert again == config and again.library.drug("rsl3").plasma_half_life_min == 30.0


def test_every_kind_is_in_one_tuple_and_everything_follows_from_it():
    library = load_library()
    assert list(library.entries) == [k.name for k in KINDS]
    for kind in KINDS:
        assert getattr(library, kind.name) is library.entries[kind.name]
        name = next(iter(library.entries[kind.name]))
        assert getattr(library, kind.one)(name) is library.entries[kind.name][name]
        assert library.entries[kind.name][name].row()


def test_every_number_of_the_library_is_listed_under_the_key_that_changes_it(yaml):
    """All numbers at once: each set to its own value keeps unit and range and becomes the user's choice."""
    library = load_library()
    keys = [(k, n, key, x) for k, named in library.entries.items() for n, e in named.items() for key, x in e.numbers.items()]
    config = yaml.load(overrides=[f"entries.{k}.{n}.{key}={x.value!r}" for k, n, key, x in keys])
    assert len(keys) > 300
    for k, n, key, x in keys:
        new = config.library.entries[k][n].numbers[key]
        assert (new.value, new.unit, new.range, new.status) == (x.value, x.unit, x.range, "chosen"), key
    assert config.digest == yaml.load().digest
