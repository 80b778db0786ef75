"""A network without the parts that nobody asks for: LiteRT computes every output of a model, wanted or not.

Operators are taken off the list of a `.tflite` file, a FlatBuffer, in place; what stays is computed as before, to the
last bit. (BlazePose's mask of the person is a third of the work of its smaller network.)
"""

from __future__ import annotations

import functools
import struct
from typing import Any

_OUTPUTS, _OPERATORS = 8, 10
"""Slots of a subgraph's table for the numbers of its output tensors and for its operators (TensorFlow Lite schema)."""

_WORD = 4
"""Bytes of a number, an offset or a length."""


@functools.lru_cache(maxsize=4)
def pruned(content: bytes, outputs: tuple[int, ...]) -> bytes:
    """Leave of a valid `.tflite` model with one subgraph what leads to some of its outputs, in their order in it.

    Args:
        content: the model.
        outputs: numbers of the output tensors that are wanted.
    """
    from ai_edge_litert.schema_py_generated import Model

    changed = bytearray(content)
    graph = Model.GetRootAs(changed, 0).Subgraphs(0)
    wanted = set(outputs)
    kept = [tensor for tensor in map(graph.Outputs, range(graph.OutputsLength())) if tensor in wanted]
    operators = []
    needed = set(kept)
    for number in reversed(range(graph.OperatorsLength())):
        operator = graph.Operators(number)
        if needed.intersection(map(operator.Outputs, range(operator.OutputsLength()))):
            needed.update(map(operator.Inputs, range(operator.InputsLength())))
            operators.append(operator._tab.Pos)
    start = _vector(graph, _OUTPUTS)
    struct.pack_into(f"<I{len(kept)}i", changed, start - _WORD, len(kept), *kept)
    start = _vector(graph, _OPERATORS)
    places = range(start, start + _WORD * len(operators), _WORD)
    offsets = [position - place for position, place in zip(reversed(operators), places, strict=True)]
    struct.pack_into(f"<I{len(offsets)}I", changed, start - _WORD, len(offsets), *offsets)
    return bytes(changed)


def _vector(table: Any, slot: int) -> int:
    """Byte at which a vector of a table begins; its length stands before it."""
    return int(table._tab.Vector(table._tab.Offset(slot)))
