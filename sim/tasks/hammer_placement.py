"""A stroke placed in the hammer's scene, and how well it would drive the nail by kinematics alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool, motion_of_poses
from records import Demonstration, Motion
from sim.placement import AlignError, Range
from sim.swing import Swing, swing_of
from sim.tasks.nail import HEAD_RADIUS, SCENE, STROKE

BEFORE = 1.0
"""Stretch of the stroke that is kept before the strike [s]: the swing."""
AFTER = 0.35
"""Stretch that is kept after it [s]."""
APPROACH = 0.4
"""Stretch before the strike in which the tool must stay clear of the nail's side [s]."""
FLOOR = 0.01
"""The tool is kept at least this far above the ground [m]."""
SLOWEST = 0.3
"""A descent slower than this is no strike [m/s]."""
STRIKES = 3
"""Descents of the head that are searched."""
USUAL_SCALE = 0.85
"""Size of the stroke that a search starts from: arms are shorter than people's reach."""
FAST = 0.5
"""A face that drives more slowly than this makes a placement worse [m/s]."""
MARGIN = 0.04
"""Room that is kept beside the nail on the way to it [m]: twice the displacement that replays are perturbed with."""
_SAMPLES = 8
"""Kinematic samples per frame around the strike."""


class Placement(NamedTuple):
    """Where the nail stands with respect to the stroke, and how the stroke is changed."""

    strike: float
    """Moment at which the face meets the nail [s]."""
    along: float
    """Distance of the nail from the centre of the face along the handle [m]."""
    across: float
    """The same across it [m]."""
    scale: float
    """Size of the stroke."""
    tilt: float
    """Turn of the tool about its y axis, the axis of the swing [rad]."""
    roll: float
    """Turn of the tool about its handle [rad]."""


class HammerPlacer:
    """Placements of a stroke over the nail."""

    ranges = (
        Range(0.06),
        Range(0.02),
        Range(0.02),
        Range(0.08, 0.5, 1.0),
        Range(0.25),
        Range(0.25),
    )

    def __init__(self, stroke: Motion, tool: Tool) -> None:
        """Smooth the stroke."""
        self._name, self._tool = stroke.model, tool
        self._swing = swing_of(stroke, tool)
        self._frames = np.arange(0.0, len(self._swing.head) - 1, 1 / _SAMPLES)
        self._dense = self._swing.at(self._frames)

    def starts(self) -> list[Placement]:
        """Two for each strike, fastest first: where the head is fastest, and a nail's length above the bottom.

        Raises:
            AlignError: the head never descends fast or far enough.
        """
        down, z, fps = self._swing.descent, self._swing.head[:, 2], self._swing.fps
        if down.max() < SLOWEST:
            raise AlignError(
                f"the tool never strikes: its head descends at {max(0.0, float(down.max())):.2f} m/s at most,"
                f" {SLOWEST} m/s are needed"
            )
        found, deepest = [], 0.0
        for frame in np.flatnonzero((down >= SLOWEST) & _is_peak(down, round(0.12 * fps))).tolist():
            depth = _descended(z, frame, round(APPROACH * fps))
            deepest = max(deepest, depth)
            if depth >= STROKE:
                found.append(frame)
        if not found:
            raise AlignError(
                f"the tool's head descends by {100 * deepest:.0f} cm at most in one strike;"
                f" a nail takes {100 * STROKE:.0f} cm"
            )
        fastest = sorted(found, key=lambda t: -down[t])[:STRIKES]
        moments = [moment for frame in fastest for moment in (float(frame), self._beginning(frame))]
        return [Placement(moment / fps, 0.0, 0.0, USUAL_SCALE, 0.0, 0.0) for moment in moments]

    def place(self, placement: Placement) -> Demonstration:
        """Cut the stroke around its strike and move it so that the face meets the nail there.

        The moment of the strike puts the centre of the face on the undriven nail; where the stroke goes on into the
        ground it is held up: a surface that the video does not show stopped the real tool. The scene is turned so that
        the handle points along +x at the strike. The stroke starts after the tool last lay near the nail: whoever
        hammers rests it there.
        """
        tool, fps = self._tool, self._swing.fps
        strike = float(np.clip(placement.strike * fps, 0, len(self._swing.head) - 1))
        first, top = self._backswing(strike)
        cut = slice(first, int(np.ceil(strike + AFTER * fps)) + 1)
        swing = _turned(Swing(self._swing.R[cut], self._swing.head[cut], fps), placement)
        meeting, R_strike = self._meeting(placement)
        level = _about_z(-np.arctan2(R_strike[1, 0], R_strike[0, 0]))
        nail = np.array([SCENE["nail_x"], SCENE["nail_y"], SCENE["nail_z"]])
        head = (swing.head - meeting) @ level.T + nail
        R = level @ swing.R
        near = np.flatnonzero(~_clear(R, head, nail, tool)[: top - first])
        start = int(near[-1]) + 1 if len(near) else 0
        R, head = R[start:], head[start:]
        head = head + _lift(R, head, tool)
        motion = motion_of_poses(self._name, tool.parameters(), R, head - tool.length * R[:, :, 0], fps)
        return Demonstration(task="hammer", scene=dict(SCENE), tool=motion)

    def shortfall(self, placement: Placement) -> float:
        """Looks at the moving face alone.

        It shall be centred on the nail, flat, and fast downwards from the first touch until the nail is driven; and
        away from the nail before.
        """
        fps, last = self._swing.fps, len(self._swing.head) - 1
        strike = placement.strike * fps
        if not 2 <= strike <= last - 2:
            return 50.0
        stop = min(strike + AFTER * fps, last)
        start = max(strike - APPROACH * fps, self._backswing(strike)[1])
        span = slice(*np.searchsorted(self._frames, [start, stop]).tolist())
        moving = _turned(Swing(self._dense.R[span], self._dense.head[span], fps), placement)
        nail, _ = self._meeting(placement)
        half = np.array(self._tool.head_size) / 2
        face = moving.head - moving.R[:, :, 2] * half[2]
        depth = nail[2] - face[:, 2]
        touching = int(np.searchsorted(self._frames[span], strike))
        driving = np.flatnonzero(depth[touching:] >= STROKE)
        if not len(driving):
            return 10.0 + 100 * float(STROKE - depth[touching:].max())
        drive = slice(touching, touching + int(driving[0]) + 1)
        # The nail's top as the face sees it: it has been driven as deep as the face has come, and is never lifted.
        top = nail - np.c_[np.zeros((len(face), 2)), np.maximum(depth, 0)]
        local = np.einsum("tij,tj->ti", moving.R.swapaxes(1, 2), top - face)
        off = np.abs(local[drive, :2]).max(axis=0) / half[:2]
        flat = 1 - moving.R[drive, 2, 2].min()
        speed = -np.diff(face[drive, 2]).mean() * _SAMPLES * fps if len(face[drive]) > 1 else 0.0
        before = local[:touching]
        below = (
            (before[:, 2] > -0.005)
            & (before[:, 0] < half[0] + HEAD_RADIUS + MARGIN)
            & (np.abs(before[:, 1]) < half[1] + HEAD_RADIUS + MARGIN)
        )
        above = depth[:touching].max(initial=-1.0)
        return (
            float((off**2).sum())
            + 30 * flat
            + max(0.0, FAST - speed)
            + 5.0 * float(below.mean() if len(below) else 0)
            + 20 * max(0.0, above + 0.005)
        )

    def remarks(self, placement: Placement) -> tuple[str, ...]:
        """None: what is done with it was observed."""
        return ()

    def guess(self, rng: np.random.Generator) -> Placement:
        """Scale from {.5, .75, 1}, nail N(0, .1 m) from the head at a peak of its speed, roll (Zorina et al. 2021)."""
        fps, down = self._swing.fps, self._swing.descent
        starts = self.starts()
        peak = starts[rng.integers(len(starts))].strike
        along, across, height = rng.normal(0, 0.1, 3)
        speed = max(float(down[round(peak * fps)]), 0.1)
        strike = float(np.clip(peak + height / speed, 2 / fps, (len(down) - 3) / fps))
        return Placement(strike, along, across, float(rng.choice([0.5, 0.75, 1.0])), 0.0, float(rng.normal(0, 0.5)))

    def _beginning(self, frame: int) -> float:
        """Fractional frame at which the head is a nail's stroke, and a little, above the bottom of a strike."""
        z = self._swing.head[:, 2]
        bottom = frame + int(z[frame : frame + round(APPROACH * self._swing.fps) + 1].argmin())
        level = z[bottom] + 1.1 * STROKE / USUAL_SCALE
        above = bottom
        while above > 0 and z[above] < level:
            above -= 1
        return above + float(np.clip((z[above] - level) / max(z[above] - z[above + 1], 1e-9), 0, 1))

    def _backswing(self, strike: float) -> tuple[int, int]:
        """First frame that is kept before a strike, and the frame in between at which the head is highest."""
        first, last = max(0, int(np.floor(strike - BEFORE * self._swing.fps))), int(np.floor(strike))
        return first, first + int(self._swing.head[first : last + 1, 2].argmax())

    def _meeting(self, placement: Placement) -> tuple[np.ndarray, np.ndarray]:
        """Where the face meets the nail (3,) [m], in the stroke's own world, and the tool's rotation (3, 3) then."""
        place = placement.strike * self._swing.fps * _SAMPLES
        k = int(np.clip(place, 0, len(self._frames) - 2))
        share = place - k
        # Samples are so dense that rotations between them may be mixed linearly.
        mixed = [(1 - share) * values[k] + share * values[k + 1] for values in (self._dense.R, self._dense.head)]
        swing = _turned(Swing(mixed[0][None], mixed[1][None], self._swing.fps), placement)
        lever = np.array([placement.along, placement.across, -self._tool.head_size[2] / 2])
        return swing.head[0] + swing.R[0] @ lever, swing.R[0]


def _is_peak(values: Float[np.ndarray, "T"], reach: int) -> np.ndarray:
    """Where a value is the largest of all within `reach` samples; the ends are left out."""
    padded = np.pad(values, reach, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    inner = np.zeros(len(values), bool)
    inner[2:-2] = True
    return (values == highest) & inner


def _descended(z: Float[np.ndarray, "T"], frame: int, reach: int) -> float:
    """How far the height falls within `reach` frames about a frame [m]."""
    return float(z[max(frame - reach, 0) : frame + 1].max() - z[frame : frame + reach + 1].min())


def _turned(swing: Swing, placement: Placement) -> Swing:
    """The swing after tilt and roll of the tool, its head's path scaled."""
    turn = pin.rpy.rpyToMatrix(float(placement.roll), float(placement.tilt), 0.0)
    return Swing(swing.R @ turn, placement.scale * swing.head, swing.fps)


def _lift(R: Float[np.ndarray, "T 3 3"], head: Float[np.ndarray, "T 3"], tool: Tool) -> Float[np.ndarray, "T 3"]:
    """Vertical displacement that keeps every corner of the tool above the ground [m]."""
    lowest = np.minimum(_lowest(R, head, tool), head[:, 2] - tool.length * R[:, 2, 0])
    return np.maximum(0.0, FLOOR - lowest)[:, None] * np.array([0.0, 0.0, 1.0])


def _clear(
    R: Float[np.ndarray, "T 3 3"], head: Float[np.ndarray, "T 3"], nail: Float[np.ndarray, "3"], tool: Tool
) -> np.ndarray:
    """Where the head is well above the undriven nail, or well beside it."""
    beside = np.linalg.norm(head[:, :2] - nail[:2], axis=1)
    reach = float(np.linalg.norm(tool.head_size)) / 2 + HEAD_RADIUS
    return (_lowest(R, head, tool) > nail[2] + MARGIN) | (beside > reach + MARGIN)


def _lowest(R: Float[np.ndarray, "T 3 3"], head: Float[np.ndarray, "T 3"], tool: Tool) -> Float[np.ndarray, "T"]:
    """Height of the lowest corner of the tool's head [m]."""
    return head[:, 2] - np.abs(R[:, 2]) @ (np.array(tool.head_size) / 2)


def _about_z(angle: float) -> np.ndarray:
    return pin.rpy.rpyToMatrix(0.0, 0.0, float(angle))
