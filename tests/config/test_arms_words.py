"""`only` and `factorial` inside `arms`, and a horizon shortened by --set."""

import json

import pytest

from tme.cli import as_yaml

PARENT = """\
arms:
  control: {}
  pdl1: {antibodies: [{name: anti_pdl1, dose_mg_kg: 10, day: [0, 3]}]}
  np: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 5, day: [1, 4]}]}
  both: {use: [pdl1, np]}
"""
CHILD = "extends: parent\n"


@pytest.fixture
def child(yaml):
    """Loads a child of a four-armed parent."""
    yaml.write(yaml.base + PARENT + "output: {snapshot_days: [1, 5]}\n", "parent.yaml")
    return lambda text, **options: yaml.load(CHILD + text, base="", **options)


@pytest.fixture
def fault(yaml, child):
    """The one fault of a child."""
    return lambda text, **options: yaml.only(CHILD + text, base="", **options)


def test_only_makes_a_childs_arms_all_there_are(child):
    ike = "{drugs: [{name: ike, dose_mg_kg: 40, day: 0}]}"
    assert list(child(f"arms: {{only: true, control: {{}}, ike: {ike}}}\n").arms) == ["control", "ike"]
    assert list(child(f"arms: {{only: false, ike: {ike}}}\n").arms) == ["control", "pdl1", "np", "both", "ike"]


def test_an_arm_that_only_keeps_has_nothing_of_the_inherited_one_of_its_name(child):
    arms = child("arms: {only: true, pdl1: {drugs: [{name: ike, dose_mg_kg: 40, day: 0}]}}\n").arms
    assert list(arms) == ["pdl1"]
    assert arms["pdl1"].antibodies == () and arms["pdl1"].drugs[0].name == "ike"


def test_a_grandchild_inherits_what_only_left(yaml, child):
    child("arms: {only: true, control: {}}\n")
    assert list(yaml.load("extends: x\nseed: 2\n", "y.yaml", base="").arms) == ["control"]


def test_factorial_makes_all_subsets_with_an_untreated_control(yaml):
    ike = "  ike: {drugs: [{name: ike, dose_mg_kg: 40, day: 0}]}\n"
    config = yaml.load(PARENT.replace("  control: {}\n", "").replace("  both: {use: [pdl1, np]}\n", ike) + "  factorial: [pdl1, np, ike]\n")
    assert list(config.arms) == [
        "control", "pdl1", "np", "ike", "pdl1_plus_np", "pdl1_plus_ike", "np_plus_ike", "pdl1_plus_np_plus_ike",
    ]  # fmt: skip
    assert config.therapy_of("control") == type(config.arms["control"])()
    three = config.therapy_of("pdl1_plus_np_plus_ike")
    assert [i.name for i in (*three.antibodies, *three.nanoparticles, *three.drugs)] == ["anti_pdl1", "peg_pdpa_rsl3", "ike"]


def test_factorial_with_only_takes_the_named_arms_from_the_parent(child):
    arms = child("arms: {only: true, factorial: [pdl1, np]}\n").arms
    assert list(arms) == ["control", "pdl1", "np", "pdl1_plus_np"]
    assert arms["np"].nanoparticles[0].dose_mg_kg == 5


def test_a_subset_follows_a_change_of_its_part_and_can_be_dropped(yaml, child):
    child("arms: {only: true, factorial: [pdl1, np]}\n")
    text = "extends: x\narms: {np: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 7, day: 0}]}}\n"
    assert yaml.load(text, "y.yaml", base="").therapy_of("pdl1_plus_np").nanoparticles[0].dose_mg_kg == 7
    assert "pdl1_plus_np" not in yaml.load("extends: x\narms: {pdl1_plus_np: null}\n", "y.yaml", base="").arms


def test_factorial_can_be_set_on_the_command_line(child):
    assert "pdl1_plus_np" in child("seed: 3\n", overrides=["arms.factorial=[pdl1, np]"]).arms


def test_factorial_works_in_a_quick_section(child):
    quick = child("quick: {horizon_day: 3, arms: {only: true, factorial: [np]}}\n", quick=True)
    assert list(quick.arms) == ["control", "np"]


def test_the_resolved_config_holds_the_arms_themselves_and_loads_again(yaml, child):
    config = child("arms: {only: true, factorial: [pdl1, np]}\n")
    again = yaml.load(as_yaml(config.to_dict()), "again.yaml", base="")
    assert again.digest == config.digest
    assert not {"only", "factorial"} & set(config.to_dict()["arms"])


@pytest.mark.parametrize(
    ("words", "problem", "expected", "meant"),
    [
        ("{factorial: [pdll, np]}", "unknown arm 'pdll'", "defined here or inherited", "pdl1"),
        ("{factorial: pdl1}", "is 'pdl1'", "a list of arms", ""),
        ("{factorial: []}", "is []", "a list of arms", ""),
        ("{factorial: [pdl1, 3]}", "is ['pdl1', 3]", "a list of arms", ""),
        ("{factorial: [pdl1, pdl1]}", "names an arm twice", "each arm once", ""),
        ("{factorial: [control, np]}", "names the control", "pdl1", ""),
        ("{control: {use: [np]}, factorial: [pdl1]}", "'control' is treated", "control: {}", ""),
        ("{only: 3}", "is 3", "true or false", ""),
    ],
)
def test_words_that_make_no_arms_are_refused_with_their_line(fault, words, problem, expected, meant):
    found = fault(f"arms: {words}\n")
    assert problem in found.problem and expected in found.expected
    assert (found.file, found.line) == ("x.yaml", 2)
    assert meant in (found.meant or "")


def test_more_arms_than_anybody_reads_are_not_crossed(yaml):
    seven = "".join(f"  a{i}: {{drugs: [{{name: ike, dose_mg_kg: 40, day: {i / 10}}}]}}\n" for i in range(7))
    assert "128" in yaml.only(f"arms:\n{seven}  factorial: [a0, a1, a2, a3, a4, a5, a6]\n").problem


def test_only_on_the_command_line_is_refused_with_what_to_do_instead(fault):
    found = fault("seed: 2\n", overrides=["arms.only=true"])
    assert found.key == "arms.only" and "NAME=null" in found.expected


def test_an_arm_set_to_null_on_the_command_line_is_dropped(child):
    assert list(child("seed: 2\n", overrides=["arms.both=null", "arms.np=null"]).arms) == ["control", "pdl1"]
    assert list(child("seed: 2\n", overrides=["arms.both=", "arms.control=null"]).arms) == ["control", "pdl1", "np"]
    assert "arms.pdl1" in str(child("seed: 2\n", overrides=["arms.both=null", "arms.pdl1.antibodies=null"]).origin)


def test_a_dropped_arm_that_another_uses_is_a_fault(fault):
    assert "unknown arm 'np'" in fault("seed: 2\n", overrides=["arms.np=null"]).problem


def test_a_horizon_shortened_by_set_leaves_out_later_doses_and_snapshots_and_says_so(child):
    config = child("seed: 2\n", overrides=["horizon_day=3"])
    assert config.arms["pdl1"].antibodies[0].day == (0.0,)
    assert config.arms["np"].nanoparticles[0].day == (1.0,)
    assert config.output.snapshot_days == (1.0,)
    (note,) = config.notes
    assert "arms.pdl1.antibodies.0 day 3" in note and "output.snapshot_days day 5" in note and "day 3" in note


def test_an_agent_whose_doses_are_all_late_goes_altogether(child):
    config = child("seed: 2\n", overrides=["horizon_day=0.5"])
    assert config.arms["np"].nanoparticles == ()
    assert "arms.np.nanoparticles.peg_pdpa_rsl3 altogether" in config.notes[0]


def test_a_shortened_config_is_that_of_a_file_with_the_shorter_days(yaml, child):
    short = child("seed: 2\n", overrides=["horizon_day=3"])
    by_hand = yaml.load(yaml.base.replace("horizon_day: 6", "horizon_day: 3") + "seed: 2\noutput: {snapshot_days: [1]}\n" + PARENT.replace("[0, 3]", "0").replace("[1, 4]", "1"), base="")
    assert short.digest == by_hand.digest and by_hand.notes == ()


def test_a_later_dose_given_beside_the_shorter_horizon_is_still_refused(fault):
    found = fault("seed: 2\n", overrides=["horizon_day=3", "arms.np.nanoparticles.0.day=[1, 4]"])
    assert "a dose on day 4, after the end" in found.problem


def test_a_longer_horizon_leaves_everything_and_a_late_dose_in_a_file_is_a_fault(child, fault):
    assert child("seed: 2\n", overrides=["horizon_day=9"]).notes == ()
    assert "after the end" in fault("horizon_day: 4\noutput: {snapshot_days: 1}\n").problem


def test_notes_survive_a_new_seed(child):
    assert child("seed: 2\n", overrides=["horizon_day=3"]).with_values({"seed": 5}).notes


def test_the_schema_knows_the_words_inside_arms():
    from tme.config.json_schema import json_schema
    from tme.library import load_library
    from tme.model import parameter_registry

    arms = json_schema(parameter_registry(), load_library())["properties"]["arms"]
    assert arms["properties"]["only"]["type"] == "boolean"
    assert arms["properties"]["factorial"]["items"] == {"type": "string"}
    assert "Arm" in json.dumps(arms["additionalProperties"])
