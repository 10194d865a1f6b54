"""Every kind of bad input: file, line, dotted key, what was expected, the nearest valid name."""

import pytest

from tme.config import load_config
from tme.library import load_library
from tme.library.cells import Dies

ARM = "arms:\n  control: {}\n  a:\n    "
DRUGS, PARTICLES, ANTIBODIES = (ARM + f"{k}: [{{name: " for k in ("drugs", "nanoparticles", "antibodies"))
A = "arms.a."


@pytest.mark.parametrize(
    ("text", "line", "key", "words", "meant"),
    [
        ("horizn: 3\n", 4, "horizn", "unknown key", "horizon_day"),
        ("xyz: 3\n", 4, "xyz", "unknown key", ""),
        ("replicates: abc\n", 4, "replicates", "'abc'; expected a whole number", ""),
        ("replicates: 2.5\n", 4, "replicates", "whole number", ""),
        ("seed: -1\n", 4, "seed", "at least 0", ""),
        ("seed: true\n", 4, "seed", "whole number", ""),
        ("tumour: {cv: '0.2'}\n", 4, "tumour.cv", "'0.2'; expected a number", ""),
        ("tumour: {mass_g: .nan}\n", 4, "tumour.mass_g", "finite", ""),
        ("tumour: {mouse_g: .inf}\n", 4, "tumour.mouse_g", "finite", ""),
        ("tumour: [1]\n", 4, "tumour", "expected key: value", ""),
        ("fields: {oxygen: {diffusion: -5}}\n", 4, "fields.oxygen.diffusion", "at least 0", ""),
        ("fields:\n  oxygen:\n    decay: abc\n", 6, "fields.oxygen.decay", "expected a number", ""),
        ("fields: {oxigen: {decay: 1}}\n", 4, "fields.oxigen", "unknown field", "oxygen"),
        ("fields: {rsl3: {initial: 1}}\n", 4, "fields.rsl3.initial", "therapy", ""),
        ("fields: {peg_pdpa_rsl3: {coarsen: 2}}\n", 4, "fields.peg_pdpa_rsl3.coarsen", "particle", ""),
        ("seed: 1\nseed: 2\n", 5, "seed", "duplicate key, first given in line 4", ""),
        ("tumour: {preset: b16}\n", 4, "tumour.preset", "unknown tumour", "b16_like"),
        ("tumour: {clones: {fsp1_hi: {share: 0.1}}}\n", 4, "tumour.clones.fsp1_hi", "changes no trait", "fsp1_high"),
        ("tumour: {clones: {fsp1_high: {share: 0.99}}}\n", 4, "tumour.clones", "add up to 1.07", ""),
        ("populations: {cd8: {}}\n", 4, "populations.cd8", "either per_mm2 or share", ""),
        ("populations: {cd88: {share: 0.1}}\n", 4, "populations.cd88", "unknown cell type", "cd8"),
        ("populations: {tumour: {share: 0.1}}\n", 4, "populations.tumour", "those of `initial`", ""),
        ("populations: {mdsc: {share: 0.1, per_mm2: 2}}\n", 4, "populations.mdsc", "either per_mm2 or share", ""),
        ("populations: {mdsc: 3}\n", 4, "populations.mdsc", "expected key: value", ""),
        ("mechanisms: {feroptosis: {f_x: 0}}\n", 4, "mechanisms.feroptosis", "unknown mechanism", "ferroptosis"),
        ("mechanisms: {f_x: {on: true}}\n", 4, "mechanisms.f_x", "unknown mechanism", "ferroptosis.f_x"),
        ("mechanisms: {ferroptosis: {fx: 0}}\n", 4, "mechanisms.ferroptosis.fx", "unknown parameter", "f_x"),
        ("mechanisms: {ferroptosis: {v_x: 900}}\n", 4, "mechanisms.ferroptosis.v_x", "0 to 500 uM/min", ""),
        ("mechanisms: {ferroptosis: {v_x: abc}}\n", 4, "mechanisms.ferroptosis.v_x", "0 to 500 uM/min", ""),
        ("mechanisms: {ferroptosis: {on: 1}}\n", 4, "mechanisms.ferroptosis.on", "true or false", ""),
        ("modifiers: {x: 1}\n", 4, "modifiers", "is a key of schema 1", "rules"),
        ("clocks: {dt_min: 0.3}\n", 4, "clocks.dt_min", "1/2, 1/4", ""),
        ("clocks: {dt_min: 2}\n", 4, "clocks.dt_min", "motility (5 min)", ""),
        ("clocks: {chemistry_resting_min: 2.5}\n", 4, "clocks.chemistry_resting_min", "whole multiple", ""),
        ("fields: {ifng: {clock_min: 2.5}}\n", 4, "fields.ifng.clock_min", "whole multiple", ""),
        ("fields: {ifng: {clock_min: 0}}\n", 4, "fields.ifng.clock_min", "more than 0", ""),
        ("branch_at_day: 7\n", 4, "branch_at_day", "before 6", ""),
        ("output: {snapshot_days: [1, 9]}\n", 4, "output.snapshot_days.1", "outside the run", ""),
        ("sweep: {horizn: [1]}\n", 4, "sweep.horizn", "unknown key", "horizon_day"),
        ("sweep: {horizon_day: [3, abc]}\n", 4, "sweep.horizon_day", "'abc'", ""),
        ("sweep: {horizon_day: {from: 1}}\n", 4, "sweep.horizon_day", "{from: a, to: b, n: values", ""),
        ("sweep: {seed: {from: 0, to: 9, n: 3, scale: log}}\n", 4, "sweep.seed", "above 0 with log", ""),
        ("sweep: {horizon_day: {from: 1, to: 2, n: 3, scale: lin}}\n", 4, "sweep.horizon_day", "even or log", ""),
        ("quick: {horizn: 1}\n", 4, "horizn", "unknown key", "horizon_day"),
        ("quick: true\n", 4, "quick", "is no mapping", ""),
        ("quick: [1, 2]\n", 4, "quick", "is no mapping", ""),
        ("extends: nothing\n", 4, "extends", "no config 'nothing'", ""),
        (DRUGS + "rls3, dose_mg_kg: 1}]\n", 7, A + "drugs.0.name", "unknown drug", "rsl3"),
        (DRUGS + "rsl3, dose_mgkg: 1}]\n", 7, A + "drugs.0.dose_mgkg", "unknown key", "dose_mg_kg"),
        (DRUGS + "rsl3}]\n", 7, A + "drugs.0.dose_mg_kg", "missing", ""),
        (DRUGS + "rsl3, route: bath, dose_mg_kg: 1, bath_uM: 1}]\n", 7, A + "drugs.0.dose_mg_kg", "bath", ""),
        (ARM + "drugs: {name: rsl3}\n", 7, A + "drugs", "a list", ""),
        (PARTICLES + "peg, dose_mg_kg: 1, day: 0}]\n", 7, A + "nanoparticles.0.name", "unknown nanoparticle", "peg_pdpa_rsl3"),
        (PARTICLES + "cnsi_fe, dose_mg_kg: 1, day: 0}]\n", 7, A + "nanoparticles.0.route", "not given iv", ""),
        (ANTIBODIES + "anti_pd_l1, dose_mg_kg: 1, day: 0}]\n", 7, A + "antibodies.0.name", "unknown antibody", "anti_pdl1"),
        (ANTIBODIES + "anti_pdl1, dose_mg_kg: 1, day: [0, 6]}]\n", 7, A + "antibodies.0.day", "after the end", ""),
        (ANTIBODIES + "anti_pdl1, dose_mg_kg: 1, day: -1}]\n", 7, A + "antibodies.0.day", "before the start", ""),
        (ARM + "use: [contrl]\n", 7, A + "use.0", "unknown arm", "control"),
        (ARM + "use: [a]\n", 7, A + "use", "circle: a -> a", ""),
        (ARM + "radiation: [{gy: 2}]\n", 7, A + "radiation", "events: [{name: radiation", ""),
        ("arms: {growth: {}}\n", 4, "arms.growth", "no usable name", ""),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_key_and_nearest_name(yaml, text, line, key, words, meant):
    fault = yaml.only(text)
    assert (fault.file, fault.line, fault.key) == ("x.yaml", line, key)
    assert words in str(fault)
    assert fault.meant == meant
    assert str(fault).startswith(f"x.yaml:{line}: {key}: ")


def test_an_agent_in_the_wrong_list_is_pointed_to_the_right_one(yaml):
    fault = yaml.only("arms: {a: {nanoparticles: [{name: rsl3, dose_mg_kg: 1, day: 0}]}}\n")
    assert "drugs:" in fault.meant


def test_zero_cells_are_refused(yaml):
    fault = yaml.only(
        base="horizon_day: 6\ndomain: {size_um: [900, 900]}\ninitial: {kind: nodule, n_cells: 0}\n"
    )
    assert (fault.line, fault.key) == (3, "initial.n_cells")


def test_more_cells_than_voxels_are_refused(yaml):
    fault = yaml.only(
        base="horizon_day: 6\ndomain: {size_um: [900, 900]}\ninitial: {kind: nodule, n_cells: 4000}\n"
    )
    assert "3600 voxels" in fault.problem


@pytest.mark.parametrize(
    ("dx", "thickness", "good"), [(10, 20, False), (10, 25, True), (11, 20, False), (12, 20, True)]
)
def test_a_voxel_must_hold_a_cell(yaml, dx, thickness, good):
    base = f"horizon_day: 6\ndomain: {{size_um: [900, 900], dx_um: {dx}, thickness_um: {thickness}}}\ninitial: {{kind: nodule, n_cells: 9}}\n"
    if good:
        yaml.load(base=base)
    else:
        assert "smaller than a cell" in yaml.only(base=base).problem


def test_a_voxel_in_3d_must_hold_a_cell(yaml):
    base = "horizon_day: 6\ndomain: {size_um: [300, 300, 300], dx_um: 13}\ninitial: {kind: spheroid, n_cells: 9}\n"
    assert "2197 um^3" in yaml.only(base=base).problem


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(yaml):
    found = yaml.faults("seed: abc\nhorizn: 3\nfields: {ifng: {decay: -1}}\nclocks: {dt_min: 0.3}\nseed: 4\n")
    assert [f.line for f in found] == [4, 5, 6, 7, 8]


def test_a_misspelt_key_is_not_also_told_as_missing(yaml):
    base = "horizon_days: 6\ndomain: {size_um: [900, 900]}\ninitial: {kind: nodule, n_cells: 3}\n"
    assert yaml.only(base=base).meant == "horizon_day"


def test_missing_keys_are_told(yaml):
    assert [f.key for f in yaml.faults("seed: 1\n", base="")] == ["horizon_day", "domain", "initial"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# nothing but a remark\n", "is empty"),
        (b"- 1\n- 2\n", "is not a mapping"),
        (b"just words\n", "is not a mapping"),
        (b"a: 1\narms:\n  x: {drugs: [{name: rsl3,", "cut short?"),
        (b"a: 1\nhoriz", "not valid YAML"),
        (b"a: [1, 2\nb: 3\n", "not valid YAML"),
        (b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe", "binary"),
        (b"a: 1\x00b: 2", "binary"),
        (b"a: \x07\n", "not valid YAML"),
        (b"a: 1\n---\nb: 2\n", "not valid YAML"),
        (b"seed: &x {a: *x}\n", "alias"),
        (b"seed: !!python/object:os.system x\n", "not allowed"),
        (b"seed: *nowhere\n", "undefined alias"),
    ],
)
def test_a_malformed_file_is_told(yaml, content, words):
    assert any(words in str(f) and str(f).startswith("x.yaml:") for f in yaml.faults(content))


def test_a_bomb_of_aliases_is_refused(yaml):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert any("alias" in f.problem for f in yaml.faults("\n".join(lines).encode()))


def test_a_missing_file_is_told_with_its_neighbour(yaml):
    yaml.write("seed: 1\n", "four_arms.yaml")
    with pytest.raises(ValueError, match=r"four_arm\.yaml: no such file.*did you mean 'four_arms.yaml'"):
        load_config("four_arm.yaml", {})


def test_a_folder_is_no_config(yaml):
    with pytest.raises(ValueError, match="is a directory"):
        load_config(yaml.folder, {})


def test_configs_that_extend_each_other_are_told_as_a_circle(yaml):
    yaml.write("extends: x\n", "y.yaml")
    assert "x -> y -> x" in yaml.only("extends: y\n", base="").problem


def test_a_fault_in_the_extended_file_is_told_there(yaml):
    yaml.write("seed: abc\n", "parent.yaml")
    fault = yaml.only("extends: parent\n")
    assert (fault.file, fault.line, fault.key) == ("parent.yaml", 1, "seed")


@pytest.mark.parametrize(
    ("change", "key", "words", "meant"),
    [
        ("horizn=3", "horizn", "unknown key", "horizon_day"),
        ("seed=abc", "seed", "whole number", ""),
        ("seed.x=3", "seed.x", "has no 'x'", ""),
        ("arms.a.drugs.1.dose_mg_kg=3", "arms.a.drugs.1.dose_mg_kg", "an index from 0 to 0", ""),
        ("arms.a.drugs.0.dose_mgkg=3", "arms.a.drugs.0.dose_mgkg", "unknown key", "dose_mg_kg"),
        ("arms.b.drugs.0.dose_mg_kg=3", "arms.b.drugs.0.dose_mg_kg", "has no '0'", ""),
        ("nonsense", "", "is no assignment", ""),
        ("tumour.cv=[1", "tumour.cv", "not a YAML value", ""),
    ],
)
def test_a_faulty_set_is_told(yaml, change, key, words, meant):
    text = "arms: {a: {drugs: [{name: rsl3, dose_mg_kg: 1}]}}\n"
    fault = next(f for f in yaml.faults(text, overrides=[change]))
    assert (fault.file, fault.key, fault.meant) == ("--set", key, meant)
    assert words in str(fault)


def test_a_bath_and_another_route_of_one_agent_are_refused(yaml):
    text = """\
arms:
  shot: {drugs: [{name: rsl3, dose_mg_kg: 1}]}
  bath: {drugs: [{name: rsl3, bath_uM: 9, route: bath}]}
  both: {use: [shot, bath]}
"""
    assert yaml.only(text).key == "arms.both.use"


def test_light_on_a_sensitiser_of_another_name_is_told(yaml):
    """What would do nothing in silence; named, or with no sensitiser at all (light alone), it is taken."""
    text = """arms:
  dark: {nanoparticles: [{name: peg_pdpa_rsl3_pbe, dose_mg_kg: 9, day: 0}]}
  light: {use: [dark], events: [{name: light, fluence_mw_cm2: 50, minutes: 10, day: 0}]}
  both: {use: [light]}
"""
    fault = yaml.only(text)
    assert fault.key == "arms.light.events.0.sensitiser" and "pyropheophorbide" in str(fault)
    assert yaml.load(text.replace("day: 0}]}\n  both", "day: 0, sensitiser: pyropheophorbide}]}\n  both"))
    assert yaml.load(text.replace("use: [dark], ", ""))


EVENTS = ARM + "events: [{name: "
DEPOT = DRUGS + "rsl3, dose_mg_kg: 1, route: "


@pytest.mark.parametrize(
    ("text", "key", "words", "meant"),
    [
        (EVENTS + "radiaton, dose_gy: 2, day: 0}]\n", "events.0.name", "unknown event", "radiation"),
        (EVENTS + "radiation, day: 0}]\n", "events.0.dose_gy", "missing", ""),
        (EVENTS + "radiation, dose_gy: 2}]\n", "events.0.day", "missing", ""),
        (EVENTS + "radiation, dose_gy: -2, day: 0}]\n", "events.0.dose_gy", "at least 0", ""),
        (EVENTS + "radiation, dose_gy: 2, day: 9}]\n", "events.0.day", "after the end", ""),
        (EVENTS + "radiation, dose_gy: 2, minutes: 3, day: 0}]\n", "events.0.minutes", "does not go with an event of kind radiation", ""),
        (EVENTS + "radiation, dose_gy: 2, day: 0, place: {kind: ball, centre_um: [2, 2]}}]\n", "events.0.place.radius_um", "missing", ""),
        (EVENTS + "radiation, dose_gy: 2, day: 0, place: tumor}]\n", "events.0.place", "tumour", "tumour"),
        (EVENTS + "radiation, dose_gy: 2, day: 0, place: vessels}]\n", "events.0.place", "unknown place 'vessels'", ""),
        (EVENTS + "radiation, dose_gy: 2, day: 0, place: {kind: ball, centre_um: [9e9, 2], radius_um: 5}}]\n", "events.0.place.centre_um", "outside", ""),
        (EVENTS + "radiation, dose_gy: 2, day: 0, place: {kind: box, from_um: [9, 9], to_um: [9, 20]}}]\n", "events.0.place.to_um", "beyond", ""),
        (EVENTS + "light, fluence_mw_cm2: 50, minutes: 10.5, day: 0}]\n", "events.0.minutes", "base tick", ""),
        (EVENTS + "light, fluence_mw_cm2: 50, minutes: 10, day: 0, sensitiser: photosens}]\n", "events.0.sensitiser", "unknown drug", "photosensitiser"),
        (EVENTS + "light, fluence_mw_cm2: 50, minutes: 10, day: 0, enters: z_low}]\n", "events.0.enters", "no depth", ""),
        (EVENTS + "kill_share, share: 1.2, day: 0}]\n", "events.0.share", "at most 1", ""),
        (EVENTS + "cell_transfer, cells: cd9, count: 5, day: 0}]\n", "events.0.cells", "unknown type", "cd8"),
        (EVENTS + "cell_transfer, cells: tumour, count: 5, day: 0}]\n", "events.0.cells", "unknown type", ""),
        (EVENTS + "cell_transfer, cells: cd8, day: 0}]\n", "events.0.count", "missing", ""),
        (EVENTS + "cell_transfer, cells: cd8, count: 5, per_mm2: 5, day: 0}]\n", "events.0.per_mm2", "one of them", ""),
        (EVENTS + "heat, minutes: 10, day: 0}]\n", "events.0.celsius", "celsius or fluence_mw_cm2", ""),
        (EVENTS + "heat, celsius: 45, fluence_mw_cm2: 9, minutes: 10, day: 0}]\n", "events.0.fluence_mw_cm2", "does not go with celsius", ""),
        (EVENTS + "heat, celsius: 30, minutes: 10, day: 0}]\n", "events.0.celsius", "above 37, at most 60", ""),
        (EVENTS + "heat, celsius: 45, sensitiser: photosensitiser, minutes: 10, day: 0}]\n", "events.0.sensitiser", "does not go with celsius", ""),
        (EVENTS + "heat, celcius: 45, minutes: 10, day: 0}]\n", "events.0.celcius", "unknown key", "celsius"),
        (EVENTS + "sound, minutes: 10, day: 0}]\n", "events.0.intensity_w_cm2", "missing", ""),
        (EVENTS + "sound, intensity_w_cm2: 1, minutes: 10.3, day: 0}]\n", "events.0.minutes", "base tick", ""),
        (EVENTS + "sound, intensity_w_cm2: 1, minutes: 10, day: 0, sensitiser: photosensitizer}]\n", "events.0.sensitiser", "unknown drug", "photosensitiser"),
        (EVENTS + "resection, day: 0, place: everywhere}]\n", "events.0.place", "unknown place 'everywhere'", ""),
        (EVENTS + "resection, day: 0, margin: 5}]\n", "events.0.margin", "unknown key", "margin_um"),
        (EVENTS + "resection, day: -1}]\n", "events.0.day", "before the start", ""),
        (EVENTS + "implant, day: 0}]\n", "events.0.count", "missing", ""),
        (EVENTS + "vaccination, cause: feroptosis, age_h: 2, day: -7}]\n", "events.0.cause", "unknown death", "ferroptosis"),
        (EVENTS + "vaccination, cause: ferroptosis, day: -7}]\n", "events.0.age_h", "missing", ""),
        (EVENTS + "vaccination, cause: ferroptosis, age_h: 2, day: -7, place: tumour}]\n", "events.0.place", "does not go with", ""),
        (EVENTS + "vaccinaton, cause: ferroptosis, age_h: 2, day: -7}]\n", "events.0.name", "unknown event", "vaccination"),
        (DEPOT + "depot}]\n", "drugs.0.release_per_h", "missing", ""),
        (DEPOT + "iv, centre_um: [2, 2]}]\n", "drugs.0.centre_um", "does not go with route iv", ""),
        (DEPOT + "intratumoral, centre_um: [2, 2, 2]}]\n", "drugs.0.centre_um", "has 3 numbers", ""),
        (DEPOT + "iv, dose_mg: 2}]\n", "drugs.0.dose_mg", "one of them", ""),
        (DRUGS + "rsl3, dose_mg_kg: 1, until_d: 3}]\n", "drugs.0.until_d", "every_d only", ""),
        (DRUGS + "rsl3, dose_mg_kg: 1, day: 3, every_d: 1, until_d: 2}]\n", "drugs.0.until_d", "before the first", ""),
        (DRUGS + "rsl3, dose_mg_kg: 1, every_d: 0}]\n", "drugs.0.every_d", "more than 0", ""),
        (DRUGS + "rsl3, dose_mg_kg: 1, every_d: 0.001}]\n", "drugs.0.every_d", "1000 times", ""),
        (DRUGS + "rsl3, dose_mg_kg: 1, day: [0, 1], every_d: 2}]\n", "drugs.0.every_d", "several days", ""),
        (ANTIBODIES + "anti_pdl1, bath_nM: 1, day: 0}]\n", "antibodies.0.dose_mg_kg", "route: bath", ""),
        (ANTIBODIES + "anti_pdl1, route: bath, bath_uM: 1, day: 0}]\n", "antibodies.0.bath_uM", "unknown key", "bath_nM"),
    ],
)  # fmt: skip
def test_a_faulty_event_route_or_schedule_is_told(yaml, text, key, words, meant):
    fault = next(f for f in yaml.faults(text) if f.key == A + key)
    assert words in str(fault)
    assert fault.meant == meant
    assert fault.line == 7


def test_a_vaccination_may_lie_before_the_run_but_not_before_arms_that_branch(yaml):
    vaccine = EVENTS + "vaccination, cause: ferroptosis, age_h: 2, day: -7}]\n"
    assert yaml.load(vaccine).arms["a"].events[0].day == (-7.0,)
    assert "before the arms branch off" in str(yaml.only("start_day: -2\nbranch_at_day: 1\n" + vaccine))


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ("{kind: ball, n_cells: 3}", "unknown kind 'ball'"),
        ("{kind: spheroid, n_cells: 3}", "three dimensions"),
        ("{kind: cells, file: no.csv, columns: {x: x, y: y, type: t}, types: {T: cd8}}", "no such file"),
        ("{kind: cells, file: t.csv, columns: {x: x, y: yy, type: t}, types: {T: cd8}}", "did you mean 'y'"),
        ("{kind: cells, file: t.csv, columns: {x: x, y: y}, types: {T: cd8}}", "initial.columns.type: missing"),
        ("{kind: cells, file: t.csv, columns: {x: x, y: y, type: t}, types: {T: cd88}}", "did you mean 'cd8'"),
        ("{kind: cells, file: t.csv, columns: {x: x, y: y, type: t}, types: {T: cd8}, traits: {q: {trait: xct}}}", "column of t.csv 'q'"),
    ],
)  # fmt: skip
def test_a_faulty_start_is_told(yaml, initial, words):
    yaml.write("x,y,t\n1,2,T\n", "t.csv")
    fault = yaml.only(base=f"horizon_day: 6\ndomain: {{size_um: [900, 900]}}\ninitial: {initial}\n")
    assert words in str(fault)


def test_a_cell_type_whose_clock_does_not_divide_is_refused(yaml):
    told = [str(f) for f in yaml.faults("clocks: {dt_min: 4}\npopulations: {nk: {}, neutrophil: {}}\n")]
    assert any("does not divide the clock of neutrophil, 2 min" in line for line in told)
    assert not any("nk" in line for line in told)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"volume_um3": 9000.0}, "a cell of 9000 um^3 does not fit into a voxel of 3375 um^3"),
        ({"dies": Dies.model_validate({"necrosis": {"parameter": "division.drft"}})}, "'division.drft', which does not exist"),
    ],
)
def test_a_cell_type_that_cannot_be_is_refused_where_a_config_uses_it(yaml, change, words):
    library = load_library()
    wrong = library.with_entry("cells", "caf", library.cells["caf"].model_copy(update=change), library.raw["cells"]["caf"])
    assert words in str(yaml.only("populations: {caf: {}}\n", library=wrong))
    yaml.load("populations: {normal: {}}\n", library=wrong)
