"""Geometric start of a tool in the hands of a person, and the residuals that tie it to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.evidence import ERROR_TIME
from motion.residuals.grasp import Grasp, Grip
from motion.residuals.loss import PseudoHuber
from motion.residuals.reprojection import Reprojection
from motion.residuals.residual import Residual
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration
from motion.rotation import quaternion
from motion.state import SHARED, TOOL_POINTS, State
from motion.tool import Tool
from records import ContactStates, Keypoints

TOGETHER = 0.5
"""Hands that stay nearer to each other than this hold the tool together [m], if it is long enough."""

HANDS_APART = 0.75
"""On a long handle both hands hold it when they stay nearer to each other than this share of its length."""

GRIP_TILT = float(np.deg2rad(20))
"""How far a handle in the fist leans forward from square to the forearm [rad] (power grip, Napier 1956)."""

TOOL_ACCELERATION = 60.0
"""Usual acceleration of the ends of a swung tool [m/s^2]."""

GRIP_SPREAD, GRIP_SPREAD_TWO_HANDS = 0.35, 0.8
"""Spread of the attitude of a tool in one fist, which closes along the palm or across it, and in two, which turn in
each other's way [rad]."""

HAND_ATTITUDE = 0.9
"""How well the image tells the attitude of a hand [rad]: landmarks err by 0.12 m in depth, and a hand is 0.09 m
long."""

TRACKED = 4.0 / 922.0
"""Error of a tracked endpoint over the image diagonal: half that of a joint, which lies hidden in the body."""

LONGEST_SEEN = 0.9
"""Quantile over time of the extent of a tool across the line of sight at which it is taken to lie parallel to the
image: the same share of frames as for the hands on it, whose distance `perception.hands_axis` takes so."""

LEANING = 0.2
"""Sine of the angle to the image plane from which on it matters whether a tool leans to the camera or away [1]."""

TRUNK_SPOTS = 7
"""Spots along the trunk by which the distance of a viewing ray from it is taken."""

HOLD = 0.08
"""How far the hand slides from the usual place on the handle [m]."""


@dataclass(frozen=True, kw_only=True)
class Wielding:
    """A tool, the hands that hold it, and what is seen of it."""

    tool: Tool
    sides: tuple[str, ...]
    """Hands on the handle, `l`, `r` or both; the leading one, nearer to the head, comes first."""
    points: Keypoints | None
    """Seen endpoints."""

    @property
    def hands(self) -> tuple[str, ...]:
        """Sites of the hands on the handle."""
        return tuple(f"{side}_fingers" for side in self.sides)

    @property
    def seen(self) -> bool:
        """Whether any endpoint was seen in any frame."""
        return self.points is not None and bool((self.points.confidence > 0).any())

    def touched(self, contacts: ContactStates) -> ContactStates:
        """Contacts with the hands that hold the tool: that they do was told, and no image is asked."""
        names = (*contacts.names, *(hand for hand in self.hands if hand not in contacts.names))
        probability = np.zeros((len(contacts.probability), len(names)))
        probability[:, : len(contacts.names)] = contacts.probability
        probability[:, [names.index(hand) for hand in self.hands]] = 1.0
        return contacts.replace(names=names, probability=probability)

    def load(self, mass: float) -> tuple[float, float]:
        """Share of the tool in the mass of it and a person of `mass` [kg], and its centre: 0 handle's end, 1 head."""
        return self.tool.mass / (mass + self.tool.mass), float(self.tool.inertia().lever[0]) / self.tool.length


def wield(state: State, tool: Tool, points: Keypoints | None) -> tuple[tuple[State, ...], Wielding]:
    """Put a tool into the hands of a person whose motion is known.

    A segment of known length whose ends are seen leans towards the camera or away from it; both show the same image
    (the bas-relief ambiguity), and so do a near and a far end where one alone is seen. Both are starts then: the hands
    decide, in the solver. A tool that is seen longer than usual is as long as it is seen: where a start is too short,
    the ends of a long swing are out of its reach, and a robust loss takes them for outliers for good.

    Args:
        state: motion of the person.
        tool: what is held.
        points: endpoints in the image, if they were tracked.
    """
    wielding = Wielding(tool=tool, sides=_holding(state, tool, points), points=points)
    side = wielding.sides[0]
    R, _ = state.poses
    hand = R[:, Body.joint_names.index(f"{side}_wrist")] @ usual_grip(side)
    grips = state.positions(wielding.hands)
    axis = hand[..., 0]
    if len(wielding.sides) == 2:
        between = grips[:, 0] - grips[:, 1]
        axis = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-6)
    axes: tuple[np.ndarray, ...] = (axis,)
    length, middle = tool.length, grips.mean(axis=1)
    if wielding.seen and points is not None:
        if (points.confidence[:, [points.index(name) for name in TOOL_POINTS]] > 0).any(axis=0).all():
            span = _span(state, points, middle)
            length = _length(span, tool)
            axes = _seen_axes(span, length, axis)
        else:
            axes = _axes_to_one_end(state, tool, points, middle, axis)
    starts = []
    for axis in axes:
        z = hand[..., 2] - (hand[..., 2] * axis).sum(-1, keepdims=True) * axis
        z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6)
        rotation = np.stack([axis, np.cross(z, axis), z], axis=-1)
        end = middle - tool.grip / tool.length * length * axis
        tool_q = np.concatenate([end, quaternion(rotation)], axis=1)
        starts.append(replace(state, tool_q=tool_q, tool_length=length))
    return tuple(starts), wielding


def usual_grip(side: str) -> Float[np.ndarray, "3 3"]:
    """Attitude of a tool in the wrist in a power grip: head towards the thumb, face away from the forearm."""
    x = 1.0 if side == "l" else -1.0
    axis = np.array([x * np.sin(GRIP_TILT), 0.0, np.cos(GRIP_TILT)])
    back = np.array([-x * np.cos(GRIP_TILT), 0.0, np.sin(GRIP_TILT)])
    return np.stack([axis, np.cross(back, axis), back], axis=-1)


def tool_residuals(state: State, wielding: Wielding) -> dict[str, Residual]:
    """Residuals of a held tool."""
    tool, frames = wielding.tool, state.num_frames
    hands = wielding.hands
    held = np.ones((frames, len(hands)))
    low, high = (tool.grip - HOLD, tool.grip + HOLD) if len(hands) == 1 else (0.0, 0.9 * tool.length)
    leading = wielding.sides[0]
    spread = GRIP_SPREAD if len(hands) == 1 else GRIP_SPREAD_TWO_HANDS
    # What a hand tells of the tool is wrong in the same way for long, and would stretch the tool were it counted anew
    # in every frame: a fist keeps its grip throughout, and a hand's attitude is misjudged for as long as a pose lasts.
    frames_per_error = max(1.0, ERROR_TIME * state.fps)
    if wielding.seen:
        spread = float(np.hypot(spread * np.sqrt(frames), HAND_ATTITUDE * np.sqrt(frames_per_error)))
    residuals: dict[str, Residual] = {
        "grasp": Grasp(hands=hands, weight=held, reach=(max(low, 0.0) / tool.length, high / tool.length)),
        "grip": Grip(joint=f"{leading}_wrist", rest=quaternion(usual_grip(leading)), weight=held[:, 0], sigma=spread),
        "tool_length": SharedPrior(frames_per_error=frames_per_error, sigma=_length_alone()),
        "tool_acceleration": Acceleration(names=TOOL_POINTS, sigma=TOOL_ACCELERATION, loss=PseudoHuber(1.0)),
    }
    if wielding.seen and wielding.points is not None:
        points = wielding.points
        columns = [points.index(name) for name in TOOL_POINTS]
        residuals["tool_endpoint"] = Reprojection(
            names=TOOL_POINTS,
            uv=points.uv[:, columns],
            weight=np.sqrt(points.confidence[:, columns]),
            sigma=TRACKED * float(np.hypot(*points.size_hw)),
        )
    return residuals


def _holding(state: State, tool: Tool, points: Keypoints | None) -> tuple[str, ...]:
    """Both hands where they stay together; else the one nearer to the seen tool, or the one that moves more."""
    hands = state.positions(["l_fingers", "r_fingers"])
    apart = np.linalg.norm(hands[:, 0] - hands[:, 1], axis=1)
    speed = np.linalg.norm(np.diff(hands - state.positions(["neck"]), axis=0), axis=-1).mean(axis=0)
    order = ("l", "r") if speed[0] > speed[1] else ("r", "l")
    together = max(min(TOGETHER, tool.length), HANDS_APART * tool.length)
    if np.quantile(apart, 0.8) < together or tool.grip >= TOGETHER:
        # The lower hand on a long handle is nearer to the blade.
        lower = ("l", "r") if hands[:, 0, 2].mean() < hands[:, 1, 2].mean() else ("r", "l")
        return lower if tool.length > 2 * TOGETHER else order
    if points is not None and (points.confidence > 0).any():
        handle = points.index("tool_handle")
        both = points.confidence[:, handle] > 0
        if both.any():
            uv = state.camera.project(hands)
            away = np.linalg.norm(uv[both] - points.uv[both, handle][:, None], axis=-1).mean(axis=0)
            return ("l",) if away[0] < away[1] else ("r",)
    return order[:1]


def _length_alone() -> np.ndarray:
    """Standard deviations of a prior that knows of the tool's length alone."""
    return np.array([shared.sigma if shared.name == "log_tool_length" else np.inf for shared in SHARED])


class _Span(NamedTuple):
    """A tool between its seen ends, both taken to be at the depth of the hands."""

    across: np.ndarray
    """Direction from handle to head across the line of sight (T, 3)."""
    extent: np.ndarray
    """Distance of the ends from each other (T, 1) [m]."""
    sight: np.ndarray
    """Away from the camera, square to `across` (T, 3)."""
    seen: np.ndarray
    """Frames (T) in which both ends are seen, and not at one place."""


def _span(state: State, points: Keypoints, grip: np.ndarray) -> _Span:
    camera = state.camera
    columns = [points.index(name) for name in TOOL_POINTS]
    rays = camera.rays(points.uv[:, columns])
    origin = camera.T_world_camera[:, :3, 3]
    forward = camera.T_world_camera[:, :3, 2]
    depth = ((grip - origin) * forward).sum(-1)
    along = (rays * forward[:, None]).sum(-1)
    ends = origin[:, None] + rays * (depth[:, None] / np.maximum(along, 1e-6))[..., None]
    flat = ends[:, 0] - ends[:, 1]
    extent = np.linalg.norm(flat, axis=1, keepdims=True)
    across = flat / np.maximum(extent, 1e-6)
    sight = rays.mean(axis=1) - (rays.mean(axis=1) * across).sum(-1, keepdims=True) * across
    sight /= np.maximum(np.linalg.norm(sight, axis=1, keepdims=True), 1e-6)
    return _Span(across, extent, sight, (points.confidence[:, columns] > 0).all(axis=1) & (extent[:, 0] > 1e-6))


def _length(span: _Span, tool: Tool) -> float:
    """Usual length of the tool, or what it shows where that is more, within its bounds [m]."""
    if not span.seen.any():
        return tool.length
    shown = float(np.quantile(span.extent[span.seen], LONGEST_SEEN))
    return float(np.clip(shown, tool.length, tool.length_bounds[1]))


def _seen_axes(span: _Span, length: float, usual: np.ndarray) -> tuple[np.ndarray, ...]:
    """Directions from handle to head in frames where both ends are seen, else the usual one.

    Ends at the depth of the hands span the part of the tool across the line of sight; what its length has beyond that
    lies along it, away from the camera or, in a second answer, towards it. One answer alone where there is little.
    A tool does not turn about while it is out of sight for a moment, though hands that are close together may be
    mistaken for each other: in gaps, a usual direction that points the other way is not believed.
    """
    sine = np.sqrt(1 - np.minimum(span.extent / length, 1.0) ** 2)
    signs = (1.0, -1.0) if span.seen.any() and sine[span.seen].mean() > LEANING else (1.0,)
    across, aside = np.sqrt(1 - sine**2) * span.across, sine * span.sight
    return tuple(_through_gaps(across + sign * aside, usual, span.seen) for sign in signs)


def _through_gaps(axis: np.ndarray, usual: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Directions in seen frames; the usual ones elsewhere, but those against what is interpolated across a gap."""
    frames, known = np.arange(len(seen)), np.flatnonzero(seen)
    if not len(known):
        return usual
    between = np.stack([np.interp(frames, known, column) for column in axis[known].T], axis=1)
    within = (frames > known[0]) & (frames < known[-1])
    against = within & ((between * usual).sum(axis=1) < 0)
    unit = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-6)
    return np.where((seen | against)[:, None], unit, usual)


def _axes_to_one_end(
    state: State, tool: Tool, points: Keypoints, grip: np.ndarray, usual: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Directions from handle to head where one end is seen, else the usual one; two answers, the near and the far one.

    The end lies on its viewing ray, as far from the grip as the tool reaches; where that is too short, abreast of it.
    An end that shows before the person's trunk is the near one: the trunk would hide the other.
    """
    column = int((points.confidence[:, [points.index(name) for name in TOOL_POINTS]] > 0).any(axis=0).argmax())
    name = TOOL_POINTS[column]
    reach = tool.length - tool.grip if name == "tool_head" else tool.grip
    k = points.index(name)
    ray = state.camera.rays(points.uv[:, [k]])[:, 0]
    away = grip - state.camera.T_world_camera[:, :3, 3]
    along = (away * ray).sum(axis=-1, keepdims=True)
    aside = along * ray - away
    half = np.sqrt(np.maximum(reach**2 - (aside**2).sum(axis=-1, keepdims=True), 0.0))
    sign = 1.0 if name == "tool_head" else -1.0
    seen = points.confidence[:, [k]] > 0
    axes = []
    for side in (-1.0,) if _before_trunk(state, ray[seen[:, 0]], seen[:, 0]) else (-1.0, 1.0):
        axis = sign * (aside + side * half * ray)
        axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-6)
        axes.append(np.where(seen, axis, _turned_to(usual, axis, seen[:, 0])))
    return tuple(axes)


def _before_trunk(state: State, ray: np.ndarray, frames: np.ndarray) -> bool:
    """Whether viewing rays mostly pass through the trunk."""
    names = ("pelvis", "neck", "l_shoulder", "r_shoulder")
    pelvis, neck, left, right = np.moveaxis(state.positions(names)[frames], 1, 0)
    width = np.linalg.norm(left - right, axis=-1) / 2
    spots = pelvis + np.linspace(0, 1, TRUNK_SPOTS)[:, None, None] * (neck - pelvis)
    away = spots - state.camera.T_world_camera[:, :3, 3]
    across = np.linalg.norm(away - (away * ray).sum(axis=-1, keepdims=True) * ray, axis=-1).min(axis=0)
    return float((across < width).mean()) > 0.5


def _turned_to(usual: np.ndarray, axis: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The usual direction or the opposite one, whichever most of the seen ones agree with."""
    agreement = float((usual * axis).sum(axis=-1)[seen].sum())
    return usual if agreement >= 0 else -usual
