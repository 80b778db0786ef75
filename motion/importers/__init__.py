"""Other people's motion, brought onto the body model by `import_motion`; forces by `interaction.interaction_of`."""

from motion.importers.importer import IMPORTERS, ImportOptions, Track, import_motion
from motion.importers.motion_file_error import MotionFileError

__all__ = ["IMPORTERS", "ImportOptions", "MotionFileError", "Track", "import_motion"]
