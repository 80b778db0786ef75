"""Contact states against measured forces: python benchmarks/contacts.py ../shared/data/parkour [--keypoints DIR].

The folder holds videos `CLIP.mp4` and `CLIP.npz` with `forces (T, 4, 6)` and `uncaptured (T, 4)`. A point is in contact
where its force exceeds 30 N; points whose plate missed the contact are left out. The figures are areas under the ROC
curve over all frames of all clips, beside the costless baseline: the point's own speed in the image. Brier scores
are printed beside those of always saying the mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from perception.camera import estimate_camera
from perception.contact import NAMES, estimate_contacts
from perception.detectors.detector import load_detector
from perception.image_motion import hand, point, trunk_length, velocity
from perception.person import choose_person
from perception.video import open_clip, pixel_aspect
from records import Keypoints

CONTACT_FORCE = 30.0
"""Force from which a point counts as in contact [N]."""
GROUPS = {"feet": (0, 1), "hands": (2, 3)}


def main() -> None:
    """Print one row per kind of clip and group of points, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fps", type=float, default=25.0, help="true rate of the videos, whose headers lie")
    parser.add_argument("--detector", default="mediapipe", help="name of a detector, or a .task model")
    parser.add_argument("--keypoints", type=Path, help="folder to keep detections in, or to take them from")
    options = parser.parse_args()
    clips = sorted(video for video in options.folder.glob("*.mp4") if video.with_suffix(".npz").exists())
    if not clips:
        raise SystemExit(f"{options.folder}: no CLIP.mp4 with CLIP.npz beside it")
    rows = [scored(video, options) for video in clips]
    kinds = np.concatenate([[video.stem[:2]] * len(row[0]) for video, row in zip(clips, rows, strict=True)])
    truth, counted, ours, speed = (np.concatenate([row[i] for row in rows]) for i in range(4))
    figures = []
    print(f"{'':<32}{'AUC':>8}{'':>12}{'Brier score':>16}")
    print(f"{'points':<8}{'clips':<7}{'frames':>8}{'contact':>9}{'ours':>8}{'speed':>8}{'ours':>12}{'mean':>8}")
    for name, columns in GROUPS.items():
        for kind in [*sorted(set(kinds)), "all"]:
            chosen = counted[:, columns] & ((kinds == kind) | (kind == "all"))[:, None]
            y, p, s = (values[:, columns][chosen] for values in (truth, ours, speed))
            area, baseline = auc(p, y), auc(-s, y)
            print(
                f"{name:<8}{kind:<7}{len(y):>8}{y.mean():>9.0%}{area:>8.3f}{baseline:>8.3f}"
                f"{np.mean((p - y) ** 2):>12.3f}{y.mean() * (1 - y.mean()):>8.3f}"
            )
        figures.append(f"{name} AUC {area:.3f} (speed {baseline:.3f})")
    print(f"contacts: {', '.join(figures)}")


def scored(video: Path, options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truth, whether it counts, our probability and the baseline's speed, each (T, 4), of one clip."""
    clip = open_clip(video, fps=options.fps)
    kept = None if options.keypoints is None else options.keypoints / f"{video.stem}.npz"
    if kept is not None and kept.exists():
        person = Keypoints.load(kept)
    else:
        person = choose_person(load_detector(options.detector).detect(clip))
        if kept is not None:
            person.save(kept)
    with np.load(video.with_suffix(".npz"), allow_pickle=False) as file:
        forces, uncaptured = file["forces"], file["uncaptured"].astype(bool)
    frames = min(len(forces), person.num_frames)
    camera = estimate_camera(person, pixel_aspect=pixel_aspect(clip))
    probability = estimate_contacts(person, camera).probability
    truth = np.linalg.norm(forces[..., :3], axis=2) > CONTACT_FORCE
    return truth[:frames], ~uncaptured[:frames], probability[:frames], speeds(person)[:frames]


def speeds(person: Keypoints) -> np.ndarray:
    """Speed of each contact point in the image [trunk lengths/s] (T, 4): the better known of its definitions."""
    tracks = {"l_ankle": point(person, "l_ankle"), "r_ankle": point(person, "r_ankle")}
    tracks |= {"l_fingers": hand(person, "l"), "r_fingers": hand(person, "r")}
    scale = np.maximum(trunk_length(person), 1e-9)
    return np.stack([np.linalg.norm(velocity(tracks[n], person.fps), axis=1) / scale for n in NAMES], axis=1)


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a contact scores above a non-contact (ties count half)."""
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(score)[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


if __name__ == "__main__":
    main()
