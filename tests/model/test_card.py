"""card.md: one page of what was asked, of which model, with which evidence and limits."""

from pathlib import Path

from support import tissue

from tme.experiments import run
from tme.model import load_config
from tme.model.card import card

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_card_of_the_main_experiment_has_its_question_arms_evidence_and_limits():
    text = card(load_config(CONFIGS / "four_arms.yaml"))
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## What was asked", "## Of which model", "## With which evidence", "## Limits"]
    for words in ("bliss(combination; anti_pdl1, rsl3_np) > 0", "| combination | peg_pdpa_rsl3 | 9 mg/kg | iv | 0 3 6 9 |", "b16_like", "are measured", "Rules on whose sources disagree: M71.efimova",
                  "A flat section", "peg_pdpa_rsl3 is without its pyropheophorbide", "it predicts no patient"):  # fmt: skip
        assert words in text, words


def test_the_card_tells_what_the_config_changed():
    config = tissue(mechanisms={"killing": {"k_hit": 0.05}, "cuproptosis": {"on": True}}, sweep={"replicates": [1, 2]}).config
    text = card(config)
    assert "`killing.k_hit` = 0.05 1/min" in text and "cuproptosis on" in text and "Swept: `replicates`: [1, 2]" in text
    assert "No question is stated: whatever comes out is exploratory." in text


def test_a_run_keeps_its_card(tmp_path):
    config = tissue(horizon_day=0.0625, start_day=0, replicates=1).config
    made = run(config, tmp_path / "run", jobs=1, progress=False, report=False)
    assert made.exit_code == 0 and (made.path / "card.md").read_text() == card(config)
