"""Other people's motion, brought onto the body model: `import_motion(path)`, `interaction_of(track)`."""

from motion.importers.importer import IMPORTERS, ImportOptions, Track, import_motion
from motion.importers.interaction import interaction_of
from motion.importers.motion_file_error import MotionFileError

__all__ = ["IMPORTERS", "ImportOptions", "MotionFileError", "Track", "import_motion", "interaction_of"]
