"""The one error of importers."""

from __future__ import annotations


class MotionFileError(ValueError):
    """A motion file is missing, damaged, of an unknown or another format, or holds what must not be loaded."""
