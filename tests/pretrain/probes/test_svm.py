"""Linear support vector machines: a case by hand, the conditions of the minimum, and its invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.probes.svm import SVMError, fit_svm, objective


def examples(count, size, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, count)
    return rng.normal(size=(count, size)) + np.eye(classes, size)[label], label


def test_two_points_by_hand():
    """x = +-1 with y = +-1: by symmetry no bias; w minimises w^2 / 2 + 2 C (1 - w)^2, so w = 4C / (1 + 4C)."""
    machine = fit_svm(np.array([[1.0], [-1.0]]), np.array([0, 1]), 2, C=2.0)
    np.testing.assert_allclose(machine.weight[:, 0], [8 / 9, -8 / 9], atol=1e-9)
    np.testing.assert_allclose(machine.bias, 0, atol=1e-9)
    np.testing.assert_allclose(machine.scores(np.array([[3.0]])), [[8 / 3, -8 / 3]], atol=1e-9)


def test_the_bias_is_regularised_like_a_weight():
    """One point at 0 with y = 1: b minimises b^2 / 2 + C (1 - b)^2, so b = 2C / (1 + 2C)."""
    machine = fit_svm(np.zeros((1, 1)), np.array([0]), 1, C=1.0)
    assert machine.bias[0] == pytest.approx(2 / 3)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 60), st.integers(3, 30), st.sampled_from([1e-3, 1.0, 100.0]), st.integers(0, 99))
def test_conditions_of_the_minimum(count, size, C, seed):
    """v = 2C sum max(0, 1 - y v.x) y x, for either shape of the examples."""
    x, label = examples(count, size, seed)
    machine = fit_svm(x, label, 3, C=C)
    one = np.hstack([x, np.ones((count, 1))])
    for k in range(3):
        v, y = np.r_[machine.weight[k], machine.bias[k]], np.where(label == k, 1.0, -1.0)
        pull = 2 * C * one.T @ (y * np.maximum(0, 1 - y * (one @ v)))
        np.testing.assert_allclose(v, pull, atol=1e-3 * max(1.0, np.abs(v).max()))
        best = objective(v, one, y, C)
        for step in np.random.default_rng(seed).normal(size=(5, size + 1)):
            assert best <= objective(v + 1e-2 * step, one, y, C) + 1e-6 * best


def test_the_minimum_is_that_of_another_solver():
    from scipy.optimize import minimize

    x, label = examples(200, 12)
    machine = fit_svm(x, label, 3, C=100.0)
    one, y = np.hstack([x, np.ones((200, 1))]), np.where(label == 1, 1.0, -1.0)
    found = minimize(objective, np.zeros(13), (one, y, 100.0), method="L-BFGS-B", options={"maxfun": 100_000})
    ours = objective(np.r_[machine.weight[1], machine.bias[1]], one, y, 100.0)
    assert ours == pytest.approx(found.fun, rel=1e-5)
    assert ours <= found.fun * (1 + 1e-6)
    assert machine.gap.max() < 1e-6


def test_an_example_twice_is_twice_the_cost():
    x, label = examples(40, 6)
    twice = fit_svm(np.repeat(x, 2, axis=0), np.repeat(label, 2), 3, C=1.0)
    np.testing.assert_allclose(twice.weight, fit_svm(x, label, 3, C=2.0).weight, atol=1e-5)


def test_a_class_without_examples_is_never_chosen():
    x, label = examples(40, 6)
    scores = fit_svm(x, label, 4, C=1.0).scores(x)
    assert (scores[:, 3] < 0).all()


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(SVMError, match="no examples"):
        fit_svm(np.zeros((0, 3)), np.zeros(0, int), 2, C=1.0)
    with pytest.raises(SVMError, match="not finite"):
        fit_svm(np.full((2, 3), np.nan), np.array([0, 1]), 2, C=1.0)
