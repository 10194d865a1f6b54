"""What PhysiCell takes in silence is refused: exit code 2, file and line, nothing written."""

from __future__ import annotations

import pytest

from tme.cli import main
from tme.config.errors import ConfigError
from tme.importing.physicell import translate

SETTINGS, RULES, CELLS = "PhysiCell_settings.xml", "cell_rules.csv", "cells.csv"
FIRST = "tumor cell,oxygen,increases,cycle entry,0.0012,21.5,4,0"


def faults_of(root, **options):
    with pytest.raises(ConfigError) as caught:
        translate(root, **options)
    assert caught.value.exit_code == 2
    return [str(f) for f in caught.value.faults]


# (what is changed, into what, words of the fault)
IN_RULES = [
    (FIRST, FIRST.replace("increases", "incrases"), "direction: is 'incrases'; PhysiCell takes any word but increases as decreases"),
    (FIRST, FIRST.replace("increases", "increase"), "direction: is 'increase'; PhysiCell takes it, and the rule then does nothing"),
    (FIRST, FIRST.replace("increases", "promotes"), "the rule then does nothing; expected increases or decreases"),
    (FIRST, FIRST.replace("increases,", "increases "), "has 7 fields; PhysiCell skips such a line"),
    (FIRST, FIRST + ",0", "has 9 fields"),
    (FIRST, FIRST.replace(",oxygen", ", oxygen"), "signal: is ' oxygen', with blanks around it"),
    (FIRST, FIRST.replace("oxygen", ""), "signal: is empty"),
    (FIRST, FIRST.replace("tumor cell", "tumour cell"), "cell: unknown name 'tumour cell'; expected one of"),
    (FIRST, FIRST.replace("oxygen", "oxigen"), "signal: unknown name 'oxigen'"),
    (FIRST, FIRST.replace("cycle entry", "cycle entries"), "behaviour: unknown name 'cycle entries'"),
    (FIRST, FIRST.replace("21.5", "-21.5"), "half: is -21.5"),
    (FIRST, FIRST.replace("21.5", "0"), "half: is 0"),
    (FIRST, FIRST.replace(",4,0", ",0,0"), "hill: is 0"),
    (FIRST, FIRST.replace(",4,0", ",50,0"), "hill: is 50, a step; expected at most 20"),
    (FIRST, FIRST.replace("21.5", "many"), "half: is 'many'; PhysiCell reads what is no number as 0"),
    (FIRST, FIRST.replace("21.5", "nan"), "half: is 'nan'"),
    (FIRST, FIRST.replace(",4,0", ",4,true"), "dead: is 'true'"),
    (FIRST, FIRST.replace("0.0012", "0.0001"), "to: is 0.0001, below the base value 0.0004"),
    (FIRST, FIRST.replace("0.0012", "-1"), "to: is -1"),
    (FIRST, FIRST + "\n" + FIRST, "signal: 'oxygen' acts on 'cycle entry' in line 2 already"),
    (FIRST, FIRST + "\n" + FIRST.replace("cycle entry", "exit from cycle phase 0"), "in line 2 already"),
    (FIRST, FIRST + "\ntumor cell,time,increases,cycle entry,0.002,60,1,0", "to: is 0.0012, overridden by 0.002 of line 3"),
    ("tumor cell,oxygen,decreases,necrosis,0,", "tumor cell,oxygen,decreases,necrosis,0.1,", "to: is 0.1, above the base value 0.003"),
    (FIRST, FIRST.replace("oxygen", "custom:nothing"), "signal: unknown name 'custom:nothing'"),
]
IN_SETTINGS = [
    ("<decay_rate units=\"1/min\">0.1</decay_rate>", "<decay_rte units=\"1/min\">0.1</decay_rte>", "decay_rte: unknown element, which PhysiCell passes over without a word; expected one of"),
    ("micron^2/min\">100000<", "cm^2/s\">100000<", "is given in 'cm^2/s'; PhysiCell does not convert units and takes the number as micron^2/min"),
    ("\">100000<", "\">-100000<", "diffusion_coefficient: is -100000"),
    ("\">100000<", "\">abc<", "diffusion_coefficient: is 'abc'; PhysiCell reads what is no number as 0"),
    ("<speed units=\"micron/min\">2<", "<speed units=\"micron/min\">-5<", "speed: is -5"),
    ("<dt_mechanics units=\"min\">0.1<", "<dt_mechanics units=\"min\">0.001<", "dt_mechanics: is 0.001, below dt_diffusion 0.01"),
    ("<max_time units=\"min\">", "<max_time units=\"h\">", "is given in 'h'"),
    ("<migration_bias units=\"dimensionless\">0.4<", "<migration_bias units=\"dimensionless\">4<", "migration_bias: is 4"),
    ("<substrate>chemokine<", "<substrate>chemokin<", "unknown name 'chemokin'; expected one of 'chemokine', 'debris', 'oxygen'; did you mean 'chemokine'?"),
    ("<attack_rate name=\"tumor cell\" units=\"1/min\">0.1<", "<attack_rate name=\"tumor\" units=\"1/min\">0.1<", "unknown name 'tumor'"),
    ("parent_type=\"killer T cell\"", "parent_type=\"killer\"", "parent_type: is 'killer', which there is not"),
    ("parent_type=\"killer T cell\"", "parent_type=\"macrophage\"", "parent_type: leads back to itself"),
    ("name=\"stroma\"", "name=\"macrophage\"", "stands in line 199 already"),
    ("<x_max>150<", "<x_max>-200<", "x_max: is -200, not above x_min -150"),
    ("protocol=\"CBHG\"", "protocol=\"CBGH\"", "PhysiCell skips it with a warning and runs without its rules"),
    ("version=\"3.0\" format", "version=\"three\" format", "ruleset.version: is 'three'"),
    ("<filename>cell_rules.csv<", "<filename>cell_rule.csv<", "no such file: 'config/cell_rule.csv'; expected a file of the project, relative to its folder; did you mean 'cell_rules.csv'?"),
    ("<filename>cells.csv<", "<filename>../../../cells.csv<", "leaves the project"),
    ("ID=\"xmin\" enabled=\"true\">38<", "ID=\"xmin\" enabled=\"true\"><", "boundary_value: is ''"),
    ("ID=\"xmin\"", "ID=\"xmn\"", "unknown side, which PhysiCell passes over"),
    ("enabled=\"true\">38</Dirichlet_boundary_condition>", "enabled=\"false\">38</Dirichlet_boundary_condition>", "PhysiCell then holds nothing anywhere"),
    ("<use_2D>true</use_2D>", "<use_2D>true</use_2D><use_2D>false</use_2D>", "stands here a second time; PhysiCell reads the first"),
    ("<enabled>true</enabled>\n            <use_2D>", "<enabled>enable</enabled>\n            <use_2D>", "is 'enable', which PhysiCell takes as false"),
    ("<space_units>micron<", "<space_units>mm<", "is 'mm'; PhysiCell reads it and computes in micron all the same"),
    ("</PhysiCell_settings>", "", "is broken XML"),
    ("<PhysiCell_settings version=\"devel-version\">", "<PhysiCell_settings version=\"devel-version\"><overall>", "is broken XML"),
]  # fmt: skip
IN_CELLS = [
    ("killer T cell", "killer", "type: unknown cell type 'killer'; expected one of"),
    ("130,-112.00,0,stroma", "1300,-112.00,0,stroma", "x: is 1300, outside the domain; expected -150 to 150"),
    ("130,-112.00,0,stroma", "130,north,0,stroma", "y: is 'north'; PhysiCell reads what is no number as 0"),
    ("130,-112.00,0,stroma,", "130,-112.00", "has 2 fields"),
    ("x,y,z,type,volume", "x,y,type,volume", "begins with the columns 'x, y, type, volume'; expected x, y, z, type"),
]


@pytest.mark.parametrize(("old", "new", "words"), IN_RULES)
def test_a_rule_that_physicell_would_bend_is_refused(project, old, new, words):
    project.change(RULES, old, new)
    (fault,) = faults_of(project.root)
    line = project.line_of(RULES, old if new.startswith(old) else new.splitlines()[0])
    assert words in fault and (fault.startswith(f"config/cell_rules.csv:{line}: ") or fault.startswith(f"config/cell_rules.csv:{line + 1}: "))


@pytest.mark.parametrize(("old", "new", "words"), IN_SETTINGS)
def test_a_setting_that_physicell_would_pass_over_is_refused(project, old, new, words):
    project.change(SETTINGS, old, new)
    faults = faults_of(project.root)
    mine = [f for f in faults if words in f]
    assert len(mine) == 1 and mine[0].startswith("config/PhysiCell_settings.xml:"), faults
    if new and "\n" not in new and "broken" not in words and "holds nothing" not in words and "stands" not in words:
        assert int(mine[0].split(":")[1]) in (project.line_of(SETTINGS, new), project.line_of(SETTINGS, new) - 1), mine


@pytest.mark.parametrize(("old", "new", "words"), IN_CELLS)
def test_a_row_that_is_no_cell_is_refused(project, old, new, words):
    project.change(CELLS, old, new)
    fault = faults_of(project.root)[0]
    assert words in fault and fault.startswith(f"config/cells.csv:{project.line_of(CELLS, new)}: ")


def test_all_faults_of_all_files_come_at_once(project):
    project.change(SETTINGS, "micron^2/min\">100000<", "cm^2/s\">100000<").change(RULES, FIRST, FIRST.replace("increases", "incrases"))
    project.change(RULES, "killer T cell,time", "killer T cel,time")
    assert len(faults_of(project.root)) == 3


def test_the_command_ends_with_2_and_writes_nothing(project, tmp_path, capsys):
    project.change(RULES, FIRST, FIRST.replace("increases", "incrases"))
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as done:
        main(["import", "physicell", str(project.root), "--out", str(out / "mine.yaml")])
    assert done.value.code == 2 and not out.exists()
    assert "config/cell_rules.csv:2: direction: is 'incrases'" in capsys.readouterr().err


def test_rules_of_two_files_are_compared(project):
    project.path("more.csv").write_text("// more\n" + FIRST + "\n")
    second = '<ruleset protocol="CBHG" version="3.0" format="csv" enabled="true"><folder>config</folder><filename>more.csv</filename></ruleset></rulesets>'
    project.change(SETTINGS, "</rulesets>", second)
    assert faults_of(project.root) == ["config/more.csv:2: signal: 'oxygen' acts on 'cycle entry' in config/cell_rules.csv:2 already; PhysiCell keeps one of the two in silence; "
                                       "expected one rule for a signal and a behaviour"]  # fmt: skip


def test_a_file_found_elsewhere_in_the_project_is_warned_of(project):
    project.change(SETTINGS, "<folder>./config</folder>\n      <filename>cells.csv", "<folder>/data/old</folder>\n      <filename>cells.csv")
    assert any(n.word == "warning" and n.what == "'/data/old/cells.csv' is not there" for n in translate(project.root).notes)


@pytest.mark.parametrize("name", [SETTINGS, RULES, CELLS])
def test_a_file_that_is_missing_is_named(project, name):
    project.path(name).unlink()
    assert any(name in f or "has no settings file" in f for f in faults_of(project.root))


@pytest.mark.parametrize("name", [RULES, CELLS])
def test_a_file_that_is_no_text_is_refused(project, name):
    project.path(name).write_bytes(b"tumor cell\xff\xfe\x00")
    assert f"config/{name}" in faults_of(project.root)[0]


def test_no_folder_and_no_type_of_that_name(tmp_path, project):
    assert "is no folder" in faults_of(tmp_path / "nothing")[0]
    assert "--tumour: there is no cell type 'tumor'" in faults_of(project.root, tumour="tumor")[0]
    assert "places no cell of" not in faults_of(project.root, tumour="tumor")[0]


def test_which_type_is_the_tumour_is_asked_where_names_do_not_tell(project):
    for name in (SETTINGS, RULES, CELLS):
        text = project.path(name).read_text().replace("tumor cell", "epithelial cell")
        project.path(name).write_text(text)
    assert "which type is the tumour? 'epithelial cell' and 'stroma' may be; expected --tumour NAME" in faults_of(project.root)[0]
    assert translate(project.root, tumour="epithelial cell").config["mechanisms"]["division"]["k_div"] == 0.0004


def test_a_tumour_without_a_cell_is_refused(project):
    project.path(CELLS).write_text("x,y,z,type\n0,0,0,stroma\n")
    assert "places no cell of 'tumor cell', the tumour" in faults_of(project.root)[0]


def test_no_table_and_no_number_of_cells_is_refused(project):
    project.change(SETTINGS, '<cell_positions type="csv" enabled="true">', '<cell_positions type="csv" enabled="false">')
    assert "the project's C++ code places cells, and is not read" in faults_of(project.root)[0]


LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><PhysiCell_settings>&b;</PhysiCell_settings>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><PhysiCell_settings/>'


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE])
def test_a_document_type_is_refused_before_anything_is_read(project, text):
    project.path(SETTINGS).write_text(text)
    assert faults_of(project.root) == ["config/PhysiCell_settings.xml:1: has a document type, which PhysiCell's files have not and which is not read"]


def test_xml_without_end_is_refused(project, monkeypatch):
    project.path(SETTINGS).write_text("<PhysiCell_settings>" + "<a>" * 100 + "</a>" * 100 + "</PhysiCell_settings>")
    assert "more than 64 deep" in faults_of(project.root)[0]
    monkeypatch.setattr("tme.importing.physicell_xml.MOST_ELEMENTS", 50)
    project.path(SETTINGS).write_text("<PhysiCell_settings>" + "<a/>" * 100 + "</PhysiCell_settings>")
    assert "more than 50 elements" in faults_of(project.root)[0]
    monkeypatch.setattr("tme.importing.physicell_xml.MOST_BYTES", 100)
    assert "MB" in faults_of(project.root)[0]


def test_a_table_full_of_faults_tells_the_first_twenty(project):
    project.path(CELLS).write_text("x,y,z,type\n" + "a,b,c,d\n" * 500)
    faults = faults_of(project.root)
    assert len(faults) == 21 and faults[-1].endswith("and 480 faults more from here on")


def test_marks_that_turn_the_writing_do_not_reach_a_terminal(project):
    project.change(RULES, FIRST, FIRST.replace("oxygen", "\u202eoxy\x1b[31m"))
    (fault,) = faults_of(project.root)
    assert "\u202e" not in fault and "\x1b" not in fault and "\\u202e" in fault
