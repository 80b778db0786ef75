"""A stroke placed in the scythe's scene, and how well it would cut the grass by kinematics alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool, motion_of_poses
from records import Demonstration, Motion
from sim.placement import AlignError, Range
from sim.swing import Swing, swing_of
from sim.tasks.grass import SCENE, SCYTHE, SLOWEST, stalk_places
from sim.tasks.scythe_cut import sweep
from sim.tool_shape import LAY, scythe_blade

BEFORE = 1.0
"""The swing begins at the end of the backswing, at most this long before the middle of the sweep [s]."""
AFTER = 0.6
"""Stretch that is kept after it [s]."""
FLOOR = 0.01
"""The tool is kept at least this far above the ground [m]."""
SWEEPS = 3
"""Sweeps that are searched."""
STEEPEST = np.radians(25)
"""A handle that rises to the blade more than this holds it in the air [rad]."""
USUAL_SCALE = 0.75
"""Size of the stroke that a search starts from: a person's scythe is twice as long as an arm's."""
USUAL_HAFT = -0.45
"""Turn of the blade that a search starts from: its tip outwards, so that its edge leads [rad]."""
MARGIN = 0.05
"""Grass this far from where it stands should be cut too [m]: where the swath reaches, displacements do no harm."""
CLEAR = 0.45
"""Distance of the blade from the middle of the patch at which a swing begins [m]: beside the grass, not in it."""
_SAMPLES = 6
"""Kinematic samples per frame."""


class Placement(NamedTuple):
    """Where the grass stands with respect to the stroke, and how the stroke is changed."""

    middle: float
    """Moment at which the blade passes the middle of the patch [s]."""
    across: float
    """Distance of the blade's centre beyond the middle of the patch then, as seen by the mower [m]."""
    height: float
    """Of the blade's centre above the ground then [m]; where the stroke goes into the ground it is held up."""
    scale: float
    """Size of the stroke."""
    tilt: float
    """Turn of the tool about its y axis [rad]: the blade's slope from edge to back."""
    roll: float
    """Turn of the tool about its handle [rad]: the blade's slope from heel to tip."""
    haft: float
    """Turn of the tool about its z axis [rad]: the angle of the blade to its path."""


class _Placed(NamedTuple):
    """A stroke in the scene."""

    R: np.ndarray
    """Rotation of the tool (S, 3, 3)."""
    head: np.ndarray
    """Centre of the blade (S, 3) [m]."""
    lifted: float
    """How far it is held up, on average [m]."""


class ScythePlacer:
    """Placements of a stroke over the grass, with the scythe of `SCYTHE` in place of the person's."""

    ranges = (
        Range(0.06),
        Range(0.05),
        Range(0.03, -0.3, 0.3),
        Range(0.08, 0.3, 1.0),
        Range(0.15),
        Range(0.15),
        Range(0.2, -0.8, 0.8),
    )

    def __init__(self, stroke: Motion, tool: Tool) -> None:
        """Smooth the stroke; roll about the handle, which videos do not show, is what keeps the blade level."""
        swing = swing_of(stroke, tool)
        self._swing = Swing(_level(swing.R), swing.head, swing.fps)
        velocity = np.gradient(swing.head, axis=0) * swing.fps
        self._velocity = velocity
        self._left = np.einsum("ti,ti->t", velocity, self._swing.R[:, :, 1])

    def starts(self) -> list[Placement]:
        """One for each sweep from right to left, fastest first.

        Raises:
            AlignError: no sweep is fast enough, or the blade is held in the air in all of them.
        """
        fps, left = self._swing.fps, self._left
        fastest = float(left.max(initial=0.0))
        if fastest < SLOWEST:
            raise AlignError(
                f"the tool never sweeps from right to left: its head moves that way at {fastest:.2f} m/s at most,"
                f" {SLOWEST} m/s are needed"
            )
        peaks = [k for k in _peaks(left, round(0.2 * fps)) if left[k] >= SLOWEST]
        slope = np.arcsin(np.clip(self._swing.R[:, 2, 0], -1, 1))
        near = [k for k in peaks if slope[k] <= STEEPEST]
        if not near:
            rise = float(np.degrees(min(slope[k] for k in peaks)))
            raise AlignError(
                f"the blade never comes near the ground: in every sweep the handle rises to it, by {rise:.0f} degrees"
                f" and more; {np.degrees(STEEPEST):.0f} are the most that can be levelled"
            )
        chosen = sorted(near, key=lambda k: -left[k])[:SWEEPS]
        return [Placement(k / fps, 0.0, 0.02, USUAL_SCALE, float(slope[k] + LAY), 0.0, USUAL_HAFT) for k in chosen]

    def place(self, placement: Placement) -> Demonstration:
        """Cut the stroke around its sweep and move it so that the blade passes over the patch there.

        The scene is turned so that the blade moves along +y in the middle. Where the stroke goes on into the ground it
        is held up: a surface that the video does not show stopped the real tool.
        """
        fps = self._swing.fps
        first, last = self._window(placement)
        placed = self._placed(np.arange(first, last + 1.0), placement)
        motion = motion_of_poses(
            SCYTHE.name, SCYTHE.parameters(), placed.R, placed.head - SCYTHE.length * placed.R[:, :, 0], fps
        )
        return Demonstration(task="scythe", scene=dict(SCENE), tool=motion)

    def shortfall(self, placement: Placement) -> float:
        """How wrongly the blade meets the stalks, there and `MARGIN` to each side of there, on average."""
        fps = self._swing.fps
        first, last = self._window(placement)
        if not 3 <= placement.middle * fps <= len(self._swing.head) - 4:
            return 50.0
        placed = self._placed(np.arange(first, last, 1 / _SAMPLES), placement)
        blade = scythe_blade(SCYTHE)
        found = sweep(placed.R @ blade.rotation, placed.head, _STALKS, SCYTHE.head_size, _SAMPLES * fps)
        away = float(np.linalg.norm(placed.head[0, :2] - [SCENE["patch_x"], SCENE["patch_y"]]))
        return float((found.wrong() * _WEIGHTS).sum() + 2 * placed.lifted + 10 * max(0.0, CLEAR - away))

    def remarks(self, placement: Placement) -> tuple[str, ...]:
        """None: what is done with it was observed."""
        return ()

    def guess(self, rng: np.random.Generator) -> Placement:
        """Scale from {.5, .75, 1}, patch N(0, .1 m) from the blade at a peak of its speed, height N(0, .5 m), roll.

        As Zorina et al. (2021) draw them; the blade begins level.
        """
        fps, starts = self._swing.fps, self.starts()
        start = starts[rng.integers(len(starts))]
        along, across = rng.normal(0, 0.1, 2)
        speed = max(float(self._left[round(start.middle * fps)]), SLOWEST)
        middle = float(np.clip(start.middle + along / speed, 3 / fps, (len(self._left) - 4) / fps))
        scale, height = float(rng.choice([0.5, 0.75, 1.0])), float(rng.normal(0, 0.5))
        roll, haft = rng.normal(0, 0.5, 2).tolist()
        return Placement(middle, float(across), height, scale, start.tilt, roll, haft)

    def _window(self, placement: Placement) -> tuple[int, int]:
        """First and last frame that are kept: from where the blade is farthest back to some time after the sweep."""
        fps, last = self._swing.fps, len(self._swing.head) - 1
        middle = float(np.clip(placement.middle * fps, 1, last - 1))
        begin = max(0, int(np.floor(middle - BEFORE * fps)))
        back = self._swing.head[begin : int(middle) + 1, :2] @ self._heading(middle)
        return begin + int(back.argmin()), min(last, int(np.ceil(middle + AFTER * fps)))

    def _heading(self, frame: float) -> Float[np.ndarray, "2"]:
        """Velocity of the blade over the ground at a fractional frame [m/s]."""
        k = int(frame)
        share = frame - k
        return np.asarray((1 - share) * self._velocity[k, :2] + share * self._velocity[k + 1, :2])

    def _placed(self, frames: Float[np.ndarray, "S"], placement: Placement) -> _Placed:
        """Rotations and blade's centres in the scene at fractional frames."""
        middle = float(np.clip(placement.middle * self._swing.fps, 1, len(self._swing.head) - 2))
        swing, meeting, heading = self._swing.at(frames), self._swing.at(np.array([middle])), self._heading(middle)
        level = pin.rpy.rpyToMatrix(0.0, 0.0, float(np.pi / 2 - np.arctan2(heading[1], heading[0])))
        turn = pin.rpy.rpyToMatrix(placement.roll, placement.tilt, placement.haft)
        R = level @ swing.R @ turn
        there = np.array([SCENE["patch_x"] + placement.across, SCENE["patch_y"], placement.height])
        head = placement.scale * (swing.head - meeting.head) @ level.T + there
        lift = np.maximum(0.0, FLOOR - _lowest(R, head))
        head = head + lift[:, None] * np.array([0.0, 0.0, 1.0])
        return _Placed(R, head, float(lift.mean()))


def _level(R: Float[np.ndarray, "T 3 3"]) -> Float[np.ndarray, "T 3 3"]:
    """The same directions of the handle, rolled so that the tool's y axis is level and points to the mower's left."""
    x = R[:, :, 0]
    left = np.cross([0.0, 0.0, 1.0], x)
    size = np.linalg.norm(left, axis=1)
    # A handle that stands upright has no left: its neighbours' is taken.
    known = np.flatnonzero(size > 0.05)
    if not len(known):
        return R
    nearest = known[np.abs(np.arange(len(x))[:, None] - known).argmin(axis=1)]
    y = left[nearest] - np.einsum("ti,ti->t", left[nearest], x)[:, None] * x
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _peaks(values: Float[np.ndarray, "T"], reach: int) -> list[int]:
    """Where a value is the largest of all within `reach` samples; the ends are left out."""
    padded = np.pad(values, reach, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    found: list[int] = [k for k in np.flatnonzero(values == highest).tolist() if 3 <= k < len(values) - 4]
    return found


def _lowest(R: Float[np.ndarray, "S 3 3"], head: Float[np.ndarray, "S 3"]) -> Float[np.ndarray, "S"]:
    """Height of the lowest point of the scythe: a corner of its blade, or the end of its handle [m]."""
    blade = R @ scythe_blade(SCYTHE).rotation
    corner = head[:, 2] - np.abs(blade[:, 2]) @ (np.array(SCYTHE.head_size) / 2)
    found: np.ndarray = np.minimum(corner, head[:, 2] - SCYTHE.length * R[:, 2, 0] - SCYTHE.handle_radius)
    return found


_HERE = stalk_places(SCENE)[:, :2]
_STALKS = np.concatenate([_HERE + MARGIN * np.array(at) for at in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))])
_WEIGHTS = np.repeat([0.6, 0.1, 0.1, 0.1, 0.1], len(_HERE)) / len(_HERE)
