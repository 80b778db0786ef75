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
from motion.rotation import conjugate, exponential, logarithm, product, quaternion
from motion.skeleton import BONES
from records import Motion

HIPS, SHOULDERS = ("l_hip", "r_hip"), ("l_shoulder", "r_shoulder")
"""Points that place the pelvis at the start; the neck stands in for shoulders that are not marked."""

MOST_FRAMES = 120
"""Frames that bone lengths are fitted on: longer motions take part evenly spaced."""

AT_ONCE = 500
"""Frames whose angles are fitted together: a Jacobian takes 1 MB for 30 of them."""

HANGING = np.radians(75)
"""Angle by which arms without markers hang down from the T-pose [rad]."""

POSE_PRIOR = 0.03
"""Distance of a marker [m] that outweighs one radian away from the T-pose: it settles what no marker sees."""

FIXED_BONES = ("hip_drop", "neck", "head")
"""Lengths that markers of the limbs do not show."""

LARGEST_STEP = 1.0
"""Longest change of a coordinate in one step [rad, m]."""

SMALLEST_STEP = 1e-5
"""Steps end when no coordinate changes by more [rad, m]."""


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
    weight: Float[np.ndarray, "T N"] | None = None,
) -> Motion:
    """Fit bone lengths and a motion to 3D points of a person.

    Args:
        points: positions in the world, z up [m]; all seen.
        names: sites of the body (`motion.skeleton.SITES`), hips and shoulders (or neck) among them.
        fps: frame rate [1/s].
        mass: body mass [kg].
        surface: hips and shoulders are markers on the skin (`motion.markers`) rather than joint centres.
        smoothing: width of the Gaussian behind velocity and acceleration [s].
        rounds: times that lengths are fitted between fits of the angles.
        weight: how far each position is trusted, 1 in full; by default all are.

    Raises:
        MarkerError: hips or shoulders are not among the names, or a point is not finite.
    """
    needed = (*HIPS, *(() if "neck" in names else SHOULDERS))
    missing = [name for name in needed if name not in names]
    if missing or not np.isfinite(points).all():
        what = f"no marker {missing[0]!r}" if missing else "a marker is not finite"
        raise MarkerError(f"{what}; a body needs finite positions of {', '.join(HIPS + SHOULDERS)} in every frame")
    if weight is None:
        weight = np.ones(points.shape[:2])
    body = build_body(mass=mass)
    some = np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST_FRAMES)).round().astype(int))
    q = rest = _upright(points, names, body)
    few, fewer = q[some], (points[some], names, surface, weight[some])
    for _ in range(rounds):
        few = _fit_angles(body, few, rest[some], *fewer, steps=6)
        body = _fit_lengths(body, few, *fewer)
    q = few[np.clip(np.searchsorted(some, np.arange(len(points))), 0, len(some) - 1)]
    chunks = [slice(start, start + AT_ONCE) for start in range(0, len(q), AT_ONCE)]
    q = np.concatenate(
        [_fit_angles(body, q[c], rest[c], points[c], names, surface, weight[c], steps=12) for c in chunks]
    )
    v, a = differentiate(q, fps, smoothing)
    return Motion(model="smpl_tree", parameters=body.parameters(), fps=fps, q=q, v=v, a=a)


def _upright(points: np.ndarray, names: Sequence[str], body: Body) -> np.ndarray:
    """T-pose with the pelvis turned as hips and shoulders say; arms that nothing is known of hang down."""
    upper = SHOULDERS if set(SHOULDERS) <= set(names) else ("neck", "neck")
    l_hip, r_hip, l_shoulder, r_shoulder = (points[:, names.index(name)] for name in (*HIPS, *upper))
    up = l_shoulder + r_shoulder - l_hip - r_hip
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    left = l_hip - r_hip
    left -= (left * up).sum(-1, keepdims=True) * up
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    q = np.repeat(body.neutral()[None], len(points), axis=0)
    q[:, :3] = 0.5 * (l_hip + r_hip)
    q[:, 3:7] = quaternion(np.stack([left, up, np.cross(left, up)], axis=-1))
    for side, sign in (("l", -1), ("r", 1)):
        if not {f"{side}_elbow", f"{side}_wrist"} & set(names):
            start = 3 + 4 * body.joint_names.index(f"{side}_shoulder")
            q[:, start : start + 4] = exponential(np.array([0.0, 0.0, sign * HANGING]))
    return q


def _fit_angles(
    body: Body,
    q: np.ndarray,
    rest: np.ndarray,
    points: np.ndarray,
    names: Sequence[str],
    surface: bool,
    weight: np.ndarray,
    *,
    steps: int,
) -> np.ndarray:
    """Angles that put the body's points where the markers are; what no marker shows stays near the pose `rest`."""
    prior = np.full(body.nv, POSE_PRIOR**2)
    prior[:6] = 1e-8
    home = conjugate(rest[:, 7:].reshape(len(q), -1, 4))
    root = np.sqrt(weight)[..., None]
    for _ in range(steps):
        found, J = marker_jacobian(body, q, names) if surface else body.site_jacobian(q, names)
        J = (J * root[..., None]).reshape(len(q), -1, body.nv)
        turned = logarithm(product(home, q[:, 7:].reshape(len(q), -1, 4))).reshape(len(q), -1)
        gradient = np.einsum("tij,ti->tj", J, (root * (points - found)).reshape(len(q), -1))
        gradient[:, 6:] -= prior[6:] * turned
        step = np.linalg.solve(J.swapaxes(1, 2) @ J + np.diag(prior), gradient[..., None])[..., 0]
        step *= np.minimum(1, LARGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
        q = _moved(body, q, step)
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return q


def _moved(body: Body, q: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Pinocchio's `integrate` for all frames; the free-flyer's translation to first order."""
    R, _ = body.joint_poses(q)
    turned = product(q[:, 3:].reshape(len(q), -1, 4), exponential(step[:, 3:].reshape(len(q), -1, 3)))
    root = q[:, :3] + np.einsum("tij,tj->ti", R[:, 0], step[:, :3])
    return np.concatenate([root, turned.reshape(len(q), -1)], axis=1)


def _fit_lengths(
    body: Body, q: np.ndarray, points: np.ndarray, names: Sequence[str], surface: bool, weight: np.ndarray
) -> Body:
    found = marker_positions(body, q, names) if surface else body.site_positions(q, names)
    free = [b for b, bone in enumerate(body.bone_names) if bone not in FIXED_BONES]
    root = np.sqrt(weight)[..., None]
    J = (root[..., None] * body.bone_jacobian(q, names)[..., free]).reshape(-1, len(free))
    change = np.linalg.solve(J.T @ J + np.eye(len(free)), J.T @ (root * (points - found)).ravel())
    bones = dict(body.bones)
    for b, delta in zip(free, change, strict=True):
        bone = body.bone_names[b]
        bones[bone] = max(bones[bone] + float(delta), 0.3 * bones[bone])
    height = (bones["thigh"] + bones["shank"]) / (BONES["thigh"] + BONES["shank"])
    bones |= {bone: BONES[bone] * height for bone in FIXED_BONES}
    return build_body(height=height, mass=body.mass, bones=bones)
