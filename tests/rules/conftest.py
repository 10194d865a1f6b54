"""Tests of rules begin without any: those that the library has on by default are off unless a test asks for them."""

import pytest
import support


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The small models of `support`, without the library's rules."""
    for name in ("DISH", "TISSUE"):
        monkeypatch.setattr(support, name, {**getattr(support, name), "rules": support.QUIET})
