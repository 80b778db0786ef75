"""What the rooms hand each other: a frozen, shape-checked, unit-bearing record, saved as one `.npz`.

A record declares its fields as dataclass fields. Array fields carry a jaxtyping annotation
(`Float[np.ndarray, "T K 2"]`) and a unit; every axis name means the same length everywhere in one record. All other
fields live in a JSON header.
Files are read with `allow_pickle=False` and written to a temporary file that is then renamed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import AbstractArray

from records.atomic import atomic_path

HEADER = "header"

R = typing.TypeVar("R", bound="Record")


class RecordError(ValueError):
    """A record is malformed: wrong shape, NaN, corrupt file, wrong type, or a version newer than this code."""


def array(unit: str, *, frame: str = "", optional: bool = False) -> Any:
    """Declare an array field with its unit and, where one matters, the frame that it is expressed in."""
    metadata = {"unit": unit, "frame": frame}
    if optional:
        return dataclasses.field(default=None, metadata=metadata)
    return dataclasses.field(metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Base of every record. Equality is by content; arrays are read-only; NaN and infinity are refused."""

    VERSION: ClassVar[int] = 1

    source: str = ""
    """Hash of what the record was made from; empty when it was not made by a stage of a run."""

    def __post_init__(self) -> None:
        """Convert arrays to their declared type, make them read-only and check every shape."""
        axes: dict[str, int] = {}
        for name, spec in _layout(type(self)).arrays.items():
            value = getattr(self, name)
            if value is None and spec.optional:
                continue
            checked = _checked(f"{type(self).__name__}.{name}", value, spec.annotation, axes)
            object.__setattr__(self, name, checked)
        for name, hint in _layout(type(self)).plain.items():
            object.__setattr__(self, name, _plain(f"{type(self).__name__}.{name}", getattr(self, name), hint))
        self.validate()

    def validate(self) -> None:
        """Raise `RecordError` where the fields contradict each other. Called once, at construction."""

    def __eq__(self, other: object) -> bool:
        """Two records are equal when their types and all their contents (but not their `source`) are."""
        return type(self) is type(other) and self.fingerprint() == other.fingerprint()

    def __hash__(self) -> int:
        """Consistent with equality."""
        return hash(self.fingerprint())

    def replace(self: R, **changes: Any) -> R:
        """Return a copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    def fingerprint(self) -> str:
        """SHA-256 of the content, `source` excluded: equal records have equal fingerprints."""
        arrays: dict[str, np.ndarray] = {}
        header = _pack(self, "", arrays)
        digest = hashlib.sha256(json.dumps(_without_source(header), sort_keys=True).encode())
        for key in sorted(arrays):
            value = arrays[key]
            digest.update(f"{key}{value.dtype.str}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def save(self, path: Path | str) -> Path:
        """Write to `path` (`.npz`) atomically. On any failure the file that was there stays as it was.

        Raises:
            RecordError: the disk is full or the folder cannot be written.
        """
        path = Path(path)
        arrays: dict[str, Any] = {}
        header = json.dumps(_pack(self, "", arrays), sort_keys=True)
        arrays[HEADER] = np.frombuffer(header.encode(), np.uint8)
        try:
            with atomic_path(path) as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, **arrays)
        except OSError as error:
            raise RecordError(f"cannot write {path}: {error.strerror or error}; what was there is intact") from error
        return path

    @classmethod
    def load(cls: type[R], path: Path | str) -> R:
        """Read a record of this type from `path`.

        Raises:
            RecordError: missing, corrupt or truncated file, another type of record, or a newer version.
        """
        path = Path(path)
        if not path.is_file():
            raise RecordError(f"{path}: no such file; expected a saved {cls.__name__}")
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            header = json.loads(arrays.pop(HEADER).tobytes())
        except KeyError as error:
            raise RecordError(f"{path}: not a record (it has no header); expected a saved {cls.__name__}") from error
        except Exception as error:  # zipfile, zlib, struct and tokenize errors of a damaged archive have no common base
            raise RecordError(
                f"{path}: corrupt or truncated file ({type(error).__name__}: {error}); make it again"
            ) from error
        if not isinstance(header, dict):
            raise RecordError(f"{path}: not a record (its header is a {type(header).__name__})")
        return _unpack(cls, header, "", arrays, path)


class _ArrayField(typing.NamedTuple):
    annotation: type[AbstractArray]
    optional: bool


class _Layout(typing.NamedTuple):
    arrays: dict[str, _ArrayField]
    plain: dict[str, Any]


_LAYOUTS: dict[type, _Layout] = {}


def _layout(cls: type[Record]) -> _Layout:
    """Sort the fields of a record type into arrays and plain values; looked up once per type."""
    if cls not in _LAYOUTS:
        hints = typing.get_type_hints(cls)
        layout = _Layout({}, {})
        for field in dataclasses.fields(cls):
            choices = _members(hints[field.name])
            annotation = next((c for c in choices if isinstance(c, type) and issubclass(c, AbstractArray)), None)
            if annotation is None:
                layout.plain[field.name] = hints[field.name]
            else:
                layout.arrays[field.name] = _ArrayField(annotation, type(None) in choices)
        _LAYOUTS[cls] = layout
    return _LAYOUTS[cls]


def _members(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _record_type(hint: Any) -> type[Record] | None:
    return next((c for c in _members(hint) if isinstance(c, type) and issubclass(c, Record)), None)


def _checked(name: str, value: Any, annotation: type[AbstractArray], axes: dict[str, int]) -> np.ndarray:
    """Return `value` as a read-only array of the annotated type and shape, binding its axis names in `axes`."""
    kinds = annotation.dtypes
    try:
        result: np.ndarray = np.array(value, dtype=_dtype(kinds), order="C")
    except (TypeError, ValueError) as error:
        raise RecordError(f"{name}: cannot be read as an array of {annotation.dim_str!r} ({error})") from error
    expected = annotation.dim_str.split()
    fits = len(expected) == result.ndim
    for axis, length in zip(expected, result.shape, strict=False):
        if axis.isdigit():
            fits &= int(axis) == length
        elif axis != "_":
            fits &= axes.setdefault(axis, length) == length
    if not fits:
        bound = ", ".join(f"{axis}={length}" for axis, length in axes.items())
        raise RecordError(
            f"{name}: shape {result.shape} does not fit ({', '.join(expected)}) with {bound or 'no axes'}"
        )
    if result.dtype.kind == "f" and not np.isfinite(result).all():
        bad = np.argwhere(~np.isfinite(result))[0]
        raise RecordError(
            f"{name}: not finite at index {tuple(int(i) for i in bad)}; mark gaps by confidence 0, not NaN"
        )
    result.setflags(write=False)
    return result


def _dtype(kinds: Any) -> type:
    names = [str(k) for k in kinds]
    if any("float" in n for n in names):
        return np.float64
    if names == ["uint8"]:
        return np.uint8
    if any("bool" in n for n in names):
        return np.bool_
    return np.int64


def _plain(name: str, value: Any, hint: Any) -> Any:
    """Check a header field and bring it into its immutable form."""
    if value is None:
        if type(None) in _members(hint):
            return None
        raise RecordError(f"{name}: missing")
    record = _record_type(hint)
    if record is not None:
        if not isinstance(value, record):
            raise RecordError(f"{name}: expected a {record.__name__}, not {type(value).__name__}")
        return value
    target = next(c for c in _members(hint) if c is not type(None))
    origin = typing.get_origin(target) or target
    try:
        if origin is tuple:
            arguments = typing.get_args(target)
            items = list(value)
            if isinstance(value, str) or (Ellipsis not in arguments and len(items) != len(arguments)):
                raise TypeError(f"expected {target}")
            kinds = [arguments[0]] * len(items) if Ellipsis in arguments else arguments
            return tuple(_scalar(item, kind) for item, kind in zip(items, kinds, strict=True))
        if origin in (dict, Mapping):
            kind = typing.get_args(target)[1]
            return types.MappingProxyType({str(k): _scalar(v, kind) for k, v in dict(value).items()})
        return _scalar(value, target)
    except (TypeError, ValueError) as error:
        raise RecordError(f"{name}: {value!r} is not {target} ({error})") from error


def _scalar(value: Any, kind: Any) -> Any:
    if kind is str:
        if not isinstance(value, (str, Path)):
            raise TypeError("expected text")
        return str(value)
    if kind is bool:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError("expected true or false")
        return bool(value)
    if kind is int:
        if int(value) != value:
            raise ValueError("expected a whole number")
        return int(value)
    if kind is float:
        if not np.isfinite(float(value)):
            raise ValueError("expected a finite number")
        return float(value)
    raise TypeError(f"a record cannot hold a {kind}")


def _pack(record: Record, prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the JSON header of `record`, adding its arrays (nested records under `field/`) to `arrays`."""
    cls = type(record)
    header: dict[str, Any] = {"type": cls.__name__, "version": cls.VERSION, "units": {}, "frames": {}, "fields": {}}
    metadata = {f.name: f.metadata for f in dataclasses.fields(record)}
    for name in _layout(cls).arrays:
        value = getattr(record, name)
        if value is not None:
            arrays[prefix + name] = value
            header["units"][name] = metadata[name].get("unit", "")
            if metadata[name].get("frame"):
                header["frames"][name] = metadata[name]["frame"]
    for name in _layout(cls).plain:
        value = getattr(record, name)
        if isinstance(value, Record):
            value = _pack(value, f"{prefix}{name}/", arrays)
        elif isinstance(value, Mapping):
            value = dict(value)
        header["fields"][name] = value
    return header


def _unpack(cls: type[R], header: Mapping[str, Any], prefix: str, arrays: Mapping[str, np.ndarray], path: Path) -> R:
    for key in ("type", "version", "fields"):
        if key not in header:
            raise RecordError(f"{path}: not a record (its header has no {key!r})")
    if header["type"] != cls.__name__:
        raise RecordError(f"{path}: holds a {header['type']}, expected a {cls.__name__}")
    if not isinstance(header["version"], int) or header["version"] > cls.VERSION:
        raise RecordError(
            f"{path}: {cls.__name__} version {header['version']} is newer than this program's {cls.VERSION};"
            " update apprentice"
        )
    values: dict[str, Any] = {}
    for name, spec in _layout(cls).arrays.items():
        if prefix + name in arrays:
            values[name] = arrays[prefix + name]
        elif not spec.optional:
            raise RecordError(f"{path}: the array {prefix + name!r} is missing; make the file again")
    for name, hint in _layout(cls).plain.items():
        if name not in header["fields"]:
            continue
        value, record = header["fields"][name], _record_type(hint)
        if record is not None and value is not None:
            value = _unpack(record, value, f"{prefix}{name}/", arrays, path)
        values[name] = value
    try:
        return cls(**values)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
    except TypeError as error:
        raise RecordError(f"{path}: incomplete {cls.__name__} ({error})") from error


def _without_source(header: Any) -> Any:
    if isinstance(header, dict):
        return {key: _without_source(value) for key, value in header.items() if key != "source"}
    return header


def array_names(cls: type[Record]) -> Iterator[str]:
    """Names of the array fields of a record type, in order of declaration."""
    return iter(_layout(cls).arrays)
