from __future__ import annotations

import pytest

from records import Entry, Registry, UnknownName

TABLE = Registry("number", {"pi": Entry("math:pi", "a circle over its diameter"), "e": Entry("math:e", "growth")})


def test_parts_are_loaded_by_name():
    assert TABLE.load("pi") == pytest.approx(3.14159, abs=1e-5)
    assert list(TABLE) == ["pi", "e"]
    assert TABLE["e"].summary == "growth"


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(UnknownName) as caught:
        TABLE.load("tau")
    assert str(caught.value) == "unknown number 'tau'; choose from: pi, e"
