"""Score of the LAAS Parkour clips (Li et al., CVPR 2019): joints against motion capture, forces against plates.

    python benchmarks/parkour.py DIR [--jobs 2]

`DIR` holds `CLIP.mp4` and `CLIP.npz` (joints, forces, uncaptured, fps). Every clip goes the way of the command line:
`perception.track` -> `motion.estimate` -> `joints.csv`, `forces.csv`, one configuration for all. Means are over the
frames of a clip, then over clips. The last line holds the two figures: PA-MPJPE [mm] and force error [N].
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

from motion.estimate import estimate
from motion.exporters.exporter import export
from motion.score import g_mpjpe, pa_mpjpe, wrench_errors, yaw_aligned
from perception.detectors.mediapipe_pose import single_view
from perception.track import track
from perception.video import open_clip

PUBLISHED_PA = {
    "SMPLify": (121.75, 147.41, 120.48, 169.36, 139.69),
    "HMR": (111.36, 140.16, 132.44, 149.64, 135.65),
    "Li et al. 2019": (98.42, 125.21, 119.92, 138.45, 122.11),
}
"""PA-MPJPE [mm] of kv, mu, pu, sv and all 28 clips, from table 1 of Li et al. 2019."""

PUBLISHED_FORCE = (144.23, 138.21, 107.91, 113.42)
PUBLISHED_MOMENT = (23.71, 22.32, 131.13, 134.21)
"""L2 errors [N], [N m] of left sole, right sole, left hand, right hand on all 28 clips, from table 2 of Li et al."""

CONTACTS = ("l_ankle", "r_ankle", "l_fingers", "r_fingers")
ACTIONS = ("kv", "mu", "pu", "sv")
SMOOTHING = 2.0
"""Width of the Gaussian over the detector's landmarks [frames]."""


class Score(NamedTuple):
    """Figures of one clip."""

    name: str
    status: str
    pa: dict[str, float]
    """PA-MPJPE [mm] per method."""
    global_error: float
    """G-MPJPE [mm]."""
    force: np.ndarray
    """(2, 4) force error [N], ours and zero, per contact; NaN where a contact was never captured."""
    moment: np.ndarray
    """(2, 4) the same [N m]."""


def score_clip(video: Path) -> Score:
    """Estimate and score one clip."""
    with np.load(video.with_suffix(".npz")) as file:
        truth = {key: file[key] for key in file.files}
    names = truth["joint_names"].tolist()
    joints = truth["joints"]
    clip = open_clip(video, fps=float(truth["fps"]))
    seen = track(clip)
    interaction = estimate(seen.person, seen.camera, seen.contacts)
    with tempfile.TemporaryDirectory() as folder:
        export(interaction, "csv", folder)
        p = _table(Path(folder) / "joints.csv", "name", names, ("x", "y", "z"))
        wrench = _table(Path(folder) / "forces.csv", "contact", CONTACTS, ("fx", "fy", "fz", "mx", "my", "mz"))
    turned = yaw_aligned(p, joints, wrench.reshape(*wrench.shape[:2], 2, 3)).reshape(wrench.shape)
    raw = single_view().detect(clip)[0]
    pa = {"ours": pa_mpjpe(p, joints)}
    for method, person in (("one view", raw), ("fused views", seen.person)):
        landmarks = np.asarray(person.xyz)[:, [person.index(n) for n in names]]
        pa[method] = pa_mpjpe(landmarks, joints)
        pa[f"{method}, smoothed"] = pa_mpjpe(gaussian_filter1d(landmarks, SMOOTHING, axis=0), joints)
    order = [truth["contact_names"].tolist().index(c) for c in CONTACTS]
    uncaptured = truth["uncaptured"][:, order].astype(bool)
    ours, zero = (
        wrench_errors(found, truth["forces"][:, order], uncaptured) for found in (turned, np.zeros_like(turned))
    )
    force, moment = (np.stack(pair) for pair in zip(ours, zero, strict=True))
    return Score(video.stem, interaction.status, pa, g_mpjpe(p, joints), force, moment)


def report(scores: list[Score]) -> str:
    """Table of all clips, of the means beside the baselines, and the figures."""
    lines = [f"{'clip':12}{'PA mm':>8}{'raw':>8}{'G mm':>8}{'force N':>9}{'zero N':>8}  status"]
    for s in scores:
        force = np.nanmean(s.force, axis=1)
        lines.append(
            f"{s.name:12}{s.pa['ours']:8.1f}{s.pa['one view']:8.1f}{s.global_error:8.1f}"
            f"{force[0]:9.1f}{force[1]:8.1f}  {s.status}"
        )
    lines += ["", f"{'PA-MPJPE, mm':28}" + "".join(f"{a:>8}" for a in (*ACTIONS, "mean"))]
    for method in scores[0].pa:
        groups = [[s.pa[method] for s in scores if s.name.startswith(a)] for a in ACTIONS]
        values = [*(np.mean(g) if g else np.nan for g in groups), np.mean([s.pa[method] for s in scores])]
        lines.append(f"{method:28}" + "".join(f"{v:8.1f}" for v in values))
    for method, row in PUBLISHED_PA.items():
        lines.append(f"{method + ' (28 clips)':28}" + "".join(f"{v:8.1f}" for v in row))
    for unit, errors, published in (
        ("N", np.array([s.force for s in scores]), PUBLISHED_FORCE),
        ("N m", np.array([s.moment for s in scores]), PUBLISHED_MOMENT),
    ):
        heads = ("L sole", "R sole", "L hand", "R hand", "mean")
        lines += ["", f"{'contact error, ' + unit:28}" + "".join(f"{h:>8}" for h in heads)]
        mean = np.nanmean(errors, axis=0)
        rows = {"ours": mean[0], "zero": mean[1], "Li et al. 2019 (28 clips)": np.array(published)}
        for method, values in rows.items():
            lines.append(f"{method:28}" + "".join(f"{v:8.1f}" for v in (*values, values.mean())))
    force = np.nanmean(np.array([s.force for s in scores]), axis=0).mean(axis=1)
    pa = np.mean([s.pa["ours"] for s in scores])
    total = np.mean([s.global_error for s in scores])
    lines += [
        "",
        f"PA-MPJPE {pa:.1f} mm, G-MPJPE {total:.1f} mm, force error {force[0]:.1f} N (zero force {force[1]:.1f})",
    ]
    return "\n".join(lines)


def _table(path: Path, key: str, names: list[str] | tuple[str, ...], columns: tuple[str, ...]) -> np.ndarray:
    """Columns (T, N, C) of the rows of a tidy table whose `key` is one of `names`."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = {(int(r["frame"]), r[key]): [float(r[c]) for c in columns] for r in csv.DictReader(file)}
    frames = sorted({frame for frame, _ in rows})
    return np.array([[rows[frame, name] for name in names] for frame in frames])


def main() -> None:
    """Score every clip of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with CLIP.mp4 and CLIP.npz")
    parser.add_argument("--jobs", type=int, default=1, help="clips at the same time")
    arguments = parser.parse_args()
    videos = sorted(v for v in arguments.folder.glob("*.mp4") if v.with_suffix(".npz").exists())
    if not videos:
        parser.error(f"{arguments.folder} holds no CLIP.mp4 with its CLIP.npz")
    scores = []
    with ProcessPoolExecutor(max(1, arguments.jobs)) as pool:
        for score in pool.map(score_clip, videos):
            scores.append(score)
            print(f"{score.name}: {score.pa['ours']:.1f} mm, {np.nanmean(score.force[0]):.1f} N", flush=True)
    print("\n" + report(scores))


if __name__ == "__main__":
    main()
