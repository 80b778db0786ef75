"""Tidy tables: one row per frame and point, world axes, z up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from motion.body import body_of
from motion.markers import MARKERS, marker_positions
from records import Interaction
from records.atomic import write_text

JOINT_COLUMNS = ("frame", "t", "name", "x", "y", "z")
SIGMA_COLUMNS = (*JOINT_COLUMNS[:3], "sx", "sy", "sz")
FORCE_SIGMA_COLUMNS = (*JOINT_COLUMNS[:2], "contact", "sfx", "sfy", "sfz")
FORCE_COLUMNS = ("frame", "t", "contact", "px", "py", "pz", "fx", "fy", "fz", "mx", "my", "mz")


def export_csv(interaction: Interaction, folder: Path) -> list[Path]:
    """Write `joints.csv` (surface markers [m]) and `forces.csv` (on the person, at the point [m], [N], [N m]).

    Where the estimate says how well it is known, also `joints_sigma.csv` [m] and `forces_sigma.csv` [N]: standard
    deviations, same keys, one row per frame and point.
    """
    person, forces = interaction.person, interaction.forces
    joints = marker_positions(body_of(person), person.q)
    rows = (
        (t, _number(t / person.fps), name, *map(_number, joints[t, n]))
        for t in range(len(joints))
        for n, name in enumerate(MARKERS)
    )
    wrenches = (
        (t, _number(t / forces.fps), name, *map(_number, (*forces.point[t, c], *forces.wrench[t, c])))
        for t in range(len(forces.point))
        for c, name in enumerate(forces.names)
    )
    _write(folder / "joints.csv", JOINT_COLUMNS, rows)
    _write(folder / "forces.csv", FORCE_COLUMNS, wrenches)
    written = [folder / "joints.csv", folder / "forces.csv"]
    tables: dict[str, tuple[tuple[str, ...], tuple[str, ...], np.ndarray | None]] = {
        "joints_sigma.csv": (SIGMA_COLUMNS, (), None),
        "forces_sigma.csv": (FORCE_SIGMA_COLUMNS, (), None),
    }
    known = interaction.uncertainty
    if known is not None:
        tables["joints_sigma.csv"] = (SIGMA_COLUMNS, known.joint_names, known.joints)
        tables["forces_sigma.csv"] = (FORCE_SIGMA_COLUMNS, known.contact_names, known.forces)
    for file, (columns, names, covariance) in tables.items():
        if covariance is None:
            # One of an earlier export would seem to belong to these numbers.
            (folder / file).unlink(missing_ok=True)
            continue
        _write(folder / file, columns, _deviations(covariance, names, person.fps))
        written.append(folder / file)
    return written


def _deviations(covariance: np.ndarray, names: tuple[str, ...], fps: float) -> Iterator[tuple[object, ...]]:
    sigma = np.sqrt(np.einsum("tnii->tni", covariance))
    for t in range(len(sigma)):
        for n, name in enumerate(names):
            yield (t, _number(t / fps), name, *map(_number, sigma[t, n]))


def _number(value: float) -> str:
    """Micrometres, microseconds, micronewtons: finer than any estimate."""
    return f"{value:.6f}"


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
