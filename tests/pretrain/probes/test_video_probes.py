"""Retrieval, linear and nearest-neighbour probes on small videos, some of them missing or broken."""

import json

import numpy as np
import pytest
from films import LEVELS, numbers, write_film

from pretrain.probes.classification import Part
from pretrain.probes.encoding import Wanted, encoded
from pretrain.probes.knn import Neighbours
from pretrain.probes.linear import MANNERS, Linear, svm_scores
from pretrain.probes.probe import ProbeError
from pretrain.probes.retrieval import Retrieval
from pretrain.probes.viewing import Viewing, drawn, read_windows, spaced, watched, watched_by_chance
from pretrain.sampling import Sampling

SMALL = Sampling(frames=4, fps=5.0, size=24, crop=1.0)


def test_windows_are_spaced_from_the_start_until_the_last_that_fits():
    np.testing.assert_allclose(spaced(2.0, 10.8, SMALL, 3)[:, 0], [2, 6, 10])
    np.testing.assert_allclose(spaced(2.0, 10.8, SMALL, 1), [[6, 6.2, 6.4, 6.6]])
    np.testing.assert_allclose(spaced(2.0, 2.3, SMALL, 2), [[2, 2.2, 2.3, 2.3]] * 2)
    by_chance = drawn(2.0, 10.8, SMALL, 500, np.random.default_rng(0))
    assert 2 <= by_chance.min() < 2.1
    assert 10.5 < by_chance.max() <= 10.8
    np.testing.assert_allclose(np.diff(by_chance, axis=1), 0.2)


def test_windows_show_their_moments(tmp_path):
    """Frame n of the film is as bright as n mod 20; windows overlap, and one is far from the others."""
    film = write_film(tmp_path / "film.mp4", seconds=9.0)
    moments = np.array([[0.3, 0.5], [0.4, 0.6], [8.1, 8.2]])
    windows = read_windows(film, moments, SMALL)
    assert windows.shape == (3, 2, 24, 32, 3)
    assert [numbers(window).tolist() for window in windows] == [[3, 5], [4, 6], [81 % LEVELS, 82 % LEVELS]]


def test_the_whole_short_side_is_seen_by_default(tmp_path):
    """The left quarter of the film is black: 16 of 64 px; the central 48 px show 8 of them."""
    film = write_film(tmp_path / "film.mp4", seconds=2.0)
    view = Viewing(windows=2)
    seen = watched(film, None, view, view.of(SMALL))
    assert seen.shape == (2, 4, 24, 24, 3)
    assert (seen[0, 0, 12, :, 0] < 15).sum() in (3, 4, 5)
    flipped = [
        bool(window[0, 12, 0, 0] > window[0, 12, -1, 0])
        for k in range(20)
        for window in watched_by_chance(film, None, view, view.of(SMALL), np.random.default_rng(k))
    ]
    assert 8 <= sum(flipped) <= 32


def test_what_cannot_be_read_is_set_aside_whatever_the_number_of_processes(tmp_path, eye, paint):
    red = paint(tmp_path / "red.mp4", ("red", 1.0))
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    clips = [
        Wanted(name="red", path=red),
        Wanted(name="broken", path=tmp_path / "broken.mp4"),
        Wanted(name="late", path=red, stretch=(7.0, 8.0)),
        Wanted(name="again", path=red, stretch=(0.2, 0.8)),
    ]
    for processes in (1, 2):
        found = list(encoded(eye, clips, Viewing(windows=2), processes=processes))
        assert "cannot be read as video" in found[1].reason
        assert "lasts 1.0 s, the clip begins at 7.0 s" in found[2].reason
        assert found[0].features.shape == found[3].features.shape == (2, 6)
        assert found[0].features[0, 0] > 0.7 > 0.3 > found[0].features[0, 1]


def captions(path, *rows):
    path.write_text("video_id,start,end,text\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def test_captions_find_their_clips(tmp_path, eye, paint):
    paint(tmp_path / "v" / "two.mp4", ("red", 2.0), ("green", 2.0))
    paint(tmp_path / "v" / "one.webm.mp4", ("blue", 2.0))
    (tmp_path / "v" / "broken.mp4").write_bytes(b"no video")
    table = captions(
        tmp_path / "t.csv", ("two", 0, 1.8, "all is red"), ("two", 2.2, 4, "all is green"), ("gone", 0, 1, "red"),
        ("one.webm", 0, 2, "all is blue"), ("broken", 0, 1, "blue"), ("two", 0.2, 1, "nobody knows"),
    )  # fmt: skip
    outcome = Retrieval(captions=table, viewing=Viewing(windows=2), processes=1)(eye, tmp_path / "v")
    assert outcome.counts == {"clips": 4, "clips listed": 6, "captions without a known word": 1}
    assert [skipped.file for skipped in outcome.skipped] == ["gone", "broken"]
    # Red has two clips of equal score or nearly so; the unknown caption ties with all four: place 2.5.
    assert outcome.figures["R@5"] == 100.0
    assert outcome.figures["R@1"] >= 50.0
    assert outcome.costless["chance"] == {"R@1": 25.0, "R@5": 100.0, "R@10": 100.0, "MedR": 2.5}
    assert outcome.preprocessing["frames"] == 4
    assert outcome.preprocessing["windows"] == 2
    assert {shape[:2] for shape in eye.shapes} == {(2, 4)}
    assert json.loads(json.dumps(outcome.note(), allow_nan=False))["skipped"][0]["file"] == "gone"


def test_too_few_clips_are_no_retrieval(tmp_path, eye, paint):
    paint(tmp_path / "v" / "one.mp4", ("blue", 1.0))
    table = captions(tmp_path / "t.csv", ("gone", 0, 1, "red"), ("one", 0, 1, "blue"))
    with pytest.raises(ProbeError, match="1 of 2 clips can be used; the first: gone: no such file"):
        Retrieval(captions=table, processes=1)(eye, tmp_path / "v")


def test_an_encoder_that_knows_no_word_is_no_figure(tmp_path, eye, paint):
    paint(tmp_path / "v" / "a.mp4", ("blue", 1.0))
    table = captions(tmp_path / "t.csv", ("a", 0, 1, "nobody"), ("a", 0, 1, "knows"))
    with pytest.raises(ProbeError, match="eye: knows no word of 2 sentences; the first: 'nobody'"):
        Retrieval(captions=table, processes=1)(eye, tmp_path / "v")


@pytest.fixture
def changing(tmp_path, paint):
    """Videos that turn from red to green, or from green to red; colours alone do not tell which."""
    rows = ["video_id,label,split1,split2"]
    for n in range(6):
        for label, order in (("ripens", ("green", "red")), ("unripens", ("red", "green"))):
            first = 0.6 + 0.1 * (n % 3)
            paint(tmp_path / "v" / label / f"{label}{n}.mp4", (order[0], first), (order[1], 1.2 - first + 0.2))
            rows.append(f"{label}{n}.avi,{label}_test,{1 if n < 4 else 2},{2 if n < 2 else 1 if n < 5 else 0}")
    rows += ["gone.avi,ripens_test,1,0", "broken.avi,ripens_test,2,2"]
    (tmp_path / "v" / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "split.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.mark.parametrize("manner", list(MANNERS))
def test_a_linear_probe(changing, eye, manner):
    view = Viewing(windows=2, frames=8, fps=8.0)
    probe = Linear(split=(changing / "split.csv",), manner=manner, viewing=view, processes=1)
    outcome = probe(eye, changing / "v")
    assert outcome.figures == {"top-1": 100.0}
    assert outcome.detail["top-1 by split"] == {"split1": 100.0, "split2": 100.0}
    assert outcome.costless["chance"] == {"top-1": 50.0}
    assert outcome.costless["commonest class"] == {"top-1": 50.0}
    assert outcome.costless["colours"]["top-1"] <= 75.0
    assert outcome.counts == {
        "splits": 2, "classes": 2, "training videos": 14, "test videos": 8, "videos listed": 14
    }  # fmt: skip
    assert sorted(skipped.file for skipped in outcome.skipped) == ["broken.avi", "gone.avi"]
    assert outcome.preprocessing["C"] == MANNERS[manner].C
    trained_by_chance = 10 if manner == "mmv" else 0
    tested = 8 if manner == "mmv" else 12
    assert sum(shape[0] for shape in eye.shapes) == 2 * (tested + trained_by_chance)


def test_nearest_neighbours(changing, eye):
    view = Viewing(windows=1, frames=8, fps=8.0)
    outcome = Neighbours(split=(changing / "split.csv",), k=3, viewing=view, processes=1)(eye, changing / "v")
    assert outcome.figures == {"top-1": 100.0}
    assert outcome.preprocessing["k"] == 3


def test_windows_of_a_video_are_summed():
    """The second window of the test video says a little of class 0, the first much of class 1."""
    train = Part(windows=np.array([[[1.0, 0], [1, 0]], [[0, 1], [0, 1]]]), label=np.array([0, 1]))
    test = Part(windows=np.array([[[0.0, 3], [1, 0]]]), label=np.array([1]))
    scores = svm_scores(train, test, 2, MANNERS["milnce"])
    assert scores[0, 1] > 0 > scores[0, 0]


def test_a_split_without_videos_is_no_figure(changing, eye):
    (changing / "other.csv").write_text("video_id,label,split\ngone,a,1\nripens0,a,2\nripens1,b,2\n")
    with pytest.raises(ProbeError, match="0 of 1 training videos of split can be used; the first: gone"):
        Linear(split=(changing / "other.csv",), processes=1)(eye, changing / "v")
