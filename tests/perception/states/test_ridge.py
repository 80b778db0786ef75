"""The closed form of the ridge cost against explicit fits."""

from itertools import pairwise

import numpy as np
import pytest

from perception.states.ridge import Ridge


@pytest.fixture(name="data")
def _data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 7)) + rng.normal(size=7), (rng.random((60, 3)) < 0.2).astype(float)


REGULARISATION = 0.03


def fitted(x, z, penalty):
    """Planes and offsets of least |z - x w - b|^2 + penalty |w|^2, from the normal equations with b as a weight."""
    one = np.hstack([x, np.ones((len(x), 1))])
    ridge = penalty * np.diag(np.r_[np.ones(x.shape[1]), 0.0])
    both = np.linalg.solve(one.T @ one + ridge, one.T @ z)
    return both[:-1], both[-1]


def test_cost_is_that_of_an_explicit_fit(data):
    x, z = data
    w, b = fitted(x, z, len(x) * REGULARISATION)
    explicit = ((z - x @ w - b) ** 2).mean(axis=0) + REGULARISATION * (w**2).sum(axis=0)
    np.testing.assert_allclose(Ridge(x, REGULARISATION).cost(z), explicit, rtol=1e-10)


def test_cost_is_the_quadratic_form_of_the_large_matrix(data):
    x, z = data
    centred = x - x.mean(axis=0)
    gram = centred.T @ centred + len(x) * REGULARISATION * np.eye(7)
    large = np.eye(60) - 1 / 60 - centred @ np.linalg.solve(gram, centred.T)
    np.testing.assert_allclose(Ridge(x, REGULARISATION).cost(z), np.diag(z.T @ large @ z) / 60, rtol=1e-10)


def test_no_other_plane_costs_less(data):
    x, z = data
    ridge = Ridge(x, REGULARISATION)
    w = ridge.weight(ridge.correlation(z))
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-1):
        other = w + size * rng.normal(size=w.shape)
        residual = z - x @ other
        cost = residual.var(axis=0) + REGULARISATION * (other**2).sum(axis=0)
        assert (cost > ridge.cost(z)).all()


def test_scores_are_those_of_the_fit(data):
    x, z = data
    ridge = Ridge(x, REGULARISATION)
    w, b = fitted(x, z, len(x) * REGULARISATION)
    scores = ridge.predicted(x, ridge.weight(ridge.correlation(z)), z.mean(axis=0))
    np.testing.assert_allclose(scores, x @ w + b, atol=1e-12)


def test_left_out_scores_are_those_of_fits_without_the_clip(data):
    x, z = data
    start = [0, 11, 12, 40, 60]
    scores = Ridge(x, REGULARISATION).left_out(z, start)
    for first, last in pairwise(start):
        others = np.r_[0:first, last:60]
        w, b = fitted(x[others], z[others], len(x) * REGULARISATION)
        np.testing.assert_allclose(scores[first:last], x[first:last] @ w + b, atol=1e-10)


def test_single_precision_is_near(data):
    x, z = data
    np.testing.assert_allclose(
        Ridge(x.astype(np.float32), REGULARISATION).cost(z), Ridge(x, REGULARISATION).cost(z), rtol=1e-5
    )
