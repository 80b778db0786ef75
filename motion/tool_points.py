"""The motion of a tool from points on it that are seen, where nobody's body tells how it is held: close-ups.

The points lie in the tool's plane of symmetry, x and z of the tool frame: spout, handle, heel and lid of a jug. Where
they lie in it is found along with the motion; one distance between two of them, which the user states, sets the scale.
In the frame of reference, the first in which all are seen, the tool stands level and its plane faces the camera. A
plane that is seen from in front shows turns within it well, which is the tilt of a jug, and turns out of it by
foreshortening alone; those are held back by how tools are usually held.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.plane_problem import PlaneProblem, rotations_of
from motion.tool import Tool, motion_of_poses
from records import Camera, Keypoints, Motion

LONGEST_GAP = 1.0
"""The motion is told through gaps of this length at most [s]."""


class ToolPointsError(ValueError):
    """The points do not tell the tool's motion: too few, too rarely seen, or no scale."""


class Span(NamedTuple):
    """A distance that the user knows."""

    first: str
    second: str
    """Names of two points."""
    length: float
    """[m]."""


class Fit(NamedTuple):
    """A tool's motion, and what it rests on."""

    motion: Motion
    points: Float[np.ndarray, "K 3"]
    """Where the points lie in the tool frame [m]."""
    error: float
    """Median distance of seen points from where the fit has them [px]."""


def motion_of_points(
    seen: Keypoints, camera: Camera, tool: Tool, *, anchor: str, place: Float[np.ndarray, "3"], span: Span
) -> Fit:
    """Find the motion of a tool alone.

    Args:
        seen: image points of the tool, by names of one's own, two or more besides the anchor.
        camera: static; its height over the ground does not matter.
        tool: what it is.
        anchor: the point whose place on the tool is known: the simulated tool moves as this point does.
        place: that place, in the tool frame [m].
        span: distance of two of the points.

    Raises:
        ToolPointsError: too few points, or too rarely seen; no such point; a length that is not positive.
    """
    _check(seen, anchor, span)
    problem = PlaneProblem(seen, camera, anchor, span)
    poses, shape = problem.solve()
    R = rotations_of(poses)
    error = problem.error(poses, shape)
    points = np.asarray(place) + shape - shape[problem.anchor]
    return Fit(motion_of_poses(tool.name, tool.parameters(), R, poses[:, :3] - R @ place, seen.fps), points, error)


def _check(seen: Keypoints, anchor: str, span: Span) -> None:
    names = ", ".join(seen.names)
    for name in (anchor, span.first, span.second):
        if name not in seen.names:
            raise ToolPointsError(f"no click on the point {name!r} of the tool; there are: {names}")
    if span.first == span.second or not (np.isfinite(span.length) and span.length > 0):
        raise ToolPointsError(
            f"{span.first} to {span.second} are {span.length} m apart: expected two points and a length"
        )
    if len(seen.names) < 3:
        raise ToolPointsError(f"the points {names} do not tell how the tool is turned; click on three or more")
    count = (seen.confidence > 0).sum(axis=1)
    if count.max() < len(seen.names):
        raise ToolPointsError(f"{names} are never seen in one frame; click on each in one in which the tool is level")
    told = np.flatnonzero(count >= 2)
    gaps = np.diff(np.concatenate([[-1], told, [seen.num_frames]])) - 1
    if gaps.max() > LONGEST_GAP * seen.fps:
        first = int(np.concatenate([[-1], told])[gaps.argmax()]) + 1
        raise ToolPointsError(
            f"fewer than two points of the tool are seen for {gaps.max() / seen.fps:.1f} s from frame {first} on;"
            " click on them there, or leave that stretch out with --start and --end"
        )
