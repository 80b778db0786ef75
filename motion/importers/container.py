"""What a file holds, whatever its name: arrays, a pickle, text or C3D, told apart by its first bytes."""

from __future__ import annotations

import ast
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from motion.importers.motion_file_error import MotionFileError
from motion.importers.restricted import load_pickle
from motion.importers.torch_file import LEGACY_MAGIC, load_legacy, load_torch

Kind = Literal["npz", "torch", "pickle", "text", "c3d"]

LARGEST = 2**32
"""Bytes that a compressed file may grow to: about 100 hours of one person."""

C3D_KEY = 0x50
"""Second byte of every C3D file (C3D.org user guide, header section)."""

PICKLE_STARTS = (b"\x80", b"(dp", b"(lp", b"}q", b"]q", b"ccollections", b"cnumpy", b"ccopy_reg")
"""Protocol 2 and later begin with one byte; 0 and 1 with the first object: a dict, a list or an array."""


@dataclass(frozen=True)
class Content:
    """A file that has been read as far as its container goes."""

    path: Path
    kind: Kind
    value: Any
    """`npz`: dict of arrays; `torch`, `pickle`: the object; `text`: list of lines; `c3d`: None, to be read by path."""


def read_content(path: Path | str) -> Content:
    """Read a motion file without running anything that it holds.

    Raises:
        MotionFileError: missing, empty, damaged, of an unknown kind, or holding what is not admitted.
    """
    path = Path(path)
    if not path.is_file():
        raise MotionFileError(f"{path}: no such file; expected a motion file")
    with open(path, "rb") as file:
        head = file.read(4096)
    try:
        return _read(path, head)
    except MotionFileError as error:
        text = str(error)
        raise MotionFileError(text if str(path) in text else f"{path}: {text}") from error
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError) as error:
        raise MotionFileError(f"{path}: damaged or cut short ({error}); make the file again") from error


def _read(path: Path, head: bytes) -> Content:
    if not head:
        raise MotionFileError("the file is empty")
    if head.startswith(b"PK"):
        return _read_zip(path)
    if head.startswith(b"\x93NUMPY"):
        return Content(path, "pickle", _read_npy(path))
    if head[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b"):
        return Content(path, "pickle", load_pickle(io.BytesIO(_inflated(path))))
    if len(head) > 1 and head[1] == C3D_KEY and 2 <= head[0] < 128:
        return Content(path, "c3d", None)
    if head.startswith(PICKLE_STARTS):
        return _read_pickle(path)
    try:
        return Content(path, "text", path.read_text(encoding="utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise MotionFileError("neither a known binary format nor text") from error


def _read_zip(path: Path) -> Content:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith("/data.pkl") for name in names):
        return Content(path, "torch", load_torch(path))
    if not any(name.endswith(".npy") for name in names):
        raise MotionFileError("a zip file without arrays; expected .npz or a file of torch.save")
    with np.load(path, allow_pickle=False) as file:
        arrays = {}
        for key in file.files:
            try:
                arrays[key] = file[key]
            except ValueError as error:
                if "Object arrays" not in str(error):
                    raise
                with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as member:
                    arrays[key] = _npy(io.BytesIO(member.read()))
    return Content(path, "npz", arrays)


def _read_npy(path: Path) -> Any:
    with open(path, "rb") as file:
        return _npy(io.BytesIO(file.read()))


def _npy(file: io.BytesIO) -> Any:
    """An array, or the object that `numpy.save` pickled."""
    version = np.lib.format.read_magic(file)
    length = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    try:
        header = ast.literal_eval(file.read(length).decode("utf-8" if version >= (3, 0) else "latin1"))
        described = header["descr"]
    except (SyntaxError, LookupError, TypeError) as error:
        raise MotionFileError(f"the array has no readable header ({error})") from error
    if described != "|O":
        file.seek(0)
        return np.load(file, allow_pickle=False)
    value = load_pickle(file)
    return value.item() if isinstance(value, np.ndarray) and value.shape == () else value


def _read_pickle(path: Path) -> Content:
    with open(path, "rb") as file:
        value = load_pickle(file)
        if value == LEGACY_MAGIC and isinstance(value, int):
            file.seek(0)
            return Content(path, "torch", load_legacy(file.read()))
    return Content(path, "pickle", value)


def _inflated(path: Path) -> bytes:
    """Bytes of a zlib or gzip file."""
    stream = zlib.decompressobj(wbits=47)  # 32 + 15: either header
    data = stream.decompress(path.read_bytes(), LARGEST)
    if stream.unconsumed_tail:
        raise MotionFileError(f"grows beyond {LARGEST} bytes when it is unpacked")
    if not stream.eof:
        raise MotionFileError("the file is cut short")
    return data
