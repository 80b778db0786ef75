"""Contact states against measured forces: python benchmarks/contacts.py ../shared/data/parkour [--keypoints DIR].

The folder holds videos `CLIP.mp4` and `CLIP.npz` with `forces (T, 4, 6)` and `uncaptured (T, 4)`. A point is in contact
where its force exceeds 30 N; points whose plate missed the contact are left out. The figures are areas under the ROC
curve over all frames of all clips, beside the costless baseline: the point's own speed in the image. Brier scores
are printed beside those of always saying the mean.

Then, after the 3D estimate: F1 and force error (mean of four contacts over clips, see benchmarks/parkour.py) with the
contacts of the image, as refined by evidence set by hand, and as refined by the network, beside those of saying contact
always; of both halves of the clips (even and odd places in the order of their names), too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from motion.body import body_of
from motion.contact_posterior import refine_contacts
from motion.estimate import EstimateOptions, estimate
from motion.forces import solve_forces
from motion.markers import LIMB_MARKERS
from motion.score import limb_markers, wrench_errors, yaw_aligned
from perception.camera import estimate_camera
from perception.contact import NAMES, estimate_contacts
from perception.detectors.detector import load_detector
from perception.image_motion import hand, point, trunk_length, velocity
from perception.person import choose_person
from perception.video import open_clip, pixel_aspect
from records import Camera, ContactStates, Keypoints

CONTACT_FORCE = 30.0
"""Force from which a point counts as in contact [N]."""
LIKELY = 0.5
"""Probability from which a point is said to be in contact [1]."""
KINDS = ("always", "image", "by hand", "learned")
"""Contacts that are compared after the estimate."""
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
    scores = [scored(video, options) for video in clips]
    rows = [score.image for score in scores]
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
    print(f"{'':<14}{'all clips':>22}{'even':>22}{'odd':>22}")
    print(f"{'after 3D':<14}" + 3 * f"{'feet':>7}{'hands':>7}{'N':>8}")
    for kind in KINDS:
        print(f"{kind:<14}", end="")
        for half in (scores, scores[::2], scores[1::2]):
            feet, hands = (f1(half, kind, columns) for columns in GROUPS.values())
            force = np.nanmean([score.force[kind] for score in half], axis=0).mean()
            print(f"{feet:>7.3f}{hands:>7.3f}{force:>8.1f}", end="")
        print()
    figures += [
        f"F1 {name} {f1(scores, 'learned', columns):.3f} (all positive {f1(scores, 'always', columns):.3f})"
        for name, columns in GROUPS.items()
    ]
    print(f"contacts: {', '.join(figures)}")


class Score(NamedTuple):
    """What is measured on a clip."""

    image: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    """Truth, whether it counts, probability in the image and the baseline's speed, each (T, 4)."""
    refined: dict[str, np.ndarray]
    """Probabilities (T, 4) by kind."""
    force: dict[str, np.ndarray]
    """Force errors (4) by kind [N]; NaN where nothing counts."""


def scored(video: Path, options: argparse.Namespace) -> Score:
    """Contacts in the image, after the estimate, and what either gives in force."""
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
    contacts = estimate_contacts(person, camera)
    truth = np.linalg.norm(forces[..., :3], axis=2) > CONTACT_FORCE
    image = truth[:frames], ~uncaptured[:frames], contacts.probability[:frames], speeds(person)[:frames]
    refined, force = after_estimate(person, camera, contacts, video, frames)
    return Score(image, refined, force)


def after_estimate(
    person: Keypoints, camera: Camera, contacts: ContactStates, video: Path, frames: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Contacts (T, 4) of each of `KINDS`, and the force error (4) [N] with each."""
    found = estimate(person, camera, contacts)
    body, q = body_of(found.person), np.asarray(found.person.q)
    trust = EstimateOptions().trust(body, q, person.fps)
    known = {"camera": found.camera, "observed": found.observed, "options": trust}
    kinds = {
        "always": contacts.replace(probability=np.ones_like(contacts.probability)),
        "image": contacts,
        "by hand": refine_contacts(body, q, contacts, learned=False, **known),
        "learned": refine_contacts(body, q, contacts, **known),
    }
    with np.load(video.with_suffix(".npz"), allow_pickle=False) as file:
        names = file["joint_names"].tolist()
        target = file["joints"][:frames, [names.index(name) for name in LIMB_MARKERS]]
        forces, uncaptured = file["forces"][:frames], file["uncaptured"][:frames].astype(bool)
    errors = {}
    for kind, states in kinds.items():
        wrench = solve_forces(body, found.person, states, camera=found.camera, options=trust).wrench[:frames]
        turned = yaw_aligned(limb_markers(found)[:frames], target, wrench.reshape(frames, 4, 2, 3))
        errors[kind] = wrench_errors(turned.reshape(wrench.shape), forces, uncaptured)[0]
    return {kind: states.probability[:frames] for kind, states in kinds.items()}, errors


def f1(scores: list[Score], kind: str, columns: tuple[int, ...]) -> float:
    """Harmonic mean of precision and recall over all frames of clips that count."""
    pairs = [(s.refined[kind][:, columns] >= LIKELY, s.image[0][:, columns], s.image[1][:, columns]) for s in scores]
    said, truth = (np.concatenate([pair[k][pair[2]] for pair in pairs]) for k in range(2))
    return float(2 * (said & truth).sum() / max(int(said.sum() + truth.sum()), 1))


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
