"""A network without its unwanted outputs."""

from __future__ import annotations

import numpy as np
import pytest

from perception.detectors.pose_models import packaged_task
from perception.detectors.pruning import pruned

Interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter


def outputs_of(content: bytes, image: np.ndarray) -> dict[int, np.ndarray]:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return {one["index"]: interpreter.get_tensor(one["index"]).copy() for one in interpreter.get_output_details()}


def operators_of(content: bytes) -> int:
    from ai_edge_litert.schema_py_generated import Model

    return int(Model.GetRootAs(bytearray(content), 0).Subgraphs(0).OperatorsLength())


def test_what_is_left_is_the_same_to_the_last_bit_and_only_the_mask_is_gone():
    content = packaged_task().landmarks
    image = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    whole = outputs_of(content, image)
    wanted = [index for index, value in whole.items() if value.shape != (1, 256, 256, 1)]
    assert len(wanted) == len(whole) - 1
    without = pruned(content, tuple(wanted))
    found = outputs_of(without, image)
    assert list(found) == wanted
    for index in wanted:
        np.testing.assert_array_equal(found[index], whole[index])
    assert len(without) == len(content)
    assert operators_of(without) < operators_of(content)
    assert operators_of(pruned(content, tuple(wanted[:1]))) < operators_of(without), (
        "what only the others need is gone too"
    )


def test_all_outputs_keep_all_that_leads_to_them():
    content = packaged_task().landmarks
    whole = outputs_of(content, np.zeros((1, 256, 256, 3), np.float32))
    assert pruned(content, tuple(whole)) == content
