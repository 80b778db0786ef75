"""Angles that are constant in each phase of a stroke."""

from __future__ import annotations

import numpy as np
import pytest

from sim.phases import phased

T = np.linspace(0.0, 4.0, 401)


def test_constant_between_turns():
    angle = phased(T, [1.0, 2.5], [0.2, -0.4, 1.0], rate=3.0)
    assert angle[T <= 1.0] == pytest.approx(0.2)
    assert angle[(T >= 1.0 + 0.6 / 3.0 + 1e-9) & (T <= 2.5)] == pytest.approx(-0.4)
    assert angle[T >= 2.5 + 1.4 / 3.0 + 1e-9] == pytest.approx(1.0)
    assert np.abs(np.diff(angle)).max() <= 3.0 * (T[1] - T[0]) + 1e-12


def test_one_phase_is_a_constant():
    assert phased(T, [], [0.7], rate=1.0) == pytest.approx(0.7)


def test_moments_and_angles_must_match():
    with pytest.raises(ValueError, match="argument"):
        phased(T, [1.0], [0.0], rate=1.0)
