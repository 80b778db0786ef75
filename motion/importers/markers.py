"""Motion capture onto the body: joint angles and bone lengths that put the body's points where the markers are.

Gauss-Newton on all frames at once, in turn with linear least squares for the bone lengths, which all frames share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from motion.body import Body, build_body
from motion.local_derivative import differentiate
from motion.markers import marker_jacobian, marker_positions
from motion.rotation import exponential, logarithm, product, quaternion
from motion.skeleton import BONES
from records import Motion

TRUNK = ("l_hip", "r_hip", "l_shoulder", "r_shoulder")
"""Points that place the pelvis at the start: all four must be among the markers."""

POSE_PRIOR = 0.03
"""Distance of a marker [m] that outweighs one radian away from the T-pose: it settles what no marker sees."""

FIXED_BONES = ("hip_drop", "neck", "head")
"""Lengths that markers of the limbs do not show."""

LARGEST_STEP = 1.0
"""Longest change of a coordinate in one step [rad, m]."""


class MarkerError(ValueError):
    """Markers that a body cannot be fitted to."""


def fit_markers(
    points: Float[np.ndarray, "T N 3"],
    names: Sequence[str],
    fps: float,
    *,
    mass: float = 70.0,
    surface: bool = True,
    smoothing: float = 0.04,
    rounds: int = 8,
) -> Motion:
    """Fit bone lengths and a motion to 3D points of a person.

    Args:
        points: positions in the world, z up [m]; all seen.
        names: sites of the body (`motion.skeleton.SITES`), hips and shoulders among them.
        fps: frame rate [1/s].
        mass: body mass [kg].
        surface: hips and shoulders are markers on the skin (`motion.markers`) rather than joint centres.
        smoothing: width of the Gaussian behind velocity and acceleration [s].
        rounds: times that lengths are fitted between fits of the angles.

    Raises:
        MarkerError: hips or shoulders are not among the names, or a point is not finite.
    """
    missing = [name for name in TRUNK if name not in names]
    if missing or not np.isfinite(points).all():
        what = f"no marker {missing[0]!r}" if missing else "a marker is not finite"
        raise MarkerError(f"{what}; a body needs finite positions of {', '.join(TRUNK)} in every frame")
    body = build_body(mass=mass)
    q = _upright(points, names, body)
    for _ in range(rounds):
        q = _fit_angles(body, q, points, names, surface, steps=6)
        body = _fit_lengths(body, q, points, names, surface)
    q = _fit_angles(body, q, points, names, surface, steps=12)
    v, a = differentiate(q, fps, smoothing)
    return Motion(model="smpl_tree", parameters=body.parameters(), fps=fps, q=q, v=v, a=a)


def _upright(points: np.ndarray, names: Sequence[str], body: Body) -> np.ndarray:
    """T-pose with the pelvis turned as hips and shoulders say."""
    l_hip, r_hip, l_shoulder, r_shoulder = (points[:, names.index(name)] for name in TRUNK)
    up = l_shoulder + r_shoulder - l_hip - r_hip
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    left = l_hip - r_hip
    left -= (left * up).sum(-1, keepdims=True) * up
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    q = np.repeat(body.neutral()[None], len(points), axis=0)
    q[:, :3] = 0.5 * (l_hip + r_hip)
    q[:, 3:7] = quaternion(np.stack([left, up, np.cross(left, up)], axis=-1))
    return q


def _fit_angles(
    body: Body, q: np.ndarray, points: np.ndarray, names: Sequence[str], surface: bool, steps: int
) -> np.ndarray:
    prior = np.full(body.nv, POSE_PRIOR**2)
    prior[:6] = 1e-8
    for _ in range(steps):
        found, J = marker_jacobian(body, q, names) if surface else body.site_jacobian(q, names)
        J = J.reshape(len(q), -1, body.nv)
        turned = logarithm(q[:, 7:].reshape(len(q), -1, 4)).reshape(len(q), -1)
        gradient = np.einsum("tij,ti->tj", J, (points - found).reshape(len(q), -1))
        gradient[:, 6:] -= prior[6:] * turned
        step = np.linalg.solve(J.swapaxes(1, 2) @ J + np.diag(prior), gradient[..., None])[..., 0]
        step *= np.minimum(1, LARGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
        q = _moved(body, q, step)
    return q


def _moved(body: Body, q: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Pinocchio's `integrate` for all frames; the free-flyer's translation to first order."""
    R, _ = body.joint_poses(q)
    turned = product(q[:, 3:].reshape(len(q), -1, 4), exponential(step[:, 3:].reshape(len(q), -1, 3)))
    root = q[:, :3] + np.einsum("tij,tj->ti", R[:, 0], step[:, :3])
    return np.concatenate([root, turned.reshape(len(q), -1)], axis=1)


def _fit_lengths(body: Body, q: np.ndarray, points: np.ndarray, names: Sequence[str], surface: bool) -> Body:
    found = marker_positions(body, q, names) if surface else body.site_positions(q, names)
    free = [b for b, bone in enumerate(body.bone_names) if bone not in FIXED_BONES]
    J = body.bone_jacobian(q, names)[..., free].reshape(-1, len(free))
    change = np.linalg.solve(J.T @ J + np.eye(len(free)), J.T @ (points - found).ravel())
    bones = dict(body.bones)
    for b, delta in zip(free, change, strict=True):
        bone = body.bone_names[b]
        bones[bone] = max(bones[bone] + float(delta), 0.3 * bones[bone])
    height = (bones["thigh"] + bones["shank"]) / (BONES["thigh"] + BONES["shank"])
    bones |= {bone: BONES[bone] * height for bone in FIXED_BONES}
    return build_body(height=height, mass=body.mass, bones=bones)
