"""What can be expected of a tool that comes to work beside its objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.tolerance import FINE, expected, telling
from policies.evaluate import wilson


@pytest.mark.parametrize("sd", [0.02, 0.05])
def test_expected_success_is_the_probability_of_the_solved_region(sd):
    axis, half = np.linspace(-0.09, 0.09, 181), 0.05
    solved = (np.abs(axis)[:, None] < half - 1e-9).astype(float) * (axis > 1e-9)
    inside = math.erf((half - 5e-4) / (sd * math.sqrt(2)))
    ahead = (math.erf(0.09 / (sd * math.sqrt(2))) - math.erf(5e-4 / (sd * math.sqrt(2)))) / 2
    assert expected(solved, axis, sd)[FINE, FINE] == pytest.approx(inside * ahead, abs=0.006)


@pytest.mark.parametrize("sd", [0.02, 0.04])
def test_most_is_solved_in_the_middle_of_the_solved_region(sd):
    """A demonstration that works off its middle is best led beside what it is meant for."""
    axis, middle, half = np.linspace(-0.08, 0.08, 161), np.array([0.03, -0.02]), 0.04
    near = [np.abs(axis - at) < half for at in middle]
    found = expected(np.outer(*near).astype(float), axis, sd)
    assert found.max() == pytest.approx(math.erf(half / (sd * math.sqrt(2))) ** 2, abs=0.01)
    fine = np.linspace(axis[0], axis[-1], len(found))
    best = [fine[k] for k in np.unravel_index(found.argmax(), found.shape)]
    assert best == pytest.approx(middle, abs=0.002)
    assert found[FINE, FINE] < 0.9 * found.max()


def test_episodes_that_are_told_to_be_enough_are():
    count = int(telling(0.81, 0.9))
    assert wilson(round(0.81 * count), count)[1] < wilson(round(0.9 * count), count)[0]
    assert wilson(round(0.81 * count / 2), count // 2)[1] > wilson(round(0.9 * count / 2), count // 2)[0]
    assert telling(0.8, 0.8) == "more than 10,000"
