"""Both discoverers on the real timelines of one category of ChangeIt, with sampled features."""

from pathlib import Path

import numpy as np
import pytest
from changing import features

from perception.states.changeit import read_changeit
from perception.states.discovery import DISCOVERERS, discover
from perception.states.floors import random_ordered
from perception.states.precision import chosen_of, hits

CHANGEIT = Path(__file__).parents[4] / "shared/data/states/changeit"
DIMENSIONS, SIGNAL = 48, 6.0
"""Length of the four directions (background is one); noise has 1 in each dimension, as have differences of clips."""


@pytest.mark.skipif(not CHANGEIT.is_dir(), reason="annotations of ChangeIt are not here")
@pytest.mark.parametrize("method", list(DISCOVERERS))
def test_passes_the_floor_of_a_random_ordered_triple(method):
    annotated = [one for one in read_changeit(CHANGEIT) if one.category == "apple"]
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(4, DIMENSIONS))
    direction *= SIGNAL / np.linalg.norm(direction, axis=1, keepdims=True)
    labels = [one.labels for one in annotated]
    clips = [
        features(direction[own] + rng.normal(size=(len(own), DIMENSIONS)) + rng.normal(size=DIMENSIONS))
        for own in labels
    ]
    found = discover(clips, method, significance=None, settings={"restarts": 2})
    assert np.nanmean(hits(labels, chosen_of(found))) > 1.3 * random_ordered(labels).mean()
