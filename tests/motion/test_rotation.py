from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motion.body import rotations
from motion.rotation import conjugate, exponential, inverse_right_jacobian, logarithm, product, quaternion, skew

vectors = arrays(float, 3, elements=st.floats(-1.7, 1.7))


@given(vectors)
def test_exponential_and_logarithm_agree_with_pinocchio_and_undo_each_other(w):
    np.testing.assert_allclose(rotations(exponential(w)), pin.exp3(w), atol=1e-12)
    np.testing.assert_allclose(logarithm(exponential(w)), w, atol=1e-9)


@given(vectors, vectors)
def test_product_is_that_of_the_matrices(a, b):
    p, q = exponential(a), exponential(b)
    np.testing.assert_allclose(rotations(product(p, q)), rotations(p) @ rotations(q), atol=1e-12)
    np.testing.assert_allclose(product(p, conjugate(p)), [0, 0, 0, 1], atol=1e-12)


@given(vectors)
def test_inverse_right_jacobian_agrees_with_pinocchio(w):
    np.testing.assert_allclose(inverse_right_jacobian(w), pin.Jlog3(pin.exp3(w)), atol=1e-6)


@pytest.mark.parametrize("axis", [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.6, 0, 0.8]])
@pytest.mark.parametrize("angle", [0.0, 1.0, np.pi - 1e-9, np.pi])
def test_quaternion_of_any_matrix(axis, angle):
    R = pin.exp3(angle * np.array(axis))
    np.testing.assert_allclose(rotations(quaternion(R)), R, atol=1e-9)


def test_skew_is_the_cross_product():
    a, b = np.array([1.0, 2, 3]), np.array([-2.0, 0.5, 4])
    np.testing.assert_allclose(skew(a) @ b, np.cross(a, b))
