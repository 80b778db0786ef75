"""The JSON file that says what a folder of files is: written last, read first, of a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class NoteError(ValueError):
    """A note that is damaged, or of another version; the message names the file and what to do."""


def read_note(path: Path, version: int, *, remedy: str) -> dict[str, Any]:
    """The note of a folder, a JSON object whose `version` is the one that is read here.

    Args:
        path: the file; that it exists has been seen to.
        version: the only one that is understood.
        remedy: what to do where the note is of no use.

    Raises:
        NoteError: unreadable, not such an object, or of another version.
    """
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        found = note["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoteError(f"{path}: damaged ({type(error).__name__}: {error}); {remedy}") from error
    if found != version:
        raise NoteError(f"{path}: version {found}, this program reads {version}; update apprentice, or {remedy}")
    return dict(note)
