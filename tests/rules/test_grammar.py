"""PhysiCell's grammar, evaluated as its source has it (CBHG v3), against the formula written down a second time."""

import numpy as np
import pytest
from support import QUIET

import tme
from tme.rules.evaluation import saturations
from tme.rules.resolve import chosen

N = 4000


def entry(verb, signal, unit, to, half, hill, base=1.0, dead=False, term="division.rate"):
    number = "{{value: {!r}, unit: '{}', source: 'assumed: a test'}}"
    parts = {"in": "tumour", "signal": signal, verb: term, "combine": "cbhg", "to": number.format(to, "1/min"), "half": number.format(half, unit),
             "hill": number.format(hill, "1"), "base": number.format(base, "1/min"), "dead": str(dead).lower(),
             "evidence": "hypothetical", "source": "a test"}  # fmt: skip
    return "{" + ", ".join(f"{k}: {v}" for k, v in parts.items()) + "}"


def formula(up, down, base):
    """Value for signals `up`, `down`: lists of (s, half, hill, saturation)."""
    total_up = sum(((s / h) ** n for s, h, n, _ in up), np.zeros(N))
    total_down = sum(((s / h) ** n for s, h, n, _ in down), np.zeros(N))
    most = max([m for *_, m in up] + ([base] if down else []), default=base)
    least = min([m for *_, m in down] + ([base] if up else []), default=base)
    u = base + (most - base) * total_up / (1 + total_up)
    return u + (least - u) * total_down / (1 + total_down)


CASES = [
    ([("own.gsh", "uM", 2.0, 900.0, 2.0)], []),
    ([], [("own.lip", "uM", 0.1, 1.5, 4.0)]),
    ([("own.gsh", "uM", 2.0, 900.0, 2.0), ("own.pufa", "uM", 3.0, 700.0, 1.7)], [("own.lip", "uM", 0.1, 1.5, 4.0), ("own.gpx4", "1", 0.4, 0.3, 8.0)]),
    ([("own.gsh", "uM", 2.0, 900.0, 2.0)], [("own.lip", "uM", 0.1, 1.5, 4.0)]),
]


@pytest.mark.parametrize("up, down", CASES)
def test_the_grammar_agrees_with_its_formula_on_random_signals(up, down):
    rules = {f"rules__u{k}": entry("raises", s, unit, to, half, hill) for k, (s, unit, to, half, hill) in enumerate(up)}
    rules |= {f"rules__d{k}": entry("lowers", s, unit, to, half, hill) for k, (s, unit, to, half, hill) in enumerate(down)}
    model = tme.TumourModel("configs/wave.yaml", arm="growth", domain__size_um="[1400, 1400]", **{f"rules__{n}": "off" for n in QUIET}, **rules)
    t, rng = model.tumour, np.random.default_rng(1)
    assert t.n > N
    for column, most in (("gsh", 4000.0), ("pufa", 3000.0), ("lip", 5.0), ("gpx4", 2.0)):
        t.col.__dict__[column][: t.n] = rng.uniform(0.0, most, t.n)
    model.mechanism("rules").settle(model)
    values = {name: getattr(t, name)[:N] for name in ("gsh", "pufa", "lip", "gpx4")}
    sides = [[(values[s.split(".")[1]], half, hill, to) for s, _, to, half, hill in side] for side in (up, down)]
    assert np.allclose(t.term("division.rate")[:N], np.clip(formula(*sides, 1.0), 0.0, 10.0), rtol=1e-12, atol=1e-12)


def test_the_dead_hear_only_what_applies_to_them():
    rules = {"rules__a": entry("raises", "own.gsh", "uM", 2.0, 900.0, 2.0), "rules__b": entry("raises", "own.lip", "uM", 3.0, 1.0, 1.0, dead=True)}
    model = tme.TumourModel("configs/wave.yaml", arm="growth", domain__size_um="[300, 300]", **{f"rules__{n}": "off" for n in QUIET}, **rules)
    t = model.tumour
    t.col.state[: t.n // 2] = 3
    model.mechanism("rules").settle(model)
    a, b = (t.gsh / 900.0) ** 2, t.lip / 1.0
    x = np.where(t.state == 0, a + b, b)
    assert np.allclose(t.term("division.rate")[: t.n], 1.0 + 2.0 * x / (1 + x), rtol=1e-12)
    rules["rules__c"] = entry("lowers", "own.lip", "uM", 0.1, 1.5, 4.0)  # for the living, beside a rule for the dead on the other side
    model = tme.TumourModel("configs/wave.yaml", arm="growth", domain__size_um="[300, 300]", **{f"rules__{n}": "off" for n in QUIET}, **rules)
    t = model.tumour
    t.col.state[: t.n // 2] = 3
    model.mechanism("rules").settle(model)
    u, y = 1.0 + 2.0 * x / (1 + x), np.where(t.state == 0, (t.lip / 1.5) ** 4, 0.0)
    assert np.allclose(t.term("division.rate")[: t.n], u + (0.1 - u) * y / (1 + y), rtol=1e-12)
    del rules["rules__c"]
    deaf = tme.TumourModel("configs/wave.yaml", arm="growth", domain__size_um="[300, 300]", **{f"rules__{n}": "off" for n in QUIET}, rules__a=rules["rules__a"])
    t = deaf.tumour
    t.col.state[: t.n // 2] = 3
    t.col.term_division_rate[: t.n] = 7.0
    deaf.mechanism("rules").settle(deaf)
    assert np.all(t.term_division_rate[t.state == 3] == 7.0) and not np.any(t.term_division_rate[t.state == 0] == 7.0)


def test_the_base_joins_the_other_side_only_where_both_kinds_of_rule_exist():
    config = tme.load_config("configs/wave.yaml", overrides=[*(f"rules.{n}=off" for n in QUIET), "rules.a=" + entry("raises", "own.gsh", "uM", 2.0, 900.0, 2.0)])
    raising = chosen(config)["a"]
    assert saturations([raising], []) == (1.0, 2.0, 1.0)
