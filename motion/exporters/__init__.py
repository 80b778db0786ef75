"""Motion and forces in the formats of other people's programs: `export(interaction, format, folder)`."""

from motion.exporters.exporter import EXPORTERS, ExportError, export

__all__ = ["EXPORTERS", "ExportError", "export"]
