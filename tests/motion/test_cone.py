"""Friction cones stand about the normal of what is touched: slopes, walls and the ground."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.cone import generators, turned_to
from motion.contact_basis import POINTS, SOLE
from motion.force_options import ForceOptions
from motion.forces import solve_forces
from motion.scene import Box, Plane, Together
from motion.scene_contact import touched_normals
from motion.skeleton import CONTACT_SITES
from records import ContactStates, Motion

FPS = 25.0
BODY = build_body(height=1.75, mass=70.0)
WEIGHT = 9.81 * BODY.mass
UP = np.array([0.0, 0.0, 1.0])

directions = st.tuples(*(st.floats(-1, 1) for _ in range(3))).filter(lambda v: np.linalg.norm(v) > 0.1)


@settings(max_examples=60, deadline=None)
@given(directions, st.floats(0.2, 1.5), st.integers(3, 8))
def test_turned_edges_are_the_same_cone_about_another_normal(direction, friction, count):
    n = np.array(direction) / np.linalg.norm(direction)
    edges = generators(friction, count)
    turned = turned_to(n, edges)
    np.testing.assert_allclose(n @ turned, 1, atol=1e-6)
    np.testing.assert_allclose(turned.T @ turned, edges.T @ edges, atol=1e-6)


def test_about_up_nothing_turns_and_about_down_nothing_fails():
    edges = generators(0.6, 4)
    np.testing.assert_array_equal(turned_to(UP, edges), edges)
    np.testing.assert_allclose(-UP @ turned_to(-UP, edges), 1)


def standing(angle=0.0, frames=12):
    """A body on its feet whose soles are turned with a slope that rises along x [rad]."""
    q = np.tile(BODY.neutral(), (frames, 1))
    turn = Rotation.from_rotvec([0, -angle, 0])
    q[:, 3:7] = (turn * Rotation.from_quat(q[0, 3:7])).as_quat()
    q[:, :3] = turn.apply(q[0, :3] - [0, 0, BODY.site_positions(q, ["l_ball"])[0, 0, 2]])
    return q


def normals_of(q, scene):
    return touched_normals(BODY, q, POINTS, BODY.site_positions(q, POINTS), scene)


def slope(angle):
    return Plane(normal=(-np.sin(angle), 0.0, np.cos(angle)))


def test_soles_touch_what_they_face():
    wall = Plane(normal=(-1.0, 0.0, 0.0), offset=-0.16)
    q = standing()
    toes = BODY.site_positions(q, ["l_toes"])[0, 0]
    assert wall.nearest(toes).distance < 0.05
    np.testing.assert_array_equal(normals_of(q, wall), np.broadcast_to(UP, (12, len(POINTS), 3)))
    plinth = Box(lower=(-1, -1, 0.0), upper=(1, 1, 0.3))
    raised = q.copy()
    raised[:, 2] += 0.3
    np.testing.assert_allclose(normals_of(raised, plinth)[:, : len(SOLE)], np.broadcast_to(UP, (12, len(SOLE), 3)))
    on_slope = standing(0.5)
    on_slope[:, 0] += 1.0
    on_slope[:, 2] += np.tan(0.5)
    found = normals_of(on_slope, Together([slope(0.5), Plane(normal=(0, 1.0, 0), offset=-2.0)]))
    np.testing.assert_allclose(found[:, : len(SOLE)], np.broadcast_to(slope(0.5).normal, (12, len(SOLE), 3)), atol=1e-9)
    np.testing.assert_array_equal(found[:, len(SOLE) :], np.broadcast_to(UP, (12, 2, 3)))


def forces_on_slope(angle, friction, scene):
    q = standing(angle)
    q[:, 0] += 1.0
    q[:, 2] += np.tan(angle)
    still = np.zeros((len(q), BODY.nv))
    motion = Motion(model="smpl_tree", parameters=BODY.parameters(), fps=FPS, q=q, v=still, a=still)
    contacts = ContactStates(names=CONTACT_SITES, probability=np.tile([1.0, 1, 0, 0], (len(q), 1)), fps=FPS)
    return solve_forces(
        BODY,
        motion,
        contacts,
        scene=scene,
        options=ForceOptions(friction=friction, position_sigma=1e-4, depth_sigma=1e-4),
    )


def test_forces_on_a_slope_are_in_its_own_cone():
    angle = 0.45
    n = np.array(slope(angle).normal)
    for friction, holds in ((0.7, True), (0.3, False)):
        found = forces_on_slope(angle, friction, slope(angle))
        force = found.wrench[2:-2, :2, :3]
        pressed = force @ n
        shear = np.linalg.norm(force - pressed[..., None] * n, axis=-1)
        assert (shear <= friction * pressed + 1e-3 * WEIGHT).all()
        lost = np.linalg.norm(force.sum(axis=1) - WEIGHT * UP, axis=1).mean()
        # tan 0.45 = 0.48: the slope carries a body at rest only with more friction than that.
        assert lost < 0.03 * WEIGHT if holds else lost > 0.1 * WEIGHT
    # About world z a slope without friction would carry everyone.
    upright = forces_on_slope(angle, 0.3, None)
    force = upright.wrench[2:-2, :2, :3].sum(axis=1)
    assert np.linalg.norm(force - WEIGHT * UP, axis=1).mean() < 0.03 * WEIGHT
