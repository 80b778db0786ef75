"""What can be expected of a tool that comes to work beside its objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.tolerance import expected, telling
from policies.evaluate import wilson


@pytest.mark.parametrize("sd", [0.02, 0.05])
def test_expected_success_is_the_probability_of_the_solved_region(sd):
    axis, half = np.linspace(-0.09, 0.09, 181), 0.05
    solved = (np.abs(axis)[:, None] < half - 1e-9).astype(float) * (axis > 1e-9)
    inside = math.erf((half - 5e-4) / (sd * math.sqrt(2)))
    ahead = (math.erf(0.09 / (sd * math.sqrt(2))) - math.erf(5e-4 / (sd * math.sqrt(2)))) / 2
    assert expected(solved, axis, sd) == pytest.approx(inside * ahead, abs=0.006)


def test_episodes_that_are_told_to_be_enough_are():
    count = int(telling(0.81, 0.9))
    assert wilson(round(0.81 * count), count)[1] < wilson(round(0.9 * count), count)[0]
    assert wilson(round(0.81 * count / 2), count // 2)[1] > wilson(round(0.9 * count / 2), count // 2)[0]
    assert telling(0.8, 0.8) == "more than 10,000"
