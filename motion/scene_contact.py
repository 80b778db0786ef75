"""Contacts with surroundings of known shape: what distances say of touch, and touches moved onto the surface."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.residuals.residual import Residual
from motion.residuals.surface import Clear, Surface
from motion.scene import Scene
from motion.state import State
from motion.touch import Touches

TOUCH_ERROR = 0.08
"""Standard error of the distance of a point of the body from what it touches, estimated from a video [m]."""
APART = 0.4
"""Mean distance of a hand that touches nothing from the nearest surface [m]: about an arm's length of room."""
MAX_EVIDENCE = 2.0
"""Bound on what a distance says: scans have holes, and people touch what was not scanned."""
ALONG, ACROSS = 0.25, 0.04
"""Standard errors of the place of a contact along the line of sight and across it [m]: depth is what a video tells
least."""
LIKELY = 2.0
"""A place of contact is moved onto a surface that is no further away than this [standard errors]."""
STEPS = 4
"""Newton steps onto a surface: one for each flat piece that is passed."""


def hands_log_odds(scene: Scene, p: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "T N"]:
    """Evidence of the distance of hands from the scene for touch."""
    return distance_log_odds(scene.nearest(p).distance)


def distance_log_odds(distance: Float[np.ndarray, "*S"]) -> Float[np.ndarray, "*S"]:
    """Evidence of a distance [m] for touch: a half-normal against an exponential distribution."""
    distance = np.maximum(distance, 0.0)
    touching = np.log(2 / (TOUCH_ERROR * np.sqrt(2 * np.pi))) - 0.5 * (distance / TOUCH_ERROR) ** 2
    apart = -np.log(APART) - distance / APART
    return np.asarray((touching - apart).clip(-MAX_EVIDENCE, MAX_EVIDENCE))


def on_surface(touch: Touches, scene: Scene, state: State) -> Touches:
    """Places of contact, moved to the likeliest point of the surface; feet to none where the ground is likelier."""
    camera = state.camera
    ray = touch.place - camera.T_world_camera[:, None, :3, 3]
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    standing = np.array([name.endswith("ball") for name in touch.names])
    height = np.abs(touch.place[..., 2] - state.value("ground")) / _sigma(np.array([0.0, 0.0, 1.0]), ray)[0]
    place, moved = touch.place, np.zeros_like(touch.place)
    for _ in range(STEPS):
        distance, gradient = scene.nearest(place)
        sigma, spread = _sigma(gradient, ray)
        moved = moved - (distance / sigma**2)[..., None] * spread
        place = touch.place + moved
    along = (moved * ray).sum(axis=-1)
    across = np.linalg.norm(moved - along[..., None] * ray, axis=-1)
    off = np.hypot(along / ALONG, across / ACROSS)
    reached = np.abs(scene.nearest(place).distance) < ACROSS
    likely = reached & (off < np.where(standing, np.minimum(height, LIKELY), LIKELY)) & (touch.probability > 0)
    return touch._replace(place=np.where(likely[..., None], place, touch.place))


def _sigma(normal: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of a place along a normal (..., 3), and its covariance times the normal."""
    along = (normal * ray).sum(axis=-1, keepdims=True)
    spread = ACROSS**2 * normal + (ALONG**2 - ACROSS**2) * along * ray
    return np.sqrt((normal * spread).sum(axis=-1)), spread


def surface_residuals(touch: Touches, scene: Scene) -> dict[str, Residual]:
    """What takes the place of the flat ground among the residuals of contact."""
    standing = tuple(name.endswith("ball") for name in touch.names)
    surface = Surface(names=touch.names, weight=np.sqrt(touch.probability), scene=scene, standing=standing)
    return {"surface": surface, "clear": Clear(scene=scene)}
