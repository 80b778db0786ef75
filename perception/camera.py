"""A static camera from the person that it sees: focal length, the vertical and the ground.

The focal length comes from the caller, else from the image size: the perspective of a detector's 3D landmarks does not
tell it (their best focal length scattered from 0.9 to 3 image diagonals on clips whose cameras have 0.75 to 1.1).
The vertical is the most probable one given that cameras are held nearly level, that what is built stands upright, as
do people on average, and that feet which rest do so on a floor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label
from scipy.optimize import least_squares

from perception.image_motion import SEEN, point, trunk_length, velocity
from perception.placement import Placement, place
from perception.vertical import Vertical, vertical_of
from records import Camera, Keypoints

FOCAL_OVER_DIAGONAL = 0.9
"""Between a phone's main camera filming (about 0.75) and a camcorder or zoom lens (1 and more)."""
SIGMA_LOG_FOCAL = 0.25
SCALE_ROLL = np.deg2rad(2.0)
"""How level people hold cameras, about the optical axis [rad]: scale of a Cauchy distribution, since some do not."""
SCALE_PITCH = np.deg2rad(6.0)
"""The same for looking up or down [rad]."""
SIGMA_LEAN = np.deg2rad(4.0)
"""How far the mean line from shoulders to ankles of a standing person is off the vertical, across the view [rad]."""
SIGMA_LEAN_DEPTH = np.deg2rad(6.0)
"""The same along the view, where it rests on a detector's depth [rad]."""
SIGMA_SWAY = np.deg2rad(10.0)
"""How far that line is off at one moment [rad]; moments `SWAY_TIME` apart are independent."""
SWAY_TIME = 0.3
"""Time after which a person leans another way [s]."""
SIGMA_FLOOR = 0.06
"""Unevenness of resting feet over the floor [m]."""
SIGMA_DEPTH = 0.08
"""Error of a person's depth, as a fraction of it; it moves a foot along its viewing ray."""
MIN_STANCES = 4
MIN_STANCE_SPREAD = 1.0
"""Resting feet must be this far apart [m] before they say anything on the tilt of the floor."""
FOOT_REST = 0.25
"""Speed below which a foot rests [trunk lengths/s]."""
UPRIGHT = np.deg2rad(15.0)
"""Largest angle in the image between trunk and legs of a standing person [rad]."""
LONGEST_STEP = 0.5
"""Feet of a standing or walking person are no further apart than this fraction of shoulders to ankles."""
ANKLE_HEIGHT = 0.039
"""Height of the ankle over the sole, over body height (Winter, Biomechanics and Motor Control, figure 4.1)."""
LEVEL_CAMERA_HEIGHT = 1.4
"""Height of the camera over a ground that is never seen [m]: held before the chest."""
DEFAULT_DISTANCE = 3.0
"""Distance of a person whose size is never seen [m]."""


class CameraEstimate(NamedTuple):
    """A camera and how well it is known."""

    camera: Camera
    sigma_roll: float
    """Standard deviation of the rotation about the optical axis [rad]."""
    sigma_pitch: float
    """Standard deviation of looking up or down [rad]."""
    sigma_log_focal: float
    """Standard deviation of the logarithm of the focal length; 0 when it was given."""
    assumed: tuple[str, ...]
    """What was assumed for want of evidence: of `focal`, `vertical`, `ground`, `distance`."""


class _Stance(NamedTuple):
    """A foot at rest: mean position of its ankle."""

    p_camera: np.ndarray
    seconds: float


def estimate_camera(
    person: Keypoints, *, focal: float | None = None, pixel_aspect: float = 1.0, height: float = 1.7
) -> Camera:
    """Estimate a static camera: see `fit_camera`, which also tells how sure it is."""
    return fit_camera(person, focal=focal, pixel_aspect=pixel_aspect, height=height).camera


def fit_camera(
    person: Keypoints,
    *,
    focal: float | None = None,
    pixel_aspect: float = 1.0,
    height: float = 1.7,
    intrinsics: Camera | None = None,
    segments: Float[np.ndarray, "N 4"] | None = None,
) -> CameraEstimate:
    """Estimate a static camera in a world with z up, the ground at z = 0 and the person's first place at the origin.

    World x points to the right of the image and y away from the camera, both level. The origin is the point of the
    ground below the middle of the person where first placed. The principal point is the centre of the image.

    Args:
        person: detections, with or without 3D landmarks.
        focal: focal length in horizontal pixels, fx [px]; by default 0.9 image diagonals.
        pixel_aspect: width of a pixel over its height (sample aspect ratio), fy / fx; 16/15 for 4:3 PAL video.
        height: body height [m], which sets the scale of the world.
        intrinsics: a calibrated camera whose K and lens hold and whose place is sought; `focal` and `pixel_aspect` are
            then ignored.
        segments: line segments of the still background, `perception.vertical.still_segments` [px].

    Raises:
        ValueError: focal, pixel aspect or height is not positive.
    """
    for name, value in {"focal": focal, "pixel_aspect": pixel_aspect, "height": height}.items():
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, not {value}")
    rows, columns = person.size_hw
    known = intrinsics is not None or focal is not None
    if intrinsics is None:
        fx = focal if focal is not None else FOCAL_OVER_DIAGONAL * float(np.hypot(columns, rows / pixel_aspect))
        K = np.array([[fx, 0, columns / 2], [0, fx * pixel_aspect, rows / 2], [0, 0, 1]])
        intrinsics = Camera(K=K, T_world_camera=np.eye(4)[None], size_hw=person.size_hw)
    placement = place(person, intrinsics, height=height)
    stances = resting_feet(person, placement)
    axes = standing_axes(person, placement)
    built = None if segments is None else vertical_of(segments, intrinsics)
    if built is not None and not known:
        # A vanishing point tells the pitch over the focal length.
        built.covariance[1, 1] += (SIGMA_LOG_FOCAL * built.pitch) ** 2
    roll, pitch, sigma_roll, sigma_pitch = _vertical(axes, stances, person.xyz is not None, person.fps, built)
    R_world_camera = level_axes(roll, pitch)
    blind = not len(axes) and built is None
    assumed = [name for name, missing in (("focal", not known), ("vertical", blind)) if missing]
    lowest = _ground(stances, R_world_camera)
    if lowest is None:
        assumed.append("ground")
        camera_height = LEVEL_CAMERA_HEIGHT
    else:
        camera_height = -lowest + ANKLE_HEIGHT * height
    seen = placement.weight.sum(axis=1) > 0
    if seen.any():
        first = int(np.argmax(seen))
        middle = np.average(placement.p_camera[first], axis=0, weights=placement.weight[first])
    else:
        assumed.append("distance")
        middle = np.array([0.0, 0.0, DEFAULT_DISTANCE])
    start = R_world_camera @ middle
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = R_world_camera
    T_world_camera[:3, 3] = [-start[0], -start[1], camera_height]
    camera = intrinsics.replace(
        T_world_camera=T_world_camera[None],
        size_hw=person.size_hw,
        tilt_sigma=np.array([sigma_pitch, sigma_roll]),
        source=person.source,
    )
    return CameraEstimate(camera, sigma_roll, sigma_pitch, 0.0 if known else SIGMA_LOG_FOCAL, tuple(assumed))


def level_axes(roll: float, pitch: float) -> Float[np.ndarray, "3 3"]:
    """Rotation R_world_camera of a camera rolled clockwise by `roll` and looking down by `pitch` [rad].

    World x is level to the right, y level and forwards, z up; the camera's axes are x right, y down, z forwards.
    """
    level = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    cp, sp, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    look_down = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return level @ look_down @ turn


def resting_feet(person: Keypoints, placement: Placement) -> list[_Stance]:
    """Stretches of time in which an ankle stays where it is in the image, 0.1 s or longer."""
    scale = np.maximum(trunk_length(person), 1e-9)
    stances = []
    for side in ("l", "r"):
        ankle = point(person, f"{side}_ankle")
        shown = ankle.seen & in_image(ankle.uv, person.size_hw)
        if not shown.any():
            continue
        speed = np.linalg.norm(velocity(ankle, person.fps), axis=1) / scale
        column = person.index(f"{side}_ankle")
        rests = shown & (speed < FOOT_REST) & (placement.weight[:, column] > 0)
        pieces, count = label(rests)
        for piece in range(1, count + 1):
            frames = pieces == piece
            seconds = float(frames.sum() / person.fps)
            if seconds >= 0.1:
                stances.append(_Stance(np.median(placement.p_camera[frames, column], axis=0), seconds))
    return stances


def in_image(uv: Float[np.ndarray, "T 2"], size_hw: tuple[int, int]) -> Bool[np.ndarray, "T"]:
    """Where a point lies on the image: detectors guess where limbs beyond its edge may be."""
    return (uv.min(axis=1) >= 0) & (uv[:, 0] < size_hw[1]) & (uv[:, 1] < size_hw[0])


def standing_axes(person: Keypoints, placement: Placement) -> Float[np.ndarray, "N 3"]:
    """Lines from head to ankles in frames in which the person stands straight, as unit vectors in camera axes."""
    if not {"l_ankle", "r_ankle", "l_hip", "r_hip", "l_shoulder", "r_shoulder"} <= set(person.names):
        return np.zeros((0, 3))
    columns = {name: [person.index(f"{side}_{name}") for side in ("l", "r")] for name in ("ankle", "hip", "shoulder")}
    ankles, hips, shoulders = (placement.p_camera[:, columns[name]].mean(axis=1) for name in columns)
    seen = np.all([placement.weight[:, c].min(axis=1) >= SEEN for c in columns.values()], axis=0)
    legs, back = ankles - hips, hips - shoulders
    cosine = _cosine(legs, back)
    whole = ankles - shoulders
    feet_apart = np.linalg.norm(np.diff(placement.p_camera[:, columns["ankle"]], axis=1)[:, 0], axis=1)
    straight = seen & (cosine > np.cos(UPRIGHT)) & (feet_apart < LONGEST_STEP * np.linalg.norm(whole, axis=1))
    straight &= _cosine(whole, np.array([0.0, 1.0, 0.0])) > np.cos(np.pi / 4)
    return whole[straight] / np.linalg.norm(whole[straight], axis=1, keepdims=True)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.sum(a * b, axis=-1) / np.maximum(size, 1e-9)


def _vertical(
    axes: np.ndarray, stances: list[_Stance], landmarks: bool, fps: float, built: Vertical | None
) -> tuple[float, float, float, float]:
    """Most probable roll and pitch [rad], with their standard deviations."""
    lean = np.median(axes, axis=0) if len(axes) else np.array([0.0, 1.0, 0.0])
    moments = max(len(axes), 1) / fps / SWAY_TIME
    scatter = np.std(axes[:, [0, 2]], axis=0) if len(axes) else np.zeros(2)
    # Few moments do not tell their own scatter.
    sway = np.sqrt((scatter**2 + SIGMA_SWAY**2 / moments) / moments)
    sigma_lean = np.hypot([SIGMA_LEAN, SIGMA_LEAN_DEPTH], sway)
    points = np.array([s.p_camera for s in stances]).reshape(-1, 3)
    spread = float(np.linalg.norm(np.std(points, axis=0))) if len(points) else 0.0
    floor = len(points) >= MIN_STANCES and spread >= MIN_STANCE_SPREAD
    rays = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)

    whiten = np.eye(2) if built is None else np.linalg.inv(np.linalg.cholesky(built.covariance))

    def residuals(x: np.ndarray) -> np.ndarray:
        down = -level_axes(x[0], x[1])[2]
        parts = [cauchy(x[:2] / [SCALE_ROLL, SCALE_PITCH])]
        if len(axes):
            parts.append(((lean - down)[[0, 2]] / sigma_lean)[: 2 if landmarks else 1])
        if floor:
            sigma = np.hypot(SIGMA_FLOOR, SIGMA_DEPTH * points[:, 2] * np.abs(rays @ down))
            # A foot on a box or a rail is off the floor by any amount.
            parts.append(cauchy((points @ down - x[2]) / sigma))
        if built is not None:
            parts.append(cauchy(whiten @ (x[:2] - [built.roll, built.pitch]) / np.sqrt(2)))
        return np.concatenate(parts)

    level = np.array([0.0, 0.0, np.median(points[:, 1]) if floor else 0.0])
    leaning = np.array([np.arctan2(lean[0], lean[1]), np.arcsin(lean[2]) if landmarks else 0.0, level[2]])
    starts = [level, leaning] + ([] if built is None else [np.array([built.roll, built.pitch, level[2]])])
    fit = min((least_squares(residuals, start) for start in starts), key=lambda found: found.cost)
    # The curvature of a Cauchy distribution at its peak, so that evidence and level prior add up there.
    information = np.diag([1 / SCALE_ROLL**2, 1 / SCALE_PITCH**2]) * 2
    if len(axes):
        information += np.diag([1 / sigma_lean[0] ** 2, 1 / sigma_lean[1] ** 2 if landmarks else 0.0])
    open_to_doubt = sigma_lean**2
    if built is not None:
        information += np.linalg.inv(built.covariance)
        open_to_doubt = np.minimum(open_to_doubt, np.diag(built.covariance))
    variance = np.diag(np.linalg.inv(information))
    # Where the level prior and the person's lean contradict each other, either may be wrong.
    contradiction = np.where([len(axes) > 0, len(axes) > 0 and landmarks], fit.x[:2] - leaning[:2], 0.0)
    sigma_roll, sigma_pitch = np.sqrt(variance + np.minimum(contradiction**2, open_to_doubt))
    return float(fit.x[0]), float(fit.x[1]), float(sigma_roll), float(sigma_pitch)


def cauchy(error: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
    """Residuals whose half squares are minus the log density of a Cauchy distribution of scale 1."""
    return np.sign(error) * np.sqrt(2 * np.log1p(error**2))


def _ground(stances: list[_Stance], R_world_camera: np.ndarray) -> float | None:
    """Height of the resting ankles over the camera [m]: the lowest level on which they rest for a fifth of the time."""
    if not stances:
        return None
    heights = np.array([R_world_camera[2] @ s.p_camera for s in stances])
    seconds = np.array([s.seconds for s in stances])
    order = np.argsort(heights)
    share = np.cumsum(seconds[order]) / seconds.sum()
    return float(heights[order][np.searchsorted(share, 0.2)])
