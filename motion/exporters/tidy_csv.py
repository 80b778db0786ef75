"""Tidy tables: one row per frame and point, world axes, z up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from motion.body import body_of
from motion.markers import MARKERS, marker_positions
from records import Interaction
from records.atomic import write_text

JOINT_COLUMNS = ("frame", "t", "name", "x", "y", "z")
FORCE_COLUMNS = ("frame", "t", "contact", "px", "py", "pz", "fx", "fy", "fz", "mx", "my", "mz")


def export_csv(interaction: Interaction, folder: Path) -> list[Path]:
    """Write `joints.csv` (surface markers [m]) and `forces.csv` (on the person, at the point [m], [N], [N m])."""
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
    return [folder / "joints.csv", folder / "forces.csv"]


def _number(value: float) -> str:
    """Micrometres, microseconds, micronewtons: finer than any estimate."""
    return f"{value:.6f}"


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
