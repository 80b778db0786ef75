from __future__ import annotations

import cv2
import numpy as np
from examples import camera


def points(seed=0):
    return np.random.default_rng(seed).uniform([-0.5, -1, 0], [1, 1, 2], (4, 6, 3))


def test_projection_agrees_with_opencv():
    view, p = camera(), points()
    T = np.linalg.inv(view.T_world_camera[0])
    expected, _ = cv2.projectPoints(p.reshape(-1, 3), cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], view.K, view.distortion)
    np.testing.assert_allclose(view.project(p).reshape(-1, 2), expected[:, 0], atol=1e-6)


def test_projection_jacobian_against_finite_differences():
    view, p, step = camera(), points(), 1e-6
    _, J = view.project_with_jacobian(p)
    for k in range(3):
        shift = step * np.eye(3)[k]
        difference = (view.project(p + shift) - view.project(p - shift)) / (2 * step)
        np.testing.assert_allclose(J[..., k], difference, rtol=1e-5, atol=1e-4)


def test_rays_invert_the_projection():
    view, p = camera(), points()
    rays = view.rays(view.project(p))
    centre = view.T_world_camera[0, :3, 3]
    expected = (p - centre) / np.linalg.norm(p - centre, axis=-1, keepdims=True)
    np.testing.assert_allclose(rays, expected, atol=1e-6)


def test_what_the_lens_changes_against_finite_differences():
    view, p, step = camera(), points(), 1e-5
    bent = [view.replace(distortion=view.distortion + sign * step * np.eye(5)[0]).project(p) for sign in (1, -1)]
    np.testing.assert_allclose(view.lens_slope(p), (bent[0] - bent[1]) / (2 * step), rtol=1e-6, atol=1e-4)
