"""Stand-ins for what pickles of numpy and torch name: plain data that is checked before an array is made of it.

The real classes are not used, as their pickled state can describe memory that is not there (`numpy.dtype` with object
fields over raw bytes).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from motion.importers.motion_file_error import MotionFileError

Source = io.BytesIO | io.BufferedReader
"""Files that pickles are read from."""

PLAIN_KINDS = "biufcSU"
"""Kinds of numpy types whose values are bytes alone: booleans, numbers, strings."""

TORCH_TYPES = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4",
    "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
"""Storage classes of torch and the numpy types of their elements."""

MOST_ELEMENTS = 2**28
"""Largest tensor that is made of repeated data [1]: a file of a few bytes must not fill the memory."""


class Stand:
    """An object of a pickle whose state has been set; `value` is what takes its place in the result."""

    def set_state(self, state: Any) -> None:
        """Take the state that the pickle gives; an object that has none refuses it."""
        raise MotionFileError(f"{type(self).__name__} with a state is not admitted")

    def value(self) -> Any:
        """Make the array, or whatever the object stands for."""
        return self


class PickledDtype(Stand):
    """`numpy.dtype`: plain kinds and `O`, no fields, no sub-arrays, no metadata."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or code[:1] not in PLAIN_KINDS + "O":
            raise MotionFileError(f"numpy type {code!r} is not admitted; expected numbers, booleans or strings")
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        """Take the byte order; anything that goes beyond it is refused."""
        _, order, subtype, names, fields, *_ = state
        if any(part is not None for part in (subtype, names, fields)):
            raise MotionFileError("numpy types with fields are not admitted; expected numbers, booleans or strings")
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)

    def value(self) -> np.dtype:
        """The type."""
        return self.dtype


class PickledArray(Stand):
    """`numpy.ndarray` as `_reconstruct` begins it and its state completes it."""

    def __init__(self, *_: Any) -> None:
        self._array: np.ndarray | None = None

    def set_state(self, state: Any) -> None:
        """Take (version, shape, type, Fortran order, bytes or list of objects)."""
        *_, shape, dtype, fortran, data = state
        self._array = filled(shape, element_type(dtype), data, "F" if fortran else "C")

    def value(self) -> np.ndarray:
        """The array."""
        if self._array is None:
            raise MotionFileError("an array without contents")
        return self._array


class JoblibArray(Stand):
    """`joblib.numpy_pickle.NumpyArrayWrapper`: says what the raw bytes that follow it in the file are."""

    def __init__(self, *_: Any) -> None:
        self.state: dict[str, Any] = {}

    def set_state(self, state: Any) -> None:
        """Take shape, order, dtype, numpy_array_alignment_bytes."""
        self.state = dict(state)

    def read(self, file: Source, load: Callable[[Source], Any]) -> np.ndarray:
        """Read the array that follows; `load` reads a nested pickle."""
        shape, dtype = self.state["shape"], element_type(self.state["dtype"])
        if dtype.hasobject:
            array = load(file)
            return np.asarray(array, dtype=object)
        if self.state.get("numpy_array_alignment_bytes") is not None:
            file.read(file.read(1)[0])
        size = math.prod(shape) * dtype.itemsize
        return filled(shape, dtype, file.read(size), str(self.state["order"]))


class Inert(Stand):
    """An object of a foreign class that is kept as its bare attributes (chumpy arrays, sparse matrices)."""

    def __init__(self, *_: Any) -> None:
        self.attributes: dict[str, Any] = {}

    def set_state(self, state: Any) -> None:
        """Take the attributes."""
        self.attributes = dict(state[0] if isinstance(state, tuple) else state)


class TorchStorage(Stand):
    """The elements of torch tensors; filled when the file's data are known."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)
        self.elements = np.zeros(0, self.dtype)

    def fill(self, data: bytes) -> None:
        """Take the raw bytes."""
        if len(data) % self.dtype.itemsize:
            raise MotionFileError("a tensor's data are cut short")
        self.elements = np.frombuffer(data, self.dtype.newbyteorder("<")).astype(self.dtype)


class TorchTensor(Stand):
    """A view into a storage (`torch._utils._rebuild_tensor_v2`)."""

    def __init__(self, storage: Any, offset: int, size: Any, stride: Any, *_: Any) -> None:
        if not isinstance(storage, TorchStorage):
            raise MotionFileError("a tensor without a storage")
        self.storage, self.offset, self.size, self.stride = storage, int(offset), tuple(size), tuple(stride)

    def set_state(self, state: Any) -> None:
        """Nothing but data is kept of a tensor."""

    def value(self) -> np.ndarray:
        """The tensor as an array."""
        elements, whole = self.storage.elements, (*self.size, *self.stride, self.offset)
        if any(not isinstance(n, int) or n < 0 for n in whole) or len(self.size) != len(self.stride):
            raise MotionFileError("a tensor of impossible shape")
        if math.prod(self.size) == 0:
            return np.zeros(self.size, elements.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if last >= len(elements) or math.prod(self.size) > MOST_ELEMENTS:
            raise MotionFileError("a tensor reaches beyond its data; the file is cut short")
        size = elements.itemsize
        strides = [step * size for step in self.stride]
        return np.ndarray(self.size, elements.dtype, elements, self.offset * size, strides).copy()


def element_type(dtype: Any) -> np.dtype:
    """The admitted numpy type that a pickle gives."""
    if isinstance(dtype, PickledDtype):
        return dtype.dtype
    raise MotionFileError(f"an array of {dtype!r}; expected a numpy type")


def filled(shape: Any, dtype: np.dtype, data: Any, order: str) -> np.ndarray:
    """Array of given shape and type from its bytes, or from a list of objects."""
    if not isinstance(shape, tuple) or any(not isinstance(n, int) or n < 0 for n in shape) or order not in "CF":
        raise MotionFileError(f"an array of impossible shape {shape!r}")
    if dtype.hasobject:
        if not isinstance(data, list) or len(data) != math.prod(shape):
            raise MotionFileError("an array of objects without its objects")
        array = np.empty(len(data), object)
        array[:] = data
        return array.reshape(shape, order="F" if order == "F" else "C")
    if isinstance(data, str):  # Python 2 wrote bytes as text
        data = data.encode("latin1")
    if not isinstance(data, (bytes, bytearray)) or len(data) != math.prod(shape) * dtype.itemsize:
        raise MotionFileError("an array's data are cut short")
    plain = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    return plain.reshape(shape[::-1]).T if order == "F" else plain.reshape(shape)


def scalar(dtype: Any, data: Any) -> Any:
    """`numpy._core.multiarray.scalar`."""
    return filled((), element_type(dtype), data, "C")[()]


def from_buffer(data: Any, dtype: Any, shape: Any, order: str, *_: Any) -> np.ndarray:
    """`numpy._core.numeric._frombuffer`: arrays of pickle protocol 5."""
    return filled(shape, element_type(dtype), bytes(data), order)
