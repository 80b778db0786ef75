"""Tool endpoint tracking against hand-clicked truth: benchmarks/tool_track.py ../shared/data/clips/barbell_squat.

The folder holds videos `NAME.mp4` with truth `NAME_*anno.txt`, one line `x, y` [px] a frame. One click is taken from
the truth; the figure is the mean distance over all frames, a lost point counting as the last place where it was seen.
Beside it: a point that stays where it was clicked, and optical flow alone with the best of three window sizes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from perception.click import Click
from perception.tool_track import gray_frames, track_tool
from perception.video import open_clip
from records import Clip, Keypoints

EXTRA_CLICKS = 4
"""Further frames from which the truth is clicked, evenly spread: the clicks are noisy too."""

FLOW_WINDOWS = (21, 31, 63)


def main() -> None:
    """Print one row per video and clicked frame, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    pairs = [
        (video, truth) for video in sorted(folder.glob("*.mp4")) for truth in folder.glob(f"{video.stem}_*anno.txt")
    ]
    if not pairs:
        raise SystemExit(f"{folder}: no NAME.mp4 with NAME_*anno.txt beside it")
    first_click = []
    print(f"{'clip':<16}{'click':>7}{'ours':>9}{'95 %':>7}{'seen':>7}{'flow':>9}{'static':>9}   px")
    for video, annotation in pairs:
        clip = open_clip(video)
        truth = np.loadtxt(annotation, delimiter=",", ndmin=2)[: clip.num_frames]
        clip = clip.replace(num_frames=len(truth))
        for frame in np.linspace(0, len(truth) - 1, EXTRA_CLICKS + 1).astype(int).tolist():
            ours, seen = tracked(clip, Click(*truth[frame].tolist(), frame))
            errors = np.linalg.norm(ours - truth, axis=1)
            static = np.linalg.norm(truth[frame] - truth, axis=1).mean()
            flow = best_flow(clip, truth) if frame == 0 else np.nan
            print(
                f"{video.stem:<16}{frame:>7}{errors.mean():>9.2f}{np.percentile(errors, 95):>7.1f}{seen:>7.0%}"
                f"{flow:>9.2f}{static:>9.1f}"
            )
            if frame == 0:
                first_click.append((errors.mean(), flow, static))
    ours, flow, static = np.mean(first_click, axis=0)
    print(
        f"tool_track: mean error {ours:.2f} px from one click in the first frame (flow {flow:.2f}, static {static:.1f})"
    )


def tracked(clip: Clip, click: Click) -> tuple[np.ndarray, float]:
    """Track from one click: points (T, 2) px with gaps held, and the share of frames in which the point was seen."""
    nobody = Keypoints(
        names=("nose",),
        uv=np.zeros((clip.num_frames, 1, 2)),
        confidence=np.zeros((clip.num_frames, 1)),
        fps=clip.fps,
        size_hw=clip.size_hw,
    )
    tool = track_tool(clip, nobody, head=[click], handle=[])
    seen = tool.confidence[:, 0] > 0
    last = np.maximum.accumulate(np.where(seen, np.arange(len(seen)), 0))
    return tool.uv[last, 0], float(seen.mean())


def best_flow(clip: Clip, truth: np.ndarray) -> float:
    """Mean error [px] of pyramidal Lucas-Kanade from the first frame on, with the window that happens to suit best."""
    paths = {side: [truth[0]] for side in FLOW_WINDOWS}
    frames = gray_frames(clip)
    before = next(frames)
    for now in frames:
        for side, path in paths.items():
            place = path[-1].astype(np.float32).reshape(1, 1, 2)
            moved, _, _ = cv2.calcOpticalFlowPyrLK(before, now, place, place.copy(), winSize=(side, side), maxLevel=3)
            path.append(np.asarray(moved, np.float64).reshape(2))
        before = now
    return min(float(np.linalg.norm(np.array(path) - truth, axis=1).mean()) for path in paths.values())


if __name__ == "__main__":
    main()
