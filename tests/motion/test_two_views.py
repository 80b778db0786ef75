"""Triangulation and the comparison with it, and a bar's weight, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from squatting import level_camera, squatting
from standing import standing

from benchmarks import barbell, two_views
from benchmarks.two_views import POINTS, compare, limb_lengths, stature, triangulate
from records import Camera


def cameras() -> list[Camera]:
    """Two cameras with lenses, a quarter of a turn apart, that look at the origin's surroundings."""
    first = level_camera().replace(distortion=np.array([-0.05, 0.1, 1e-3, -1e-3, 0.0]))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("z", 80, degrees=True).as_matrix()
    return [first, first.replace(T_world_camera=(turn @ first.T_world_camera[0])[None])]


def people():
    body, q = squatting(frames=5)
    return body.site_positions(q, POINTS)


def test_points_come_back_through_two_lenses():
    p = people()
    uv = np.stack([camera.project(p) for camera in cameras()])
    np.testing.assert_allclose(triangulate(cameras(), uv, np.ones(uv.shape[:3])), p, atol=1e-6)


def test_noise_of_a_pixel_moves_points_by_millimetres_and_a_doubted_view_counts_less():
    p, chance = people(), np.random.default_rng(0)
    uv = np.stack([camera.project(p) for camera in cameras()])
    noisy = uv + chance.normal(0, 1.0, uv.shape)
    found = triangulate(cameras(), noisy, np.ones(uv.shape[:3]))
    assert 1e-3 < np.linalg.norm(found - p, axis=-1).mean() < 0.01, "4 m away, at 900 px of focal length"
    away = uv + np.array([[0.0, 20.0], [0.0, 0.0]])[:, None, None]
    trusting = triangulate(cameras(), away, np.array([0.5, 0.5])[:, None, None] * np.ones(uv.shape[:3]))
    doubting = triangulate(cameras(), away, np.array([0.01, 0.99])[:, None, None] * np.ones(uv.shape[:3]))
    assert np.linalg.norm(doubting - p, axis=-1).mean() < 0.2 * np.linalg.norm(trusting - p, axis=-1).mean()


def test_what_is_compared_is_told_apart():
    target = people()
    same = compare(target, target)
    assert same == pytest.approx((0, 0, 0, 0, 1), abs=1e-6)
    larger = compare(1.1 * target, target)
    assert larger.scale == pytest.approx(1.1)
    assert larger.scaled == pytest.approx(0, abs=1e-6)
    assert larger.pa == pytest.approx(0, abs=1e-6)
    assert larger.rooted > 10
    moved = compare(target + np.array([0.3, 0.0, 0.4]), target)
    assert moved == pytest.approx((0, 0, 0, 500, 1), abs=1e-6)
    assert np.isnan(compare(target, target, placed=False).place)


def test_lengths_and_stature_are_those_of_the_body():
    body, q = squatting(frames=5)
    bones = [body.bones[bone] for *_, bone in two_views.LIMBS]
    np.testing.assert_allclose(limb_lengths(body.site_positions(q, POINTS)), bones, atol=1e-9)
    eyes, soles = (body.site_positions(q, names) for names in (two_views.EYES, two_views.SOLES))
    assert stature(eyes, soles) == pytest.approx(body.height, abs=0.08)


def test_feet_that_bear_person_and_bar_have_their_weight():
    bar = barbell.loaded(40.0)
    assert bar.mass == pytest.approx(40.0)
    carried = standing(force=0.5 * 9.81 * 110.0)
    assert barbell.feet_over_weight(carried, 70.0 + bar.mass) == pytest.approx(1.0)
    assert barbell.end_error(np.zeros((4, 2)), np.tile([3.0, 4.0], (4, 1))) == pytest.approx(5.0)
    ends = barbell.ends(carried)
    assert ends.shape == (6, 2, 2)
    figures = barbell.Figures(2.0, 90.0, 4.0, 300.0, 0.95, 4, "converged")
    last = barbell.report({"squat": figures}, 70.0, bar).splitlines()[-1]
    assert last.startswith("barbell: bar end 4.0 px after the joint estimate (2.0 tracked before it, 90.0 by the hands")
    assert "0.950 of the weight of 70 + 40 kg (person alone 0.636)" in last
