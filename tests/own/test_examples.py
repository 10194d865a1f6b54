"""The examples of one's own (`configs/own`): short, at work in the direction they say, and refused by name where they are broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tme.cli import main
from tme.experiments import files
from tme.model import TumourModel, load_config

OWN = Path(__file__).parents[2] / "configs" / "own"
MOST_LINES = {"cell_type.yaml": 25, "law.py": 40, "pathway.py": 60, "rule.yaml": 20, "axis.yaml": 25, "drug.yaml": 25, "particle.yaml": 15, "tumour.yaml": 15, "alteration.yaml": 15, "event.yaml": 12}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A copy of the examples to break."""
    shutil.copytree(OWN, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


BUSY = ("mechanisms.killing.specific=1", "mechanisms.killing.hold_min=60")  # many CD8 at work in few hours


def after(hours, arm="control", *changes):
    """The example some hours on."""
    model = TumourModel(load_config(OWN / "everything.yaml", overrides=(*BUSY, *changes), allow_plugins=True), seed=3, arm=arm)
    for _ in range(round(hours * 60)):
        model.step()
    return model


@pytest.fixture(scope="module")
def control():
    return after(12)


@pytest.mark.parametrize("name", MOST_LINES)
def test_an_example_is_short(name):
    assert len((OWN / name).read_text().splitlines()) <= MOST_LINES[name]


def test_all_examples_are_used():
    config = load_config(OWN / "everything.yaml", allow_plugins=True)
    used = {Path(file).name for names in config.library.origin.values() for file in names.values()} | {Path(p.path).name for p in config.plugins}
    assert used == set(MOST_LINES)


def test_the_drug_lowers_gpx4_and_kills_by_ferroptosis(control):
    treated = after(12, "drug")
    assert treated.tumour.gpx4.mean() < 0.7 * control.tumour.gpx4.mean()
    assert treated.counters["dead_ferroptosis"] > 3 * control.counters["dead_ferroptosis"] + 10


def test_the_particle_brings_the_drug_into_cells(control):
    treated = after(12, "particle")
    assert treated.fields["dual_inhibitor"].concentration.max() > 0.0
    assert treated.counters["dead_ferroptosis"] > 3 * control.counters["dead_ferroptosis"] + 10


def test_the_alteration_makes_cysteine_and_keeps_the_drug_out(control):
    treated = after(12, "drug")
    for model, column in ((control, "cysteine"), (treated, "gpx4")):
        t = model.tumour
        mine = t.clone == model.config.clone_names().index("pumping")
        plain = t.clone == 0
        assert mine.sum() > 10 and getattr(t, column)[mine].mean() > 1.03 * getattr(t, column)[plain].mean()


def test_the_tumour_has_less_gpx4_and_its_own_clone(control):
    ours = after(0.1, "control", "tumour.preset=b16_like")
    assert control.tumour.gpx4_trait.mean() < 0.7 * ours.tumour.gpx4_trait.mean()
    hidden = control.tumour.clone == control.config.clone_names().index("hidden")
    assert 0.03 < hidden.mean() < 0.2 and control.tumour.antigenicity[hidden].mean() < 0.4 * control.tumour.antigenicity[~hidden].mean()


def test_the_cell_type_kills_tumour_cells_that_show_no_mhc1():
    lost = ("populations.cd8=null", "mechanisms.ifng_response.mhc1_base=0.05")
    with_them = after(8, "control", "populations.cd8={per_mm2: 0}", *lost[1:])
    without = after(8, "control", "populations={cd8: {per_mm2: 0}, gamma_delta: {per_mm2: 0}}", *lost[1:])
    assert with_them.counters["kills"] > without.counters["kills"] + 5
    assert with_them.fields["ifng"].concentration.mean() > without.fields["ifng"].concentration.mean()


def test_the_axis_holds_killing_down_and_its_antibody_lets_go(control):
    off, blocked = after(12, "control", "receptors.vista=false", 'arms={"control": {}}'), after(12, "anti_vista")
    engaged = control.cd8.engaged == 1
    assert engaged.any() and (control.cd8.vista_signal[engaged] > 0).all()
    assert control.cd8.function[engaged].mean() < 0.8 * off.cd8.function[off.cd8.engaged == 1].mean()
    assert blocked.counters["kills"] > control.counters["kills"]


def test_corpses_release_the_signal_and_the_rule_lowers_attachment_with_delay():
    treated = after(12, "particle")
    level = treated.cd8.term("killing.attach_rate")[: treated.cd8.n]
    seen = treated.fields["pge2"].at(treated.cd8.col.voxel[: treated.cd8.n])
    assert seen.max() > 0.1 and level.min() < 0.7
    old = treated.cd8.born_tick[: treated.cd8.n] == 0  # newcomers have not heard it for long
    assert np.corrcoef(seen[old], level[old])[0, 1] < -0.5
    assert treated.observe()["pge2_mean"] == pytest.approx(treated.fields["pge2"].concentration.mean())
    assert not after(0.1, "control", "rules.pge2_blunts_cd8=off").cd8.term("killing.attach_rate").size


def test_the_law_can_be_switched_off_and_its_number_swept():
    none, more = after(6, "particle", "mechanisms.pge2_release.on=false"), after(6, "particle", "mechanisms.pge2_release.rate=0.5")
    some = after(6, "particle")
    assert none.fields["pge2"].concentration.max() == 0.0
    assert more.fields["pge2"].concentration.max() > 5 * some.fields["pge2"].concentration.max() > 0.0


def test_the_pathway_kills_cells_with_much_slc7a11_that_lack_glucose(control):
    starved = after(8, "control", "fields.glucose.held=true", "fields.glucose.initial=0.02")
    dead = starved.tumour.state == 4
    assert starved.counters["dead_apoptosis"] > control.counters["dead_apoptosis"] + 20
    assert starved.tumour.xct[dead].mean() > starved.tumour.xct[~dead].mean()
    assert starved.tumour.nadph.mean() < 0.3 * control.tumour.nadph.mean()


def test_the_event_kills_more_cells_per_dose_than_photons_and_needs_less_oxygen():
    def marked(*changes):
        return after(0.1, "neutrons", *changes).tumour

    photons = "arms.neutrons.events.0.name=radiation"
    ours, theirs = marked(), marked(photons)
    assert (ours.doom_tick > 0).mean() > (theirs.doom_tick > 0).mean() + 0.1

    def protected(*changes):
        """Share that is hit in hypoxia, over that with oxygen, at a dose that leaves some in both."""
        low, high = (marked("arms.neutrons.events.0.dose_gy=1.5", f"fields.oxygen.initial={mmhg}", "fields.oxygen.held=true", *changes) for mmhg in (0, 100))
        return (low.doom_tick > 0).mean() / (high.doom_tick > 0).mean()

    assert protected() > protected(photons) + 0.1


BROKEN = [  # file, text, what stands there instead, what must be told beside the file and the line
    ("drug.yaml", "target: gpx4", "target: gpx5", ("drugs.dual_inhibitor.hits", "gpx4")),
    ("drug.yaml", "lowers: ferroptosis.fsp1", "lowers: ferroptosis.fsp", ("ferroptosis.fsp1",)),
    ("drug.yaml", "unit: um^2/min", "unit: um/min", ("drugs.dual_inhibitor.diffusion", "um^2/min")),
    ("particle.yaml", "drug: dual_inhibitor", "drug: dual_inhibitr", ("payloads", "dual_inhibitor")),
    ("particle.yaml", "uptake_tumour:", "uptake_tumor:", ("uptake_tumor", "uptake_tumour")),
    ("tumour.yaml", "      gpx4_trait:", "      gpx4:", ("traits", "gpx4_trait")),
    ("cell_type.yaml", "follows: cxcl", "follows: cxl", ("follows", "cxcl")),
    ("cell_type.yaml", "recognises: missing_self", "recognises: missing", ("recognises", "missing_self")),
    ("axis.yaml", "        cd8: {level", "        cd9: {level", ("vista", "cd8")),
    ("axis.yaml", "target: vista", "target: vist", ("anti_vista", "vista")),
    ("rule.yaml", "signal: field.pge2", "signal: field.pge", ("rules.pge2_blunts_cd8", "field.pge2")),
    ("rule.yaml", "lowers: killing.attach_rate", "lowers: killing.attach", ("rules.pge2_blunts_cd8", "killing.attach_rate")),
    ("rule.yaml", "lag_h: {value: 1, unit: h", "lag_h: {value: 1, unit: min", ("rules.pge2_blunts_cd8.lag_h", "h")),
    ("rule.yaml", "to: {value: 0.2, unit: 1, range: [0, 0.8]", "to: {value: 1.2, unit: 1, range: [0, 2]", ("rules.pge2_blunts_cd8.to", "wrong side of 1")),
    ("rule.yaml", "    in: cd8", "    in: cd9", ("rules.pge2_blunts_cd8", "unknown cell type 'cd9'", "cd8")),
    ("cell_type.yaml", "secretes: [{field: ifng", "secretes: [{field: ifgn", ("cells.gamma_delta", "did you mean 'ifng'")),
    ("drug.yaml", "  dual_inhibitor:", "  rsl3:", ("drugs.rsl3", "in the library already", "replace: true")),
    ("rule.yaml", "  pge2:", "  ifng:", ("fields.ifng", "in the library already", "replace: true")),
    ("event.yaml", "extends: radiation", "extends: radation", ("events.fast_neutrons.extends", "did you mean 'radiation'")),
    ("event.yaml", "oer_max:", "oer_mx:", ("events.fast_neutrons.oer_mx", "did you mean 'oer_max'")),
    ("event.yaml", "unit: 1/Gy,", "unit: 1/cGy,", ("events.fast_neutrons.cells.tumour.alpha_per_gy", "1/Gy")),
    ("event.yaml", "      tumour:", "      tumor:", ("events.fast_neutrons.cells.tumor", "did you mean 'tumour'")),
    ("everything.yaml", "name: fast_neutrons", "name: fast_neutron", ("arms.neutrons.events", "did you mean 'fast_neutrons'")),
    ("everything.yaml", "pge2_blunts_cd8: ", "pge2_blunts: ", ("rules.pge2_blunts", "pge2_blunts_cd8")),
    ("alteration.yaml", "raises: ferroptosis.cysteine_supply", "raises: ferroptosis.cystein_supply", ("alterations.cth_high.effects.cystein_supply", "did you mean 'ferroptosis.cysteine_supply'")),
    ("alteration.yaml", "to: {value: 3, unit: 1, range: [1.25, 6]", "to: {value: 0.3, unit: 1, range: [0.2, 6]", ("alterations.cth_high.effects.cysteine_supply.to", "wrong side of 1")),
    ("alteration.yaml", "    feels:", "    fells:", ("alterations.cth_high.fells", "did you mean 'feels'")),
    ("everything.yaml", "alterations: [cth_high]", "alterations: [cth_hi]", ("tumour.clones.pumping.alterations.0", "did you mean 'cth_high'")),
    ("everything.yaml", "preset: low_gpx4", "preset: low_gpx", ("tumour.preset", "low_gpx4")),
    ("everything.yaml", "gamma_delta:", "gamma_dela:", ("populations.gamma_dela", "gamma_delta")),
]


@pytest.mark.parametrize(("file", "text", "wrong", "told"), BROKEN, ids=lambda v: v if isinstance(v, str) and ":" not in v else "")
def test_a_broken_example_is_refused_by_file_line_key_and_name(place, capsys, file, text, wrong, told):
    whole = (place / file).read_text()
    assert whole.count(text) >= 1
    (place / file).write_text(whole.replace(text, wrong, 1))
    line = next(k for k, row in enumerate((place / file).read_text().splitlines(), 1) if wrong in row)
    with pytest.raises(SystemExit) as caught:
        main(["run", "everything.yaml", "--allow-plugins", "--out", "out"])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and "Traceback" not in said
    assert f"{file}:{line}:" in said or f"{file}:{line - 1}:" in said, said  # an item of a list by its first line
    assert all(word in said for word in told), said
    assert not (place / "out").exists()


@pytest.mark.parametrize(("file", "text", "wrong", "told"), [
    ("law.py", "PLUGINS = (Pge2Release, pge2)", "PLUGIN = (Pge2Release, pge2)", ("PLUGINS", "'PLUGIN' is there")),
    ("law.py", '"field.pge2.source"', '"field.pge3.source"', ("law.py:24", "pge2_release.adds", "did you mean 'field.pge2.source'")),
    ("law.py", '"tumour.voxel"', '"tumour.voxl"', ("law.py:23", "pge2_release.reads", "did you mean 'tumour.voxel'")),
    ("law.py", "phase = Phase.SECRETE", "phase = Phase.SECRET", ("law.py:20", "SECRET")),
    ("law.py", "import numpy as np", "import nunpy as np", ("law.py:3", "nunpy")),
    ("law.py", "def pge2(model):", "def pge2(model)", ("law.py:35", "SyntaxError")),
    ("pathway.py", "def rates(p, n, made, xct)", "def rates(p, n, made, xtc)", ("pathway.py:", "xtc", "did you mean 'xct'")),
])  # fmt: skip
def test_a_broken_law_or_pathway_is_refused_by_its_file(place, capsys, file, text, wrong, told):
    whole = (place / file).read_text()
    assert text in whole
    (place / file).write_text(whole.replace(text, wrong, 1))
    with pytest.raises(SystemExit) as caught:
        main(["run", "everything.yaml", "--allow-plugins", "--out", "out"])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and file in said and all(word in said for word in told), said
    assert "Traceback" not in said and not (place / "out").exists()


@pytest.mark.parametrize("command", ["run", "check", "describe", "list"])
def test_code_runs_only_with_the_word_for_it(place, capsys, command):
    with pytest.raises(SystemExit) as caught:
        main(["list", "mechanisms", "--config", "everything.yaml"] if command == "list" else [command, "everything.yaml"])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and "everything.yaml:11: plugins: law.py is code" in said and "--allow-plugins" in said
    assert not (place / "runs").exists()


@pytest.mark.parametrize(("kind", "yours"), [
    ("drugs", {"dual_inhibitor": "drug.yaml"}),
    ("events", {"fast_neutrons": "event.yaml"}),
    ("rules", {"pge2_blunts_cd8": "rule.yaml"}),
    ("terms", {"disulfide.glut": "pathway.py"}),
    ("pathways", {"disulfide": "pathway.py"}),
    ("signals", {"field.pge2": "rule.yaml", "drug.dual_inhibitor": "drug.yaml", "near.gamma_delta": "cell_type.yaml", "own.bonds": "pathway.py", "event.fast_neutrons": "event.yaml"}),
    ("mechanisms", {"pge2_release": "law.py", "disulfide": "pathway.py", "vista": "axis.yaml", "N101": "particle.yaml", "pge2_blunts_cd8": "rule.yaml"}),
])  # fmt: skip
def test_the_list_marks_what_is_the_users_and_nothing_of_ours(capsys, kind, yours):
    with pytest.raises(SystemExit) as caught:
        main(["list", kind, "--config", str(OWN / "everything.yaml"), "--allow-plugins", "--json"])
    rows = json.loads(capsys.readouterr().out)
    first = next(iter(rows[0]))  # the name is the first column
    marked = {row[first]: Path(row["from"]).name for row in rows if row["from"]}
    assert not caught.value.code and yours.items() <= marked.items()
    with pytest.raises(SystemExit):
        main(["list", kind, "--json"])
    assert not set(marked) & {row[first] for row in json.loads(capsys.readouterr().out)}


@pytest.mark.slow
def test_a_run_keeps_the_files_it_came_from(place):
    with pytest.raises(SystemExit) as caught:
        main(["run", "everything.yaml", "--allow-plugins", "--set", "horizon_day=0.05", "--set", "replicates=1", "--out", "out"])
    assert not caught.value.code
    kept = {p.name for folder in ("library", "plugins") for p in (place / "out" / folder).iterdir()}
    told = json.dumps(json.loads((place / "out" / "provenance.json").read_text()))
    for name in MOST_LINES:
        assert any(name.partition(".")[0] in k for k in kept) and name in told
        assert files.sha256(place / name) in told


def test_the_hash_follows_the_files(place):
    before = load_config("everything.yaml", allow_plugins=True).digest
    (place / "rule.yaml").write_text((place / "rule.yaml").read_text().replace("value: 0.2", "value: 0.3"))
    changed = load_config("everything.yaml", allow_plugins=True).digest
    (place / "law.py").write_text((place / "law.py").read_text() + "# edited\n")
    assert len({before, changed, load_config("everything.yaml", allow_plugins=True).digest}) == 3
