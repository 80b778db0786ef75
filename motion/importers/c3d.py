"""C3D files (c3d.org): markers of one person, z up by custom; read by `ezc3d`."""

from __future__ import annotations

import numpy as np

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.motion_file_error import MotionFileError
from motion.importers.opensim_table import METRES, MarkerTable
from motion.importers.optical import fit_table


class C3d:
    """Markers that `motion.importers.marker_sets` knows."""

    def recognises(self, content: Content) -> bool:
        """The header of a C3D file."""
        return content.kind == "c3d"

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The one person of the file."""
        return [fit_table(read_c3d(content), "0", options, "z")]


def read_c3d(content: Content) -> MarkerTable:
    """Markers of a C3D file, in the laboratory's axes.

    Raises:
        MotionFileError: ezc3d is not installed, or cannot read the file.
    """
    try:
        import ezc3d
    except ImportError as error:
        raise MotionFileError("C3D files are read by ezc3d: pip install 'apprentice[import]'") from error
    try:
        file = ezc3d.c3d(str(content.path))
        point = file["parameters"]["POINT"]
        names = tuple(str(name) for name in point["LABELS"]["value"])
        scale, fps = METRES[str(point["UNITS"]["value"][0]).strip().lower()], float(point["RATE"]["value"][0])
        values = np.asarray(file["data"]["points"], float)[:3].transpose(2, 1, 0)
    except (OSError, RuntimeError, ValueError, KeyError, IndexError) as error:
        raise MotionFileError(f"not a whole C3D file ({error})") from error
    if not len(values) or len(names) != values.shape[1] or not fps > 0:
        raise MotionFileError(f"{len(names)} labels, {values.shape[1]} markers, {len(values)} frames at {fps:g} 1/s")
    # Some programs write a marker that was not seen as the origin.
    values[(values == 0).all(axis=-1)] = np.nan
    return MarkerTable(names, scale * values, fps)
