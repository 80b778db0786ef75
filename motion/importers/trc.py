"""OpenSim marker files (.trc): metres, centimetres or millimetres, y up by custom."""

from __future__ import annotations

from motion.importers.container import Content
from motion.importers.importer import ImportOptions, Track
from motion.importers.opensim_table import parse_trc
from motion.importers.optical import fit_table


class Trc:
    """Markers that `motion.importers.marker_sets` knows, or those of our own export."""

    def recognises(self, content: Content) -> bool:
        """The first line of every .trc file."""
        return content.kind == "text" and bool(content.value) and content.value[0].startswith("PathFileType")

    def read(self, content: Content, options: ImportOptions) -> list[Track]:
        """The one person of the file."""
        return [fit_table(parse_trc(content.value), "0", options, "y")]
