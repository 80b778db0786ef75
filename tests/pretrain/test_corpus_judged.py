"""What encoders are worth on the generated corpus: one that knows all, one that sees no motion, one that guesses."""

import hashlib
from typing import NamedTuple

import numpy as np
import pytest

from pretrain.corpus import Corpus, CorpusError, CorpusOptions, LabelledClips
from pretrain.corpus.judged import _galleries, judge, retrieval
from pretrain.corpus.shown import ShownClips
from pretrain.corpus.wording import DOINGS, THINGS, gerund
from pretrain.sampling import Sampling

SMALL = CorpusOptions(
    sampling=Sampling(frames=4, fps=2.0, size=16, crop=0.75, shortest=2.0),
    objects=("mug", "fish", "star"),
    actions=("open", "close", "inflate", "deflate"),
)


class Codes(NamedTuple):
    features: np.ndarray
    embedding: np.ndarray


class Reader:
    """Understands sentences; what it sees is for others to say."""

    name = "reader"
    sampling = SMALL.sampling

    def fingerprint(self):
        return "0"

    def knows(self, sentences):
        return np.ones(len(sentences), bool)

    def encode_sentences(self, sentences):
        return np.stack([code(*understood(sentence)) for sentence in sentences])

    def encode_clips(self, frames):
        codes = np.stack([self.see(clip) for clip in frames])
        return Codes(codes, codes)


def understood(sentence):
    actions = [
        action
        for action in SMALL.actions
        for doing in DOINGS[action]
        for before, after in [phrase.split("{}") for phrase in (doing, gerund(doing))]
        if before in f"{sentence} " and after in sentence
    ]
    things = [thing for thing in SMALL.objects if any(f" {name} " in f"{sentence} " for name in THINGS[thing])]
    assert len(set(actions)) == len(things) == 1, (sentence, actions, things)
    return actions[0], things[0]


def code(action, thing):
    return np.concatenate([np.array(SMALL.actions) == action, np.array(SMALL.objects) == thing]).astype(float)


class Oracle(Reader):
    """Has seen all clips before."""

    def __init__(self, *collections):
        self.known = {
            clip.frames.tobytes(): code(clip.action, clip.thing)
            for clips in collections
            for clip in map(clips.__getitem__, range(len(clips)))
        }

    def see(self, frames):
        return self.known.get(frames.tobytes(), np.zeros(7))


class Guesser(Reader):
    def see(self, frames):
        seed = int(hashlib.sha256(frames.tobytes()).hexdigest()[:12], 16)
        return np.random.default_rng(seed).standard_normal(7)


def test_one_that_knows_all_is_right_and_its_stills_are_chance():
    test, fit = LabelledClips(SMALL, 48), LabelledClips(SMALL, 48, seed=2)
    rows = judge(Oracle(test, fit), test, fit)
    assert rows["encoder"] == {"pair": 100, "pair error": 0, "R@1": 100, "R@5": 100, "action": 100, "thing": 100}
    assert (rows["still"]["pair"], rows["still"]["pair error"]) == (50, 0)
    assert rows["chance"] == {
        "pair": 50,
        "R@1": 100 / 12,
        "R@5": 500 / 12,
        "action": 25,
        "thing": pytest.approx(100 / 3),
    }
    assert set(rows["colours"]) == {"action", "thing"}


def test_one_that_guesses_is_at_chance():
    test, fit = LabelledClips(SMALL, 240), LabelledClips(SMALL, 48, seed=2)
    rows = judge(Guesser(), test, fit)
    row, chance = rows["encoder"], rows["chance"]
    for name, expected in chance.items():
        deviation = 100 * np.sqrt(expected / 100 * (1 - expected / 100) / 240)
        assert abs(row[name] - expected) < 4 * deviation, name
    assert row["pair error"] == pytest.approx(100 * 0.5 / np.sqrt(240), rel=0.2)
    assert rows["still"]["pair"] == 50


def test_one_that_sees_no_direction_tells_no_pair():
    """And finds the right clip together with one of the partner."""
    test = LabelledClips(SMALL, 48)

    class Blind(Oracle):
        def see(self, frames):
            known = super().see(frames) + super().see(np.ascontiguousarray(frames[::-1]))
            return np.concatenate([known[:4] + known[[1, 0, 3, 2]], 2 * known[4:]])

    row = retrieval(Blind(test), test)
    assert row["pair"] == 50
    assert (row["R@1"], row["R@5"]) == (0, 100)  # the right one shares the first place with that of the partner


def test_clips_that_a_training_showed_are_its_videos():
    corpus = Corpus(SMALL, seed=3)
    shown = ShownClips(corpus, 200, rounds=2)
    assert len(shown) == 24
    labels = [(clip.action, clip.thing) for clip in map(shown.__getitem__, range(24))]
    assert all(labels.count((action, thing)) == 2 for action in SMALL.actions for thing in SMALL.objects)
    assert retrieval(Oracle(shown), shown)["R@1"] == 100
    for clip, (video, step) in zip(map(shown.__getitem__, range(24)), shown.places, strict=True):
        script = corpus.source.script(video)
        assert (clip.action, clip.thing) == (script.actions[step], script.things[step])
    with pytest.raises(CorpusError, match=r"1 videos: .* is in 0 of them, not in 2"):
        ShownClips(corpus, 1, rounds=2)


def test_an_odd_number_of_rounds_is_refused():
    with pytest.raises(CorpusError, match="expected a multiple of 24"):
        judge(Guesser(), LabelledClips(SMALL, 12), LabelledClips(SMALL, 24))


def test_galleries_hold_one_of_each_and_no_pair():
    galleries = _galleries(48, 12)
    assert sorted(galleries.ravel().tolist()) == list(range(48))
    for gallery in galleries:
        assert sorted(gallery % 12) == list(range(12))
        assert len(set(gallery // 2)) == 12
