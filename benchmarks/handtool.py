"""People and tools from image points alone: the Handtool sequences (Li et al., CVPR 2019), which have no truth.

    python benchmarks/handtool.py DIR/openpose18.npz [--sequences hammer_1 ...]

What can be measured without truth: does the skeleton lie on the detections, does the person stand as people do, do the
hands hold the tool, do the forces explain the motion. Beside it the same with what costs nothing: the geometric start,
and a tool fixed square to the forearm. The last line holds the means.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motion.body import Body, body_of, build_body, rotations
from motion.estimate import ASSUMED_HEIGHT, EstimateOptions, estimate, start
from motion.skeleton import SITES
from motion.tool import TOOLS, head_positions, tool_of
from motion.wield import usual_grip
from perception.detectors.detector import read_keypoints
from perception.track import observe_keypoints
from records import Camera, Interaction, Keypoints

CONFIDENT = 0.3
"""Confidence from which a detection is compared with."""
SOLES = ("l_heel", "l_ball", "r_heel", "r_ball")


class Figures(NamedTuple):
    """What is measured of a sequence."""

    pixels: float
    """Median distance of joints from detections [px]."""
    start_pixels: float
    """The same of the geometric start [px]."""
    lean: float
    """Level distance of the centre of mass from the middle of the feet, 90th percentile over frames [m]."""
    start_lean: float
    """The same of the geometric start [m]."""
    stature: float
    """Sum of the bones from sole to crown over that of the assumed stature [1]."""
    floor: float
    """Median distance of the lower foot from the ground [m]."""
    hand: float
    """Distance of the holding hands from the handle [m]."""
    fixed_hand: float
    """The same of a tool fixed square to the forearm of the leading hand [m]."""
    speed: float
    """Largest speed of the tool's head [m/s]."""
    shake: float
    """Median acceleration of the tool's head [m/s^2]."""
    residual: float
    """Mean unexplained force [N]."""
    moment: float
    """Mean unexplained moment [N m]."""
    milliseconds: float
    """Time per frame [ms]."""


def measure(person: Keypoints, tool_name: str) -> tuple[Figures, Interaction]:
    """Estimate one sequence and measure it."""
    seen = observe_keypoints(person)
    began = time.process_time()
    found = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name=tool_name)
    milliseconds = 1e3 * (time.process_time() - began) / person.num_frames
    first, _ = start(seen.person, seen.camera, EstimateOptions())
    body = body_of(found.person)
    assert found.tool is not None
    tool = tool_of(found.tool)
    head = head_positions(tool, found.tool)
    velocity = np.gradient(head, 1 / person.fps, axis=0)
    q = found.person.q
    heights = body.site_positions(q, SOLES)[..., 2].min(axis=1)
    figures = Figures(
        pixels=_pixels(body, q, found.camera, person),
        start_pixels=_pixels(first.body, first.q, first.camera, person),
        lean=_lean(body, q),
        start_lean=_lean(first.body, first.q),
        stature=_stature(body) / _stature(build_body(height=ASSUMED_HEIGHT)),
        floor=float(np.median(np.abs(heights))),
        hand=_off_handle(body, q, found.tool.q[:, :3], rotations(found.tool.q[:, 3:])[..., 0], tool.length),
        fixed_hand=_fixed(body, q, tool.length, tool.grip),
        speed=float(np.linalg.norm(velocity, axis=1).max()),
        shake=float(np.median(np.linalg.norm(np.gradient(velocity, 1 / person.fps, axis=0), axis=1))),
        residual=float(np.linalg.norm(found.forces.residual[:, :3], axis=1).mean()),
        moment=float(np.linalg.norm(found.forces.residual[:, 3:], axis=1).mean()),
        milliseconds=milliseconds,
    )
    if not np.isfinite(figures).all():
        raise ArithmeticError(f"a figure is not a number: {figures}")
    return figures, found


def _pixels(body: Body, q: np.ndarray, camera: Camera, person: Keypoints) -> float:
    names = [name for name in person.names if name in SITES]
    columns = [person.index(name) for name in names]
    away = np.linalg.norm(camera.project(body.site_positions(q, names)) - person.uv[:, columns], axis=-1)
    return float(np.median(away[person.confidence[:, columns] > CONFIDENT]))


def _lean(body: Body, q: np.ndarray) -> float:
    feet = body.site_positions(q, SOLES).mean(axis=1)
    return float(np.quantile(np.linalg.norm((body.centre_of_mass(q) - feet)[:, :2], axis=1), 0.9))


def _stature(body: Body) -> float:
    return sum(body.bones[name] for name in ("foot", "shank", "thigh", "hip_drop", "trunk", "neck", "head"))


def _off_handle(body: Body, q: np.ndarray, end: np.ndarray, along: np.ndarray, length: float) -> float:
    """Mean distance [m] of the hands that hold the tool from the segment; a hand far off at all times does not."""
    away = np.stack([_from_segment(hand, end, along, length) for hand in _hands(body, q)])
    return float(away[away.mean(axis=1) <= max(2 * away.mean(axis=1).min(), 0.1)].mean())


def _fixed(body: Body, q: np.ndarray, length: float, grip: float) -> float:
    """Mean distance [m] of both hands from a tool fixed in the one that brings them nearer."""
    R, _ = body.joint_poses(q)
    hands = _hands(body, q)
    away = []
    for side, hand in zip(("l", "r"), hands, strict=True):
        along = R[:, body.joint_names.index(f"{side}_elbow")] @ usual_grip(side)[:, 0]
        end = hand - grip * along
        away.append(np.mean([_from_segment(other, end, along, length).mean() for other in hands]))
    return float(min(away))


def _hands(body: Body, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = body.site_positions(q, ("l_fingers", "r_fingers"))
    return points[:, 0], points[:, 1]


def _from_segment(p: np.ndarray, end: np.ndarray, along: np.ndarray, length: float) -> np.ndarray:
    part = np.clip(((p - end) * along).sum(-1), 0, length)
    away: np.ndarray = np.linalg.norm(p - end - part[:, None] * along, axis=-1)
    return away


def main() -> None:
    """Measure every sequence of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="openpose18.npz; names are TOOL_N")
    parser.add_argument("--sequences", nargs="*", help="some of them")
    arguments = parser.parse_args()
    with np.load(arguments.file, allow_pickle=False) as file:
        names = [name for name in sorted(file.files) if name.split("_")[0] in TOOLS]
    rows = []
    print(
        f"{'sequence':11}{'px':>6}{'start':>6}{'lean m':>8}{'start':>6}{'stature':>9}{'floor m':>9}{'hand cm':>9}"
        f"{'fixed':>7}{'tool m':>8}{'m/s':>6}{'m/s2':>6}{'N':>6}{'N m':>6}{'ms':>5}  status"
    )
    for name in arguments.sequences or names:
        person = read_keypoints(arguments.file, sequence=name)[0]
        figures, found = measure(person, name.split("_")[0])
        rows.append(figures)
        assert found.tool is not None
        print(_row(name, figures, f"{found.tool.parameters['length']:8.2f}") + f"  {found.status}", flush=True)
    mean = Figures(*np.mean(rows, axis=0))
    print(_row("mean", mean, f"{'':8}"))
    print(
        f"handtool, {len(rows)} sequences: {mean.pixels:.1f} px (start {mean.start_pixels:.1f}), lean {mean.lean:.2f} m"
        f" (start {mean.start_lean:.2f}), hands {100 * mean.hand:.1f} cm from the handle (fixed"
        f" {100 * mean.fixed_hand:.1f}), {mean.residual:.1f} N and {mean.moment:.1f} N m unexplained,"
        f" {mean.milliseconds:.0f} ms a frame"
    )


def _row(name: str, f: Figures, length: str) -> str:
    return (
        f"{name:11}{f.pixels:6.1f}{f.start_pixels:6.1f}{f.lean:8.2f}{f.start_lean:6.2f}{f.stature:9.2f}{f.floor:9.2f}"
        f"{100 * f.hand:9.1f}{100 * f.fixed_hand:7.1f}{length}{f.speed:6.1f}{f.shake:6.0f}{f.residual:6.1f}"
        f"{f.moment:6.1f}{f.milliseconds:5.0f}"
    )


if __name__ == "__main__":
    main()
