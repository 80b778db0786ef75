"""Do 68 % intervals cover 68 %? benchmarks/uncertainty.py DIR [--seeds 0 1 2 3 4].

`DIR` holds `CLIP.mp4` and `CLIP.npz` (joints, forces, uncaptured, fps), as for benchmarks/parkour.py. Every clip goes
the way of the command line; coverage is the share of coordinates that lie within one standard deviation of the truth:
joints after one similarity for the clip (the protocol of G-MPJPE), forces after the yaw that best aligns the joints,
captured frames alone. Beside it what costs nothing: one constant deviation for all, the one that covers 68.3 % of these
very errors; it shows in how far coverage differs between clips. Last line: means over clips (required: 60 to 76 %).

With `--seeds`, clips of the studio instead, tool and all: coverage of joints across the line of sight and along it, by
which `motion.uncertainty.VARIANCE_SCALE` and `DEPTH_ERROR` are set, and of forces, by which `INTERVAL` is.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from benchmarks.tool_estimate import TOOL, observed
from motion.estimate import estimate
from motion.markers import LIMB_MARKERS
from motion.score import limb_markers, similarity, yaw_aligned
from motion.skeleton import CONTACT_SITES
from perception.track import track
from perception.video import open_clip
from records import Interaction

WITHIN = 0.683
"""Share of a normal distribution within one standard deviation."""


class Errors(NamedTuple):
    """Errors, and the covariances that were claimed of them."""

    error: Float[np.ndarray, "*N 3"]
    covariance: Float[np.ndarray, "*N 3 3"]

    def over_sigma(self) -> Float[np.ndarray, "*N 3"]:
        """Size of each coordinate's error in claimed standard deviations."""
        sigma = np.sqrt(np.einsum("...ii->...i", self.covariance))
        return np.abs(self.error) / sigma

    def along(self, axis: Float[np.ndarray, "*N 3"]) -> np.ndarray:
        """The same of its part along an axis."""
        variance = np.einsum("...i,...ij,...j->...", axis, self.covariance, axis)
        return np.abs((self.error * axis).sum(axis=-1)) / np.sqrt(variance)


def joint_errors(found: Interaction, joints: Float[np.ndarray, "T 16 3"]) -> tuple[Errors, np.ndarray]:
    """Errors of the limb markers [m] after one similarity for the clip; and its rotation times its scale (3, 3)."""
    known = found.uncertainty
    if known is None:
        raise SystemExit("the estimate does not say how well it is known")
    p = limb_markers(found)
    flat = p.reshape(-1, 3)
    laid = similarity(flat, joints.reshape(-1, 3))
    turn = np.linalg.lstsq(flat - flat.mean(axis=0), laid - laid.mean(axis=0), rcond=None)[0].T
    rows = [known.joint_names.index(name) for name in LIMB_MARKERS]
    covariance = turn @ known.joints[:, rows] @ turn.T
    return Errors(laid.reshape(p.shape) - joints, covariance), turn


def force_errors(found: Interaction, joints: np.ndarray, forces: Float[np.ndarray, "T 4 3"]) -> Errors:
    """Errors of the contact forces [N] after the yaw that best aligns the joints."""
    known = found.uncertainty
    if known is None or known.forces is None:
        raise SystemExit("the estimate does not say how well forces are known")
    p = limb_markers(found)
    rows = [found.forces.names.index(name) for name in CONTACT_SITES]
    turned = yaw_aligned(p, joints, found.forces.wrench[:, rows, :3])
    half = yaw_aligned(p, joints, known.forces[:, rows])
    return Errors(turned - forces, yaw_aligned(p, joints, half.swapaxes(-1, -2)))


def measure(found: Interaction, file: Path) -> tuple[np.ndarray, np.ndarray, Errors, Errors]:
    """Per joint and per contact (NaN where never captured): coverage; and the errors behind it."""
    with np.load(file) as truth:
        joints = truth["joints"][:, [truth["joint_names"].tolist().index(n) for n in LIMB_MARKERS]]
        order = [truth["contact_names"].tolist().index(name) for name in CONTACT_SITES]
        forces, captured = truth["forces"][:, order, :3], ~truth["uncaptured"][:, order].astype(bool)
    of_joints, of_forces = joint_errors(found, joints)[0], force_errors(found, joints, forces)
    covered = of_forces.over_sigma() < 1
    contacts = [covered[captured[:, c], c].mean() if captured[:, c].any() else np.nan for c in range(len(order))]
    scored = Errors(of_forces.error[captured], of_forces.covariance[captured])
    return (of_joints.over_sigma() < 1).mean(axis=(0, 2)), np.array(contacts), of_joints, scored


def report(names: Sequence[str], rows: Sequence[tuple[np.ndarray, np.ndarray, Errors, Errors]]) -> str:
    """Table of the clips, of joints and of contacts, and the figure line."""
    constant = [float(np.quantile(np.concatenate([np.abs(r[k].error).ravel() for r in rows]), WITHIN)) for k in (2, 3)]
    one = np.array([[(np.abs(r[k].error) < c).mean() for k, c in zip((2, 3), constant, strict=True)] for r in rows])
    ours = np.array([[(r[k].over_sigma() < 1).mean() for k in (2, 3)] for r in rows])
    lines = [f"{'clip':12}{'joints':>8}{'constant':>10}{'forces':>8}{'constant':>10}"]
    for name, (a, b), (c, d) in zip(names, ours, one, strict=True):
        lines.append(f"{name:12}{a:8.0%}{c:10.0%}{b:8.0%}{d:10.0%}")
    joints = np.mean([r[0] for r in rows], axis=0)
    contacts = np.nanmean([r[1] for r in rows], axis=0)
    lines.append("joints: " + ", ".join(f"{n} {v:.0%}" for n, v in zip(LIMB_MARKERS, joints, strict=True)))
    lines.append("contacts: " + ", ".join(f"{n} {v:.0%}" for n, v in zip(CONTACT_SITES, contacts, strict=True)))
    spread, spread_one = ours.std(axis=0), one.std(axis=0)
    lines.append(
        f"coverage of 68 % intervals: joints {ours[:, 0].mean():.1%} (clips differ by {spread[0]:.1%}), forces"
        f" {np.mean(contacts):.1%} ({spread[1]:.1%}); one constant of {1e3 * constant[0]:.0f} mm differs by"
        f" {spread_one[0]:.1%}, of {constant[1]:.0f} N by {spread_one[1]:.1%}"
    )
    return "\n".join(lines)


def studio(seeds: Sequence[int]) -> str:
    """Coverage on clips of the studio: joints across the line of sight and along it, and forces."""
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            take, seen = observed(Path(folder), seed)
        found = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name=TOOL)
        rows.append(studio_coverage(found, take.truth))
    across, along, forces = np.mean(rows, axis=0)
    return (
        f"studio: joints across the line of sight {across:.1%}, along it {along:.1%}, forces {forces:.1%} within one"
        " standard deviation"
    )


def studio_coverage(found: Interaction, truth: Interaction) -> tuple[float, float, float]:
    """Coverage of joints across and along the line of sight, and of forces."""
    errors, turn = joint_errors(found, limb_markers(truth))
    ray = (limb_markers(found) - found.camera.T_world_camera[0, :3, 3]) @ turn.T
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    right = np.cross(ray, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    across = np.concatenate([errors.along(right), errors.along(np.cross(right, ray))])
    wrench = truth.forces.wrench[:, [truth.forces.names.index(name) for name in CONTACT_SITES], :3]
    forces = force_errors(found, limb_markers(truth), wrench).over_sigma()
    return float((across < 1).mean()), float((errors.along(ray) < 1).mean()), float((forces < 1).mean())


def main() -> None:
    """Measure every clip of a folder, or of the studio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="folder with CLIP.mp4 and CLIP.npz")
    parser.add_argument("--seeds", type=int, nargs="+", help="clips of the studio instead")
    arguments = parser.parse_args()
    if arguments.seeds:
        print(studio(arguments.seeds))
        return
    videos = [] if arguments.folder is None else sorted(arguments.folder.glob("*.mp4"))
    videos = [video for video in videos if video.with_suffix(".npz").exists()]
    if not videos:
        parser.error("name a folder that holds CLIP.mp4 with its CLIP.npz, or --seeds")
    rows = []
    for video in videos:
        with np.load(video.with_suffix(".npz")) as truth:
            clip = open_clip(video, fps=float(truth["fps"]))
        seen = track(clip)
        rows.append(measure(estimate(seen.person, seen.camera, seen.contacts), video.with_suffix(".npz")))
        print(f"{video.stem}: {rows[-1][0].mean():.0%}, {np.nanmean(rows[-1][1]):.0%}", flush=True)
    print("\n" + report([video.stem for video in videos], rows))


if __name__ == "__main__":
    main()
