"""Clips of a change: one shot shows it, its labels say when, and what is painted changes when they say so."""

import numpy as np
import pytest

from pretrain.corpus import CorpusOptions
from pretrain.corpus.changes import changing_clips

OPTIONS = CorpusOptions(period=5.2)


@pytest.mark.parametrize("action", ["inflate", "deflate"])
def test_one_shot_shows_the_change_and_the_others_another(action):
    clips = changing_clips(OPTIONS, action, 12, seed=3, shots=3)
    assert {clip.step for clip in clips} == {0, 1, 2}
    for clip in clips:
        assert [k for k, name in enumerate(clip.script.actions) if name in ("inflate", "deflate")] == [clip.step]
        moments = np.arange(0, clip.script.duration, 0.05)
        labels = clip.labels(moments)
        shown = labels[labels > 0]
        assert (np.diff(shown) >= 0).all()
        assert set(shown.tolist()) == {1, 2, 3}
        assert (clip.script.showing(moments)[labels > 0] == clip.step).all()
        assert (labels == 2).sum() * 0.05 == pytest.approx(clip.script.lasting[clip.step], abs=0.06)


def test_what_is_painted_changes_during_the_action():
    clip = changing_clips(OPTIONS, "inflate", 1, seed=0, shots=1)[0]
    middle, half = clip.script.middle[0], clip.script.lasting[0] / 2
    before, after = clip.frames(np.array([middle - half - 0.1, middle + half + 0.1]), 48).astype(float)
    still = clip.frames(np.array([middle + half + 0.1, middle + half + 0.15]), 48).astype(float)
    assert np.abs(after - before).mean() > 1.5 * np.abs(still[1] - still[0]).mean()


def test_seeds_share_nothing():
    one, other = (changing_clips(OPTIONS, "cut", 2, seed=seed) for seed in (0, 1))
    assert one[0].script.duration == other[0].script.duration
    assert not np.array_equal(one[0].script.middle, other[0].script.middle)
