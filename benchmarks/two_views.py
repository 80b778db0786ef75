"""One view against two calibrated ones: benchmarks/two_views.py DIR [--cache DIR].

`DIR` holds two synchronised videos `NAME.mp4` of one person and `Calib.qca.txt` with a calibrated camera of each name.
The detector's image points of both views are triangulated, and the estimate from each view alone is compared with them
in the axes of its camera, in frames in which both views agree on every joint: after a similarity per frame (PA-MPJPE),
relative to the middle of the hips, by the place of that middle, and by scale (limb lengths over the triangulated ones).
The estimate is made with the camera found from the clip, with the calibrated one, and with the stature that the
triangulation gives as well. Beside them, what costs nothing: the detector's own landmarks, raw and smoothed. The views
share a detector, so that errors which it makes in both alike are not seen. Last line: the means of both views.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from motion.body import body_of
from motion.estimate import ASSUMED_HEIGHT, EstimateOptions, estimate
from motion.score import pa_mpjpe
from perception.camera_file import load_camera
from perception.detectors.detector import load_detector
from perception.person import choose_person
from perception.track import TrackOptions, observe_keypoints
from perception.vertical import still_segments
from perception.video import open_clip
from records import Camera, Interaction, Keypoints

CALIBRATION = "Calib.qca.txt"
POINTS = tuple(f"{s}_{n}" for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for s in "lr")
"""Joints that are compared: those that a detector and the body call alike."""
LIMBS = (
    ("shoulder", "elbow", "upper_arm"), ("elbow", "wrist", "forearm"), ("hip", "knee", "thigh"),
    ("knee", "ankle", "shank"),
)  # fmt: skip
ROOT = ("l_hip", "r_hip")
EYES, SOLES = ("l_eye", "r_eye"), ("l_heel", "r_heel", "l_toes", "r_toes")
EYE_HEIGHT = 0.936
"""Height of the eyes over body height (Winter 2009, figure 4.1)."""
UPRIGHT = 95.0
"""Percentile of the height of the eyes at which a person is taken to stand upright."""
SMOOTHING = 0.033
"""Width of the Gaussian over the detector's landmarks [s]: two frames at 60 fps."""
AGREED = 0.01
"""Largest distance of a triangulated joint from its detections, over the image diagonal, for it to count: 5 cm here."""
STEPS = 5
"""Gauss-Newton steps of the triangulation from the point nearest to all rays."""


class Errors(NamedTuple):
    """One estimate against the triangulated joints."""

    pa: float
    """After a similarity per frame [mm]."""
    rooted: float
    """Relative to the middle of the hips, in the axes of the camera [mm]."""
    scaled: float
    """The same after one scale for the clip [mm]."""
    place: float
    """Of the middle of the hips before the camera [mm]; NaN where the method does not place it."""
    scale: float
    """Limb lengths over the triangulated ones [1]."""


def triangulate(
    cameras: list[Camera], uv: Float[np.ndarray, "C T N 2"], weight: Float[np.ndarray, "C T N"]
) -> Float[np.ndarray, "T N 3"]:
    """Points [m] whose images lie nearest to those seen by all cameras, squares of pixels weighted by `weight`."""
    rays = np.stack([camera.rays(points) for camera, points in zip(cameras, uv, strict=True)])
    origins = np.stack([camera.T_world_camera[0, :3, 3] for camera in cameras])
    across = np.eye(3) - rays[..., :, None] * rays[..., None, :]
    normal = np.einsum("ctn,ctnij->tnij", weight, across)
    p: np.ndarray = np.linalg.solve(normal, np.einsum("ctn,ctnij,cj->tni", weight, across, origins)[..., None])[..., 0]
    for _ in range(STEPS):
        H, g = np.zeros((*p.shape, 3)), np.zeros(p.shape)
        for camera, points, trust in zip(cameras, uv, weight, strict=True):
            seen, J = camera.project_with_jacobian(p)
            H += np.einsum("tn,tnki,tnkj->tnij", trust, J, J)
            g += np.einsum("tn,tnki,tnk->tni", trust, J, points - seen)
        p = p + np.linalg.solve(H, g[..., None])[..., 0]
    return p


def limb_lengths(p: Float[np.ndarray, "T N 3"]) -> Float[np.ndarray, "4"]:
    """Median lengths [m] of `LIMBS`, both sides together, of points in the order of `POINTS`."""
    lengths = []
    for start, end, _ in LIMBS:
        sides = [p[:, POINTS.index(f"{s}_{start}")] - p[:, POINTS.index(f"{s}_{end}")] for s in "lr"]
        lengths.append(float(np.median(np.linalg.norm(np.stack(sides), axis=-1))))
    return np.array(lengths)


def stature(eyes: Float[np.ndarray, "T 2 3"], soles: Float[np.ndarray, "T S 3"]) -> float:
    """Body height [m] of somebody who stands upright at some time, by the height of the eyes over the lowest sole."""
    over = eyes[..., 2].mean(axis=1) - soles[..., 2].min(axis=1)
    return float(np.percentile(over, UPRIGHT)) / EYE_HEIGHT


def compare(p: Float[np.ndarray, "T N 3"], target: Float[np.ndarray, "T N 3"], *, placed: bool = True) -> Errors:
    """Errors of joints `p` against `target`, both in the axes of one camera, in the order of `POINTS` [m]."""
    hips = [POINTS.index(name) for name in ROOT]
    root, true_root = p[:, hips].mean(axis=1, keepdims=True), target[:, hips].mean(axis=1, keepdims=True)
    a, b = p - root, target - true_root
    factor = float((a * b).sum() / (a * a).sum())
    return Errors(
        pa_mpjpe(p, target),
        _millimetres(a - b),
        _millimetres(factor * a - b),
        _millimetres(root - true_root) if placed else float("nan"),
        float(limb_lengths(p).sum() / limb_lengths(target).sum()),
    )


def joints(found: Interaction) -> Float[np.ndarray, "T N 3"]:
    """Joints of an estimate in the axes of its camera [m]."""
    return found.camera.to_camera(body_of(found.person).site_positions(found.person.q, POINTS))


def measure(
    person: Keypoints,
    target: Float[np.ndarray, "T N 3"],
    agreed: Bool[np.ndarray, "T"],
    height: float,
    calibration: Path,
    video: Path,
) -> tuple[dict[str, Errors], float]:
    """Errors by method of one view in the frames `agreed`, and the focal length found over the calibrated one."""
    target = target[agreed]
    landmarks = np.asarray(person.xyz)[:, [person.index(n) for n in POINTS]]
    smooth = gaussian_filter1d(landmarks, SMOOTHING * person.fps, axis=0)
    errors = {
        "detector, raw": compare(landmarks[agreed], target, placed=False),
        "detector, smoothed": compare(smooth[agreed], target, placed=False),
    }
    segments = still_segments(open_clip(video))
    calibrated = TrackOptions(camera_file=str(calibration), camera_name=video.stem)
    ways = {
        "one view": (TrackOptions(), EstimateOptions()),
        "one view, calibrated": (calibrated, EstimateOptions(focal_known=True)),
        "one view, calibrated, stature known": (calibrated, EstimateOptions(focal_known=True, height=height)),
    }
    ratio = float("nan")
    for way, (seeing, options) in ways.items():
        seen = observe_keypoints(person, seeing, segments=segments)
        found = estimate(seen.person, seen.camera, seen.contacts, options=options)
        errors[way] = compare(joints(found)[agreed], target)
        if way == "one view":
            focal = load_camera(calibration, name=video.stem, size_hw=person.size_hw).K[0, 0]
            ratio = float(found.camera.K[0, 0] / focal)
    return errors, ratio


def detections(video: Path, cache: Path | None) -> Keypoints:
    """The person of a clip, detected once where there is a cache."""
    kept = None if cache is None else cache / f"{video.stem}.person.npz"
    if kept is not None and kept.exists():
        return choose_person([Keypoints.load(kept)])
    person = choose_person(load_detector("mediapipe").detect(open_clip(video)))
    if kept is not None:
        person.save(kept)
    return person


def report(views: dict[str, tuple[dict[str, Errors], float]]) -> str:
    """Table of views and methods, and the figure line."""
    head = ("PA mm", "rooted mm", "scaled mm", "place mm", "scale")
    lines = [f"{'view':8}{'method':38}" + "".join(f"{h:>11}" for h in head)]
    for name, (errors, _) in views.items():
        for method, e in errors.items():
            lines.append(f"{name:8}{method:38}" + "".join(f"{v:11.1f}" for v in e[:4]) + f"{e.scale:11.3f}")
    lines.append("focal length found over calibrated: " + ", ".join(f"{n} {r:.3f}" for n, (_, r) in views.items()))
    means = {m: np.mean([errors[m] for errors, _ in views.values()], axis=0) for m in next(iter(views.values()))[0]}
    ours, known, base = (means[m] for m in ("one view", "one view, calibrated, stature known", "detector, smoothed"))
    lines.append(
        f"two_views: one view PA-MPJPE {ours[0]:.1f} mm (smoothed detector {base[0]:.1f}), root-centred {ours[1]:.1f}"
        f" ({base[1]:.1f}), scale {ours[4]:.3f} ({base[4]:.3f}); calibrated and stature known {known[0]:.1f},"
        f" {known[1]:.1f}, {known[4]:.3f}"
    )
    return "\n".join(lines)


def _millimetres(difference: np.ndarray) -> float:
    return 1e3 * float(np.linalg.norm(difference, axis=-1).mean())


def main() -> None:
    """Triangulate, estimate, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help=f"folder with two videos and {CALIBRATION}")
    parser.add_argument("--cache", type=Path, help="folder for detections, NAME.person.npz")
    arguments = parser.parse_args()
    videos, calibration = sorted(arguments.folder.glob("*.mp4")), arguments.folder / CALIBRATION
    if len(videos) != 2 or not calibration.exists():
        parser.error(f"{arguments.folder} holds {len(videos)} videos; expected two, and {CALIBRATION}")
    people = [detections(video, arguments.cache) for video in videos]
    cameras = [load_camera(calibration, name=v.stem, size_hw=p.size_hw) for v, p in zip(videos, people, strict=True)]
    wanted = (*POINTS, *EYES, *SOLES)
    columns = [[person.index(name) for name in wanted] for person in people]
    uv = np.stack([person.uv[:, k] for person, k in zip(people, columns, strict=True)])
    weight = np.stack([np.maximum(person.confidence[:, k], 1e-3) for person, k in zip(people, columns, strict=True)])
    everything = triangulate(cameras, uv, weight)
    p, eyes, soles = np.split(everything, [len(POINTS), len(POINTS) + len(EYES)], axis=1)
    uv = uv[:, :, : len(POINTS)]
    away = np.stack([np.linalg.norm(c.project(p) - points, axis=-1) for c, points in zip(cameras, uv, strict=True)])
    diagonal = float(np.hypot(*people[0].size_hw))
    agreed = (away < AGREED * diagonal).all(axis=(0, 2))
    height = stature(eyes[agreed], soles[agreed])
    lengths = ", ".join(f"{bone} {v:.3f}" for (*_, bone), v in zip(LIMBS, limb_lengths(p[agreed]), strict=True))
    print(
        f"triangulated: views agree in {agreed.sum()} of {len(p)} frames, there to {away[:, agreed].mean():.1f} px;"
        f" {lengths} m; stature {height:.2f} m (assumed {ASSUMED_HEIGHT:.2f})"
    )
    views = {
        video.stem: measure(person, camera.to_camera(p), agreed, height, calibration, video)
        for video, person, camera in zip(videos, people, cameras, strict=True)
    }
    print(report(views))


if __name__ == "__main__":
    main()
