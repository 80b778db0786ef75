"""Networks of `.tflite` files in LiteRT, on one thread each."""

from __future__ import annotations

from typing import Any

from perception.detectors.detector import DetectionError
from perception.detectors.quiet import quiet


def interpreter(content: bytes, name: str) -> Any:
    """Load a network, ready to run on one thread; `name` is how errors call it.

    Raises:
        DetectionError: LiteRT is not installed, or cannot run the model.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DetectionError(f"LiteRT is not installed ({error}); `make test` installs it") from error
    try:
        with quiet():
            network = Interpreter(model_content=content, num_threads=1)
            network.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DetectionError(f"{name}: LiteRT cannot run this model ({reason})") from error
    return network
