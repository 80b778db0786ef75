"""A tool in the hands, estimated from a clip, against its truth: benchmarks/tool_estimate.py [--seeds 0 1 2].

Clips of the studio go through the real detector and the tool tracker (one click for each end). Prints, for each seed,
the distance of the tool's head from the true one in the axes of the camera, as it is and relative to the hand that
holds it; the angle between the handles, and its part along the line of sight with its sign (positive: leans away from
the camera more than in truth); and the error of its length. Beside it what costs nothing: the estimated person with a
tool of the table's length fixed in the usual grip of the same hand. The last line holds the means.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body, body_of, rotations
from motion.estimate import estimate
from motion.tool import TOOLS, tool_of
from motion.wield import usual_grip
from perception.click import Click
from perception.track import Observations, TrackOptions, track
from records import Interaction, Motion
from sim.studio import Take, render_clip

TOOL = "hammer"


class Figures(NamedTuple):
    """Errors of a tool, means over the frames."""

    head: float
    """Distance of the head from the true one [mm]."""
    reach: float
    """The same relative to the hand: what the attitude and the length of the tool miss [mm]."""
    angle: float
    """Between the handle and the true one [degrees]."""
    depth: float
    """Angle of the handle out of the image plane, less the true one [degrees]."""
    length: float
    """Length less the true one [mm]."""


def observed(folder: Path, seed: int) -> tuple[Take, Observations]:
    """A clip of the studio and what perception sees of it."""
    take = render_clip(folder / "clip.mp4", tool=TOOL, seed=seed)
    options = TrackOptions(tool_head=(Click.parse(take.head_click),), tool_handle=(Click.parse(take.handle_click),))
    return take, track(take.clip, options)


def measure(truth: Interaction, seen: Observations) -> tuple[Figures, Figures]:
    """Errors of the estimated tool, and of one that is fixed in the estimated hand."""
    found = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name=TOOL)
    assert truth.tool is not None
    assert found.tool is not None
    side = _holding(truth.person, truth.tool)
    true = _before_camera(truth, *_pose(truth.tool), _hand(truth.person, side))
    hand = _hand(found.person, side)
    tool = TOOLS.load(TOOL)
    axis = _straight(found.person, side)
    fixed = _before_camera(found, hand - tool.grip * axis, axis, tool.length, hand)
    return _errors(true, _before_camera(found, *_pose(found.tool), hand)), _errors(true, fixed)


class _Held(NamedTuple):
    """A tool and the hand that holds it, in the axes of the camera."""

    head: Float[np.ndarray, "T 3"]
    axis: Float[np.ndarray, "T 3"]
    hand: Float[np.ndarray, "T 3"]
    length: float

    @property
    def depth(self) -> Float[np.ndarray, "T"]:
        """Angle of the handle out of the image plane [rad]."""
        angle: np.ndarray = np.arcsin(np.clip(self.axis[:, 2], -1, 1))
        return angle


def _before_camera(scene: Interaction, end: np.ndarray, axis: np.ndarray, length: float, hand: np.ndarray) -> _Held:
    """Handle's end, direction to the head and hand (T, 3), brought from the world to the camera."""
    R, origin = scene.camera.T_world_camera[:, :3, :3], scene.camera.T_world_camera[:, :3, 3]
    head, hand = (np.einsum("tji,tj->ti", R, p - origin) for p in (end + length * axis, hand))
    return _Held(head, np.einsum("tji,tj->ti", R, axis), hand, length)


def _errors(true: _Held, found: _Held) -> Figures:
    away = found.head - true.head
    return Figures(
        head=1e3 * float(np.linalg.norm(away, axis=1).mean()),
        reach=1e3 * float(np.linalg.norm(away - (found.hand - true.hand), axis=1).mean()),
        angle=float(np.rad2deg(np.arccos(np.clip((found.axis * true.axis).sum(-1), -1, 1))).mean()),
        depth=float(np.rad2deg(found.depth - true.depth).mean()),
        length=1e3 * (found.length - true.length),
    )


def _pose(motion: Motion) -> tuple[np.ndarray, np.ndarray, float]:
    """Handle's end (T, 3) [m], direction to the head (T, 3), length [m]."""
    return motion.q[:, :3], rotations(motion.q[:, 3:])[..., 0], tool_of(motion).length


def _hand(person: Motion, side: str) -> Float[np.ndarray, "T 3"]:
    return body_of(person).site_positions(person.q, [f"{side}_fingers"])[:, 0]


def _holding(person: Motion, tool: Motion) -> str:
    """The hand that is nearer to the handle."""
    end, axis, _ = _pose(tool)
    place = end + TOOLS.load(TOOL).grip * axis
    return min("lr", key=lambda side: float(np.linalg.norm(_hand(person, side) - place, axis=1).mean()))


def _straight(person: Motion, side: str) -> Float[np.ndarray, "T 3"]:
    """Direction of a tool in the usual grip, were the wrist straight."""
    R, _ = body_of(person).joint_poses(person.q)
    axis: np.ndarray = R[:, Body.joint_names.index(f"{side}_elbow")] @ usual_grip(side)[:, 0]
    return axis


def main() -> None:
    """Print one row per seed, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    print(f"{'seed':>4}{'':>8}{'head mm':>9}{'reach mm':>10}{'angle':>8}{'depth':>8}{'length mm':>11}")
    rows, fixed = [], []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            take, seen = observed(Path(folder), seed)
            both = measure(take.truth, seen)
        for name, row, kept in zip(("tool", "fixed"), both, (rows, fixed), strict=True):
            kept.append(row)
            print(_row(seed, name, row), flush=True)
    ours, costless = (Figures(*np.abs(table).mean(axis=0)) for table in (rows, fixed))
    print(
        f"tool_estimate, {len(rows)} clips: head {ours.head:.0f} mm off (fixed to the forearm {costless.head:.0f}),"
        f" {ours.reach:.0f} mm relative to the hand ({costless.reach:.0f}), handle {ours.angle:.0f} degrees"
        f" ({costless.angle:.0f}), length {ours.length:.0f} mm"
    )


def _row(seed: int, name: str, f: Figures) -> str:
    return f"{seed:>4}{name:>8}{f.head:>9.0f}{f.reach:>10.0f}{f.angle:>8.1f}{f.depth:>+8.1f}{f.length:>+11.0f}"


if __name__ == "__main__":
    main()
