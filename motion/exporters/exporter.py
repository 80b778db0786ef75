"""The table of export formats and the one function that writes any of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from records import Entry, Interaction, Registry

Exporter = Callable[..., list[Path]]
"""Writes an interaction into a folder, each file atomically, and returns the files."""

EXPORTERS = Registry(
    "export format",
    {
        "csv": Entry("motion.exporters.tidy_csv:export_csv", "joints.csv and forces.csv; metres, newtons, z up"),
        "trc": Entry("motion.exporters.trc:export_trc", "OpenSim markers, joints.trc; metres, y up"),
        "mot": Entry("motion.exporters.mot:export_mot", "OpenSim external forces, forces.mot; newtons, y up"),
        "amass": Entry("motion.exporters.amass:export_amass", "AMASS motion.npz: SMPL-H axis-angle poses, z up"),
        "lerobot": Entry("motion.exporters.lerobot:export_lerobot", "LeRobotDataset v3.0, one episode"),
    },
)


class ExportError(OSError):
    """The export cannot be written."""


def export(
    interaction: Interaction, format: str, folder: Path | str, *, body_model: Path | str | None = None
) -> list[Path]:
    """Write an interaction into `folder` (made as needed) and return the files written.

    Args:
        interaction: what to write.
        format: name in `EXPORTERS`.
        folder: where.
        body_model: SMPL, SMPL-H or SMPL-X model file, for `amass`: the person's shape, and the mesh.

    Raises:
        UnknownName: no such format; the message lists the formats.
        ExportError: the folder cannot be written.
    """
    write: Exporter = EXPORTERS.load(format)
    if body_model is not None:
        if format != "amass":
            raise ExportError(f"a body model is of use for the format amass only, not for {format}")
        write = partial(write, body_model=Path(body_model))
    try:
        return write(interaction, Path(folder))
    except OSError as error:
        raise ExportError(f"cannot write {format} into {folder}: {error.strerror or error}") from error
