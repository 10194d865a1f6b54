"""What stands behind every number: stated, or told by its source; `tme describe --evidence` counts it."""

import pytest
from support import TISSUE, config_of

from tme.cli.text import evidence
from tme.core.parameters import STATUSES, par, status_of
from tme.library import Number, load_library
from tme.model import parameter_registry
from tme.model.describe import describe


@pytest.mark.parametrize(
    ("source", "status"),
    [("assumed: below 1 h", "assumed"), ("calibrated: EC50", "tuned"), ("tuned: T41", "tuned"), ("chosen: small", "chosen"),
     ("molecular formula", "derived"), ("definition: the field counts iron", "derived"), ("Gong et al. 2021", "measured")],
)  # fmt: skip
def test_the_source_tells_the_status_where_none_is_stated(source, status):
    assert status_of(source) == status
    assert par("x", 1, "1", 0, 2, source).status == status
    assert Number.model_validate({"value": 1, "unit": "1", "source": source}).status == status


def test_a_stated_status_holds_and_another_word_is_refused():
    assert par("x", 1, "1", 0, 2, "assumed: so", status="tuned").status == "tuned"
    assert Number.model_validate({"value": 1, "unit": "1", "source": "doi 10.1", "status": "derived"}).status == "derived"
    with pytest.raises(ValueError, match="expected one of measured"):
        par("x", 1, "1", 0, 2, "assumed: so", status="guessed")


def test_every_number_has_a_status():
    assert {p.status for s in parameter_registry().values() for p in s} <= {*STATUSES}
    assert {n.status for kind in load_library().entries.values() for e in kind.values() for n in e.numbers.values()} <= {*STATUSES}


def test_evidence_counts_what_is_in_use_and_what_a_config_sets_is_chosen():
    def counted(**changes):
        rows = evidence(describe(config_of(TISSUE, **changes)))["evidence"]
        assert all(sum(r[s] for s in STATUSES) == r["all"] for r in rows)
        assert rows[-1]["all"] == sum(r["all"] for r in rows[:-1]) > 100
        return rows[-1]

    plain = counted()
    changed = counted(entries={"fields": {"oxygen": {"decay": 0.001}}}, mechanisms__ferroptosis={"f_x": 0.5})
    assert changed["chosen"] == plain["chosen"] + 2 and changed["all"] == plain["all"]
