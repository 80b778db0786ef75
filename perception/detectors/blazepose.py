"""What BlazePose, MediaPipe's pose network, gives: 33 landmarks, and the named points made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_LANDMARKS = {
    "nose": 0, "l_eye": 2, "r_eye": 5, "l_ear": 7, "r_ear": 8, "l_mouth": 9, "r_mouth": 10, "l_shoulder": 11,
    "r_shoulder": 12, "l_elbow": 13, "r_elbow": 14, "l_wrist": 15, "r_wrist": 16, "l_pinky": 17, "r_pinky": 18,
    "l_index": 19, "r_index": 20, "l_thumb": 21, "r_thumb": 22, "l_hip": 23, "r_hip": 24, "l_knee": 25, "r_knee": 26,
    "l_ankle": 27, "r_ankle": 28, "l_heel": 29, "r_heel": 30, "l_toes": 31, "r_toes": 32,
}  # fmt: skip
"""Column of each named point in BlazePose's 33 landmarks."""

NAMES = (*_LANDMARKS, "l_fingers", "r_fingers")
"""Points of the output: the landmarks, and the fingers midway between the knuckles of index and little finger."""

_LEAST_VISIBILITY = 1e-3
"""A landmark of a detected person keeps at least this confidence: 0 means not detected."""


class Body(NamedTuple):
    """One person in one image."""

    uv: Float[np.ndarray, "K 2"]
    """Points in the order of `NAMES` [px]."""
    xyz: Float[np.ndarray, "K 3"]
    """The same in space [m]: camera axes, centred between the hips."""
    confidence: Float[np.ndarray, "K"]
    """In (0, 1]."""


def named(uv: Float[np.ndarray, "L 2"], world: Float[np.ndarray, "L 3"], visibility: Float[np.ndarray, "L"]) -> Body:
    """Name the network's landmarks, of which the first 33 are of the body.

    Args:
        uv: in the image [px].
        world: in space [m].
        visibility: probability that a landmark is in view.
    """
    columns = list(_LANDMARKS.values())
    uv, xyz = uv[columns], world[columns]
    confidence = np.clip(visibility[columns], _LEAST_VISIBILITY, 1)
    knuckles = [[NAMES.index(f"{side}_index"), NAMES.index(f"{side}_pinky")] for side in "lr"]
    return Body(
        uv=np.concatenate([uv, uv[knuckles].mean(axis=1)]),
        xyz=np.concatenate([xyz, xyz[knuckles].mean(axis=1)]),
        confidence=np.concatenate([confidence, confidence[knuckles].min(axis=1)]),
    )


def swapped(body: Body) -> Body:
    """Call left right: what a mirror image shows."""
    twins = [NAMES.index(_twin(name)) for name in NAMES]
    return Body(*(values[twins] for values in body))


def _twin(name: str) -> str:
    return {"l_": "r_", "r_": "l_"}.get(name[:2], name[:2]) + name[2:]
