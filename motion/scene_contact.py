"""Contacts with surroundings of known shape: what distances say of touch, and touches moved onto the surface."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.residuals.residual import Residual
from motion.residuals.surface import Clear, Surface
from motion.scene import Scene
from motion.skeleton import FACING, SITES
from motion.state import State
from motion.touch import Touches, may_stand

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
FACED = TOUCH_ERROR
"""How much nearer than another a surface counts that a point of the body faces squarely [m]: a sole that stands beside
a wall touches the ground, however near the wall is."""


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
    """Places of contact, moved to the likeliest point of the surface; but for feet, knees or seat on the ground."""
    camera = state.camera
    ray = touch.place - camera.T_world_camera[:, None, :3, 3]
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    standing = np.array([may_stand(name) for name in touch.names])
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
    standing = tuple(may_stand(name) for name in touch.names)
    surface = Surface(names=touch.names, weight=np.sqrt(touch.probability), scene=scene, standing=standing)
    return {"surface": surface, "clear": Clear(scene=scene)}


def touched_normals(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    names: Sequence[str],
    points: Float[np.ndarray, "T P 3"],
    scene: Scene,
) -> Float[np.ndarray, "T P 3"]:
    """Normal of what each point bears on: of the scene's surface, or up where the ground at z = 0 is likelier.

    The likelier one is nearer, or faced more squarely. Hands have no cone: up.
    """
    up = np.array([0.0, 0.0, 1.0])
    R, _ = body.joint_poses(q)
    nearest = scene.nearest(points)
    normals = np.broadcast_to(up, points.shape).copy()
    for p, name in enumerate(names):
        if name in FACING:
            faces = R[:, body.joint_names.index(SITES[name].joint)] @ np.array(FACING[name])
            ground = np.maximum(points[:, p, 2], 0) + FACED * faces @ up
            other = np.maximum(nearest.distance[:, p], 0) + FACED * (faces * nearest.gradient[:, p]).sum(axis=1)
            normals[:, p] = np.where((other < ground)[:, None], nearest.gradient[:, p], normals[:, p])
    return normals
