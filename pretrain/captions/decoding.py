"""Text of caption files in the encodings that they come in."""

from __future__ import annotations

from pathlib import Path

from pretrain.captions.sentence import CaptionError


def decoded(path: Path) -> str:
    """Text in UTF-8, in UTF-16 with its mark, or else in Windows' western encoding.

    Raises:
        CaptionError: not text.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise CaptionError("not a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
