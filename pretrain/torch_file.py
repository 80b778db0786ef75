"""Files that torch has written, read without running anything that they hold."""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import torch

_REFUSED = re.compile(r"Unsupported \w+: GLOBAL (\S+)")
"""How torch names what it does not build."""


class TorchFileError(ValueError):
    """A file that is none of torch's, or damaged; the message is the reason alone."""


def read_torch(path: Path) -> Any:
    """What a file holds, tensors on the processor.

    Raises:
        TorchFileError: not there, damaged, of another kind, or with more in it than tensors and plain values.
    """
    try:
        return torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # torch's own words advise to run what the file holds
        refused = _REFUSED.search(str(error))
        raise TorchFileError(
            f"it holds {refused[1]}; only tensors and plain values are read" if refused else "damaged, or not torch's"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise TorchFileError(reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """The first line of an error's text; its kind where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
