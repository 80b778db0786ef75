"""Files of `torch.save` read without torch: a restricted pickle and the raw elements of its tensors."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from motion.importers.motion_file_error import MotionFileError
from motion.importers.pickled_arrays import TORCH_TYPES, TorchStorage
from motion.importers.restricted import Name, load_pickle, plain, unpickle

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First object of a file in torch's format before 1.6, which is also how tensors are pickled one by one."""


def load_torch(path: Path) -> Any:
    """Read a zip file of `torch.save`; tensors become arrays.

    Raises:
        MotionFileError: damaged, or it holds more than tensors and plain containers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = next(name for name in archive.namelist() if name.endswith("/data.pkl")).removesuffix("data.pkl")
            order = f"{root}byteorder"
            if order in archive.namelist() and archive.read(order) != b"little":
                raise MotionFileError(f"{path}: written on a big-endian machine; save it on a little-endian one")

            def storage(pid: Any) -> TorchStorage:
                kept, key, _ = _storage(pid)
                kept.fill(archive.read(f"{root}data/{key}"))
                return kept

            return plain(unpickle(io.BytesIO(archive.read(f"{root}data.pkl")), storage))
    except (zipfile.BadZipFile, StopIteration, KeyError, OSError) as error:
        raise MotionFileError(f"{path}: not a whole file of torch.save ({error})") from error


def load_legacy(data: bytes) -> Any:
    """Read torch's format before 1.6: pickles of magic number, version, system, object and keys, then raw storages.

    Raises:
        MotionFileError: damaged, or it holds more than tensors and plain containers.
    """
    file, storages = io.BytesIO(data), dict[str, TorchStorage]()

    def storage(pid: Any) -> TorchStorage:
        kept, key, _ = _storage(pid)
        return storages.setdefault(key, kept)

    if load_pickle(file) != LEGACY_MAGIC:
        raise MotionFileError("not a file of torch.save")
    for _ in ("protocol version", "system"):
        load_pickle(file)
    value = unpickle(file, storage)
    for key in load_pickle(file):
        if key not in storages:
            raise MotionFileError("a tensor's data without the tensor")
        kept, count = storages[key], int.from_bytes(file.read(8), "little")
        kept.fill(file.read(count * kept.dtype.itemsize))
        if len(kept.elements) != count:
            raise MotionFileError("a tensor's data are cut short")
    return plain(value)


def legacy_storage(data: bytes) -> TorchStorage:
    """One storage in torch's format before 1.6: how a tensor inside a plain pickle keeps its elements."""
    value = load_legacy(data)
    if not isinstance(value, TorchStorage):
        raise MotionFileError("expected the storage of a tensor")
    return value


def _storage(pid: Any) -> tuple[TorchStorage, str, int]:
    kind = pid[1] if isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" else None
    if not isinstance(kind, Name) or kind.name not in TORCH_TYPES:
        raise MotionFileError(f"refused to load {getattr(kind, 'name', pid)!r} from a torch file")
    return TorchStorage(TORCH_TYPES[kind.name]), str(pid[2]), int(pid[4])
