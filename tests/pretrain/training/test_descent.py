import numpy as np
import pytest
import torch

from pretrain.training.descent import Descent
from pretrain.training.schedule import rate_at


@pytest.mark.parametrize(("steps", "warm_up", "rising"), [(8, 0.25, 2), (10, 0.0, 1), (3, 1.0, 3)])
def test_each_step_goes_down_by_the_rate_of_its_schedule(steps, warm_up, rising):
    """Of a weight whose gradient is 1, at a highest rate of 0.5."""
    weight = torch.nn.Parameter(torch.tensor(0.0))
    descent = Descent(torch.optim.SGD([weight], lr=0.5), steps=steps, warm_up=warm_up)
    found = []
    for _ in range(steps):
        assert descent.step(weight * 1.0) == pytest.approx(-sum(found))
        found.append(-float(weight.detach()) - sum(found))
    expected = [rate_at(step, steps=steps, warm_up=rising, peak=0.5) for step in range(steps)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[rising - 1] == pytest.approx(0.5)
