from __future__ import annotations

import pytest
from strokes import hammer_stroke

from records import Demonstration
from sim.align import Alignment, align
from sim.retarget import Retargeted, retarget


@pytest.fixture(scope="session")
def alignment() -> Alignment:
    """A clean stroke in the hammer's scene."""
    return align(hammer_stroke(), "hammer", seed=0)


@pytest.fixture(scope="session")
def aligned(alignment) -> Demonstration:
    return alignment.demonstration


@pytest.fixture(scope="session")
def retargeted(aligned) -> Retargeted:
    """The same, followed by a Panda."""
    return retarget(aligned, "panda", seed=0)


@pytest.fixture(scope="session", params=["tool", "panda"])
def demonstration(request, aligned, retargeted) -> Demonstration:
    """The tool alone, and a Panda that holds it."""
    return aligned if request.param == "tool" else retargeted.demonstration
