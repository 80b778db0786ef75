"""Conditions of episodes: drawn as their spread says, fixed by options, refused where they make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from sim.conditions import OPTIONS, ConditionError, Conditions, Spread, given


def test_moved_in_closed_form():
    quarter = Conditions(x=0.1, y=0.2, yaw=np.pi / 2)
    about = np.array([1.0, 0.0, 0.5])
    points = np.array([[1.0, 0.0, 0.5], [2.0, 0.0, 0.7], [1.0, 1.0, 0.0]])
    assert quarter.moved(points, about) == pytest.approx(np.array([[1.1, 0.2, 0.5], [1.1, 1.2, 0.7], [0.1, 0.2, 0.0]]))
    assert quarter.moved(points[1], about) == pytest.approx([1.1, 1.2, 0.7])
    assert quarter.quaternion == pytest.approx([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    assert Conditions().moved(points, about) == pytest.approx(points)


def test_drawn_as_the_spread_says():
    rng = np.random.default_rng(0)
    rows = np.array([Spread(0.05, 0.2, 0.3, 0.1).draw(rng) for _ in range(2000)])
    # Standard error of a standard deviation of n normal numbers: 1 / sqrt(2 n), 1.6 %; five of them.
    assert rows[:, :3].std(axis=0) == pytest.approx([0.05, 0.05, 0.2], rel=0.08)
    assert np.abs(rows[:, :3].mean(axis=0) / [0.05, 0.05, 0.2]).max() < 5 / np.sqrt(2000)
    for column, most in ((3, 0.3), (4, 0.1)):
        assert 1 - most <= rows[:, column].min() < 1 - 0.95 * most
        assert 1 + 0.95 * most < rows[:, column].max() <= 1 + most


def test_a_spread_does_not_change_what_else_is_drawn():
    some, none = (Spread(0.05, yaw).draw(np.random.default_rng(3)) for yaw in (0.1, 0.0))
    assert some.offset == pytest.approx(none.offset)
    assert none.yaw == 0


def test_options_fix_what_is_drawn():
    drawn = Conditions(0.1, 0.2, 0.3, 1.1, 0.9)
    assert given({}, drawn) == given({"follow": False, "object_offset": None}, drawn) == drawn
    assert given({"object_offset": np.zeros(2)}, drawn) == Conditions(0.0, 0.0, 0.3, 1.1, 0.9)
    fixed = given({"object_offset": (1, 2), "object_yaw": 3, "mass": 2, "friction": 0, "follow": True}, drawn)
    assert fixed == Conditions(1.0, 2.0, 3.0, 2.0, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objects": 1}, f"unknown reset option 'objects'; there are: {', '.join(OPTIONS)}"),
        ({"object_offset": (0.0, np.nan)}, "must be numbers"),
        ({"object_offset": 3.0}, "object_offset"),
        ({"object_offset": (1.0, 2.0, 3.0)}, "too many values"),
        ({"mass": 0.0}, "above 0"),
        ({"friction": -1.0}, "not below"),
        ({"object_yaw": "left"}, "left"),
    ],
)
def test_nonsense_is_refused_in_one_line(options, message):
    with pytest.raises(ConditionError, match=message) as caught:
        given(options, Conditions())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spread", [Spread(-0.1), Spread(np.nan), Spread(mass=1.0), Spread(friction=-0.1)])
def test_spreads_are_checked(spread):
    with pytest.raises(ConditionError, match=r"spread .* must be a number from 0"):
        spread.check()
