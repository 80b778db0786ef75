"""What a detector would see of a performance: true points with errors of the kind that detectors make.

For training without drawing: errors are alike over a while and along a limb, limbs are lost now and then, and left and
right are taken for each other. Sizes follow MediaPipe on drawn clips of the studio.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from motion.skeleton import SITES
from records import Camera, Keypoints
from sim.studio_moves import Performance

POINTS = (
    "nose", "l_eye", "r_eye", "l_ear", "r_ear", "l_mouth", "r_mouth", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow",
    "l_wrist", "r_wrist", "l_pinky", "r_pinky", "l_index", "r_index", "l_thumb", "r_thumb", "l_hip", "r_hip", "l_knee",
    "r_knee", "l_ankle", "r_ankle", "l_heel", "r_heel", "l_toes", "r_toes", "l_fingers", "r_fingers",
)  # fmt: skip
"""Points of the common pose detectors."""
ARM, LEG = ("elbow", "wrist", "pinky", "index", "thumb", "fingers"), ("knee", "ankle", "heel", "toes")
BIAS, BIAS_3D = 0.007, 0.013
"""Standard deviation of the errors that last for the whole clip, over the stature [1] (in the image: as it appears)."""
SLOW, SLOW_3D, SLOW_TIME = 0.007, 0.016, 0.4
"""The same of errors that change slowly, and over which time [s]."""
QUICK, QUICK_3D, QUICK_TIME = 0.0015, 0.003, 0.06
"""The same of errors that change quickly."""
DEEP = 2.0
"""Errors along the line of sight over those across it [1]."""
OUTER = {"elbow": 1.3, "wrist": 1.6, "pinky": 1.9, "index": 1.9, "thumb": 1.9, "fingers": 1.9,
         "knee": 1.2, "ankle": 1.6, "heel": 1.8, "toes": 2.0}  # fmt: skip
"""Errors over those of the trunk [1]."""
FAR = 1.6
"""Errors of the limbs on the far side over those on the near side [1]."""
QUALITY = 0.45
"""Standard deviation of the logarithm of a clip's errors over the usual."""
LOSS_RATE, LOSS_TIME, LOST = 0.25, 0.35, 3.0
"""How often a limb is lost [1/s], for how long [s], and its errors meanwhile over the usual [1]."""
SWAP_RATE, SWAP_TIME = 0.06, 0.25
"""How often left and right are exchanged [1/s], and for how long [s]."""
SURE, UNSURE = 0.97, 0.45
"""Confidence in a point that is seen, and in one that is lost [1]."""


def detected(performance: Performance, camera: Camera, rng: np.random.Generator) -> Keypoints:
    """Points of a performance as a detector gives them: image points, and landmarks in camera axes about the hips."""
    body, q, fps = performance.body, performance.q, performance.fps
    sites = [name if name in SITES else "head" for name in POINTS]
    p = body.site_positions(q, sites)
    frames = len(q)
    R = camera.T_world_camera[0, :3, :3]
    uv = camera.project(p)
    apparent = camera.K[0, 0] * body.height / float(np.median(camera.depth(p)))
    factor = np.array([OUTER.get(name[2:], 1.0) for name in POINTS]) * np.exp(QUALITY * rng.standard_normal())
    sides = np.array([0.0 if name[1] != "_" else 1.0 if name[0] == "l" else -1.0 for name in POINTS])
    depth = camera.depth(p)
    nearer = np.sign(depth[:, sides < 0].mean(axis=1) - depth[:, sides > 0].mean(axis=1))
    scale = factor * np.where(sides * nearer[:, None] < 0, FAR, 1.0)
    confidence = np.where(sides * nearer[:, None] < 0, SURE - 0.12, SURE) - 0.04 * rng.uniform(
        size=(frames, len(POINTS))
    )
    limbs = [_limb(side, parts) for side in "lr" for parts in (ARM, LEG)]
    for limb in limbs:
        lost = _episodes(rng, frames, fps, LOSS_RATE, LOSS_TIME)
        scale[np.ix_(lost, limb)] *= LOST
        confidence[np.ix_(lost, limb)] = UNSURE + 0.3 * (rng.uniform(size=(int(lost.sum()), len(limb))) - 0.5)
    groups = np.zeros(len(POINTS), int)
    for number, limb in enumerate(limbs):
        groups[limb] = number + 1
    error = apparent * _errors(rng, frames, fps, groups, 2, (BIAS, SLOW, QUICK)) * scale[..., None]
    error_3d = body.height * _errors(rng, frames, fps, groups, 3, (BIAS_3D, SLOW_3D, QUICK_3D)) * scale[..., None]
    hips = p[:, [POINTS.index("l_hip"), POINTS.index("r_hip")]].mean(axis=1, keepdims=True)
    xyz = (p - hips) @ R * np.exp(0.07 * rng.standard_normal()) + error_3d * [1, 1, DEEP]
    uv = uv + error
    for parts in (ARM, LEG):
        swapped = _episodes(rng, frames, fps, SWAP_RATE, SWAP_TIME)
        left, right = _limb("l", parts), _limb("r", parts)
        for values in (uv, xyz, confidence):
            values[np.ix_(swapped, np.append(left, right))] = values[np.ix_(swapped, np.append(right, left))]
    return Keypoints(names=POINTS, uv=uv, confidence=confidence.clip(0.05, 1), xyz=xyz, fps=fps, size_hw=camera.size_hw)


def _limb(side: str, parts: tuple[str, ...]) -> np.ndarray:
    return np.array([POINTS.index(f"{side}_{part}") for part in parts])


def _episodes(rng: np.random.Generator, frames: int, fps: float, rate: float, duration: float) -> np.ndarray:
    """Frames (T,) within episodes that begin by chance."""
    within = np.zeros(frames, bool)
    for start in np.flatnonzero(rng.uniform(size=frames) < rate / fps):
        within[start : start + 1 + round(float(rng.exponential(duration)) * fps)] = True
    return within


def _errors(
    rng: np.random.Generator,
    frames: int,
    fps: float,
    groups: np.ndarray,
    dimensions: int,
    sizes: tuple[float, float, float],
) -> Float[np.ndarray, "T K D"]:
    """Lasting, slow and quick errors; half of the variance is shared by the points of a group."""
    points, total = len(groups), np.zeros((frames, len(groups), dimensions))
    for size, time in zip(sizes, (np.inf, SLOW_TIME, QUICK_TIME), strict=True):
        own = _coloured(rng, frames, fps, time, (points, dimensions))
        common = _coloured(rng, frames, fps, time, (int(groups.max()) + 1, dimensions))
        total += size * np.sqrt(0.5) * (own + common[:, groups])
    return total


def _coloured(
    rng: np.random.Generator, frames: int, fps: float, time: float, shape: tuple[int, ...]
) -> Float[np.ndarray, "T *S"]:
    """Gaussian noise of unit variance whose correlation falls e-fold in `time` [s]."""
    decay = float(np.exp(-1 / (fps * time)))
    first = rng.standard_normal((1, *shape))
    if decay == 1:
        return np.repeat(first, frames, axis=0)
    steps = np.sqrt(1 - decay**2) * rng.standard_normal((frames, *shape))
    steps[0] = first[0]
    return np.asarray(lfilter([1.0], [1.0, -decay], steps, axis=0))
