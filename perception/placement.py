"""Where a person stands before the camera: rough metric positions of the detected points in camera axes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import median_filter

from perception.image_motion import SEEN, window
from records import Camera, Keypoints

SEGMENTS = {
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("shoulder", "hip"): 0.288,
}
"""Segment lengths over body height (Winter, Biomechanics and Motor Control, 4th ed., figure 4.1)."""
MIN_POINTS = 5
"""Seen points that a frame needs to be placed by landmarks."""
DEPTH_WINDOW = 0.3
"""Running median over depths found from segments alone [s]."""


class Placement(NamedTuple):
    """Points of a person in camera axes (x right, y down, z forward)."""

    p_camera: Float[np.ndarray, "T K 3"]
    """Position [m]; 0 where not placed."""
    weight: Float[np.ndarray, "T K"]
    """Detection confidence; 0 where not placed."""


def place(person: Keypoints, camera: Camera, *, height: float) -> Placement:
    """Place the person before a camera, of which only the intrinsics matter.

    With 3D landmarks: they are scaled to a body of `height` [m], turned by the viewing ray (a detector sees a crop as
    if it were in the middle of the image) and moved so that they project onto the image points. Without: all points at
    the depth where the least foreshortened segment has its anthropometric length.
    """
    weight = np.where(person.confidence >= SEEN, person.confidence, 0.0)
    ray = camera.replace(T_world_camera=np.eye(4)[None]).rays(person.uv)
    plane = ray[..., :2] / ray[..., 2:]
    if person.xyz is not None and np.any(person.xyz):
        return _by_landmarks(person, plane, weight, height)
    return _by_segments(person, plane, weight, height)


def _by_landmarks(person: Keypoints, plane: np.ndarray, weight: np.ndarray, height: float) -> Placement:
    assert person.xyz is not None
    usable = (weight > 0).sum(axis=1) >= MIN_POINTS
    weight = weight * usable[:, None]
    if not usable.any():
        return Placement(np.zeros_like(person.xyz), weight)
    lengths = _segment_lengths(person, np.asarray(person.xyz), weight)
    wanted, found = sum(f * height * len(v) for f, v in lengths), sum(float(v.sum()) for _, v in lengths)
    scale = wanted / found if found > 0 else 1.0
    total = np.maximum(weight.sum(axis=1), 1e-9)[:, None]
    centre = (plane * weight[..., None]).sum(axis=1) / total
    X = scale * person.xyz @ rotation_to_ray(centre).swapaxes(1, 2)
    A = np.zeros((*plane.shape, 3))
    A[..., 0, 0] = A[..., 1, 1] = 1
    A[..., 2] = -plane
    b = X[..., 2:] * plane - X[..., :2]
    row_weight = weight.copy()
    t = np.zeros((person.num_frames, 3))
    for _ in range(3):
        normal = np.einsum("tnki,tnkj,tn->tij", A, A, row_weight) + 1e-12 * np.eye(3)
        t = np.linalg.solve(normal, np.einsum("tnki,tnk,tn->ti", A, b, row_weight)[..., None])[..., 0]
        depth = np.maximum(X[..., 2] + t[:, None, 2], 0.1 * height)
        row_weight = weight / depth**2
    placed = usable & (t[:, 2] > 0)
    p_camera = np.where(placed[:, None, None], X + t[:, None], 0.0)
    return Placement(p_camera, weight * placed[:, None])


def _by_segments(person: Keypoints, plane: np.ndarray, weight: np.ndarray, height: float) -> Placement:
    depths = np.full((person.num_frames, 1), np.inf)
    for pair, fraction in SEGMENTS.items():
        for side in ("l", "r"):
            names = [f"{side}_{name}" for name in pair]
            if not set(names) <= set(person.names):
                continue
            i, j = (person.index(name) for name in names)
            length = np.linalg.norm(plane[:, i] - plane[:, j], axis=1)
            seen = (weight[:, i] > 0) & (weight[:, j] > 0) & (length > 0)
            depth = np.where(seen, fraction * height / np.where(seen, length, 1.0), np.inf)
            depths = np.concatenate([depths, depth[:, None]], axis=1)
    ordered = np.sort(depths, axis=1)
    counted = np.isfinite(ordered).sum(axis=1)
    # With many segments the shortest depth is an outlier as often as it is the true one: take the second.
    pick = np.clip(counted // 3, 0, 1)
    depth = ordered[np.arange(len(ordered)), pick]
    placed = np.isfinite(depth)
    if not placed.any():
        return Placement(np.zeros((*plane.shape[:2], 3)), np.zeros_like(weight))
    frames = np.arange(len(depth))
    bridged = np.interp(frames, frames[placed], depth[placed])
    depth = median_filter(bridged, size=window(DEPTH_WINDOW, person.fps), mode="nearest")
    p_camera = np.concatenate([plane, np.ones_like(plane[..., :1])], axis=2) * depth[:, None, None]
    return Placement(np.where(placed[:, None, None], p_camera, 0.0), weight * placed[:, None])


def _segment_lengths(person: Keypoints, X: np.ndarray, weight: np.ndarray) -> list[tuple[float, np.ndarray]]:
    lengths = []
    for pair, fraction in SEGMENTS.items():
        for side in ("l", "r"):
            names = [f"{side}_{name}" for name in pair]
            if set(names) <= set(person.names):
                i, j = (person.index(name) for name in names)
                seen = (weight[:, i] > 0) & (weight[:, j] > 0)
                lengths.append((fraction, np.linalg.norm(X[seen, i] - X[seen, j], axis=1)))
    return lengths


def rotation_to_ray(plane: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T 3 3"]:
    """The smallest rotation that takes the optical axis to the ray through a point of the plane z = 1."""
    ray = np.concatenate([plane, np.ones_like(plane[:, :1])], axis=1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    x, y, z = ray.T
    s = 1 / (1 + z)
    rows = [[1 - x * x * s, -x * y * s, x], [-x * y * s, 1 - y * y * s, y], [-x, -y, z]]
    return np.moveaxis(np.array(rows), 2, 0)
