"""A PhysiCell project becomes a config that says the same, as far as it can, and runs."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tme.cli import main
from tme.importing.physicell import translate
from tme.model import TumourModel, load_config

SAMPLE = Path(__file__).parent / "physicell_sample"

SETTINGS, RULES, CELLS = "PhysiCell_settings.xml", "cell_rules.csv", "cells.csv"


def imported(root, tmp_path, **options):
    """(translation, config as loaded) of a project."""
    found = translate(root, **options)
    files = found.write(tmp_path / "out" / "model.yaml")
    return found, load_config(files[0])


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return imported(SAMPLE, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def model(sample):
    """The sample's model after half an hour."""
    m = TumourModel(sample[1])
    for _ in range(30):
        m.step()
    return m


def notes(found, word):
    return [str(n) for n in found.notes if n.word == word]


# ---- the command ------------------------------------------------------------------------------------------------------
def test_the_command_writes_a_config_that_check_accepts_and_prints_what_it_left_out(tmp_path, capsys):
    main_quietly(["import", "physicell", str(SAMPLE), "--out", str(tmp_path / "mine.yaml")])
    printed = capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.yaml", "mine_cells.csv", "mine_import.md", "mine_library.yaml"]
    lines = (SAMPLE / "config" / RULES).read_text().splitlines()
    at = 1 + next(k for k, line in enumerate(lines) if ",volume," in line)
    assert f"config/cell_rules.csv:{at}: 'macrophage': 'volume' decreases 'phagocytose apoptotic cell'" in printed
    assert "config/PhysiCell_settings.xml:263: 'stroma' turns into 'tumor cell'" in printed
    report = (tmp_path / "mine_import.md").read_text()
    assert f"`config/cell_rules.csv:{at}`" in report and "## Left out" in report
    main_quietly(["check", str(tmp_path / "mine.yaml")])
    assert "valid" in capsys.readouterr().out


def main_quietly(args):
    """The command; 0 is no exit."""
    try:
        main(args)
    except SystemExit as done:
        assert done.code in (0, None), done.code


def test_files_in_the_way_are_kept_unless_one_says_overwrite(tmp_path, capsys):
    (tmp_path / "mine_library.yaml").write_text("precious\n")
    with pytest.raises(SystemExit) as done:
        main(["import", "physicell", str(SAMPLE), "--out", str(tmp_path / "mine.yaml")])
    assert done.value.code == 2 and "mine_library.yaml" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine_library.yaml"] and (tmp_path / "mine_library.yaml").read_text() == "precious\n"
    main_quietly(["import", "physicell", str(SAMPLE), "--out", str(tmp_path / "mine.yaml"), "--overwrite"])
    assert "precious" not in (tmp_path / "mine_library.yaml").read_text()


def test_the_same_project_gives_the_same_files(tmp_path):
    first, second = (translate(SAMPLE).write(tmp_path / name / "m.yaml") for name in "ab")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_every_note_has_a_line_but_what_was_added(sample):
    assert all(n.line > 0 for n in sample[0].notes if n.word != "added")


def test_all_that_has_no_counterpart_is_left_out_by_name(sample):
    """What the sample says and the config does not: every element that is not read, once, and what types and rules do."""
    told = [n.what for n in sample[0].notes if n.word == "left out"]
    assert len(told) == len(set(told)) == 18
    for word in ("PhysiCell_settings/save", "phenotype/mechanics", "cell_definition/custom_data", "volume/nuclear", "overall/dt_diffusion", "'stroma' divides", "'stroma' turns into",
                 "'macrophage' follows 'chemokine'", "'macrophage': 'volume' decreases", "own 'volume'"):  # fmt: skip
        assert any(word in what for what in told), word


def test_each_rule_of_the_file_is_told_of(sample):
    lines = (SAMPLE / "config" / RULES).read_text().splitlines()
    rules = {k for k, line in enumerate(lines, 1) if line and not line.startswith("//")}
    assert {n.line for n in sample[0].notes if n.file.endswith(RULES)} == rules


# ---- cells ------------------------------------------------------------------------------------------------------------
def test_cells_lie_where_the_table_has_them(sample):
    model = TumourModel(sample[1])
    table = pd.read_csv(SAMPLE / "config" / CELLS)
    assert {p.kind: p.n for p in model.populations if p.n} == {"tumour": 87, "killer_t_cell": 12, "physicell_macrophage": 5, "stroma": 8}
    wanted = table[table["type"] == "tumor cell"][["x", "y"]].to_numpy() + (150.0, 120.0)
    own = (wanted[:, 1] // 15 * 20 + wanted[:, 0] // 15).astype(int)
    got = model.tumour.col.voxel[: model.tumour.n]
    first = ~pd.Series(own).duplicated().to_numpy() & ~np.isin(own, got[got != own])  # nobody was there before
    assert first.sum() > 45 and np.array_equal(got[first], own[first])
    x, y, _ = model.lattice.position_um(got)
    assert np.hypot(x - wanted[:, 0], y - wanted[:, 1]).max() < 30.0


def test_cells_far_from_the_middle_stay_there(project, tmp_path):
    project.path(CELLS).write_text("x,y,z,type\n-140,-110,0,tumor cell\n-120,-110,0,tumor cell\n")
    _, config = imported(project.root, tmp_path)
    x, y, _ = (v[:2] for v in TumourModel(config).lattice.position_um(TumourModel(config).tumour.col.voxel[:2]))
    assert sorted(x.tolist()) == [7.5, 37.5] and y.tolist() == [7.5, 7.5]


def test_a_table_without_header_names_types_by_number(project, tmp_path):
    project.path(CELLS).write_text("0,0,0,0\n20,0,0,0\n-40,20,0,1\n")
    _, config = imported(project.root, tmp_path)
    model = TumourModel(config)
    assert model.tumour.n == 2 and model.killer_t_cell.n == 1


def test_without_a_table_cells_are_spread_as_the_template_does(project, tmp_path):
    project.change(SETTINGS, '<cell_positions type="csv" enabled="true">', '<cell_positions type="csv" enabled="false">')
    project.change(SETTINGS, '(for each cell type)">0<', '(for each cell type)">20<')
    found, config = imported(project.root, tmp_path)
    model = TumourModel(config)
    assert [p.n for p in model.populations if p.n] == [20, 20, 20, 20]
    x, y, _ = model.lattice.position_um(model.tumour.col.voxel[:20])
    assert np.ptp(x) > 200.0 and np.ptp(y) > 150.0
    assert any("number_of_cells 20" in n for n in notes(found, "approximated"))


# ---- fields -----------------------------------------------------------------------------------------------------------
def test_a_wall_holds_its_own_value_and_the_others_none(model):
    oxygen = model.fields["oxygen"].concentration.reshape(model.grid.shape)[0]
    assert abs(oxygen[:, 0].mean() - 38.0) < 2.5 and abs(oxygen[:, -1].mean() - 20.0) < 2.5
    assert oxygen[:, 0].mean() > oxygen[:, -1].mean() + 10.0
    assert np.isnan(model.fields["chemokine"].faces).all() and np.isnan(model.fields["oxygen"].faces[1]).all()


def test_between_two_walls_oxygen_is_the_closed_form(project, tmp_path):
    """Without cells that take up: D c'' = k c between 38 and 20, within 1 %."""
    for k in ("10", "1", "2"):
        project.change(SETTINGS, f'<uptake_rate units="1/min">{k}</uptake_rate>', '<uptake_rate units="1/min">0</uptake_rate>')
    project.change(SETTINGS, '<decay_rate units="1/min">0.1</decay_rate>', '<decay_rate units="1/min">4</decay_rate>')
    project.change(RULES, "killer T cell,debris,decreases,oxygen uptake,0.5,1,1,0\n", "")
    _, config = imported(project.root, tmp_path)
    field = TumourModel(config).fields["oxygen"]
    x = (np.arange(20) + 0.5) * 15.0
    q = math.sqrt(4.0 / 1e5)
    exact = (38.0 * np.sinh(q * (300.0 - x)) + 20.0 * np.sinh(q * x)) / math.sinh(q * 300.0)
    assert np.allclose(field.concentration.reshape(16, 20), exact, rtol=0.01)


def test_a_cell_takes_up_its_rate_times_its_share_of_the_voxel(sample):
    model = TumourModel(sample[1])
    model.fields["oxygen"].on_solver_grid.use("loss")[:] = 0.0
    model.mechanism("cell_uptake").prepare(model)
    loss = model.fields["oxygen"].on_solver_grid.loss
    alone = [v for v in model.tumour.col.voxel[:87] if v not in set(model.killer_t_cell.col.voxel[:12]) | set(model.physicell_macrophage.col.voxel[:5])]
    assert np.allclose(loss[alone], 10.0 * 2494.0 / (15.0 * 15.0 * 20.0))
    assert model.fields["oxygen"].on_solver_grid.vmax is None or not model.fields["oxygen"].on_solver_grid.vmax.any()


def test_secretion_stops_at_its_target(project, tmp_path):
    """S (target - level): cells all over the domain bring a field without decay to the target and no further."""
    project.change(SETTINGS, '<decay_rate units="1/min">0.02</decay_rate>', '<decay_rate units="1/min">0</decay_rate>')
    project.change(SETTINGS, '<net_export_rate units="total substrate/min">10<', '<net_export_rate units="total substrate/min">0<')
    project.change(RULES, "tumor cell,oxygen,decreases,chemokine secretion,0.05,10,2,0\n", "")
    _, config = imported(project.root, tmp_path)
    model = TumourModel(config)
    for _ in range(240):
        model.step()
    level = model.fields["chemokine"].concentration
    assert level.mean() > 0.9 and level.max() < 1.0 + 1e-6


def test_corpses_and_they_alone_secrete_what_a_rule_on_the_dead_says(sample):
    model = TumourModel(sample[1])
    t = model.tumour.col
    t.state[:5] = 4
    assert not model.fields["debris"].concentration.any()
    for _ in range(6):
        model.step()
    left = model.fields["debris"].concentration
    amount = left.sum() * 15 * 15 * 20
    assert 0.7 < amount / (5 * 0.02 * 2494.0 * 6.0) < 0.95  # one step of 6 min, 1/(1 + 0.06) of it left; a corpse may be cleared before
    near = model.lattice.position_um(np.array([np.argmax(left)]))
    assert min(np.hypot(*(np.array(model.lattice.position_um(t.voxel[k : k + 1]))[:2] - np.array(near)[:2]))[0] for k in range(5)) < 30.0


# ---- rules ------------------------------------------------------------------------------------------------------------
def grammar(base, up=(), down=()):
    """PhysiCell's value of a behaviour: rules as (signal, half, hill, saturation)."""
    rise, fall = (sum((s / h) ** n for s, h, n, _ in rules) for rules in (up, down))
    most = max([m for *_, m in up] + ([base] if down or not up else []))
    least = min([m for *_, m in down] + ([base] if up or not down else []))
    u = base + (most - base) * rise / (1.0 + rise)
    return u + (least - u) * fall / (1.0 + fall)


def contacts(model, kind, voxels):
    """Cells of a type in a voxel and the eight around it."""
    nx, ny = model.grid.nx, model.grid.ny
    count = np.zeros((ny + 2, nx + 2))
    others = model.populations[kind].col.voxel[: model.populations[kind].n]
    np.add.at(count, (others // nx + 1, others % nx + 1), 1)
    return np.array([count[v // nx : v // nx + 3, v % nx : v % nx + 3].sum() for v in voxels])


def test_every_behaviour_is_what_physicells_grammar_makes_of_it(model):
    """The number of the law times its term, cell by cell, against the formula of PhysiCell with its own numbers."""
    model.mechanism("rules").neighbourhoods._ticks.clear()  # counted before the killers of this tick walked
    model.mechanism("rules").settle(model)
    t, n = model.tumour.col, model.tumour.n
    alive = np.flatnonzero(t.state[:n] == 0)
    oxygen = model.fields["oxygen"].at(t.voxel[:n])
    touching = contacts(model, "killer_t_cell", t.voxel[:n])
    expected = {
        "division.rate": (4e-4, lambda k: grammar(4e-4, [(oxygen[k], 21.5, 4, 0.0012)], [(touching[k], 2, 2, 0.0)])),
        "death.necrosis": (0.003, lambda k: grammar(0.003, (), [(oxygen[k], 3.75, 8, 0.0)])),
        "secretion.chemokine": (0.2, lambda k: grammar(0.2, (), [(oxygen[k], 10.0, 2, 0.05)])),
        "uptake.chemokine": (0.2, lambda k: grammar(0.2, (), [(oxygen[k], 10.0, 2, 0.05)])),
    }
    for term, (law, value) in expected.items():
        assert np.allclose(law * model.tumour.term(term)[alive], [value(k) for k in alive], rtol=1e-9), term
    c, m = model.killer_t_cell.col, model.killer_t_cell.n
    chemokine, o2 = (model.fields[f].at(c.voxel[:m]) for f in ("chemokine", "oxygen"))
    near = contacts(model, "tumour", c.voxel[:m])
    speed = [grammar(2.0, [(a, 0.5, 2, 4.0)], [(b, 1, 4, 0.5)]) for a, b in zip(chemokine, near)]
    assert np.allclose(2.0 * model.killer_t_cell.term("motility.speed")[:m], speed, rtol=1e-9)
    assert np.allclose(0.1 * model.killer_t_cell.term("killing.attach_rate")[:m], [grammar(0.1, [(x, 10, 4, 0.2)]) for x in o2], rtol=1e-9)
    assert np.allclose(1e-4 * model.killer_t_cell.term("turnover.rate")[:m], grammar(1e-4, [(model.sim_hour * 60, 720, 4, 5e-4)]), rtol=1e-9)


def test_a_rate_that_is_nothing_without_its_rule_rises_from_nothing(sample, model):
    """Stroma has no apoptosis but what the chemokine brings: the law is at the saturation, the term between 0 and 1."""
    entry = sample[1].library.cells["stroma"]
    model.mechanism("rules").settle(model)
    level = model.fields["chemokine"].at(model.stroma.col.voxel[:8])
    assert entry.dies.apoptosis == 1e-4
    assert np.allclose(model.stroma.term("death.apoptosis")[:8], level**2 / (0.5**2 + level**2), rtol=1e-9)


def test_the_dead_keep_the_value_that_a_rule_left_them(sample):
    model = TumourModel(sample[1])
    term = model.tumour.term("division.rate")
    before = term[:5].copy()
    model.tumour.col.state[:5] = 4
    model.fields["oxygen"].concentration[:] = 1.0
    model.mechanism("rules").settle(model)
    assert np.array_equal(model.tumour.term("division.rate")[:5], before) and not np.array_equal(model.tumour.term("division.rate")[5:10], before)


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("2.0", "tumor cell,oxygen,increases,cycle entry,0.0012,21.5,4,0\n"),
        ("1.0", "tumor cell,oxygen,increases,cycle entry,0.0004,0.0012,21.5,4,0\n"),
        ("0", "tumor cell,cycle entry,0,0.0004,0.0012,oxygen,increases,21.5,4,0\n"),
        ("3.0", "tumor cell\toxygen\tincreases\tcycle entry\t0.0012\t21.5\t4\t0\n"),
        ("3.0", "\ufefftumor cell,oxygen,increases,exit from cycle phase 0,0.0012,21.5,4,0\r\n"),
    ],
)
def test_each_version_of_the_format_says_the_same(project, version, text):
    project.change(SETTINGS, 'version="3.0"', f'version="{version}"')
    project.path(RULES).write_text(text, encoding="utf-8", newline="")
    found = translate(project.root)
    (rule,) = found.library["rules"].values()
    assert (rule["signal"], rule["raises"], rule["to"]["value"], rule["half"]["value"], rule["hill"]["value"]) == ("field.oxygen", "division.rate", 0.0012, 21.5, 4.0)
    assert bool(notes(found, "warning")) == (version < "3")


def test_phases_of_a_cycle_become_one_rate(project):
    """1/0.004 + 1/0.008 min and their rule at its saturation."""
    project.change(SETTINGS, '<rate start_index="0" end_index="0" fixed_duration="false">0.0004</rate>',
                   '<rate start_index="0" end_index="1" fixed_duration="false">0.0004</rate><rate start_index="1" end_index="0" fixed_duration="true">0.008</rate>')  # fmt: skip
    found = translate(project.root)
    rule = next(r for r in found.library["rules"].values() if r.get("raises") == "division.rate")
    assert rule["base"]["value"] == pytest.approx(1 / (1 / 0.0004 + 125)) and rule["to"]["value"] == pytest.approx(1 / (1 / 0.0012 + 125))
    assert found.config["mechanisms"]["division"]["k_div"] == pytest.approx(1 / (1 / 0.0004 + 125))


# ---- what else ----------------------------------------------------------------------------------------------------------
def test_a_killer_kills_and_does_so_only_because_damage_raises_apoptosis(project, tmp_path):
    _, config = imported(project.root, tmp_path)
    kills = config.library.cells["killer_t_cell"].kills
    assert (kills.attach, kills.hold_min, kills.floor) == (0.1, 30.0, 1.0) and kills.hit == pytest.approx(3 * 1 / 60)
    project.change(RULES, "tumor cell,damage,increases,apoptosis,0.1,60,8,0\n", "").change(RULES, "killer T cell,oxygen,increases,attack tumor cell,0.2,10,4,0\n", "")
    without = translate(project.root)
    assert "kills" not in without.library["cells"]["killer_t_cell"]
    assert any("attack kills nobody" in n for n in notes(without, "left out"))


def test_a_project_without_oxygen_has_it_held_and_one_in_other_units_is_a_field_of_its_own(project, tmp_path):
    project.change(SETTINGS, 'name="oxygen" units="mmHg"', 'name="oxygen" units="mM"')
    found, config = imported(project.root, tmp_path)
    assert "physicell_oxygen" in config.library.fields and config.library.fields["physicell_oxygen"].unit == "mM"
    model = TumourModel(config)
    assert "oxygen" in model.held_fields and (model.fields["oxygen"].concentration == 38.0).all()
    assert any("is in 'mM'" in n for n in notes(found, "warning"))


def test_three_dimensions(project, tmp_path):
    project.change(SETTINGS, "<use_2D>true</use_2D>", "<use_2D>false</use_2D>").change(SETTINGS, "<z_min>-10<", "<z_min>-60<").change(SETTINGS, "<z_max>10<", "<z_max>60<")
    project.change(SETTINGS, '<boundary_value ID="zmin" enabled="false" />', '<boundary_value ID="zmin" enabled="true">30</boundary_value>')
    _, config = imported(project.root, tmp_path)
    model = TumourModel(config)
    assert model.grid.shape == (8, 16, 20) and model.fields["oxygen"].faces[0, 0] == 30.0
    model.step()
    assert model.tumour.n == 87


def test_inherited_values_are_those_of_the_parent(sample):
    macrophage, killer = (sample[0].library["cells"][k] for k in ("physicell_macrophage", "killer_t_cell"))
    assert macrophage["life"]["mean_d"]["value"] == killer["life"]["mean_d"]["value"]
    assert macrophage["motion"]["follows"] == "debris" and macrophage["motion"]["speed"]["value"] == 1.0 and macrophage["phagocytoses"]["rate"]["value"] == 0.01


EVIL = "&lt;script&gt;alert(1)&lt;/script&gt; `x` : {a: *b} [k](javascript:z) &quot;q&quot; &#10;- evil: on &#x202e;"


def test_hostile_names_are_names_and_nothing_more(project, tmp_path, capsys):
    """A cell type and a substrate whose names are markup, YAML, and marks that turn the writing."""
    text = project.path(SETTINGS).read_text().replace('"stroma"', f'"{EVIL.strip()}"').replace('"debris"', f'"{EVIL} debris"').replace("<substrate>debris<", f"<substrate>{EVIL} debris<")
    project.path(SETTINGS).write_text(text, encoding="utf-8")
    for name in (RULES, CELLS):
        lines = [line for line in project.path(name).read_text().splitlines() if "debris" not in line and "stroma" not in line]
        project.path(name).write_text("\n".join(lines) + "\n")
    main_quietly(["import", "physicell", str(project.root), "--out", str(tmp_path / "evil.yaml")])
    printed = capsys.readouterr().out
    config = load_config(tmp_path / "evil.yaml")
    own = [n for n in config.library.cells if "script" in n]
    assert len(own) == 1 and re.fullmatch(r"[a-z][a-z0-9_]*", own[0])
    assert "evil" not in config.to_dict() and "\u202e" not in printed and "\n- evil" not in printed
    report = (tmp_path / "evil_import.md").read_text(encoding="utf-8")
    assert "<script>" not in report and "\u202e" not in report and not re.search(r"(?<!\\)\]\(", report)
    assert all("\u202e" not in p.read_text(encoding="utf-8") for p in tmp_path.glob("evil*"))


def test_names_of_ours_are_not_taken(project):
    """A substrate called as a drug, cell types called as a cell type, a table's word and a column of the series."""
    for name in (SETTINGS, RULES, CELLS):
        text = project.path(name).read_text()
        project.path(name).write_text(text.replace("debris", "rsl3").replace("stroma", "kills").replace("killer T cell", "tumour_alive"))
    found = translate(project.root, tumour="tumor cell")
    assert list(found.library["fields"]) == ["oxygen", "chemokine", "physicell_rsl3"]
    assert list(found.library["cells"]) == ["tumour", "physicell_tumour_alive", "physicell_macrophage", "physicell_kills"]


@pytest.mark.slow
def test_the_imported_config_runs_from_the_command_line(tmp_path):
    main_quietly(["import", "physicell", str(SAMPLE), "--out", str(tmp_path / "mine.yaml")])
    main_quietly(["run", str(tmp_path / "mine.yaml"), "--quick", "--jobs", "1", "--out", str(tmp_path / "run")])
    series = pd.read_csv(tmp_path / "run" / "series.csv") if (tmp_path / "run" / "series.csv").is_file() else pd.read_csv(next((tmp_path / "run").rglob("series.csv")))
    assert series["hour"].max() == 6.0 and (series["tumour_alive"] > 50).all() and series["births"].max() > 0
