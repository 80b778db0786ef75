"""Contact segments: which stretches of time a point stays in touch, and where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import label

from motion.skeleton import RESTING_SITES
from motion.state import State
from records import Camera, ContactStates

TOUCH_SITES = {
    "l_ankle": "l_ball", "r_ankle": "r_ball", "l_fingers": "l_fingers", "r_fingers": "r_fingers", **RESTING_SITES,
}  # fmt: skip
"""The point of the body that stays at one place, for each contact."""

LIKELY = 0.5
"""Probability from which a contact anchors a point."""

MIN_TIME = 0.1
"""Shortest contact that anchors a point [s]."""


BLINK = 0.2
"""A contact that is there before and after a time as short as this, in which nobody is seen, is one contact [s]: a hand
does not let go and take hold again so fast, nor does a foot step."""


def may_stand(site: str) -> bool:
    """Whether one of `TOUCH_SITES` bears on the ground where nothing else is known to be there; hands hold things."""
    return not site.endswith("fingers")


class Touches(NamedTuple):
    """Points in touch, for the residuals of contact."""

    names: tuple[str, ...]
    probability: Float[np.ndarray, "T N"]
    """0 outside contact segments."""
    place: Float[np.ndarray, "T N 3"]
    """One place per segment [m], world; 0 outside segments."""


def touches(state: State, contacts: ContactStates, observed: np.ndarray) -> Touches:
    """Segments of contact that the 3D motion bears out, and a robust mean position for each.

    Args:
        state: motion so far.
        contacts: probability per contact from the image.
        observed: boolean (T); frames that were bridged for longer than `BLINK` anchor nothing, and none tells a place.
    """
    pairs = [(c, TOUCH_SITES[name]) for c, name in enumerate(contacts.names) if name in TOUCH_SITES]
    names = tuple(site for _, site in pairs)
    p = state.positions(names)
    probability = contacts.probability[:, [c for c, _ in pairs]] * _but_for_blinks(observed, state.fps)[:, None]
    probability = probability * rest(p, state.camera, state.fps, names)
    kept, place = np.zeros_like(probability), np.zeros_like(p)
    for n in range(len(names)):
        pieces, count = label(probability[:, n] >= LIKELY)
        for piece in range(1, count + 1):
            frames = pieces == piece
            seen = frames & observed
            if seen.sum() >= MIN_TIME * state.fps:
                kept[frames, n] = probability[frames, n]
                place[frames, n] = robust_mean(p[seen, n], probability[seen, n])
    return Touches(names, kept, place)


def _but_for_blinks(observed: np.ndarray, fps: float) -> np.ndarray:
    """Observed frames, and those between them in gaps of up to `BLINK`."""
    gaps, count = label(~observed)
    filled = observed.copy()
    for gap in range(1, count + 1):
        frames = np.flatnonzero(gaps == gap)
        inside = frames[0] > 0 and frames[-1] < len(observed) - 1
        filled[frames] = inside and len(frames) <= BLINK * fps
    return filled


def rest(p: np.ndarray, camera: Camera, fps: float, names: tuple[str, ...]) -> Float[np.ndarray, "T N"]:
    """How much the motion of each point agrees with rest, 1 at rest to 0: 1 / (1 + (v / v0)^4), v across the sight."""
    v0 = np.array([1.2 if name.endswith("ball") else 1.0 for name in names])
    v = np.gradient(p, axis=0) * fps
    ray = p - camera.T_world_camera[:, None, :3, 3]
    ray = ray / np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    across = v - (v * ray).sum(-1, keepdims=True) * ray
    score: np.ndarray = 1 / (1 + (np.linalg.norm(across, axis=-1) / v0) ** 4)
    return score


def robust_mean(p: Float[np.ndarray, "M 3"], weight: Float[np.ndarray, "M"]) -> Float[np.ndarray, "3"]:
    """Geometric median by Weiszfeld's iteration, softened at 2 cm."""
    centre = np.average(p, axis=0, weights=weight)
    for _ in range(10):
        w = weight / np.hypot(np.linalg.norm(p - centre, axis=1), 0.02)
        centre = np.average(p, axis=0, weights=w)
    return np.asarray(centre)
