"""The motion of a tool from points on it: derivatives, recovery of a known motion, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion.plane_problem import PlaneProblem
from motion.tool import JUG
from motion.tool_points import Span, ToolPointsError, motion_of_points
from records import Camera, Keypoints

PLACE = np.array([0.29, 0.0, 0.075])
"""Where the spout is on the jug [m]."""
POINTS = {
    "spout": PLACE,
    "lid": np.array([0.20, 0.0, 0.11]),
    "heel": np.array([0.10, 0.0, -0.08]),
    "toe": np.array([0.24, 0.0, -0.08]),
}
SPAN = Span("heel", "spout", float(np.linalg.norm(POINTS["spout"] - POINTS["heel"])))
FRAMES, FPS = 60, 20.0


def camera():
    """1.2 m before the tool, looking along +y, a little down."""
    down = Rotation.from_euler("x", -0.1).as_matrix() @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = down, [0.0, -1.2, 0.15]
    return Camera(K=np.array([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]]), T_world_camera=T[None], size_hw=(480, 640))


def poured(*, flip=False):
    """Attitude (T, 3, 3) and place of the spout (T, 3) [m] of a jug that is lifted and tilted by 70 degrees."""
    t = np.linspace(0, 1, FRAMES)
    ease = t**2 * (3 - 2 * t)
    swing = [0.06 * np.sin(6 * t), np.radians(70) * ease, 0.03 * np.sin(5 * t)]
    R = Rotation.from_euler("ZYX", np.stack(swing, axis=-1)).as_matrix()
    if flip:
        R = Rotation.from_euler("z", np.pi).as_matrix() @ R
    side = -1.0 if flip else 1.0
    return R, np.stack([side * (0.1 - 0.1 * ease), 0.03 * ease, 0.1 + 0.08 * np.sin(3 * t)], axis=-1)


def seen_points(R, spout, *, noise=0.0, mistaken=0.0, seed=0):
    """What the camera sees of the points; some are somewhere else instead."""
    local = np.array(list(POINTS.values())) - PLACE
    uv = camera().project(spout[:, None] + np.einsum("tij,kj->tki", R, local))
    rng = np.random.default_rng(seed)
    uv += noise * rng.standard_normal(uv.shape)
    elsewhere = rng.uniform(size=uv.shape[:2]) < mistaken
    elsewhere[:2] = False
    uv[elsewhere] = rng.uniform(0, 480, (int(elsewhere.sum()), 2))
    return Keypoints(names=tuple(POINTS), uv=uv, confidence=np.ones(uv.shape[:2]), fps=FPS, size_hw=(480, 640))


def found(seen, span=SPAN):
    return motion_of_points(seen, camera(), JUG, anchor="spout", place=PLACE, span=span)


def errors(fit, R, spout):
    """In the worst frame: of the tilt and the attitude [degrees], and of the spout's path after a shift [m]."""
    there = Rotation.from_quat(fit.motion.q[:, 3:7]).as_matrix()
    tilt = np.arcsin(there[:, 2, 0]) - np.arcsin(R[:, 2, 0])
    turn = Rotation.from_matrix(there @ R.swapaxes(1, 2)).magnitude()
    path = fit.motion.q[:, :3] + there @ PLACE
    off = (path - path[0]) - (spout - spout[0])
    return np.degrees(np.abs(tilt).max()), np.degrees(turn.max()), float(np.linalg.norm(off, axis=1).max())


@pytest.mark.parametrize("flip", [False, True], ids=["spout to the right", "spout to the left"])
def test_a_known_motion_is_found(flip):
    R, spout = poured(flip=flip)
    fit = found(seen_points(R, spout))
    tilt, turn, off = errors(fit, R, spout)
    assert tilt < 1.0
    assert turn < 5.0
    assert off < 0.02
    assert fit.points == pytest.approx(np.array(list(POINTS.values())), abs=0.006)
    assert fit.error < 1.0


def test_noise_mistakes_and_gaps_do_little_harm():
    R, spout = poured()
    seen = seen_points(R, spout, noise=2.0, mistaken=0.15)
    confidence = seen.confidence.copy()
    confidence[20:35, 1:] = 0.0
    fit = found(seen.replace(confidence=confidence))
    tilt, _, off = errors(fit, R, spout)
    assert tilt < 4.0
    assert off < 0.04


def test_twice_the_length_is_twice_the_motion():
    R, spout = poured()
    seen = seen_points(R, spout)
    once, twice = found(seen), found(seen, SPAN._replace(length=2 * SPAN.length))
    paths = [fit.motion.q[:, :3] + Rotation.from_quat(fit.motion.q[:, 3:7]).apply(PLACE) for fit in (once, twice)]
    moved = [np.linalg.norm(path[-1] - path[0]) for path in paths]
    assert moved[1] / moved[0] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("part", ["reprojection", "priors"])
def test_jacobians(part):
    R, spout = poured()
    problem = PlaneProblem(seen_points(R[:4], spout[:4]), camera(), "spout", SPAN)
    rng = np.random.default_rng(2)
    x = problem._packed(*problem.start) + 0.02 * rng.standard_normal(4 * 6 + 6)
    r, J = getattr(problem, part)(x)
    dense, step = J.toarray(), 1e-6
    for n in range(len(x)):
        ahead, behind = (getattr(problem, part)(x + sign * step * np.eye(len(x))[n])[0] for sign in (1, -1))
        numeric = (ahead - behind) / (2 * step)
        assert dense[:, n] == pytest.approx(numeric, abs=1e-4 * (1 + np.abs(numeric).max()))
    assert len(r) == len(dense)


def test_refusals():
    R, spout = poured()
    seen = seen_points(R, spout)
    with pytest.raises(ToolPointsError, match="no click on the point 'rim' of the tool; there are: spout, lid"):
        found(seen, Span("rim", "spout", 0.2))
    with pytest.raises(ToolPointsError, match=r"are -1\.0 m apart: expected two points and a length"):
        found(seen, Span("heel", "spout", -1.0))
    two = seen.replace(names=seen.names[:2], uv=seen.uv[:, :2], confidence=seen.confidence[:, :2])
    with pytest.raises(ToolPointsError, match="spout, lid do not tell how the tool is turned"):
        found(two, Span("lid", "spout", 0.1))
    apart = seen.confidence * np.where(np.arange(FRAMES)[:, None] < 30, [1, 1, 1, 0], [0, 1, 1, 1])
    with pytest.raises(ToolPointsError, match="are never seen in one frame"):
        found(seen.replace(confidence=apart))
    gone = seen.confidence * (np.arange(FRAMES) < 30)[:, None]
    with pytest.raises(
        ToolPointsError, match=r"fewer than two points of the tool are seen for 1\.5 s from frame 30 on"
    ):
        found(seen.replace(confidence=gone))
