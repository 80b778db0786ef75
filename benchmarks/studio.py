"""Clips of the studio through the real detector and tool tracker: benchmarks/studio.py [--seeds 0 1 2].

Prints, for each seed, the share of frames in which the person is found, the mean distance of the detected points from
the true joints (visible: confidence of at least 0.9), and that of the tracked tool's ends from the true ones, each from
one click. Beside it: a person who stands as in the first frame throughout, and tool ends that stay where they were
clicked.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from motion.body import body_of
from motion.tool import head_positions, tool_of
from perception.click import Click
from perception.detectors.detector import DETECTORS
from perception.tool_track import track_tool
from records import Keypoints
from sim.studio import Take, render_clip

FOUND = 0.5
"""Confidence of the surest point in a frame in which the person counts as found."""
VISIBLE = 0.9


def main() -> None:
    """Print one row per seed, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--detector", default="mediapipe", help="name in the table of detectors")
    options = parser.parse_args()
    print(
        f"{'seed':>4}{'draw s':>8}{'found':>7}{'joints':>8}{'visible':>9}{'still':>7}{'height':>8}{'head':>7}"
        f"{'seen':>6}{'handle':>8}{'seen':>6}{'static':>8}   px"
    )
    rows = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            take = render_clip(Path(folder) / "clip.mp4", seed=seed)
            seconds = time.process_time() - start
            row = measured(take, options.detector)
        rows.append(row)
        found, joints, visible, still, height, head, head_seen, handle, handle_seen, static = row
        print(
            f"{seed:>4}{seconds:>8.1f}{found:>7.0%}{joints:>8.1f}{visible:>9.1f}{still:>7.1f}{height:>8.0f}{head:>7.1f}"
            f"{head_seen:>6.0%}{handle:>8.1f}{handle_seen:>6.0%}{static:>8.1f}"
        )
    found, joints, visible, still, height, head, head_seen, handle, handle_seen, static = np.mean(rows, axis=0)
    print(
        f"studio: person found in {found:.1%} of frames, 2D error {joints:.1f} px ({joints / height:.1%} of the height;"
        f" standing still {still:.1f}), tool head {head:.1f} px in {head_seen:.0%}, handle {handle:.1f} px in"
        f" {handle_seen:.0%} of frames (static {static:.1f})"
    )


def measured(take: Take, detector: str) -> tuple[float, ...]:
    """Figures of one clip, as in the columns that `main` prints."""
    truth = take.truth
    people = DETECTORS.load(detector)().detect(take.clip)
    if not people:
        raise SystemExit(f"{take.clip.path}: nobody was found")
    person: Keypoints = people[0]
    sites = body_of(truth.person).site_positions(truth.person.q, person.names)
    uv = truth.camera.project(sites)
    error = np.linalg.norm(person.uv - uv, axis=-1)
    ends = truth.camera.project(body_of(truth.person).site_positions(truth.person.q[:1], ("head", "l_heel", "r_heel")))
    height = float(np.ptp(ends[0, :, 1]))
    tracked, seen, static = tool_errors(take, person)
    return (
        float((person.confidence.max(axis=1) > FOUND).mean()),
        float(error.mean()),
        float(error[person.confidence >= VISIBLE].mean()),
        float(np.linalg.norm(uv[0] - uv, axis=-1).mean()),
        height,
        float(tracked[seen[:, 0], 0].mean()),
        float(seen[:, 0].mean()),
        float(tracked[seen[:, 1], 1].mean()),
        float(seen[:, 1].mean()),
        static,
    )


def tool_errors(take: Take, person: Keypoints) -> tuple[np.ndarray, np.ndarray, float]:
    """Distance (T, 2) [px] of the tracked ends from the true ones, where they were seen, and that of still ends."""
    tool, camera = take.truth.tool, take.truth.camera
    if tool is None:
        raise SystemExit("the take has no tool")
    uv = camera.project(np.stack([head_positions(tool_of(tool), tool), tool.q[:, :3]], axis=1))
    head, handle = Click.parse(take.head_click), Click.parse(take.handle_click)
    found = track_tool(take.clip, person, head=[head], handle=[handle])
    static = np.linalg.norm(np.array([[head.x, head.y], [handle.x, handle.y]]) - uv, axis=-1).mean()
    return np.linalg.norm(found.uv - uv, axis=-1), found.confidence > 0, float(static)


if __name__ == "__main__":
    main()
