"""Markers of motion capture, with gaps, onto the body by inverse kinematics."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from motion.body import body_of
from motion.importers.ground import ground_height
from motion.importers.importer import BODY_MASS_INDEX, ImportOptions, Track
from motion.importers.marker_sets import BodyPoints, body_points
from motion.importers.markers import fit_markers
from motion.importers.motion_file_error import MotionFileError
from motion.importers.opensim_table import MarkerTable
from records import Motion

SHORT_GAP = 0.2
"""Longest gap of a point that is bridged as if it had been seen [s]: little can happen in it."""

BRIDGED_WEIGHT = 0.05
"""Weight of a point in a longer gap against one that is seen [1]: it only keeps the limb from drifting away."""

OUTLINE = ("l_hip", "r_hip")
"""Points that must be seen for a frame to belong to the motion."""

R_WORLD_AXES = {
    ("y", 1): np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    ("z", 1): np.eye(3),
    ("x", 1): np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    ("y", -1): np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    ("z", -1): np.diag([1.0, -1, -1]),
    ("x", -1): np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]]),
}
"""From a laboratory's axes, by which of them points up, to the world."""

CLEARLY = 0.8
"""Share of the direction from hips to neck that lies along one axis for it to be the vertical [1]: 37 degrees."""


def fit_table(table: MarkerTable, name: str, options: ImportOptions, up: str) -> Track:
    """Fit the body to a table of markers.

    Args:
        table: markers in the laboratory's axes.
        name: of the person.
        options: mass, height and frame rate of the user's.
        up: the axis that points up by the format's custom; the posture decides where it is clear.

    Raises:
        MotionFileError: the markers do not show a body.
        MarkerError: they show one in no frame.
    """
    fps = table.fps if options.fps is None else options.fps
    seen = body_points(table.names, table.points)
    whole = _whole(seen)
    seen = seen._replace(points=seen.points[whole])
    seen = seen._replace(points=seen.points @ R_WORLD_AXES[_vertical(seen, up)].T)
    points, weight = _bridged(seen.points, fps)
    kept = np.flatnonzero(np.isfinite(points).all(axis=(0, 2)))
    names = [seen.names[n] for n in kept]
    fitted = fit_markers(points[:, kept], names, fps, surface=seen.surface, weight=weight[:, kept])
    body = body_of(fitted)
    parameters = dict(fitted.parameters)
    assumed: dict[str, float] = {}
    height = options.height or body.height
    parameters["height"] = height
    parameters["mass"] = options.mass or BODY_MASS_INDEX * height**2
    if options.mass is None:
        assumed["mass"] = parameters["mass"]
    q = fitted.q.copy()
    if options.fit_ground:
        q[:, 2] -= ground_height(body, q, fps)
    return Track(
        name=name,
        motion=Motion(model="smpl_tree", parameters=parameters, fps=fps, q=q, v=fitted.v, a=fitted.a),
        observed=(weight[:, [names.index(point) for point in OUTLINE]] == 1).all(axis=1),
        measured=True,
        first_frame=whole.start,
        assumed=assumed,
    )


def _vertical(seen: BodyPoints, custom: str) -> tuple[str, int]:
    """Axis and sign of the vertical, from hips to shoulders or neck."""
    upper = ("l_shoulder", "r_shoulder") if "l_shoulder" in seen.names else ("neck", "neck")
    p = [seen.points[:, seen.names.index(name)] for name in (*upper, "l_hip", "r_hip")]
    along = p[0] + p[1] - p[2] - p[3]
    mean = np.nanmean(along / np.linalg.norm(along, axis=-1, keepdims=True), axis=0)
    axis = int(np.argmax(np.abs(mean)))
    return ("xyz"[axis], 1 if mean[axis] > 0 else -1) if abs(mean[axis]) > CLEARLY else (custom, 1)


def _whole(seen: BodyPoints) -> slice:
    """From the first to the last frame in which the hips, and most of the body, are seen."""
    there = np.isfinite(seen.points).all(axis=-1)
    outline = there[:, [seen.names.index(name) for name in OUTLINE]].all(axis=1) & (there.mean(axis=1) > 0.6)
    frames = np.flatnonzero(outline)
    if len(frames) < 2:
        raise MotionFileError("the hips and most of the body are seen in fewer than two frames")
    return slice(int(frames[0]), int(frames[-1]) + 1)


def _bridged(points: Float[np.ndarray, "T N 3"], fps: float) -> tuple[Float[np.ndarray, "T N 3"], np.ndarray]:
    """Points without gaps, and their weights (T, N). A point that is never seen stays NaN."""
    there: Bool[np.ndarray, "T N"] = np.isfinite(points).all(axis=-1)
    frames, filled = np.arange(len(points)), points.copy()
    weight = np.ones(there.shape)
    for n in range(points.shape[1]):
        known = np.flatnonzero(there[:, n])
        if not known.size:
            continue
        for axis in range(3):
            filled[:, n, axis] = np.interp(frames, known, points[known, n, axis])
        after = np.clip(np.searchsorted(known, frames), 0, len(known) - 1)
        before = np.clip(np.searchsorted(known, frames, side="right") - 1, 0, len(known) - 1)
        gap = np.where((frames < known[0]) | (frames > known[-1]), np.inf, known[after] - known[before])
        weight[~there[:, n] & (gap > SHORT_GAP * fps), n] = BRIDGED_WEIGHT
    return filled, weight
