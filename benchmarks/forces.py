"""Contact forces from true motion, against measured ones: python benchmarks/forces.py ../shared/data.

The solver alone, without the errors of an estimated motion. Two tests, none of whose numbers is tuned per clip:

- `force_plates/subject4/squats1`: optical markers, two plates; the mass is the static trial's. Baseline: half of the
  constant body weight on each foot.
- `parkour/*.npz`: true joints; a contact is where the true force exceeds 40 N. The mass is not known: one value for
  all. Baseline: zero force. L2 of the force vector, mean over frames, then clips; a contact that its plate missed is
  left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from motion.body import body_of
from motion.exporters.opensim_axes import R_OPENSIM_WORLD
from motion.forces import GRAVITY, solve_forces
from motion.importers.container import read_content
from motion.importers.markers import fit_markers
from motion.importers.opensim_table import parse_columns, parse_trc
from motion.skeleton import CONTACT_SITES
from records import ContactStates

CONTACT_FORCE = 40.0
"""Force from which a point counts as in contact [N]: the hands' plates rest at 14 N."""
PARKOUR_MASS = 60.0
"""Body mass [kg] that is assumed for all parkour subjects: body mass index 22 at the 1.65 m that their limbs tell."""
RATE = 25.0
"""Frame rate [1/s] that the squats are brought to: that of a video."""
MARKERS = {
    "l_hip": ("L_HJC",), "l_knee": ("L_knee",), "l_ankle": ("L_ankle",), "l_heel": ("L_calc",), "l_toes": ("L_toe",),
    "l_shoulder": ("L_Shoulder",), "l_elbow": ("L_elbow_lat", "L_elbow_med"),
    "l_wrist": ("L_wrist_radius", "L_wrist_ulna"),
    "r_hip": ("R_HJC",), "r_knee": ("r_knee",), "r_ankle": ("r_ankle",), "r_heel": ("r_calc",), "r_toes": ("r_toe",),
    "r_shoulder": ("R_Shoulder",), "r_elbow": ("R_elbow_lat", "R_elbow_med"),
    "r_wrist": ("R_wrist_radius", "R_wrist_ulna"),
}  # fmt: skip
"""Body sites and the optical markers whose mean stands for them."""


def main() -> None:
    """Print both tests and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds force_plates and parkour")
    data = parser.parse_args().data
    squats = squat_figures(data / "force_plates/subject4")
    parkour, zero = parkour_figures(data / "parkour")
    print(f"forces: {squats}; parkour true motion {parkour:.1f} N (zero {zero:.1f} N)")


def squat_figures(folder: Path) -> str:
    """Compare vertical forces of squats with the plates."""
    names, markers, fps = parse_trc(read_content(folder / "squats1.trc").value)
    time = np.arange(len(markers)) / fps
    sites = [[names.index(name) for name in group] for group in MARKERS.values()]
    points = np.stack([markers[:, group].mean(axis=1) for group in sites], axis=1) @ R_OPENSIM_WORLD
    every = round(1 / RATE / float(np.median(np.diff(time))))
    plates = plate_forces(folder / "squats1_grf.mot", time)[::every]
    weight = float(plate_forces(folder / "static1_grf.mot", None)[..., 2].sum(axis=1).mean())
    motion = fit_markers(points[::every], list(MARKERS), RATE, mass=weight / GRAVITY, surface=False)
    found = solve_forces(body_of(motion), motion, certain(np.tile([1.0, 1, 0, 0], (len(plates), 1))))
    # The file lists the right plate first where the person stands on it: order by the feet.
    left_first = np.argsort([abs(plates_y(folder, time)[plate] - points[:, 2, 1].mean()) for plate in (0, 1)])
    ours, true = found.wrench[:, :2, 2], plates[:, left_first, 2]
    total, truth = ours.sum(axis=1), true.sum(axis=1)
    r = float(np.corrcoef(total, truth)[0, 1])
    mae, constant = np.abs(total - truth).mean(), np.abs(weight - truth).mean()
    foot, half = np.abs(ours - true).mean(), np.abs(weight / 2 - true).mean()
    residual = np.abs(found.residual).mean(axis=0)
    print(f"squats, {weight / GRAVITY:.1f} kg, {len(total)} frames at {RATE:g} fps, vertical force [N]")
    print(f"{'':<14}{'r':>8}{'MAE':>8}{'constant':>10}")
    print(f"{'both feet':<14}{r:>8.3f}{mae:>8.1f}{constant:>10.1f}")
    print(f"{'each foot':<14}{'':>8}{foot:>8.1f}{half:>10.1f}")
    print(f"free-flyer residual, mean: {residual[:3].max():.1f} N, {residual[3:].max():.1f} N m")
    return f"squats r {r:.3f}, MAE {mae:.1f} N (constant weight {constant:.1f} N)"


def parkour_figures(folder: Path) -> tuple[float, float]:
    """Print the error of each contact in each clip; return its mean, and that of zero force [N]."""
    errors, zeros = [], []
    print(f"\nparkour, {PARKOUR_MASS:g} kg, L2 [N]\n{'clip':<14}" + "".join(f"{name:>12}" for name in CONTACT_SITES))
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            joints, truth, uncaptured = file["joints"], file["forces"], file["uncaptured"].astype(bool)
            names, fps = [str(name) for name in file["joint_names"]], float(file["fps"])
        motion = fit_markers(joints, names, fps, mass=PARKOUR_MASS)
        touching = (np.linalg.norm(truth[..., :3], axis=-1) > CONTACT_FORCE) | uncaptured
        found = solve_forces(body_of(motion), motion, certain(touching.astype(float), fps))
        errors.append(per_contact(found.wrench - truth, ~uncaptured))
        zeros.append(per_contact(truth, ~uncaptured))
        print(f"{path.stem:<14}" + "".join(f"{value:>12.1f}" for value in errors[-1]))
    for name, rows in (("mean", errors), ("zero force", zeros)):
        print(f"{name:<14}" + "".join(f"{value:>12.1f}" for value in np.mean(rows, axis=0)))
    return float(np.mean(errors)), float(np.mean(zeros))


def per_contact(wrench: np.ndarray, counted: np.ndarray) -> list[float]:
    """Mean length of the force of each contact [N] over the frames that count."""
    length = np.linalg.norm(wrench[..., :3], axis=-1)
    return [float(length[counted[:, c], c].mean()) for c in range(length.shape[1])]


def certain(probability: np.ndarray, fps: float = RATE) -> ContactStates:
    """Contacts that are known."""
    return ContactStates(names=CONTACT_SITES, probability=probability, fps=fps)


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Columns of a motion file by name."""
    return parse_columns(read_content(path).value).columns


def plate_forces(path: Path, time: np.ndarray | None) -> np.ndarray:
    """Forces on the person (T, 2, 3) [N] of the first two plates, z up, at given times [s] or all."""
    table = read_columns(path)
    at = table["time"] if time is None else time
    columns = [[table[f"ground_force_{plate}_v{axis}"] for axis in "xyz"] for plate in (1, 2)]
    values = np.array([[np.interp(at, table["time"], values) for values in plate] for plate in columns])
    return values.transpose(2, 0, 1) @ R_OPENSIM_WORLD


def plates_y(folder: Path, time: np.ndarray) -> list[float]:
    """Mean place of each plate's centre of pressure across, in the world [m]."""
    table = read_columns(folder / "squats1_grf.mot")
    return [-float(np.mean(table[f"ground_force_{plate}_pz"])) for plate in (1, 2)]


if __name__ == "__main__":
    main()
