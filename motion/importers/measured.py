"""Measured forces from files: OpenSim's ground reaction (.mot, .sto), arrays (.npz), tables (.csv)."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from motion.exporters.opensim_axes import R_OPENSIM_WORLD
from motion.importers.container import read_content
from motion.importers.motion_file_error import MotionFileError
from motion.importers.opensim_table import parse_columns, rate_of
from records import MeasuredForces

SIDES = {"l": "l_ankle", "r": "r_ankle", "left": "l_ankle", "right": "r_ankle"}
"""Contacts of plates that are called by the foot on them."""

_COLUMN = re.compile(r"^(?:(?P<before>.+)_)?ground_force_(?:(?P<after>.+)_)?vx$")
"""OpenSim's names: ground_force_vx, 1_ground_force_vx, ground_force_r_vx, l_ankle_ground_force_vx."""


class _Samples(NamedTuple):
    names: tuple[str, ...]
    time: Float[np.ndarray, "S"]
    force: Float[np.ndarray, "S C 3"]
    captured: Bool[np.ndarray, "S C"]


def read_measured(path: Path, *, num_frames: int, fps: float, start: float = 0.0) -> MeasuredForces:
    """Read measured forces and take their mean over each frame of a clip.

    Args:
        path: `.mot` or `.sto` of OpenSim's ground reaction (y up); `.npz` with `forces (T, C, 3 or more)` N, z up,
            `contact_names`, `fps`, and `uncaptured (T, C)` where contacts were missed; `.csv` with rows
            `t,contact,fx,fy,fz`, z up, as `apprentice export` writes them.
        num_frames: of the clip.
        fps: of the clip [1/s].
        start: when the clip begins, in the file's time [s].

    Raises:
        MotionFileError: another layout, or no sample while the clip lasts.
    """
    samples = _read(Path(path))
    if not len(samples.time) or not all(np.isfinite(part).all() for part in (samples.time, samples.force)):
        raise MotionFileError(f"{path}: no forces, or values that are not numbers; expected newtons over time")
    rate = rate_of(samples.time)
    wanted = start + np.arange(num_frames) / fps
    inside = (wanted >= samples.time[0] - 0.5 / rate) & (wanted <= samples.time[-1] + 0.5 / rate)
    if not inside.any():
        raise MotionFileError(
            f"{path}: measured from {samples.time[0]:.2f} to {samples.time[-1]:.2f} s, but the clip lasts from"
            f" {wanted[0]:.2f} to {wanted[-1]:.2f} s; say when it begins with --measured-start"
        )
    width = max(1, round(rate / fps))
    # A mean over the time of a frame, not a sample of it: plates ring at rates that a video does not see.
    edges = (width // 2, width - 1 - width // 2)
    padded = np.pad(samples.force, (edges, (0, 0), (0, 0)), mode="edge")
    mean = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(axis=-1)
    columns = mean.reshape(len(mean), -1).T
    force = np.stack([np.interp(wanted, samples.time, column) for column in columns], axis=1)
    nearest = np.clip(np.searchsorted(samples.time, wanted - 0.5 / rate), 0, len(samples.time) - 1)
    return MeasuredForces(
        names=samples.names,
        fps=fps,
        force=force.reshape(num_frames, -1, 3),
        captured=samples.captured[nearest] & inside[:, None],
    )


def _read(path: Path) -> _Samples:
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    content = read_content(path)
    if content.kind == "text":
        return _read_opensim(path, content.value)
    if content.kind == "npz":
        return _read_arrays(path, content.value)
    raise MotionFileError(f"{path}: no file of measured forces; expected .mot, .sto, .npz or .csv")


def _read_opensim(path: Path, lines: list[str]) -> _Samples:
    table = parse_columns(lines).columns
    found = {name: match for name in table if (match := _COLUMN.match(name))}
    if not found:
        raise MotionFileError(f"{path}: no column like ground_force_vx; expected OpenSim's ground reaction")
    names, forces = [], []
    for number, (column, match) in enumerate(found.items(), start=1):
        stated = match["before"] or match["after"] or str(number)
        names.append(SIDES.get(stated.lower(), f"plate {stated}" if stated.isdigit() else stated))
        axes = [f"{column[:-1]}{axis}" for axis in "xyz"]
        if not set(axes) <= table.keys():
            raise MotionFileError(f"{path}: {column} without the columns of y and z beside it")
        forces.append(np.stack([table[axis] for axis in axes], axis=1) @ R_OPENSIM_WORLD)
    force = np.stack(forces, axis=1)
    return _Samples(tuple(names), table["time"], force, np.ones(force.shape[:2], bool))


def _read_arrays(path: Path, content: dict[str, np.ndarray]) -> _Samples:
    try:
        force = np.asarray(content["forces"], float)[..., :3]
        names = tuple(str(name) for name in content["contact_names"].tolist())
        fps = float(content["fps"])
        missed = np.asarray(content.get("uncaptured", np.zeros(force.shape[:2])), bool)
    except (KeyError, TypeError, ValueError) as error:
        raise MotionFileError(f"{path}: expected arrays forces, contact_names and fps ({error})") from error
    if force.ndim != 3 or force.shape[1:] != (len(names), 3) or missed.shape != force.shape[:2] or not fps > 0:
        raise MotionFileError(f"{path}: forces {force.shape} of {len(names)} contacts at {fps} fps; expected (T, C, 3)")
    return _Samples(names, np.arange(len(force)) / fps, force, ~missed)


def _read_csv(path: Path) -> _Samples:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [
                (float(row["t"]), row["contact"], [float(row[axis]) for axis in ("fx", "fy", "fz")])
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise MotionFileError(f"{path}: expected a table with t, contact, fx, fy, fz ({error})") from error
    names = tuple(dict.fromkeys(name for _, name, _ in rows))
    times = sorted({t for t, _, _ in rows})
    force, captured = np.zeros((len(times), len(names), 3)), np.zeros((len(times), len(names)), bool)
    frames, columns = {t: n for n, t in enumerate(times)}, {name: c for c, name in enumerate(names)}
    for t, name, values in rows:
        place = frames[t], columns[name]
        force[place], captured[place] = values, True
    return _Samples(names, np.array(times), force, captured)
