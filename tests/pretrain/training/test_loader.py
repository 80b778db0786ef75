"""Batches: an order that depends on the step alone, the same whoever makes them, and processes that die."""

import multiprocessing
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patterns import VOCABULARY, Broken, Deadly, Patterns, Replacing

from pretrain.training.examples import Collated, collate, joined
from pretrain.training.loader import Loader, LoaderError, Share
from pretrain.training.order import Order


@given(videos=st.integers(1, 30), groups=st.integers(1, 7), clips=st.integers(1, 4), seed=st.integers(0, 9))
def test_every_video_is_seen_once_in_an_epoch(videos, groups, clips, seed):
    order = Order(videos, batch=groups * clips, clips=clips, seed=seed)
    steps = videos  # groups * videos positions: as many epochs as there are groups.
    numbers = [number for step in range(steps) for number in order.numbers(step)]
    assert len(set(numbers)) == len(numbers), "no example twice"
    epochs = np.array(numbers).reshape(groups, videos, clips)
    assert (np.sort(epochs[:, :, 0] % videos, axis=1) == np.arange(videos)).all()
    assert (epochs % videos == epochs[:, :, :1] % videos).all(), "clips of a video stand together"


@given(step=st.integers(0, 50), processes=st.sampled_from([1, 2, 4]))
def test_a_step_does_not_depend_on_those_before_and_shares_make_it_up(step, processes):
    walked, jumped = Order(10, batch=8, seed=1), Order(10, batch=8, seed=1)
    before = [walked.numbers(k) for k in range(step + 1)][-1]
    assert jumped.numbers(step) == before
    parts = [Share(rank, processes).of(before) for rank in range(processes)]
    assert [n for part in parts for n in part] == before


def test_epochs_and_seeds_differ():
    first, second = Order(20, batch=20, seed=0).numbers(0), Order(20, batch=20, seed=0).numbers(1)
    assert first != [n - 20 for n in second]
    assert first != Order(20, batch=20, seed=1).numbers(0)
    with pytest.raises(ValueError, match="not a multiple"):
        Order(20, batch=10, clips=4)


def loader_of(examples, processes, batch=40):
    return Loader(examples, Order(len(examples), batch=batch, seed=0), VOCABULARY, length=3, processes=processes)


def same(one: Collated, other: Collated):
    for name, a, b in zip(Collated._fields, one, other, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_workers_make_what_one_process_makes():
    examples = Patterns(sound=True)
    here = list(loader_of(examples, 0).steps(2, 4))
    there = list(loader_of(examples, 1).steps(2, 4))
    assert len(here) == len(there) == 2
    for one, other in zip(here, there, strict=True):
        same(one, other)
    assert here[0].frames.shape == (40, 4, 16, 16, 3)


def test_a_process_that_dies_once_costs_nothing(tmp_path, caplog):
    number = Order(16, batch=40, seed=0).numbers(1)[3]
    found = list(loader_of(Deadly(number, tmp_path / "died"), 1).steps(0, 2))
    assert (tmp_path / "died").exists()
    for one, other in zip(found, loader_of(Patterns(), 0).steps(0, 2), strict=True):
        same(one, other)
    assert "has died at step" in caplog.text


def test_a_process_that_dies_while_the_model_learns_costs_nothing(caplog):
    found = []
    for batch in loader_of(Patterns(), 1).steps(0, 8):
        found.append(batch)
        if len(found) == 1:
            for process in multiprocessing.active_children():
                process.kill()
            for _ in range(20):
                time.sleep(0.01)  # a signal is answered between two operations of Python
    for one, other in zip(found, loader_of(Patterns(), 0).steps(0, 8), strict=True):
        same(one, other)
    assert "has died at step" in caplog.text


def test_an_example_that_always_kills_is_named_and_replaced(caplog):
    numbers = Order(16, batch=4, seed=0).numbers(1)
    found = list(loader_of(Deadly(numbers[2]), 1, batch=4).steps(0, 3))
    assert f"example {numbers[2]} kills the process" in caplog.text
    expected = list(loader_of(Patterns(), 0, batch=4).steps(0, 3))
    same(found[0], expected[0])
    same(found[2], expected[2])
    kept = [0, 1, 3]
    np.testing.assert_array_equal(found[1].frames[kept], expected[1].frames[kept])
    np.testing.assert_array_equal(found[1].frames[2], expected[1].frames[3])
    assert found[1].source[2] == found[1].source[3]


@pytest.mark.parametrize("processes", [0, 1])
def test_what_could_not_be_read_is_told_once_by_the_process_that_trains(processes, caplog):
    list(loader_of(Replacing(), processes).steps(0, 2))
    told = sorted(record.getMessage().partition(" at ")[0] for record in caplog.records)
    assert told == ["skipped: 0.mp4: damaged", "skipped: 1.mp4: damaged"]


def test_where_everything_kills_there_is_an_error(monkeypatch):
    from pretrain.training import loader as module

    loader = loader_of(Patterns(), 0, batch=4)
    monkeypatch.setattr(module, "in_order", lambda _, numbers, __: ((n, module.WorkerLost()) for n in numbers))
    with pytest.raises(LoaderError, match="every example of step 7"):
        loader._salvaged(7)


@pytest.mark.parametrize("processes", [0, 1])
def test_what_an_example_raises_is_raised_as_it_is(processes):
    with pytest.raises(ValueError, match=r"^example 3 is broken$"):
        list(loader_of(Broken(), processes).steps(0, 1))


def test_sentences_without_known_words_are_no_candidates_and_silence_stands_for_sound():
    examples = Patterns(sound=True)
    clips = [examples[0]._replace(captions=("look xyzzy", "xyzzy")), examples[1]]
    found = collate(clips, [0, 17], 16, VOCABULARY, 3)
    assert found.candidate.tolist() == [[True, False], [True, True]]
    assert found.source.tolist() == [0, 1]
    assert found.heard.tolist() == [False, True]
    assert found.wave is not None
    assert not found.wave[0].any()
    silent = collate([examples[0]], [0], 16, VOCABULARY, 3)
    assert silent.wave is None
    both = joined([silent, found])
    assert both.heard.tolist() == [False, False, True]
    np.testing.assert_array_equal(both.wave[2], found.wave[1])
    assert not both.wave[0].any()
