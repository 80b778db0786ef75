"""Landmarks in depth from 2D points alone: how much a limb is foreshortened tells how far it leaves the image plane.

Taylor 2000 (CVIU 80), "Reconstruction of articulated objects from point correspondences in a single image". Which way
it leaves is not seen: knees are taken to bend forwards and elbows to bring the hands before the trunk.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d, median_filter

from motion.body import Body
from records import Camera, Keypoints

CHAIN = (
    ("shoulder", "elbow", "upper_arm", -1.0), ("elbow", "wrist", "forearm", -1.0), ("hip", "knee", "thigh", -1.0),
    ("knee", "ankle", "shank", 1.0),
)  # fmt: skip
"""Upper end, lower end, bone, and sign of the lower end's depth relative to the upper's for a person who faces the
camera: hands and knees are nearer, feet behind the knees."""

HEADING_TIME = 0.2
"""Width of the Gaussian over time behind the heading of the trunk [s]."""
PROFILE = 0.35
"""How far the nose is before ears and neck in a view that is surely from the side [head heights]."""


def lift_by_lengths(person: Keypoints, camera: Camera, body: Body) -> Float[np.ndarray, "T K 3"]:
    """Root-relative landmarks [m] in camera axes from image points and bone lengths.

    The distance of the person is that at which its longest-looking bones have their length.
    """
    centred = camera.replace(T_world_camera=np.eye(4)[None])
    ray = centred.rays(person.uv)
    plane = ray[..., :2] / ray[..., 2:]
    seen = person.confidence > 0
    span = _pixel_scale(person, plane, seen, body)
    landmarks = np.concatenate([plane * span[:, None, None], np.zeros((*plane.shape[:2], 1))], axis=-1)
    across, aside = _heading(person, landmarks, seen, body)
    for name, width in (("shoulder", body.bones["shoulder_half_width"]), ("hip", body.bones["hip_half_width"])):
        for side, sign in (("l", 1.0), ("r", -1.0)):
            if f"{side}_{name}" in person.names:
                landmarks[:, person.index(f"{side}_{name}"), 2] = sign * width * aside
    facing = np.where(across >= 0, 1.0, -1.0)
    for side in ("l", "r"):
        for upper, lower, bone, sign in CHAIN:
            pair = (f"{side}_{upper}", f"{side}_{lower}")
            if not set(pair) <= set(person.names):
                continue
            i, j = (person.index(n) for n in pair)
            flat = np.sum((landmarks[:, j, :2] - landmarks[:, i, :2]) ** 2, axis=1)
            depth = np.sqrt(np.maximum(body.bones[bone] ** 2 - flat, 0)) * (seen[:, i] & seen[:, j])
            landmarks[:, j, 2] = landmarks[:, i, 2] + facing * sign * 0.7 * depth
    hips = [person.index(n) for n in ("l_hip", "r_hip") if n in person.names]
    if hips:
        landmarks -= landmarks[:, hips].mean(axis=1, keepdims=True)
    return landmarks


def _pixel_scale(person: Keypoints, plane: np.ndarray, seen: np.ndarray, body: Body) -> np.ndarray:
    """Depth [m] per frame at which the largest of the bones has its length; medians and interpolation over time."""
    trunk = ("neck", "hip", 0.0)
    depths = np.full((person.num_frames, 0), np.nan)
    bones = [(u, v, body.bones[b]) for u, v, b, _ in CHAIN] + [("shoulder", trunk[1], 0.9 * body.bones["trunk"])]
    for side in ("l", "r"):
        for upper, lower, length in bones:
            pair = (f"{side}_{upper}", f"{side}_{lower}")
            if set(pair) <= set(person.names):
                i, j = (person.index(n) for n in pair)
                size = np.linalg.norm(plane[:, i] - plane[:, j], axis=1)
                depth = np.where(seen[:, i] & seen[:, j], length / np.maximum(size, 1e-6), np.nan)
                depths = np.concatenate([depths, depth[:, None]], axis=1)
    known = np.isfinite(depths).any(axis=1) if depths.shape[1] else np.zeros(person.num_frames, bool)
    if not known.any():
        return np.full(person.num_frames, 3.0)
    nearest = np.array([np.nanquantile(row, 0.25) for row in depths[known]])
    frames = np.arange(person.num_frames)
    filled = np.interp(frames, frames[known], nearest)
    smoothed: np.ndarray = median_filter(filled, size=max(1, round(person.fps)) | 1, mode="nearest")
    return smoothed


def _heading(
    person: Keypoints, landmarks: np.ndarray, seen: np.ndarray, body: Body
) -> tuple[Float[np.ndarray, "T"], Float[np.ndarray, "T"]]:
    """Which way the trunk faces: cosine and sine of its turn away from facing the camera, left side to the back.

    Shoulders and hips look the narrower the more it turns; the nose tells the side.
    """
    width, whole = np.zeros(person.num_frames), np.zeros(person.num_frames)
    for name, bone in (("shoulder", "shoulder_half_width"), ("hip", "hip_half_width")):
        pair = (f"l_{name}", f"r_{name}")
        if set(pair) <= set(person.names):
            i, j = (person.index(n) for n in pair)
            both = seen[:, i] & seen[:, j]
            width += both * (landmarks[:, i, 0] - landmarks[:, j, 0])
            whole += both * 2 * body.bones[bone]
    if not whole.any():
        return np.ones(person.num_frames), np.zeros(person.num_frames)
    size = HEADING_TIME * person.fps
    across = np.clip(_smoothed(width, size) / np.maximum(_smoothed(whole, size), 1e-6), -1.0, 1.0)
    ahead, looks = np.zeros(person.num_frames), np.zeros(person.num_frames)
    for back in ("l_ear", "r_ear", "neck"):
        if {"nose", back} <= set(person.names):
            i, j = person.index("nose"), person.index(back)
            both = seen[:, i] & seen[:, j]
            ahead += both * (landmarks[:, i, 0] - landmarks[:, j, 0])
            looks += both
    side = _smoothed(ahead, size) / np.maximum(_smoothed(looks, size), 1e-6) / (PROFILE * body.bones["head"])
    return across, np.clip(side, -1.0, 1.0) * np.sqrt(1 - across**2)


def _smoothed(x: np.ndarray, size: float) -> np.ndarray:
    smoothed: np.ndarray = gaussian_filter1d(x, size, mode="nearest")
    return smoothed
