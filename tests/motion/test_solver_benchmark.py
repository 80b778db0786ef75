"""The benchmark of the solver gives scipy the same problem: both come down to the same cost."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.solver import _robust, our_seconds, per_frame, scipy_seconds, squat, stages
from motion.problem import costs, errors


def test_squares_that_scipy_minimises_are_the_losses():
    clip = squat(4)
    expected = costs(clip.residuals, clip.state)
    for name, error in errors(clip.residuals, clip.state).items():
        factor, _ = _robust(clip.residuals[name], error)
        assert 0.5 * ((factor * error) ** 2).sum() == pytest.approx(expected[name], rel=1e-6, abs=1e-9)


def test_scipy_comes_down_to_the_cost_that_ours_reaches_and_not_below():
    clip = squat(4)
    spent, target, steps = our_seconds(clip)
    before = sum(costs(clip.residuals, clip.state).values())
    theirs, reached, _ = scipy_seconds(clip, target)
    assert reached < before / 20
    assert target < 1.01 * reached
    assert 0 < spent < theirs
    assert steps > 1


def test_parts_of_an_iteration_take_time():
    assert all(np.isfinite(spent) and spent > 0 for spent in stages(squat(4)).values())


def test_lengths_are_compared_over_as_many_frames():
    spent = per_frame((4, 8), rounds=1)
    assert set(spent) == {4, 8}
    assert all(0 < ms < 1000 for ms in spent.values())
