"""A small synthetic demonstration: the tool alone strikes the nail from above. It loads and runs fast."""

from __future__ import annotations

import pytest

from records import Demonstration
from sim.tasks.hammer import HammerTask


@pytest.fixture(scope="session")
def demonstration() -> Demonstration:
    """The hammer's own scripted stroke."""
    return HammerTask.scripted()
