"""Features of contact: closed forms of rest and swing, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.contact_features import FOOT, HAND, SLOWEST, WHOLE, contact_features, inputs
from motion.skeleton import CONTACT_SITES
from records import Camera, ContactStates

FPS = 50.0
FRAMES = 60
BODY = build_body(height=1.75, mass=65.0)
H = BODY.height


def said(frames: int = FRAMES, fps: float = FPS, value: float = 0.5) -> ContactStates:
    return ContactStates(names=CONTACT_SITES, probability=np.full((frames, 4), value), fps=fps)


def standing(frames: int = FRAMES) -> np.ndarray:
    return np.repeat(BODY.neutral()[None], frames, axis=0)


def side_camera() -> Camera:
    T = np.eye(4)
    T[:3, :3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    T[:3, 3] = [0, -6.0, 1.0]
    return Camera(K=np.array([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]]), T_world_camera=T[None], size_hw=(480, 640))


def kicking(frames: int = FRAMES, fps: float = FPS) -> np.ndarray:
    """The left leg swings about the hip, 0.8 rad to and fro in 0.8 s; the arms rise."""
    t = np.arange(frames) / fps
    q = standing(frames)
    hip, arm = (3 + 4 * BODY.joint_names.index(name) for name in ("l_hip", "r_shoulder"))
    q[:, hip : hip + 4] = Rotation.from_rotvec(-0.8 * np.sin(2 * np.pi * t / 0.8)[:, None] * [1.0, 0, 0]).as_quat()
    q[:, arm : arm + 4] = Rotation.from_rotvec(0.6 * np.sin(2 * np.pi * t / 1.1)[:, None] * [0.0, 0, 1.0]).as_quat()
    q[:, 0] += 0.4 * t
    return q


def mirrored(q: np.ndarray) -> np.ndarray:
    """Reflect about the plane y = 0, which the neutral body is symmetric about: left becomes right."""
    flip = np.diag([1.0, -1, 1])
    out = q.copy()
    out[:, 1] *= -1
    names = BODY.joint_names
    local = q[:, 3:].reshape(len(q), 24, 4)
    for j, name in enumerate(names):
        twin = names.index({"l": "r_", "r": "l_"}[name[0]] + name[2:]) if name[1] == "_" else j
        R = Rotation.from_quat(local[:, twin]).as_matrix()
        # The pelvis turns from body axes (x to the left) to the world, which are reflected along another axis.
        outer = flip if j == 0 else np.diag([-1.0, 1, 1])
        R = outer @ R @ np.diag([-1.0, 1, 1])
        out[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_matrix(R).as_quat()
    return out


def test_feet_at_rest_are_slow_low_and_do_not_stray():
    found = contact_features(BODY, standing(), said())
    rest = dict(zip(FOOT, np.moveaxis(found.feet, -1, 0), strict=True))
    np.testing.assert_allclose(rest["speed"], np.log(SLOWEST), atol=1e-6)
    np.testing.assert_allclose(rest["strays"], np.log(0.01), atol=1e-6)
    np.testing.assert_allclose(rest["height"], 0, atol=1e-9)
    np.testing.assert_allclose(rest["below other"], 0, atol=1e-9)
    np.testing.assert_allclose(rest["leg"], 1, atol=1e-6)
    np.testing.assert_allclose(rest["knee"], -1, atol=1e-9)
    np.testing.assert_allclose(rest["toes down"], 0, atol=1e-9)
    np.testing.assert_allclose(rest["image"], 0, atol=1e-9)
    whole = dict(zip(WHOLE, found.whole.T, strict=True))
    np.testing.assert_allclose(whole["carried"], np.tanh(0.5), atol=1e-6)
    np.testing.assert_allclose(whole["upright"], 1, atol=1e-6)


def test_a_body_that_is_carried_along_has_its_speed_in_every_limb_but_none_beside_the_body():
    q = standing()
    q[:, 0] += 2.0 * np.arange(FRAMES) / FPS
    found = contact_features(BODY, q, said())
    for part, names in ((found.feet, FOOT), (found.hands, HAND)):
        value = dict(zip(names, np.moveaxis(part, -1, 0), strict=True))
        np.testing.assert_allclose(value["speed"][5:-5], np.log(SLOWEST + 2.0 / H), atol=1e-6)
        np.testing.assert_allclose(value["speed beside body"][5:-5], np.log(SLOWEST), atol=1e-6)
        np.testing.assert_allclose(value["rise"], 0, atol=1e-9)


def test_a_falling_body_is_not_carried():
    t = np.arange(FRAMES) / FPS
    q = standing()
    q[:, 2] += 1 + 3 * t - 0.5 * 9.81 * t**2
    carried = contact_features(BODY, q, said()).whole[:, WHOLE.index("carried")]
    np.testing.assert_allclose(carried, 0, atol=1e-3)


def test_movement_along_the_line_of_sight_counts_for_nothing():
    q = standing()
    q[:, 1] += 2.0 * np.arange(FRAMES) / FPS
    through, around = (
        contact_features(BODY, q, said(), camera).feet[:, 0, FOOT.index("speed")] for camera in (side_camera(), None)
    )
    assert (through < np.log(SLOWEST + 0.25)).all()
    assert (around[5:-5] > np.log(1.0)).all()


@pytest.mark.parametrize("camera", [None, side_camera()])
def test_a_mirrored_motion_has_the_features_of_the_other_side(camera):
    if camera is not None:
        # The mirror image of a camera in the plane y = 0 is itself.
        T = np.eye(4)
        T[:3, :3] = np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])
        T[:3, 3] = [6.0, 0, 1.0]
        camera = camera.replace(T_world_camera=T[None])
    states = said()
    rows = np.random.default_rng(0).uniform(0.1, 0.9, (FRAMES, 4))
    one = inputs(contact_features(BODY, kicking(), states.replace(probability=rows), camera))
    other = inputs(
        contact_features(BODY, mirrored(kicking()), states.replace(probability=rows[:, [1, 0, 3, 2]]), camera)
    )
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(b, a[:, ::-1], atol=2e-6)


def test_the_frame_rate_does_not_matter():
    slow, fast = (contact_features(BODY, kicking(n, fps), said(n, fps)) for n, fps in ((40, 25.0), (80, 50.0)))
    for a, b in zip(slow, fast, strict=True):
        inner = np.abs(a - b[::2])[8:-8]
        assert np.median(inner) < 0.02
        assert inner.max() < 0.4


def test_size_does_not_matter():
    small = build_body(height=1.4, mass=40.0)
    q = kicking()
    scaled = q.copy()
    # The same movement of a smaller person: lengths shrink, times stay.
    scaled[:, :3] = q[:, :3] * small.height / H
    one = contact_features(BODY, q, said())
    other = contact_features(small, scaled, said())
    for name in ("speed", "height", "leg", "knee", "below centre", "strays"):
        column = FOOT.index(name)
        np.testing.assert_allclose(other.feet[..., column], one.feet[..., column], atol=1e-6)
