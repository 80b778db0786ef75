"""From optical markers to ground reaction: python benchmarks/force_plates.py ../shared/data/force_plates.

Markers become joint angles by inverse kinematics, contacts follow from the motion alone, forces from its dynamics;
nothing is tuned per trial. Errors are of the vertical force, mean absolute over frames, in % of body weight: of the sum
of both feet while the plates bear all of it, and of each foot while it is on a plate. Baselines that cost nothing:
constant body weight (shared evenly by the feet that are on plates), and zero.

The mass is that of the static trial or of the model file where there is one (`given`). A second column uses the mass
that the plates themselves weigh over whole steps (`weighed`): over a step of steady walking the mean vertical force is
the weight, so the two differ only by the calibration of the plates. In walking2.c3d the first foot lands across the
edge of its plate, which the column of each foot counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import find_peaks

from motion.body import body_of
from motion.exporters.opensim_axes import R_OPENSIM_WORLD
from motion.importers import Track, import_motion
from motion.importers.container import read_content
from motion.importers.interaction import interaction_of
from motion.importers.opensim_table import parse_columns

GRAVITY = 9.81
LOADED = 20.0
"""Vertical force from which a plate counts as stepped on [N]: the usual threshold of gait laboratories."""
DOUBLE_SUPPORT = 0.2
"""Time after the first and before the last step on a plate in which the other foot may still stand beside it [s]:
double support takes 0.1 to 0.15 s (Perry, Gait Analysis)."""
STEP_TIME = 0.3
"""Shortest time from one mid-stance to the next [s]: running takes that, walking 0.5."""
PUBLISHED = "OpenCap Monocular (2026), walking from one video: 9.7 % of body weight"


@dataclass(frozen=True)
class Plates:
    """What the plates measured, world axes (z up)."""

    time: np.ndarray
    """(S) s."""
    force: np.ndarray
    """(S, P, 3) N on the person."""
    pressure: np.ndarray
    """(S, P, 3) m: centre of pressure."""

    def at(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertical force (T, P) N, averaged over a frame, and centre of pressure (T, P, 2) m."""
        step = float(np.median(np.diff(time)))
        width = max(1, round(step / float(np.median(np.diff(self.time)))))
        box = np.ones(width) / width

        def sample(values: np.ndarray) -> np.ndarray:
            smooth = np.convolve(np.pad(values, (width // 2, width - 1 - width // 2), mode="edge"), box, mode="valid")
            return np.interp(time, self.time, smooth)

        count = self.force.shape[1]
        force = np.stack([sample(self.force[:, p, 2]) for p in range(count)], axis=1)
        place = [[sample(self.pressure[:, p, axis]) for axis in range(2)] for p in range(count)]
        return force, np.array(place).transpose(2, 0, 1)


@dataclass(frozen=True)
class Trial:
    """One recording."""

    name: str
    kind: str
    """walking, squats or landing."""
    markers: str
    plates: Callable[[Path], Plates]
    mass: Callable[[Path], float] | None
    """kg; None where nothing but the plates tells it."""


def main() -> None:
    """Print one row per trial and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder that holds subject4, opensim_core and bmc")
    parser.add_argument("--trials", nargs="*", default=[], help="names of trials; all by default")
    options = parser.parse_args()
    print(f"{'':<14}{'':>7}{'mass, kg':>16}{'sum of feet, % of body weight':>36}{'each foot on a plate':>30}{'r':>8}")
    print(
        f"{'trial':<14}{'frames':>7}{'given':>8}{'weighed':>8}"
        + 2 * f"{'given':>8}{'weighed':>9}{'constant':>10}{'zero':>7}"
    )
    rows: dict[str, list[dict[str, float]]] = {}
    for trial in TRIALS:
        if not options.trials or trial.name in options.trials:
            row = evaluate(trial, options.folder)
            rows.setdefault(trial.kind, []).append(row)
            keys = (
                "sum",
                "sum_weighed",
                "sum_constant",
                "sum_zero",
                "foot",
                "foot_weighed",
                "foot_constant",
                "foot_zero",
            )
            print(
                f"{trial.name:<14}{row['frames']:>7.0f}{row['mass']:>8.1f}{row['weighed']:>8.1f}"
                + "".join(f"{row[key]:>{width}.1f}" for key, width in zip(keys, 2 * (8, 9, 10, 7), strict=True))
                + f"{row['r']:>8.3f}",
                flush=True,
            )
    print(PUBLISHED)
    parts = [
        f"{kind} {np.nanmean([row['sum'] for row in found]):.1f} % (each foot"
        f" {np.nanmean([row['foot'] for row in found]):.1f} %, constant"
        f" {np.nanmean([row['sum_constant'] for row in found]):.1f} %)"
        for kind, found in rows.items()
    ]
    print(f"force plates: {', '.join(parts)}")


def evaluate(trial: Trial, folder: Path) -> dict[str, float]:
    """Errors of one trial [% of body weight], with the mass that is given and that the plates weigh."""
    plates = trial.plates(folder)
    (track,) = import_motion(folder / trial.markers)
    time = (track.first_frame + np.arange(track.motion.num_frames)) / track.motion.fps
    force, place = plates.at(time)
    total = force.sum(axis=1)
    counted = covered(trial.kind, force, track.motion.fps)
    weighed = steady_weight(trial.kind, total, counted, track.motion.fps) / GRAVITY
    mass = weighed if trial.mass is None else trial.mass(folder)
    feet = by_foot(track, force, place)
    on = feet > LOADED
    share = on / np.maximum(on.sum(axis=1, keepdims=True), 1)
    row = {"frames": float(counted.sum()), "mass": mass if trial.mass else np.nan, "weighed": weighed}
    for suffix, kilograms in (("", mass), ("_weighed", weighed)):
        ours = feet_forces(track, kilograms)
        weight = GRAVITY * kilograms
        row |= {
            f"sum{suffix}": 100 * np.abs(ours.sum(axis=1) - total)[counted].mean() / weight,
            f"foot{suffix}": 100 * np.abs(ours - feet)[on].mean() / weight,
        }
        if not suffix:
            row |= {
                "sum_constant": 100 * np.abs(weight - total)[counted].mean() / weight,
                "sum_zero": 100 * total[counted].mean() / weight,
                "foot_constant": 100 * np.abs(weight * share - feet)[on].mean() / weight,
                "foot_zero": 100 * feet[on].mean() / weight,
                "r": float(np.corrcoef(ours.sum(axis=1)[counted], total[counted])[0, 1]),
            }
    return row


def feet_forces(track: Track, mass: float) -> np.ndarray:
    """Vertical force under the left and the right foot (T, 2) [N] of a person of given mass."""
    motion = track.motion.replace(parameters={**track.motion.parameters, "mass": mass})
    return interaction_of(Track(**{**vars(track), "motion": motion})).forces.wrench[:, :2, 2]


def by_foot(track: Track, force: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Vertical force (T, 2) [N] under each foot: a plate's belongs to the foot nearer to its centre of pressure."""
    feet = body_of(track.motion).site_positions(track.motion.q, ["l_ball", "r_ball"])[..., :2]
    result = np.zeros((len(force), 2))
    for p in range(force.shape[1]):
        nearer = np.argmin(np.linalg.norm(feet - place[:, p, None], axis=-1), axis=1)
        np.add.at(result, (np.arange(len(force)), nearer), np.where(force[:, p] > LOADED, force[:, p], 0))
    return result


def covered(kind: str, force: np.ndarray, fps: float) -> np.ndarray:
    """Frames in which the plates bear the whole person."""
    loaded = np.flatnonzero((force > LOADED).any(axis=1))
    counted = np.zeros(len(force), bool)
    if kind != "walking":
        counted[loaded[0] :] = True
        return counted
    margin = round(DOUBLE_SUPPORT * fps)
    end = len(force) if loaded[-1] == len(force) - 1 else loaded[-1] + 1 - margin
    counted[loaded[0] + margin : end] = True
    return counted


def steady_weight(kind: str, total: np.ndarray, counted: np.ndarray, fps: float) -> float:
    """Mean vertical force [N] over whole steps, mid-stance to mid-stance; over all frames if there is one."""
    values = total[counted]
    if kind == "walking":
        low, _ = find_peaks(-values, distance=STEP_TIME * fps, prominence=0.1 * values.mean())
        if len(low) > 1:
            values = values[low[0] : low[-1]]
    return float(values.mean())


def opensim_plates(path: str, prefixes: tuple[str, ...]) -> Callable[[Path], Plates]:
    """Reader of plates in a .mot file."""

    def read(folder: Path) -> Plates:
        columns = parse_columns(read_content(folder / path).value).columns

        def vectors(letter: str) -> np.ndarray:
            table = np.array([[columns[f"{prefix}_{letter}{axis}"] for axis in "xyz"] for prefix in prefixes])
            return table.transpose(2, 0, 1) @ R_OPENSIM_WORLD

        return Plates(columns["time"], vectors("v"), vectors("p"))

    return read


def c3d_plates(path: str) -> Callable[[Path], Plates]:
    """Reader of plates in a C3D file with z up."""

    def read(folder: Path) -> Plates:
        import ezc3d

        file = ezc3d.c3d(str(folder / path), extract_forceplat_data=True)
        platforms = file["data"]["platform"]
        rate = float(file["parameters"]["ANALOG"]["RATE"]["value"][0])
        force = np.nan_to_num(np.stack([platform["force"].T for platform in platforms], axis=1))
        pressure = np.nan_to_num(np.stack([platform["center_of_pressure"].T for platform in platforms], axis=1))
        # Nobody stands on a plate for most of a walk: its median is what it shows when it is empty.
        force -= np.median(force, axis=0)
        force *= np.sign(force[..., 2].sum())
        return Plates(np.arange(len(force)) / rate, force, 1e-3 * pressure)

    return read


def static_mass(folder: Path) -> float:
    """Mass [kg] of subject4, from the plates in the static trial."""
    plates = opensim_plates("subject4/static1_grf.mot", PAIR)(folder)
    return float(plates.force[..., 2].sum(axis=1).mean()) / GRAVITY


def osim_mass(folder: Path) -> float:
    """Mass [kg] of the scaled OpenSim model: the sum over its bodies."""
    text = (folder / "opensim_core/subject_walk_scaled.osim").read_text()
    return sum(float(part.partition("<")[0]) for part in text.split("<mass>")[1:])


PAIR = ("ground_force_1", "ground_force_2")
THREE = (*PAIR, "ground_force_3")


def subject4(name: str, kind: str, plates: tuple[str, ...]) -> Trial:
    """A trial of the OpenCap validation's fourth subject."""
    reader = opensim_plates(f"subject4/{name}_grf.mot", plates)
    return Trial(name, kind, f"subject4/{name}.trc", reader, static_mass)


TRIALS = (
    subject4("walking1", "walking", PAIR),
    subject4("walkingTO1", "walking", PAIR),
    Trial(
        "opensim walk", "walking", "opensim_core/markers_walk.trc",
        opensim_plates("opensim_core/grf_walk.mot", ("ground_force_r", "ground_force_l")), osim_mass,
    ),
    Trial("walking2.c3d", "walking", "opensim_core/walking2.c3d", c3d_plates("opensim_core/walking2.c3d"), None),
    Trial("Gait.c3d", "walking", "bmc/Gait.c3d", c3d_plates("bmc/Gait.c3d"), None),
    subject4("squats1", "squats", THREE),
    subject4("DJ1", "landing", THREE),
)  # fmt: skip


if __name__ == "__main__":
    main()
