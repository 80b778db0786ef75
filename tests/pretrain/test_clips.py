"""Narrated clips: candidates, stretches and crops in closed form; frames at known moments; determinism."""

import numpy as np
import pytest
from films import LEVELS, numbers, write_film, write_srt
from hypothesis import given
from hypothesis import strategies as st

from perception.video import ClipError
from pretrain.clips import NarratedClips, VideoFolder
from pretrain.frames import read_moments
from pretrain.narration import NarrationError
from pretrain.sampling import Draw, Sampling, draw, nearest, seen, widened

SMALL = Sampling(frames=4, fps=5.0, size=32, crop=2 / 3, candidates=3)


@st.composite
def narrations(draw_from):
    gaps = draw_from(st.lists(st.tuples(st.floats(0.01, 9), st.floats(0.01, 9)), min_size=1, max_size=9))
    interval, now = [], 0.0
    for gap, length in gaps:
        interval.append((now + gap, now + gap + length))
        now += gap + length
    return np.array(interval)


def test_candidates_by_hand():
    interval = np.array([[0.0, 1], [2, 3], [3.5, 4], [9, 10], [11, 12]])
    assert nearest(interval, 2, 3)[0].tolist() == [2, 1, 0]  # spans 2, then 4 against 8
    assert nearest(interval, 3, 3)[0].tolist() == [3, 4, 2]  # spans 3 against 6.5
    candidates, present = nearest(interval, 0, 7)
    assert candidates.tolist() == [0, 1, 2, 3, 4, 0, 0]
    assert present.tolist() == [True] * 5 + [False] * 2


@given(narrations(), st.data())
def test_candidates_are_a_stretch_around_the_one_drawn(interval, data):
    chosen, count = data.draw(st.integers(0, len(interval) - 1)), data.draw(st.integers(1, 12))
    candidates, present = nearest(interval, chosen, count)
    there = candidates[present]
    assert candidates[0] == chosen
    assert len(there) == min(count, len(interval))
    assert sorted(there.tolist()) == list(range(there.min(), there.max() + 1))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [((10, 11), (8, 13)), ((1, 2), (0, 5)), ((28, 30), (25, 30)), ((10, 20), (10, 20)), ((10, 17), (10, 17))],
)
def test_short_stretches_are_widened_around_their_centre(given_, expected):
    assert widened(*given_, 5.0, 30.0) == expected


def test_a_video_shorter_than_a_clip_is_used_whole():
    assert widened(1.0, 2.0, 5.0, 3.0) == (0.0, 3.0)


@given(narrations(), st.integers(0, 99), st.booleans())
def test_moments_are_evenly_spaced_and_within_the_video(interval, seed, augment):
    sampling = Sampling(frames=8, fps=5.0, augment=augment)
    duration = float(interval[-1, 1])
    drawn = draw(interval, duration, sampling, np.random.default_rng(seed))
    assert drawn.moments.min() >= 0
    assert drawn.moments.max() <= duration
    if duration >= sampling.seconds:
        np.testing.assert_allclose(np.diff(drawn.moments), 0.2, atol=1e-9)
        start, end = widened(*interval[drawn.candidates[0]], sampling.shortest, duration)
        assert start - 1e-9 <= drawn.moments[0] <= end - sampling.seconds + 1e-9


def test_the_crop_and_the_flip_are_those_drawn():
    frames = np.arange(2 * 5 * 7 * 3, dtype=np.uint8).reshape(2, 5, 7, 3)
    some = np.zeros(0, int), np.zeros(0, bool), np.zeros(0)
    np.testing.assert_array_equal(seen(frames, Draw(*some, (0.0, 0.999), False), 3), frames[:, :3, 4:])
    np.testing.assert_array_equal(seen(frames, Draw(*some, (0.5, 0.5), True), 3), frames[:, 1:4, 4:1:-1])


def test_chance_is_fair_about_crops_and_flips():
    generator = np.random.default_rng(0)
    drawn = [draw(np.array([[0.0, 9.0]]), 9.0, Sampling(), generator) for _ in range(2000)]
    assert abs(np.mean([d.flip for d in drawn]) - 0.5) < 4 * 0.5 / 2000**0.5
    assert np.abs(np.mean([d.offset for d in drawn], axis=0) - 0.5).max() < 4 * 12**-0.5 / 2000**0.5
    assert np.std([d.moments[0] for d in drawn]) == pytest.approx((9 - 3.2) / 12**0.5, rel=0.05)


def test_frames_at_moments(tmp_path):
    film = write_film(tmp_path / "a.mp4", seconds=6.0)
    moments = np.array([2.0, 2.05, 2.09, 2.1, 3.7, 5.9, 6.0])
    clip = read_moments(film, moments, short_side=48)
    assert clip.shape == (7, 48, 64, 3)
    assert numbers(clip).tolist() == [n % LEVELS for n in (20, 20, 20, 21, 37, 59, 59)]
    assert read_moments(film, moments, short_side=24).shape == (7, 24, 32, 3)


def test_moments_after_the_end_of_a_file_name_it(tmp_path):
    film = write_film(tmp_path / "a.mp4", seconds=1.0)
    with pytest.raises(ClipError, match=r"a\.mp4: ends at 0.90 s, before 5.00 s"):
        read_moments(film, np.array([0.5, 5.0]), short_side=48)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    with pytest.raises(ClipError, match=r"b\.mp4: cannot be read as video"):
        read_moments(tmp_path / "b.mp4", np.zeros(1), short_side=48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two good videos, one without captions, one that is none."""
    folder = tmp_path_factory.mktemp("videos")
    for name, seconds in (("a", 8.0), ("b", 3.0), ("silent", 1.0)):
        write_film(folder / f"{name}.mp4", seconds=seconds)
    write_srt(folder / "a.srt", [(0, 2, "take a cup"), (2, 4, "pour"), (4, 6, "stir"), (6, 8, "drink")])
    write_srt(folder / "b.srt", [(0, 1, "cut")])
    (folder / "broken.mp4").write_bytes(b"no video")
    write_srt(folder / "broken.srt", [(0, 1, "cut")])
    return folder


def test_what_cannot_be_used_is_listed(folder):
    source = VideoFolder(folder)
    assert [video.name for video in source] == ["a", "b"]
    assert {s.file.rpartition("/")[2]: s.reason for s in source.skipped} == {
        "broken.mp4": "cannot be read as video (Invalid data found when processing input)",
        "silent.mp4": "no captions beside it, and none within it",
    }


def test_an_example_shows_what_it_says(folder):
    clips = NarratedClips(VideoFolder(folder), SMALL, seed=0)
    flips = set()
    for epoch in range(12):
        clip = clips.clip(0, epoch)
        assert clip.frames.shape == (4, 32, 32, 3)
        assert all(clip.captions)
        first = int(clip.start * 10 + 0.01)
        assert numbers_of_square(clip.frames).tolist() == [(first + step) % LEVELS for step in (0, 2, 4, 6)]
        dark = clip.frames[0].mean(axis=(0, 2)) < 15
        flips |= {"left"} if dark[0] else set()
        flips |= {"right"} if dark[-1] else set()
    assert flips == {"left", "right"}


def numbers_of_square(frames):
    """As `numbers`, of frames that were cropped and flipped: whatever part of the bright side is left."""
    return np.round((np.median(frames, axis=(1, 3)).max(axis=1) - 30) / 10).astype(int)


def test_missing_candidates_are_masked(folder):
    clip = NarratedClips(VideoFolder(folder), SMALL, seed=0)[1]
    assert clip.captions == ("cut", "", "")
    assert clip.present.tolist() == [True, False, False]


def test_an_example_depends_on_seed_epoch_and_index_alone(folder):
    source = VideoFolder(folder)
    clips = NarratedClips(source, SMALL, seed=3)
    again = NarratedClips(VideoFolder(folder), SMALL, seed=3)
    later, before = [again[n] for n in (5, 4)], [clips[n] for n in (4, 5)]
    for one, other in zip(before, reversed(later), strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        assert one.captions == other.captions
        assert one.start == other.start
    starts = {NarratedClips(source, SMALL, seed=seed).clip(0, epoch).start for seed in range(3) for epoch in range(3)}
    assert len(starts) == 9


def test_a_video_that_fails_later_is_replaced_and_named(folder, tmp_path):
    for name in ("a.mp4", "a.srt", "b.mp4", "b.srt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    clips = NarratedClips(VideoFolder(tmp_path), SMALL, seed=0)
    (tmp_path / "a.mp4").write_bytes(b"gone")
    clip = clips[0]
    assert clip.captions[0] == "cut"
    assert all(problem.startswith(f"{tmp_path / 'a.mp4'}: ") for problem in clip.passed_over)
    assert clip.passed_over
    assert not clips[1].passed_over
    (tmp_path / "b.mp4").unlink()
    with pytest.raises(NarrationError, match="10 videos in a row cannot be read"):
        clips[0]
