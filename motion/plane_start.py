"""Where to start from for the motion of a plane of points: it faces the camera, and is turned as its image is."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float

from motion.residuals.loss import GemanMcClure
from records import Camera, Keypoints

MISTAKES = GemanMcClure(width=4.0)
"""Errors well beyond four standard deviations count as mistakes: they pull no harder."""
_ROUGH = 5.0
"""How much worse than tracking a turn within the plane explains the points, at a start."""


def plane_start(
    seen: Keypoints, camera: Camera, anchor: int, ends: tuple[int, int], length: float, reference: int, *, sigma: float
) -> tuple[Float[np.ndarray, "T 6"], Float[np.ndarray, "K 3"]]:
    """The plane faces the camera as far away as its size tells, turned in the image as the points are.

    Args:
        seen: the points.
        camera: static.
        anchor: the point whose path is told.
        ends: two points.
        length: their distance [m].
        reference: frame in which the plane is level.
        sigma: error of a point [px].

    Returns:
        In every frame the anchor [m], yaw, pitch and roll [rad]; the points in the plane, from the anchor on [m].
    """
    t, k, frames = reference, anchor, seen.num_frames
    rays = camera.rays(seen.uv)
    origin = camera.T_world_camera[0, :3, 3]
    first, second = ends
    ahead = camera.T_world_camera[0, :3, 2]
    # Where the rays pierce a plane that faces the camera at a distance of 1 m.
    at_one = rays / (rays @ ahead)[..., None]
    depth = length / float(np.linalg.norm(at_one[t, first] - at_one[t, second]))
    flat = depth * at_one
    shape = flat[t] - flat[t, k]
    across = np.cross(ahead, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    along, up = shape @ across, shape[:, 2]
    # x of the tool points to where the anchor is: its working end.
    side = -1.0 if along.mean() > 0 else 1.0
    poses = np.zeros((frames, 6))
    poses[:, 3] = float(np.arctan2(side * across[1], side * across[0]))
    places = np.stack([side * along, np.zeros(len(up)), up], axis=-1)
    path, angles, known = np.zeros((frames, 3)), np.zeros(frames), []
    for frame in range(frames):
        there = np.flatnonzero(seen.confidence[frame] > 0)
        if len(there) < 2:
            continue
        now = np.stack([side * (flat[frame, there] @ across), flat[frame, there, 2]], axis=-1)
        angle, moved = _plane_motion(places[there][:, [0, 2]], now, sigma * depth / camera.K[0, 0])
        path[frame] = flat[frame].mean(axis=0) @ ahead * ahead + moved[0] * side * across
        path[frame, 2] = moved[1]
        angles[frame] = -angle
        known.append(frame)
    angles[known] = np.unwrap(angles[known])
    every = np.arange(frames)
    poses[:, 4] = np.interp(every, known, angles[known]) - angles[t]
    for n in range(3):
        poses[:, n] = origin[n] + np.interp(every, known, path[known, n])
    return poses, places


def _plane_motion(
    was: Float[np.ndarray, "P 2"], now: Float[np.ndarray, "P 2"], sigma: float
) -> tuple[float, Float[np.ndarray, "2"]]:
    """Turn [rad] and shift of points in a plane, by the pair of points that the others agree with best."""
    best = (np.inf, 0.0, np.zeros(2))
    for i, j in itertools.combinations(range(len(was)), 2):
        b, a = was[j] - was[i], now[j] - now[i]
        angle = float(np.arctan2(b[0] * a[1] - b[1] * a[0], a @ b))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = (now[i] + now[j] - turn @ (was[i] + was[j])) / 2
        off = (was @ turn.T + moved - now) / (_ROUGH * sigma)
        cost = float(MISTAKES.cost((off**2).sum(axis=1)).sum())
        if cost < best[0]:
            best = (cost, angle, moved)
    return best[1], best[2]
