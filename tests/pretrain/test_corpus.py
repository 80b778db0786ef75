"""The generated corpus: films shown backwards, seeds apart, what narration and colours tell, and what they do not."""

import csv
import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.clips import NarratedClips, Source, VideoFolder
from pretrain.corpus import (
    Corpus,
    CorpusError,
    CorpusOptions,
    GeneratedVideos,
    LabelledClips,
    pair_accuracy,
    vocabulary,
)
from pretrain.corpus.actions import ACTIONS, CHANGES, partner
from pretrain.corpus.alignment import alignment, truth
from pretrain.corpus.canvas import Canvas, Similarity, whole
from pretrain.corpus.films import LABELS, write_films
from pretrain.corpus.shapes import GRID, OBJECTS, REACH, shape_of
from pretrain.corpus.shot import Shot
from pretrain.corpus.sound import SOUNDS, sound_of
from pretrain.corpus.still import still
from pretrain.corpus.wording import CHATTER, CHOICES, DOINGS, THINGS, gerund, spoken
from pretrain.probes.colours import colours
from pretrain.sampling import Sampling, seen
from pretrain.vocabulary import words_of

SMALL = CorpusOptions(sampling=Sampling(frames=4, fps=2.0, size=24, crop=0.75, candidates=3, shortest=2.0))
NEVER_SAID = frozenset(
    words_of(
        "red green blue yellow orange purple pink brown black white grey gray dark light bright colour color colored"
        " striped stripes checked dotted dots brick bricks pattern background wall table left right camera shaking"
        " clockwise fast"
    )
)


def digest(corpus, number):
    clip = corpus[number]
    told = "|".join((*clip.captions, clip.video, f"{clip.start:.9f}", str(clip.present.tolist())))
    return hashlib.sha256(clip.frames.tobytes() + clip.wave.tobytes() + told.encode()).hexdigest()


def fitted(given_, labels, others):
    """Labels of others by ridge regression on the classes."""
    names, number = np.unique(labels, return_inverse=True)
    centre, spread = given_.mean(0), given_.std(0) + 1e-9
    known, asked = (np.c_[(one - centre) / spread, np.ones(len(one))] for one in (given_, others))
    weights = np.linalg.solve(known.T @ known + 30 * np.eye(known.shape[1]), known.T @ np.eye(len(names))[number])
    return names[(asked @ weights).argmax(1)]


def highest_by_chance(chance, count):
    """A share that guessing exceeds once in a thousand."""
    return chance + 3.1 * np.sqrt(chance * (1 - chance) / count)


@pytest.fixture(scope="module")
def evaluation():
    """Forward clips with everything that is told of them, to fit on and to ask for."""
    options = CorpusOptions(sampling=Sampling(frames=8, fps=4.0, size=32, crop=0.875, shortest=2.0))
    return [[LabelledClips(options, 1200, seed=seed)[k] for k in range(0, 1200, 2)] for seed in (2, 0)]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_shown_backwards_is_its_partner(action):
    shot = Shot(action=action, thing="mug", lasting=1.3, look=(3, list(ACTIONS).index(action)))
    time = np.array([-0.9, -0.4, -0.1, 0.0, 0.3, 0.35, 0.8])
    np.testing.assert_array_equal(shot.done(time), shot.reversed().done(-time))
    assert ACTIONS[action].backwards == (shot.done(np.array([-2.0, 2.0])).tolist() == [1.0, 0.0])
    assert partner(partner(action)) == action != partner(action) == shot.reversed().action
    frames = shot.frames(time, whole((40, 40)))
    np.testing.assert_array_equal(shot.reversed().frames(-time[::-1], whole((40, 40))), frames[::-1])
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 3


def test_many_pixels_are_painted_in_parts():
    shot, time = Shot(action="cut", thing="fish", lasting=1.3, look=(4,)), np.linspace(-1, 1, 3)
    large = whole((200, 210))
    alone = [shot.frames(time[k : k + 1], large)[0] for k in range(3)]
    np.testing.assert_array_equal(shot.frames(time, large), alone)


def test_a_pair_is_a_clip_and_the_same_backwards():
    clips = LabelledClips(SMALL, 48)
    for k in range(0, 48, 2):
        one, other = clips[k], clips[k + 1]
        np.testing.assert_array_equal(one.frames[::-1], other.frames)
        assert (one.sentence, one.reverse) == (other.reverse, other.sentence)
        assert (partner(one.action), one.thing) == (other.action, other.thing)
        seconds = (len(one.frames) - 1) / SMALL.sampling.fps
        assert one.interval[0] == pytest.approx(seconds - other.interval[1])
        assert one.interval[1] - one.interval[0] <= max(seconds, SMALL.lasting[1])


def test_what_happens_lies_within_a_labelled_clip():
    for clip in map(LabelledClips(CorpusOptions(), 40).__getitem__, range(40)):
        overhang = max(0.0, clip.interval[1] - clip.interval[0] - 1.75) / 2 + 1e-9
        assert -overhang <= clip.interval[0] < clip.interval[1] <= 1.75 + overhang


def test_labelled_clips_are_balanced():
    count = len(ACTIONS) * len(SMALL.objects)
    clips = LabelledClips(SMALL, 2 * count)
    labels = [(clip.action, clip.thing) for clip in map(clips.__getitem__, range(2 * count))]
    assert {labels.count(label) for label in labels} == {2}
    assert len(set(labels)) == count


def test_examples_are_the_same_in_another_process():
    code = (
        "from pretrain.corpus import Corpus, CorpusOptions; import test_corpus;"
        "print(test_corpus.digest(Corpus(CorpusOptions(sample_rate=4000), seed=3), 70000))"
    )
    folder = "import sys; sys.path.insert(0, 'tests/pretrain');"
    done = subprocess.run([sys.executable, "-c", folder + code], capture_output=True, text=True, check=True)
    corpus = Corpus(CorpusOptions(sample_rate=4000), seed=3)
    assert corpus[1].video != corpus[70000].video
    assert digest(corpus, 70000) == done.stdout.strip()


def test_seeds_are_apart():
    """No film of a training is one of an evaluation, and evaluations share none; training seeds do not matter."""
    one, other = Corpus(SMALL, seed=0), Corpus(SMALL, seed=1)
    assert digest_of(one[0].frames) != digest_of(other[0].frames)
    scripts = [corpus.source.script(number) for corpus in (one, other) for number in range(40)]
    looks = [script.shot(step).look for script in scripts for step in range(SMALL.steps)]
    looks += [LabelledClips(SMALL, 80, seed=seed).shot(pair).look for seed in range(3) for pair in range(40)]
    first = {np.random.default_rng(look).random() for look in looks}
    assert len(first) == len(looks) == 2 * 40 * SMALL.steps + 120


def digest_of(frames):
    return hashlib.sha256(frames.tobytes()).hexdigest()


def test_epochs_are_new_unless_videos_are_to_be_shown_again():
    fresh, again = (Corpus(CorpusOptions(videos=3, fresh=fresh), seed=0) for fresh in (True, False))
    assert len(fresh) == 3
    assert fresh[1].video != fresh[4].video
    assert again[1].video == again[4].video
    np.testing.assert_array_equal(again[1].frames, fresh[1].frames)
    assert (again[1].captions, again[1].start) != (again[4].captions, again[4].start)


@pytest.mark.parametrize("augment", [True, False])
def test_an_example_is_what_a_clip_of_the_whole_pictures_shows(augment):
    sampling = Sampling(frames=6, fps=2.0, size=40, crop=0.8, candidates=4, augment=augment)
    options = CorpusOptions(sampling=sampling, colour=0.0, objects=tuple(OBJECTS))
    corpus, flips = Corpus(options, seed=5), set()
    for number in range(12):
        _, drawn, _ = corpus.drawn(number)
        frames = corpus.source.frames(number, drawn.moments, sampling.short_side)
        clip = corpus[number]
        np.testing.assert_array_equal(clip.frames, seen(frames, drawn, sampling.size))
        narration, duration = corpus.source.narration(number)
        assert clip.captions == tuple(narration.labels[k] for k in drawn.candidates)
        assert 0 <= clip.start <= duration - sampling.seconds + 1e-9
        flips.add(drawn.flip)
    assert flips == ({True, False} if augment else {False})


def test_colours_change_and_nothing_else():
    plain, coloured = (Corpus(CorpusOptions(colour=colour), seed=0) for colour in (0.0, 0.3))
    for number in range(5):
        one, other = plain[number], coloured[number]
        assert one[1:2] + one[3:] == other[1:2] + other[3:]
        assert 1 < np.abs(one.frames.astype(int) - other.frames).mean() < 80


def test_videos_are_a_source():
    videos = GeneratedVideos(SMALL, seed=0)
    assert isinstance(videos, Source)
    clips = NarratedClips(videos, SMALL.sampling, seed=0)
    clip = clips[len(videos) + 2]
    assert clip.frames.shape == (4, 24, 24, 3)
    assert clip.video == videos.name(2)


def test_the_narration_fits_as_well_as_is_said():
    """As in the study: the right sentence is the nearest of 40 % of the actions, among the nearest five of 97 %."""
    measured = alignment(Corpus(CorpusOptions(), seed=0), 400)
    assert measured.nearest == pytest.approx(0.40, abs=0.04)
    assert measured.among_nearest == pytest.approx(0.97, abs=0.015)
    assert measured.irrelevant == pytest.approx(0.35, abs=0.01)
    assert measured.drawn < measured.candidate
    perfect = alignment(Corpus(CorpusOptions(misalignment=0.0, irrelevant=0.0), seed=0), 100)
    assert perfect == (1.0, 1.0, 0.0, 1.0, 1.0, 1.0)


def test_sentences_are_off_by_a_normal_deviation():
    options = CorpusOptions(steps=400, misalignment=1.5, irrelevant=0.2)
    script = GeneratedVideos(options, seed=0).script(0)
    on = script.about >= 0
    off = (script.said.mean(1)[on] - script.middle[script.about[on]])[5:-5]
    assert np.std(off) == pytest.approx(1.5, rel=0.12)
    assert abs(np.mean(off)) < 4 * 1.5 / np.sqrt(len(off))
    assert np.all(np.diff(script.said[:, 0]) >= 0)
    assert script.said.min() >= 0
    assert script.said.max() <= script.duration


def test_right_candidates_speak_of_what_is_seen():
    corpus = Corpus(CorpusOptions(pronouns=0.0), seed=2)
    shown = 0
    for number in range(60):
        example, clip = truth(corpus, number), corpus[number]
        for caption, right in zip(clip.captions, example.right, strict=True):
            said = {
                doing.format(f"{article} {name}")
                for doing in (*DOINGS[example.action or "open"], *map(gerund, DOINGS[example.action or "open"]))
                for name in THINGS[example.thing or "mug"]
                for article in ("the", "your", "this", "our")
            }
            if right:
                shown += 1
                assert any(words in caption for words in said)
    assert shown > 20


def test_words_never_name_what_must_be_seen():
    words = set(vocabulary().words)
    assert not words & NEVER_SAID
    verbs = {doing.split()[0] for doings in DOINGS.values() for doing in doings}
    verbs |= {gerund(doing).split()[0] for doings in DOINGS.values() for doing in doings}
    assert not verbs & {word for text in CHATTER for word in words_of(text)}
    phrases = [doing for doings in DOINGS.values() for doing in doings]
    assert len(set(phrases)) == len(phrases)
    names = [name for things in THINGS.values() for name in things]
    assert len(set(names)) == len(names)
    assert tuple(THINGS) == tuple(OBJECTS)
    assert tuple(DOINGS) == tuple(ACTIONS)


@given(st.sampled_from(list(ACTIONS)), st.sampled_from(list(OBJECTS)), st.lists(st.floats(0, 0.999), min_size=5))
def test_every_word_is_in_the_vocabulary(action, thing, chance):
    sentence = spoken(action, thing, np.array(chance[:CHOICES]), pronouns=0.5)
    ids = vocabulary().encode([sentence], 30)[0]
    assert (ids > 0).sum() == len(words_of(sentence)) > 1


def test_colours_tell_nothing(evaluation):
    """A linear probe on histograms of colours guesses; the same probe on where something moves does not."""
    fit, ask = evaluation
    for feature, informed in ((lambda clip: colours(clip.frames[None])[0], False), (moving, True)):
        given_, asked = (np.array([feature(clip) for clip in clips]) for clips in (fit, ask))
        for label, chance in ((lambda clip: clip.action, 1 / 6), (lambda clip: clip.thing, 1 / 8)):
            right = fitted(given_, np.array(list(map(label, fit))), asked) == np.array(list(map(label, ask)))
            if not informed:
                assert right.mean() < highest_by_chance(chance, len(ask))
            elif chance == 1 / 6:
                assert right.mean() > 2 * chance
    for clip in ask[:20]:
        np.testing.assert_array_equal(*colours(np.stack([clip.frames, clip.frames[::-1]])))


def moving(clip):
    change = np.abs(np.diff(clip.frames.astype(np.float32).mean(-1), axis=0))
    return change.reshape(7, 4, 8, 4, 8).mean((2, 4)).ravel()


def test_a_still_tells_no_direction(evaluation):
    for clip in evaluation[1][:40]:
        frames = clip.frames
        np.testing.assert_array_equal(still(frames), still(frames[::-1]))
        assert len(np.unique(still(frames), axis=0)) == 1
        assert any((still(frames)[0] == frame).all() for frame in frames[3:5])
    odd = np.arange(5 * 12, dtype=np.uint8).reshape(5, 2, 2, 3)
    np.testing.assert_array_equal(still(odd)[4], odd[2])


def test_whatever_a_still_scores_half_the_pairs_are_right():
    clips = LabelledClips(SMALL, 64)
    pairs = [clips[k] for k in range(64)]
    weights = np.random.default_rng(0).standard_normal(pairs[0].frames.size)

    def score(clip, sentence):
        return float(still(clip.frames).ravel() @ weights) * (hash_of(sentence) - 0.5)

    right, reverse = (np.array([score(clip, getattr(clip, of)) for clip in pairs]) for of in ("sentence", "reverse"))
    assert pair_accuracy(right, reverse) == 0.5


def hash_of(sentence):
    return int(hashlib.sha256(sentence.encode()).hexdigest()[:8], 16) / 16**8


def test_pair_accuracy_by_hand():
    assert pair_accuracy(np.array([2.0, 1.0, 1.0, 0.0]), np.array([1.0, 2.0, 1.0, -1.0])) == 0.625


def test_things_are_told_apart_by_their_shape():
    """No two silhouettes cover nearly the same, however they are mirrored."""
    masks = {name: shape_of(name).distance < 0 for name in OBJECTS}
    for name, mask in masks.items():
        np.testing.assert_array_equal(shape_of(name, True).distance < 0, mask[:, ::-1])
        assert 0.05 < mask.mean() * (2 * REACH) ** 2 < 3.2
        for other, another in masks.items():
            if other > name:
                overlap = max((mask & one).sum() / (mask | one).sum() for one in (another, another[:, ::-1]))
                assert overlap < 0.75, (name, other)


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.2, 0.5), st.floats(0, 6.3), st.booleans())
@settings(max_examples=25)
def test_a_painted_disc_covers_its_area(x, y, radius, angle, flip):
    view = whole((64, 64))
    canvas = Canvas(view._replace(x=view.x[::-1]) if flip else view, 2)
    canvas.rgb[:] = 0
    place = Similarity(np.full(2, radius * np.exp(1j * angle)), np.array([x + 1j * y, 0]))
    patch = canvas.patch(place, 1.0)
    patch.paint(np.hypot(patch.u, patch.v) - 1, np.array([100.0, 0.0, 50.0]))
    area = canvas.rgb.sum((2, 3)) * view.pixel**2
    expected = np.pi * radius**2 * np.array([100.0, 0.0, 50.0])
    np.testing.assert_allclose(area[:, 1], expected, rtol=0.03)
    inside = np.hypot(x, y) + radius < 1
    if inside:
        np.testing.assert_allclose(area[:, 0], expected, rtol=0.03)


def test_shapes_are_true_distances():
    axis = (np.arange(GRID) + 0.5) / GRID * 2 * REACH - REACH
    slope = np.stack(np.gradient(shape_of("boot").distance, axis, axis))
    assert np.median(np.hypot(*slope)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_sounds_higher_the_more_of_it_is_done(change):
    rate = 8000
    shot = Shot(action=change, thing="key", lasting=1.5, look=(1, 2))
    for backwards, one in ((False, shot), (True, shot.reversed())):
        sound = sound_of(one, rate)
        assert len(sound) == 12000
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.1, rel=0.01)
        early, late = (centroid(sound[part], rate) for part in (slice(0, 5000), slice(7000, None)))
        assert (early > late) == backwards
    assert set(SOUNDS) == set(CHANGES)


def centroid(sound, rate):
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / rate)
    return float(np.sum(power * np.log(frequency + 50)) / power.sum())


def test_sound_is_where_something_happens():
    options = CorpusOptions(sample_rate=8000, noise=0.1)
    script = GeneratedVideos(options, seed=0).script(0)
    heard = script.wave(0.0, script.duration, np.random.default_rng(0))
    assert heard.dtype == np.float32
    assert len(heard) == round(8000 * script.duration)
    time = np.arange(len(heard)) / 8000
    during = np.any(np.abs(time[:, None] - script.middle) < script.lasting / 2, axis=1)
    assert np.std(heard[during]) > 7 * np.std(heard[~during]) > 0
    later = script.wave(3.0, 2.0, np.random.default_rng(0))
    assert np.corrcoef(later, heard[24000:40000])[0, 1] > 0.9
    assert Corpus(CorpusOptions(), seed=0)[0].wave is None


def test_films_are_narrated_videos(tmp_path):
    options = CorpusOptions(steps=3, videos=2)
    videos = GeneratedVideos(options, seed=4)
    paths = write_films(videos, tmp_path, size=32, fps=8.0)
    folder = VideoFolder(tmp_path)
    assert not folder.skipped
    assert [folder.name(k) for k in range(2)] == [str(path) for path in paths]
    for index in range(2):
        narration, duration = folder.narration(index)
        expected, lasts = videos.narration(index)
        assert duration == pytest.approx(lasts, abs=0.13)
        assert narration.labels == expected.labels
        np.testing.assert_allclose(narration.interval, expected.interval.clip(max=duration), atol=2e-3)
        moments = np.array([1.0, 3.0, 5.0])
        apart = folder.frames(index, moments, 32).astype(int) - videos.frames(index, moments, 32)
        assert np.abs(apart).mean() < 16
    with open(tmp_path / LABELS, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    script = videos.script(0)
    assert [row["action"] for row in rows if row["video"] == paths[0].stem] == list(script.actions)
    assert float(rows[0]["end"]) - float(rows[0]["start"]) == pytest.approx(script.lasting[0], abs=2e-3)


def test_films_are_heard(tmp_path):
    """What comes out of the file is what was generated, up to AAC; at the moment at which it is seen."""
    rate = 16_000
    videos = GeneratedVideos(CorpusOptions(steps=3, videos=1, sample_rate=rate, noise=0.1), seed=4)
    write_films(videos, tmp_path, size=32, fps=4.0)
    folder = VideoFolder(tmp_path)
    made = videos.sound(0, 0.0, videos.script(0).duration, rate)
    for start, seconds in ((0.0, 7.0), (2.0, 1.5)):
        heard = folder.sound(0, start, seconds, rate)
        expected = made[round(start * rate) :][: len(heard)]
        shifts = range(-40, 41)
        match = [np.corrcoef(np.roll(heard, shift)[50:-50], expected[50:-50])[0, 1] for shift in shifts]
        assert abs(shifts[int(np.argmax(match))]) <= 1, "in time to a sample or so"
        assert max(match) > 0.9
    assert folder.narration(0)[1] == pytest.approx(videos.script(0).duration, abs=0.3)
    with pytest.raises(CorpusError, match="sound of 12345 samples a second; choose from: 0, 8000"):
        write_films(GeneratedVideos(CorpusOptions(videos=1, sample_rate=12_345), seed=4), tmp_path, size=32, fps=4.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objects": ("mug", "cat")}, "objects .* expected different ones of mug"),
        ({"actions": ("open", "close", "cut")}, "action cut without join"),
        ({"lasting": (0.5, 2.5)}, "fits into a clip"),
        ({"irrelevant": 1.0}, "shares lie between"),
        ({"distractors": 3}, "expected 0, 1 or 2"),
        ({"videos": 0}, "expected at least one video"),
        ({"misalignment": float("nan")}, "expected finite deviations"),
        ({"sample_rate": -1}, "no negative rate"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(CorpusError, match=message):
        CorpusOptions(**wrong)


def test_clips_come_in_pairs():
    with pytest.raises(CorpusError, match="pairs"):
        LabelledClips(SMALL, 3)
    with pytest.raises(IndexError, match="clip 4 of 4"):
        LabelledClips(SMALL, 4)[4]
