"""Pickles read without running them: only arrays, tensors and plain containers are admitted, all by stand-ins.

A pickle is a program that may call anything it can name. Here it can name nothing but the table below; any other name
ends the reading. Files of joblib (raw array data between the pickle's own bytes) and tensors of torch are included.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

import numpy as np

from motion.importers.motion_file_error import MotionFileError
from motion.importers.pickled_arrays import (
    TORCH_TYPES,
    Inert,
    JoblibArray,
    PickledArray,
    PickledDtype,
    Source,
    Stand,
    TorchTensor,
    from_buffer,
    scalar,
)


class Name:
    """Something that a pickle may name but not call."""

    def __init__(self, name: str) -> None:
        self.name = name


def _plain_dict(*_: Any) -> dict:
    return {}


def _latin1(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise MotionFileError(f"text encoded as {encoding!r} is not admitted")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """`bytes()`: how protocols 0 to 2 write an empty string of bytes."""
    return b""


def _load_storage(data: bytes) -> Stand:
    from motion.importers.torch_file import legacy_storage

    return legacy_storage(data)


def _reconstructor(kind: Any, *_: Any) -> Any:
    """`copyreg._reconstructor`: how protocols 0 and 1 begin an object."""
    if isinstance(kind, type) and issubclass(kind, Stand):
        return kind()
    raise MotionFileError(f"refused to make {kind!r}")


def _parameter(data: Any, *_: Any) -> Any:
    return data


CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": _plain_dict,
    "builtins.set": set,
    "__builtin__.set": set,
    "_codecs.encode": _latin1,
    "__builtin__.bytes": _no_bytes,
    "copyreg._reconstructor": _reconstructor,
    "copy_reg._reconstructor": _reconstructor,
    "numpy.dtype": PickledDtype,
    "numpy.core.multiarray._reconstruct": PickledArray,
    "numpy._core.multiarray._reconstruct": PickledArray,
    "numpy.core.multiarray.scalar": scalar,
    "numpy._core.multiarray.scalar": scalar,
    "numpy.core.numeric._frombuffer": from_buffer,
    "numpy._core.numeric._frombuffer": from_buffer,
    "joblib.numpy_pickle.NumpyArrayWrapper": JoblibArray,
    "torch._utils._rebuild_tensor_v2": TorchTensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.storage._load_from_bytes": _load_storage,
    "chumpy.ch.Ch": Inert,
    "scipy.sparse.csc.csc_matrix": Inert,
    "scipy.sparse._csc.csc_matrix": Inert,
}
"""What a pickle may call, and what is called in its place."""

NAMES = {
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("dict", "list", "object")),
    "numpy.ndarray",
    *(f"torch.{name}" for name in TORCH_TYPES),
}
"""What a pickle may name as an argument."""


class _Restricted(pickle._Unpickler):
    """The unpickler of the standard library's Python code: it lets array data be read amid the pickle."""

    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: Source, storage: Callable[[Any], Stand] | None) -> None:
        # SMPL's model files are of Python 2, whose strings are bytes.
        super().__init__(file, encoding="latin1")
        self.file, self._storage = file, storage

    def find_class(self, module: str, name: str) -> Any:
        """Admit what the tables list."""
        full = f"{module}.{name}"
        if full in CALLS:
            return CALLS[full]
        if full in NAMES:
            return Name(name)
        raise MotionFileError(
            f"refused to load {full}: a motion file holds arrays, tensors and plain containers only;"
            " if you trust this file, save its arrays as .npz"
        )

    def persistent_load(self, pid: Any) -> Any:
        """Storages of torch files."""
        if self._storage is None:
            raise MotionFileError("refused to load a reference to data outside the file")
        return self._storage(pid)

    def get_extension(self, code: int) -> NoReturn:
        """Extension codes name classes by number."""
        raise MotionFileError(f"refused to load extension {code}")

    def load_build(self) -> None:
        """Give an object its state: only stand-ins take one. joblib's arrays are read where they stand."""
        state = self.stack.pop()
        top = self.stack[-1]
        if isinstance(top, OrderedDict):
            return
        if not isinstance(top, Stand):
            raise MotionFileError(f"refused to set the state of {type(top).__name__}")
        top.set_state(state)
        if isinstance(top, JoblibArray):
            self.stack[-1] = top.read(self.file, load_pickle)

    dispatch[pickle.BUILD[0]] = load_build


def load_pickle(file: Source) -> Any:
    """Read one pickle from an open file: dicts, lists, tuples, sets, numbers, text and numpy arrays.

    Args:
        file: at the start of the pickle; at its end afterwards.

    Raises:
        MotionFileError: it names anything else, or is damaged.
    """
    return plain(unpickle(file))


def unpickle(file: Source, storage: Callable[[Any], Stand] | None = None) -> Any:
    """Read one pickle, its arrays and tensors still stand-ins; `storage` finds what a torch file refers to.

    Raises:
        MotionFileError: it names anything else, or is damaged.
    """
    with _one_error():
        return _Restricted(file, storage).load()


def plain(value: Any) -> Any:
    """Replace stand-ins by what they stand for, everywhere.

    Raises:
        MotionFileError: an array that its data do not fill, or containers that hold themselves.
    """
    with _one_error():
        return _Plain().of(value)


@contextmanager
def _one_error() -> Iterator[None]:
    try:
        yield
    except MotionFileError:
        raise
    except (EOFError, struct.error) as error:
        raise MotionFileError("the file is cut short") from error
    except pickle.UnpicklingError as error:
        short = any(word in str(error) for word in ("truncated", "exhausted"))
        raise MotionFileError("the file is cut short" if short else f"not a readable pickle ({error})") from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise MotionFileError(f"not a readable pickle ({error})") from error
    except (RecursionError, MemoryError, AssertionError) as error:
        raise MotionFileError(f"not a readable pickle ({type(error).__name__})") from error


class _Plain:
    """A walk through containers that meets each object once, however often it is shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()

    def of(self, value: Any) -> Any:
        if not isinstance(value, (Stand, dict, list, tuple, np.ndarray)):
            return value
        key = id(value)
        if key in self._open:
            raise MotionFileError("a container that holds itself")
        if key not in self._done:
            self._open.add(key)
            # The original is kept beside its result, so that its id stays its own.
            self._done[key] = value, self._convert(value)
            self._open.remove(key)
        return self._done[key][1]

    def _convert(self, value: Any) -> Any:
        if isinstance(value, Inert):
            return self.of(value.attributes)
        if isinstance(value, Stand):
            standing = value.value()
            return standing if standing is value else self.of(standing)
        if isinstance(value, dict):
            return {self.of(key): self.of(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.of(item) for item in value)
        if value.dtype.hasobject:
            flat = np.empty(value.size, object)
            for n, item in enumerate(value.ravel()):
                flat[n] = self.of(item)
            return flat.reshape(value.shape)
        return value
