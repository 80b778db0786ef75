"""How far off the vertical a static camera is found, without and with the edges of what is built.

    python -m benchmarks.vertical DIR [--clips 4]

`DIR` holds the calibrated cameras `Calib.qca.txt`, `cam01.mp4`, `cam02.mp4` of Pose2Sim, held aslant; rendered clips of
the studio, whose cameras are nearly level, come beside them. Focal lengths are given. The costless baseline is a level
camera. The last line holds the means [degrees] of all cameras.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from perception.camera import fit_camera
from perception.camera_file import load_camera
from perception.detectors.detector import load_detector
from perception.person import choose_person
from perception.vertical import still_segments
from perception.video import open_clip
from records import Camera, Clip
from sim.studio import render_clip

FRAMES = 40
"""Length of a rendered clip."""


def scenes(folder: Path, rendered: int, scratch: Path) -> Iterator[tuple[str, Clip, Camera]]:
    """Clips with the true camera."""
    for name in ("cam01", "cam02"):
        yield name, open_clip(folder / f"{name}.mp4"), load_camera(folder / "Calib.qca.txt", name=name)
    for seed in range(rendered):
        take = render_clip(scratch / f"{seed}.mp4", seed=seed, num_frames=FRAMES)
        yield f"studio {seed}", take.clip, take.truth.camera


def tilt(camera: Camera) -> np.ndarray:
    """Roll and pitch [degrees]."""
    down = -camera.T_world_camera[0, 2, :3]
    return np.rad2deg([np.arctan2(down[0], down[1]), np.arcsin(down[2])])


def main() -> None:
    """Print errors of roll and pitch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="pose2sim of the shared data")
    parser.add_argument("--clips", type=int, default=4, help="rendered clips")
    arguments = parser.parse_args()
    detector = load_detector("mediapipe")
    rows = []
    print(f"{'':10} {'true':>14} {'person':>14} {'with edges':>14} {'said':>12}   roll, pitch [degrees]")
    with tempfile.TemporaryDirectory() as scratch:
        for name, clip, truth in scenes(arguments.folder, arguments.clips, Path(scratch)):
            person, true = choose_person(detector.detect(clip)), tilt(truth)
            alone = fit_camera(person, intrinsics=truth)
            both = fit_camera(person, intrinsics=truth, segments=still_segments(clip))
            found = tilt(alone.camera), tilt(both.camera)
            said = np.rad2deg([both.sigma_roll, both.sigma_pitch])
            rows.append([np.abs(true), *(np.abs(one - true) for one in found), said])
            cells = [f"{one[0]:6.2f} {one[1]:7.2f}" for one in (true, *found)]
            print(f"{name:10} {' '.join(cells)}  +-{said[0]:4.2f} {said[1]:5.2f}", flush=True)
    mean = np.mean(rows, axis=0)
    print(
        "error of roll / pitch [degrees]: "
        + ", ".join(
            f"{what} {r:.2f} / {p:.2f}" for what, (r, p) in zip(("level", "person", "with edges"), mean, strict=False)
        )
    )


if __name__ == "__main__":
    main()
