"""A squat with a barbell that is seen along its axis: benchmarks/barbell.py DIR [--mass KG] [--bar KG] [--plates KG].

`DIR` holds videos `NAME.mp4` with truth `NAME_*anno.txt`: the near end of the bar, clicked in every frame, `x, y` [px].
A few clicks are taken from the truth and tracked; person and bar are estimated jointly from the tracked end and the
detected person, whose hands and shoulders the plates hide. Distance of the bar's end from the clicks [px]: tracked in
the image, before the joint estimate; and of the estimated bar in 3D, after it. Beside them the bar by the hands alone,
and what costs nothing: a point that stays where it was clicked first.

Nobody weighed anything: the masses are options. A lifter who stands at the beginning and at the end presses the ground
with the weight of both in the mean, whatever happens between: the mean vertical force at the feet over that weight is
1. Beside it, the weight of the person alone. Last line: both.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.estimate import ASSUMED_HEIGHT, EstimateOptions, assumed_mass, estimate
from motion.forces import GRAVITY
from motion.tool import BARBELL, Tool, head_positions, tool_of
from perception.click import Click
from perception.detectors.detector import load_detector
from perception.person import choose_person
from perception.tool_track import track_tool
from perception.track import TrackOptions, observe_keypoints
from perception.vertical import still_segments
from perception.video import open_clip
from records import Clip, Interaction, Keypoints

BAR = 20.0
"""Mass of an Olympic bar [kg]."""
PLATES = 20.0
"""Mass of all plates [kg]: those in the clip read 10, one a side."""
FEET = ("l_ankle", "r_ankle")


class Figures(NamedTuple):
    """Figures of one clip."""

    tracked: float
    """Mean distance of the tracked end from the clicks [px]."""
    by_hands: float
    """The same of the bar by the hands alone, whose end was never seen; of its ends, the nearer one."""
    joint: float
    """The same after the joint estimate."""
    static: float
    """The same of the first click."""
    load: float
    """Mean vertical force at the feet over the weight of person and bar [1]."""
    bridged: int
    """Frames in which the person was not seen."""
    status: str


def loaded(mass: float) -> Tool:
    """The bar with its plates, `mass` [kg] in all; its weight is spread along it."""
    return replace(BARBELL, handle_mass=mass - BARBELL.head_mass)


def feet_over_weight(found: Interaction, mass: float) -> float:
    """Mean vertical force at the feet over the weight of `mass` [kg]."""
    columns = [found.forces.names.index(name) for name in FEET]
    return float(found.forces.wrench[:, columns, 2].sum(axis=1).mean() / (GRAVITY * mass))


def end_error(
    uv: Float[np.ndarray, "T 2"], truth: Float[np.ndarray, "T 2"], frames: np.ndarray | slice = slice(None)
) -> float:
    """Mean distance [px]."""
    return float(np.linalg.norm(uv - truth, axis=1)[frames].mean())


def ends(found: Interaction) -> Float[np.ndarray, "T 2 2"]:
    """Pixels of the bar's head and of its other end."""
    if found.tool is None:
        raise SystemExit("the estimate has lost its tool")
    head = head_positions(tool_of(found.tool), found.tool)
    return found.camera.project(np.stack([head, found.tool.q[:, :3]], axis=1))


def measure(
    clip: Clip, person: Keypoints, truth: Float[np.ndarray, "T 2"], bar: Tool, mass: float, clicks: int
) -> Figures:
    """Track, estimate, compare."""
    frames = np.linspace(0, len(truth) - 1, clicks).astype(int).tolist()
    tool = track_tool(clip, person, head=[Click(*truth[k].tolist(), k) for k in frames], handle=[])
    seen = observe_keypoints(person, TrackOptions(), tool=tool, segments=still_segments(clip))
    options = EstimateOptions(mass=mass)
    unseen = ends(estimate(seen.person, seen.camera, seen.contacts, tool_name=bar, options=options))
    found = estimate(seen.person, seen.camera, seen.contacts, tool=tool, tool_name=bar, options=options)
    head = tool.index("tool_head")
    return Figures(
        tracked=end_error(tool.uv[:, head], truth, tool.confidence[:, head] > 0),
        by_hands=min(end_error(unseen[:, k], truth) for k in (0, 1)),
        joint=end_error(ends(found)[:, 0], truth),
        static=end_error(np.broadcast_to(truth[0], truth.shape), truth),
        load=feet_over_weight(found, mass + bar.mass),
        bridged=int((~found.observed).sum()),
        status=found.status,
    )


def detections(clip: Clip, cache: Path | None) -> Keypoints:
    """The person of a clip, detected once where there is a cache."""
    kept = None if cache is None else cache / f"{Path(clip.path).stem}.person.npz"
    if kept is not None and kept.exists():
        return choose_person([Keypoints.load(kept)])
    person = choose_person(load_detector("mediapipe").detect(clip))
    if kept is not None:
        person.save(kept)
    return person


def report(figures: dict[str, Figures], mass: float, bar: Tool) -> str:
    """Table of the clips, and the figure line."""
    lines = [f"{'clip':16}{'tracked':>9}{'by hands':>10}{'joint':>8}{'static':>8}  px{'feet/weight':>13}{'bridged':>9}"]
    for name, f in figures.items():
        lines.append(
            f"{name:16}{f.tracked:9.1f}{f.by_hands:10.1f}{f.joint:8.1f}{f.static:8.1f}    {f.load:13.3f}{f.bridged:9}"
            f"  {f.status}"
        )
    mean = np.mean([f[:5] for f in figures.values()], axis=0)
    lines.append(
        f"barbell: bar end {mean[2]:.1f} px after the joint estimate ({mean[0]:.1f} tracked before it, {mean[1]:.1f} by"
        f" the hands alone, {mean[3]:.1f} static); mean vertical force at the feet {mean[4]:.3f} of the weight of"
        f" {mass:g} + {bar.mass:g} kg (person alone {mass / (mass + bar.mass):.3f})"
    )
    return "\n".join(lines)


def main() -> None:
    """Measure every annotated video of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with NAME.mp4 and NAME_*anno.txt")
    parser.add_argument("--mass", type=float, default=assumed_mass(ASSUMED_HEIGHT), help="of the person [kg]; assumed")
    parser.add_argument("--bar", type=float, default=BAR, help="of the bar [kg]; assumed")
    parser.add_argument("--plates", type=float, default=PLATES, help="of all plates [kg]; assumed")
    parser.add_argument("--clicks", type=int, default=3, help="frames whose truth is clicked, evenly spread")
    parser.add_argument("--cache", type=Path, help="folder for detections, NAME.person.npz")
    arguments = parser.parse_args()
    pairs = [
        (v, t) for v in sorted(arguments.folder.glob("*.mp4")) for t in arguments.folder.glob(f"{v.stem}_*anno.txt")
    ]
    if not pairs:
        parser.error(f"{arguments.folder} holds no NAME.mp4 with its NAME_*anno.txt")
    bar = loaded(arguments.bar + arguments.plates)
    figures = {}
    for video, annotation in pairs:
        clip = open_clip(video)
        truth = np.loadtxt(annotation, delimiter=",", ndmin=2)[: clip.num_frames]
        clip = clip.replace(num_frames=len(truth))
        person = detections(clip, arguments.cache)
        figures[video.stem] = measure(clip, person, truth, bar, arguments.mass, arguments.clicks)
    print(report(figures, arguments.mass, bar))


if __name__ == "__main__":
    main()
