"""Clicks: what is read, what is refused and what the message says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.click import Click, ClickError


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 10**6))
def test_text_and_click_are_the_same(x: int, y: int, frame: int) -> None:
    click = Click(x / 4, y / 4, frame)
    assert Click.parse(str(click)) == click


def test_first_frame_is_the_default() -> None:
    assert Click.parse(" 12.5, 8 ") == Click(12.5, 8.0, 0)


@pytest.mark.parametrize(
    "text", ["", "12", "1,2,3@0", "a,b@0", "1,2@", "1,2@1.5", "nan,2@0", "inf,2", "-1,2@0", "1,2@-3"]
)
def test_malformed_click_says_the_form(text: str) -> None:
    with pytest.raises(ClickError, match="expected x,y@frame"):
        Click.parse(text)


def test_click_must_lie_on_the_clip() -> None:
    Click(639.5, 0.0, 9).check((480, 640), 10)
    with pytest.raises(ClickError, match="outside the image of 640 x 480 px"):
        Click(640.0, 10.0, 0).check((480, 640), 10)
    with pytest.raises(ClickError, match=r"beyond the clip, which has 10 frames \(0 to 9\)"):
        Click(1.0, 1.0, 10).check((480, 640), 10)
