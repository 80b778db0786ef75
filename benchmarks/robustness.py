"""How errors grow when the observations are spoiled: benchmarks/robustness.py DIR [--cache DIR] [--clips NAME ...].

`DIR` holds `CLIP.mp4` and `CLIP.npz` (joints, forces, uncaptured, fps), as for benchmarks/parkour.py. The detections of
every clip are spoiled in one way at a time and go the way of the command line from there: gating, camera, contacts,
`motion.estimate`. The table holds the increase of PA-MPJPE, G-MPJPE and of the force error over those of the clean
detections, the shift of the joints from the clean estimate (after one similarity for the clip), and the PA-MPJPE of the
detector's own landmarks, spoiled in the same way, gated, bridged and smoothed: the baseline that costs nothing.

On the way it is checked that no estimate holds NaN, that each ends with a status, and that the same input gives the
same output (every trial is repeated on one of the clips, in turn). Last line: the worst increases.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from motion.estimate import EstimateError, estimate
from motion.markers import LIMB_MARKERS
from motion.score import g_mpjpe, limb_markers, pa_mpjpe, wrench_errors, yaw_aligned
from motion.skeleton import CONTACT_SITES
from perception.detectors.detector import load_detector
from perception.image_motion import trunk_length
from perception.person import NoPersonError, choose_person
from perception.track import TrackOptions, observe_camera, observe_keypoints
from perception.vertical import still_segments
from perception.video import open_clip, pixel_aspect
from records import Interaction, Keypoints

STATUSES = ("converged", "stalled", "iteration limit")
SMOOTHING = 2.0
"""Width of the Gaussian over the landmarks of the baseline [frames]."""
BURST = 0.4
"""How long a detector keeps mistaking left for right, or one person for another [s]."""
BURST_EVERY = 2.0
"""Time from one burst to the next [s]."""
BESIDE = 2.0
"""How far away another person stands who is mistaken for the one meant [trunk lengths]: a metre."""
GUESS = 0.5
"""Error of a point that is guessed beyond the edge of the image, in lengths of the trunk."""
GUESSED_CONFIDENCE = 0.1
"""What a detector thinks of such a point."""
LANDMARK_OVER_PIXEL = 1.7 / 300.0
"""Noise of a landmark in space [m] for one of a pixel: a person of 1.7 m who is 300 px tall."""
LEGS = ("hip", "knee", "ankle", "heel", "toes")


class Spoiled(NamedTuple):
    """Observations after something has gone wrong."""

    person: Keypoints
    focal_factor: float = 1.0
    """Error of the focal length that the user states."""


Spoil = Callable[[Keypoints, Keypoints, np.random.Generator], Spoiled]
"""Takes the detections, those of somebody else, and chance."""


def noise(pixels: float) -> Spoil:
    """Add independent Gaussian noise to all points, in space as much as in the image."""

    def spoil(person: Keypoints, other: Keypoints, chance: np.random.Generator) -> Spoiled:
        xyz = person.xyz
        if xyz is not None:
            xyz = xyz + chance.normal(0, pixels * LANDMARK_OVER_PIXEL, xyz.shape)
        return Spoiled(person.replace(uv=person.uv + chance.normal(0, pixels, person.uv.shape), xyz=xyz))

    return spoil


def dropped(share: float) -> Spoil:
    """Lose the person in a share of the frames, at random."""
    return lambda person, other, chance: Spoiled(_without(person, chance.random(person.num_frames) < share))


def gap(seconds: float) -> Spoil:
    """Lose the person for some time in the middle of the clip."""

    def spoil(person: Keypoints, other: Keypoints, chance: np.random.Generator) -> Spoiled:
        away = np.abs(np.arange(person.num_frames) - person.num_frames // 2) < seconds * person.fps / 2
        return Spoiled(_without(person, away))

    return spoil


def swapped(share: float) -> Spoil:
    """Mistake left for right in a share of the frames, at random."""
    return lambda person, other, chance: Spoiled(_mistaken(person, chance.random(person.num_frames) < share))


def swapped_bursts(person: Keypoints, other: Keypoints, chance: np.random.Generator) -> Spoiled:
    """Mistake left for right for a while, again and again."""
    return Spoiled(_mistaken(person, _bursts(person, chance)))


def wrong_rate(factor: float) -> Spoil:
    """Believe in another frame rate."""
    return lambda person, other, chance: Spoiled(person.replace(fps=person.fps * factor))


def someone_else(person: Keypoints, other: Keypoints, chance: np.random.Generator) -> Spoiled:
    """Follow another person, who stands beside, for a while, again and again."""
    frames = np.arange(person.num_frames) % other.num_frames
    away = _bursts(person, chance)
    uv = np.array(person.uv)
    for burst in np.split(np.flatnonzero(away), 1 + np.flatnonzero(np.diff(np.flatnonzero(away)) > 1)):
        beside = other.uv[frames[burst]]
        shift = person.uv[burst].mean(axis=(0, 1)) - beside.mean(axis=(0, 1))
        uv[burst] = beside + shift + [BESIDE * float(np.median(trunk_length(person))), 0.0]
    xyz = person.xyz
    if xyz is not None and other.xyz is not None:
        xyz = np.where(away[:, None, None], other.xyz[frames], xyz)
    confidence = np.where(away[:, None], other.confidence[frames], person.confidence)
    return Spoiled(person.replace(uv=uv, confidence=confidence, xyz=xyz))


def hidden(part: Callable[[str], bool], *, guessed: bool) -> Spoil:
    """Cut a part of the body off; a detector leaves it out, or guesses where it may be."""

    def spoil(person: Keypoints, other: Keypoints, chance: np.random.Generator) -> Spoiled:
        cut = np.array([part(name) for name in person.names])
        if not guessed:
            return Spoiled(person.replace(confidence=np.where(cut, 0.0, person.confidence)))
        error = GUESS * float(np.median(trunk_length(person))) * chance.normal(0, 1, person.uv.shape)
        # Guesses are wrong in the same way for a while.
        error = gaussian_filter1d(error, BURST * person.fps / 2, axis=0) * np.sqrt(np.sqrt(np.pi) * BURST * person.fps)
        return Spoiled(
            person.replace(
                uv=person.uv + cut[:, None] * error,
                confidence=np.where(cut, np.minimum(person.confidence, GUESSED_CONFIDENCE), person.confidence),
            )
        )

    return spoil


def wrong_focal(factor: float) -> Spoil:
    """State another focal length."""
    return lambda person, other, chance: Spoiled(person, factor)


TRIALS: Mapping[str, Spoil] = {
    "noise 2 px": noise(2),
    "noise 5 px": noise(5),
    "noise 10 px": noise(10),
    "10 % of frames dropped": dropped(0.1),
    "30 % of frames dropped": dropped(0.3),
    "gap of 0.5 s": gap(0.5),
    "5 % of frames left/right swapped": swapped(0.05),
    "20 % of frames left/right swapped": swapped(0.2),
    "0.4 s of 2 s left/right swapped": swapped_bursts,
    "frame rate 2 % too high": wrong_rate(1.02),
    "frame rate 2 % too low": wrong_rate(0.98),
    "0.4 s of 2 s another person": someone_else,
    "legs not seen": hidden(lambda name: name[2:] in LEGS[1:], guessed=False),
    "legs guessed": hidden(lambda name: name[2:] in LEGS[1:], guessed=True),
    "left side not seen": hidden(lambda name: name.startswith("l_"), guessed=False),
    "left side guessed": hidden(lambda name: name.startswith("l_"), guessed=True),
    "focal length 20 % too long": wrong_focal(1.2),
    "focal length 20 % too short": wrong_focal(0.8),
}
"""What can go wrong, by name."""


class Scene(NamedTuple):
    """What the video tells beside the person."""

    aspect: float
    """Width of a pixel over its height."""
    segments: Float[np.ndarray, "N 4"]
    """Line segments of the background [px]."""


class Truth(NamedTuple):
    """What was measured of a clip."""

    joints: Float[np.ndarray, "T 16 3"]
    """[m]."""
    wrench: Float[np.ndarray, "T 4 6"]
    """[N], [N m]."""
    uncaptured: Bool[np.ndarray, "T 4"]


class Errors(NamedTuple):
    """Errors of one estimate."""

    pa: float
    """PA-MPJPE [mm]."""
    whole: float
    """G-MPJPE [mm]."""
    force: float
    """Mean force error of the contacts [N]."""
    shift: float
    """Distance of the joints from the clean estimate after one similarity [mm]."""
    landmarks: float
    """PA-MPJPE of the detector's landmarks after gating, bridged and smoothed [mm]; NaN where some are never seen."""


class UnsoundError(AssertionError):
    """An estimate that no input may lead to."""


def look(spoiled: Spoiled, scene: Scene) -> tuple[Interaction, Keypoints] | None:
    """The estimate from spoiled detections, and the detections after gating; None where they are refused.

    Raises:
        UnsoundError: the estimate holds NaN or ends without a status.
    """
    try:
        person = choose_person([spoiled.person])
    except NoPersonError:
        return None
    options = TrackOptions(pixel_aspect=scene.aspect)
    if spoiled.focal_factor != 1:
        focal = float(observe_camera(person, options, scene.segments).K[0, 0])
        options = replace(options, focal=spoiled.focal_factor * focal)
    seen = observe_keypoints(person, options, segments=scene.segments)
    try:
        found = estimate(seen.person, seen.camera, seen.contacts)
    except EstimateError:
        return None
    arrays = (found.person.q, found.person.v, found.person.a, found.forces.wrench, found.forces.tau)
    if not all(np.isfinite(array).all() for array in arrays):
        raise UnsoundError("the estimate holds NaN")
    if found.status not in STATUSES:
        raise UnsoundError(f"the solver ended with {found.status!r}")
    return found, person


def measure(found: Interaction, person: Keypoints, clean: Interaction, truth: Truth) -> Errors:
    """Errors of an estimate, and of the landmarks that it rests on."""
    p = limb_markers(found)
    order = [found.forces.names.index(name) for name in CONTACT_SITES]
    wrench = found.forces.wrench[:, order]
    turned = yaw_aligned(p, truth.joints, wrench.reshape(*wrench.shape[:2], 2, 3)).reshape(wrench.shape)
    force, _ = wrench_errors(turned, truth.wrench, truth.uncaptured)
    columns = [person.index(name) for name in LIMB_MARKERS]
    seen = person.seen[:, columns]
    baseline = float("nan")
    if seen.any(axis=0).all():
        landmarks = np.asarray(person.xyz)[:, columns]
        frames = np.flatnonzero(seen.any(axis=1))
        every = np.arange(person.num_frames)
        bridged = np.apply_along_axis(lambda x: np.interp(every, frames, x[frames]), 0, landmarks)
        baseline = pa_mpjpe(gaussian_filter1d(bridged, SMOOTHING, axis=0), truth.joints)
    return Errors(
        pa_mpjpe(p, truth.joints),
        g_mpjpe(p, truth.joints),
        float(np.nanmean(force)),
        g_mpjpe(p, limb_markers(clean)),
        baseline,
    )


def same(one: Interaction, other: Interaction) -> bool:
    """Whether two estimates are the same to the last bit."""
    pairs = ((one.person.q, other.person.q), (one.forces.wrench, other.forces.wrench))
    return one.status == other.status and all(np.array_equal(a, b) for a, b in pairs)


def trial(
    spoil: Spoil, person: Keypoints, other: Keypoints, clean: Interaction, truth: Truth, scene: Scene, *, again: bool
) -> Errors | None:
    """Errors of one clip that is spoiled in one way; None where the estimate was refused.

    Raises:
        UnsoundError: NaN, no status, or another output for the same input where it is asked for `again`.
    """
    spoiled = spoil(person, other, np.random.default_rng(person.num_frames))
    seen = look(spoiled, scene)
    if again:
        repeated = look(spoiled, scene)
        if (seen is None) != (repeated is None) or (seen and repeated and not same(seen[0], repeated[0])):
            raise UnsoundError("the same input gave another output")
    return None if seen is None else measure(*seen, clean, truth)


def report(clean: list[Errors], spoiled: Mapping[str, list[Errors | None]]) -> str:
    """The table, and the figure line."""
    zero = np.mean(clean, axis=0)
    head = ("PA mm", "G mm", "force N", "shift mm", "smoothed detector, PA mm", "refused")
    lines = [
        f"{'':36}" + "".join(f"{h:>10}" for h in head[:4]) + f"{head[4]:>26}{head[5]:>9}",
        f"{'clean':36}" + "".join(f"{v:10.1f}" for v in zero[:4]) + f"{zero[4]:26.1f}{0:9}",
    ]
    growth: dict[str, np.ndarray] = {}
    for name, errors in spoiled.items():
        pairs = [(e, c) for e, c in zip(errors, clean, strict=True) if e is not None]
        if not pairs:
            lines.append(f"{name:36}{'refused in all clips':>40}")
            continue
        mean = np.mean([np.subtract(e, c) for e, c in pairs], axis=0)
        growth[name] = mean
        lines.append(
            f"{name:36}" + "".join(f"{v:+10.1f}" for v in mean[:3]) + f"{mean[3]:10.1f}{mean[4]:+26.1f}"
            f"{len(errors) - len(pairs):9}"
        )
    worst = [max(growth, key=lambda name: growth[name][k]) for k in (0, 2)]
    lines.append(
        f"robustness: of {len(spoiled)} ways to spoil, the worst for joints adds {growth[worst[0]][0]:.1f} mm to"
        f" {zero[0]:.1f} ({worst[0]}), for forces {growth[worst[1]][2]:.1f} N to {zero[2]:.1f} ({worst[1]}); no NaN,"
        " same output for the same input"
    )
    return "\n".join(lines)


def read_truth(path: Path) -> tuple[Truth, float]:
    """Truth of a clip in the order of our names, and its frame rate [1/s]."""
    with np.load(path) as file:
        joints = file["joints"][:, [file["joint_names"].tolist().index(name) for name in LIMB_MARKERS]]
        order = [file["contact_names"].tolist().index(name) for name in CONTACT_SITES]
        truth = Truth(joints, file["forces"][:, order], file["uncaptured"][:, order].astype(bool))
        return truth, float(file["fps"])


def detections(video: Path, fps: float, cache: Path | None) -> Keypoints:
    """The person of a clip, detected once where there is a cache."""
    kept = None if cache is None else cache / f"{video.stem}.person.npz"
    if kept is not None and kept.exists():
        return Keypoints.load(kept)
    person = choose_person(load_detector("mediapipe").detect(open_clip(video, fps=fps)))
    if kept is not None:
        person.save(kept)
    return person


def main() -> None:
    """Spoil every clip of a folder in every way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with CLIP.mp4 and CLIP.npz")
    parser.add_argument("--cache", type=Path, help="folder for detections, CLIP.person.npz")
    parser.add_argument("--clips", nargs="+", help="names of clips; by default all")
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=list(TRIALS), metavar="TRIAL")
    arguments = parser.parse_args()
    videos = sorted(v for v in arguments.folder.glob("*.mp4") if v.with_suffix(".npz").exists())
    videos = [v for v in videos if not arguments.clips or v.stem in arguments.clips]
    if not videos:
        parser.error(f"{arguments.folder} holds no CLIP.mp4 with its CLIP.npz")
    people: list[Keypoints] = []
    truths: list[Truth] = []
    for video in videos:
        truth, fps = read_truth(video.with_suffix(".npz"))
        truths.append(truth)
        people.append(detections(video, fps, arguments.cache))
    clips = [open_clip(video, fps=person.fps) for video, person in zip(videos, people, strict=True)]
    scenes = [Scene(pixel_aspect(clip), still_segments(clip)) for clip in clips]
    untouched: list[Interaction] = []
    clean: list[Errors] = []
    for person, truth, scene in zip(people, truths, scenes, strict=True):
        seen = look(Spoiled(person), scene)
        if seen is None:
            raise SystemExit("the detections of a clip do not suffice even when they are clean")
        untouched.append(seen[0])
        clean.append(measure(*seen, seen[0], truth))
    # The next clip has the detections of another person, or of the same one elsewhere.
    others = people[1:] + people[:1]
    spoiled: dict[str, list[Errors | None]] = {}
    for name, repeated in zip(arguments.trials, itertools.cycle(range(len(videos)))):
        spoiled[name] = [
            trial(TRIALS[name], person, other, found, truth, scene, again=n == repeated)
            for n, (person, other, found, truth, scene) in enumerate(
                zip(people, others, untouched, truths, scenes, strict=True)
            )
        ]
        print(f"{name}: done", flush=True)
    print("\n" + report(clean, spoiled))


def _without(person: Keypoints, away: Bool[np.ndarray, "T"]) -> Keypoints:
    """Detections without some frames, as a detector that finds nobody leaves them."""
    kept = ~away
    return person.replace(
        uv=person.uv * kept[:, None, None],
        confidence=person.confidence * kept[:, None],
        xyz=None if person.xyz is None else person.xyz * kept[:, None, None],
    )


def _mistaken(person: Keypoints, frames: Bool[np.ndarray, "T"]) -> Keypoints:
    """Left for right in some frames, in the image and in space."""
    other = {"l_": "r_", "r_": "l_"}
    names = [other.get(name[:2], name[:2]) + name[2:] for name in person.names]
    twins = [person.index(name) if name in person.names else n for n, name in enumerate(names)]
    return person.replace(
        uv=np.where(frames[:, None, None], person.uv[:, twins], person.uv),
        confidence=np.where(frames[:, None], person.confidence[:, twins], person.confidence),
        xyz=None if person.xyz is None else np.where(frames[:, None, None], person.xyz[:, twins], person.xyz),
    )


def _bursts(person: Keypoints, chance: np.random.Generator) -> Bool[np.ndarray, "T"]:
    """Frames of bursts that begin at random, one in every `BURST_EVERY` of time."""
    period = min(max(2, round(BURST_EVERY * person.fps)), person.num_frames)
    length = max(1, round(BURST * person.fps))
    frames = np.zeros(person.num_frames, bool)
    for first in range(0, person.num_frames - length, period):
        begin = first + int(chance.integers(0, max(1, period - length)))
        frames[begin : begin + length] = True
    return frames


if __name__ == "__main__":
    main()
