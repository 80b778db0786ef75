"""Geometric start of an estimate: where the person is in every frame and roughly in which pose, without iterating.

Landmarks are turned to the viewing ray, scaled to the body, and placed where they project onto the image points (linear
in the translation). The pose follows limb by limb from the placed landmarks. Gaps are bridged on the manifold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter

from motion.body import Body
from motion.rotation import conjugate, exponential, logarithm, product, quaternion
from records import Camera, Keypoints

TRUNK_POINTS = ("l_shoulder", "r_shoulder", "l_hip", "r_hip")
LIMBS = (
    ("shoulder", "elbow", "upper_arm"), ("elbow", "wrist", "forearm"), ("hip", "knee", "thigh"),
    ("knee", "ankle", "shank"),
)  # fmt: skip
MIN_POINTS = 4
"""Seen points that place a frame."""
DEPTH_WINDOW = 0.3
"""Running median over the depth of single frames [s]."""
MIN_DEPTH = 0.5
"""No person is nearer to the camera than this [m]."""
MAX_TWIST = float(np.deg2rad(70))
"""A trunk twists no further from hips to shoulders [rad]; beyond, the shoulders, which are wider, are believed."""
STRAIGHT = 0.15
"""Sine of the bend of an elbow or knee below which the plane of the limb is not trusted alone."""


class Placed(NamedTuple):
    """Landmarks placed before the camera."""

    p_world: Float[np.ndarray, "T K 3"]
    R_camera_ray: Float[np.ndarray, "T 3 3"]
    """Rotation that brings the optical axis to the viewing ray of the person."""
    scale: float
    """Factor on the landmarks that gives them the body's limb lengths."""
    placed: Bool[np.ndarray, "T"]


def place(person: Keypoints, landmarks: Float[np.ndarray, "T K 3"], camera: Camera, body: Body) -> Placed:
    """Place root-relative landmarks [m] (camera axes) before the camera.

    Args:
        person: image points and their confidence.
        landmarks: the detector's, or lifted ones.
        camera: static or moving.
        body: gives the scale.
    """
    weight = np.where(person.confidence >= 0.3, person.confidence, 0.0)
    centred = camera.replace(T_world_camera=np.eye(4)[None])
    ray = centred.rays(person.uv)
    plane = ray[..., :2] / ray[..., 2:]
    placed = (weight > 0).sum(axis=1) >= MIN_POINTS
    total = np.maximum(weight.sum(axis=1), 1e-9)[:, None]
    R_ray = rotation_to((plane * weight[..., None]).sum(axis=1) / total)
    scale = _limb_scale(person, landmarks, weight, body)
    X = scale * landmarks @ R_ray.swapaxes(1, 2)
    A = np.zeros((*plane.shape, 3))
    A[..., 0, 0] = A[..., 1, 1] = 1
    A[..., 2] = -plane
    b = X[..., 2:] * plane - X[..., :2]
    normal = np.einsum("tnki,tnkj,tn->tij", A, A, weight) + 1e-9 * np.eye(3)
    t = np.linalg.solve(normal, np.einsum("tnki,tnk,tn->ti", A, b, weight)[..., None])[..., 0]
    placed &= t[:, 2] > MIN_DEPTH
    if placed.any():
        frames = np.arange(len(t))
        size = max(1, round(DEPTH_WINDOW * person.fps)) | 1
        depth = median_filter(np.interp(frames, frames[placed], t[placed, 2]), size=size, mode="nearest")
        direction = t / np.where(placed, t[:, 2], 1.0)[:, None]
        t = direction * depth[:, None]
    R_world_camera, origin = camera.T_world_camera[:, :3, :3], camera.T_world_camera[:, None, :3, 3]
    p_world = (X + t[:, None]) @ R_world_camera.swapaxes(1, 2) + origin
    return Placed(p_world, R_ray, scale, placed)


def pose(
    names: tuple[str, ...], p: Float[np.ndarray, "T K 3"], seen: np.ndarray, body: Body
) -> Float[np.ndarray, "T 99"]:
    """Pose a body limb by limb on placed points: trunk frame, then two directions per limb.

    Args:
        names: names of the points.
        p: world positions [m].
        seen: boolean (T, K); a limb with an unseen point hangs straight down the trunk.
        body: whose joints are turned.
    """

    def of(name: str) -> np.ndarray:
        return p[:, names.index(name)]

    def known(*wanted: str) -> np.ndarray:
        return np.all([seen[:, names.index(n)] if n in names else np.zeros(len(p), bool) for n in wanted], axis=0)

    q = np.tile(body.neutral(), (len(p), 1))
    q[:, :3] = p.mean(axis=1)
    if not set(TRUNK_POINTS) <= set(names):
        return q
    hips, shoulders = (of("l_hip") + of("r_hip")) / 2, (of("l_shoulder") + of("r_shoulder")) / 2
    chest = _frame(up=shoulders - hips, left=of("l_shoulder") - of("r_shoulder"))
    pelvis = _frame(up=shoulders - hips, left=of("l_hip") - of("r_hip"))
    twisted = np.einsum("ti,ti->t", pelvis[..., 0], chest[..., 0]) < np.cos(MAX_TWIST)
    pelvis[twisted] = chest[twisted]
    q[:, 3:7] = quaternion(pelvis)
    q[:, :3] = hips + pelvis[..., 1] * body.bones["hip_drop"]
    twist = logarithm(product(conjugate(q[:, 3:7]), quaternion(chest)))
    for name in ("spine1", "spine2", "spine3"):
        _set(q, name, exponential(twist / 3))
    for side, x in (("l", 1.0), ("r", -1.0)):
        limb = [f"{side}_{n}" for n in ("shoulder", "elbow", "wrist")]
        if set(limb) <= set(names):
            upper, fore = _local(chest, of(limb[1]) - of(limb[0])), _local(chest, of(limb[2]) - of(limb[1]))
            hidden = ~known(*limb)
            upper[hidden] = fore[hidden] = [0.0, -1.0, 0.0]
            frame, bend = _limb_frame(along=upper, beyond=fore, rest=np.array([x, 0, 0]), forward=np.array([0, 0, 1.0]))
            _set(q, limb[0], quaternion(frame))
            _set(q, limb[1], exponential(bend[:, None] * np.array([0, -x, 0])))
        limb = [f"{side}_{n}" for n in ("hip", "knee", "ankle")]
        if set(limb) <= set(names):
            upper, fore = _local(pelvis, of(limb[1]) - of(limb[0])), _local(pelvis, of(limb[2]) - of(limb[1]))
            hidden = ~known(*limb)
            upper[hidden] = fore[hidden] = [0.0, -1.0, 0.0]
            frame, bend = _limb_frame(
                along=upper, beyond=fore, rest=np.array([0, -1.0, 0]), forward=np.array([0, 0, -1.0])
            )
            _set(q, limb[0], quaternion(frame))
            _set(q, limb[1], exponential(bend[:, None] * np.array([1.0, 0, 0])))
    return q


def bridge(q: Float[np.ndarray, "T Q"], known: Bool[np.ndarray, "T"]) -> Float[np.ndarray, "T Q"]:
    """Fill unknown frames between known ones: positions linearly, quaternions by normalised interpolation."""
    frames = np.arange(len(q))
    turns = q[:, 3:].reshape(len(q), -1, 4)[known]
    for t in range(1, len(turns)):
        turns[t] *= np.where((turns[t] * turns[t - 1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    sparse = np.concatenate([q[known, :3], turns.reshape(len(turns), -1)], axis=1)
    filled = np.stack([np.interp(frames, frames[known], column) for column in sparse.T], axis=1)
    quaternions = filled[:, 3:].reshape(len(q), -1, 4)
    quaternions /= np.maximum(np.linalg.norm(quaternions, axis=-1, keepdims=True), 1e-9)
    return np.concatenate([filled[:, :3], quaternions.reshape(len(q), -1)], axis=1)


def rotation_to(plane: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T 3 3"]:
    """Smallest rotation that brings the optical axis to the ray through (x, y) on the plane at z = 1."""
    ray = np.concatenate([plane, np.ones((len(plane), 1))], axis=1)
    z = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    axis = np.stack([-z[:, 1], z[:, 0], np.zeros(len(z))], axis=1)
    W = np.zeros((len(z), 3, 3))
    W[:, 0, 2], W[:, 1, 2], W[:, 2, 0], W[:, 2, 1] = axis[:, 1], -axis[:, 0], -axis[:, 1], axis[:, 0]
    return np.eye(3) + W + W @ W / (1 + z[:, 2])[:, None, None]


def _limb_scale(person: Keypoints, landmarks: np.ndarray, weight: np.ndarray, body: Body) -> float:
    wanted = found = 0.0
    for side in ("l", "r"):
        for start, end, bone in LIMBS:
            pair = (f"{side}_{start}", f"{side}_{end}")
            if set(pair) <= set(person.names):
                i, j = (person.index(n) for n in pair)
                both = np.minimum(weight[:, i], weight[:, j])
                wanted += body.bones[bone] * both.sum()
                found += float(np.linalg.norm(landmarks[:, i] - landmarks[:, j], axis=1) @ both)
    return wanted / found if found > 0 else 1.0


def _frame(up: np.ndarray, left: np.ndarray) -> np.ndarray:
    y = _unit(up)
    z = _unit(np.cross(left, y))
    return np.stack([np.cross(y, z), y, z], axis=-1)


def _limb_frame(
    *, along: np.ndarray, beyond: np.ndarray, rest: np.ndarray, forward: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation that lays the upper limb along a direction with its hinge plane through the lower one; and the bend.

    In the limb's own axes the upper part points along `rest`, and bending moves the lower part towards `forward`.
    """
    u, f = _unit(along), _unit(beyond)
    across = f - (f * u).sum(-1, keepdims=True) * u
    usual = forward - (u @ forward)[:, None] * u
    w = _unit(across + STRAIGHT * _unit(usual))
    w = _unit(w - (w * u).sum(-1, keepdims=True) * u)
    target = np.stack([u, w, np.cross(u, w)], axis=-1)
    home = np.stack([rest, forward, np.cross(rest, forward)], axis=-1)
    bend = np.arctan2((f * w).sum(-1), (f * u).sum(-1))
    return target @ home.T, np.maximum(bend, 0.0)


def _local(R: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return np.einsum("tji,tj->ti", R, direction)


def _unit(x: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(norm > 1e-9, x / np.maximum(norm, 1e-9), np.array([0.0, 0.0, 1.0]))


def _set(q: np.ndarray, joint: str, value: np.ndarray) -> None:
    j = Body.joint_names.index(joint)
    q[:, 3 + 4 * j : 7 + 4 * j] = value
