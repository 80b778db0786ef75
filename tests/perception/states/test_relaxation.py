"""The joint objective, its gradient and its descent."""

import re

import numpy as np
import pytest
from changing import made_up
from hypothesis import given
from hypothesis import strategies as st

from perception.states.clustering import Clustering
from perception.states.distortion import distortion, gradient_of_distortion
from perception.states.relaxation import Descent
from perception.states.stack import stacked
from perception.states.vertices import random_vertex


@st.composite
def labelled(draw):
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    windows = draw(st.integers(1, 9))
    return rng.normal(size=(windows, 3)), np.sort(rng.uniform(0, 20, windows))


@given(labelled())
def test_distortion_is_the_sum_of_the_paper(given_labels):
    label, middle = given_labels
    by_definition = 0.0
    for t, z in enumerate(label[:, 1]):
        for k, (first, _, last) in enumerate(label):
            late, early = max(middle[k] - middle[t], 0), max(middle[t] - middle[k], 0)
            by_definition += 0.5 * z * (first * late + last * early)
    assert distortion(label, middle) == pytest.approx(by_definition, abs=1e-9)


@given(labelled())
def test_gradient_of_the_distortion(given_labels):
    label, middle = given_labels
    gradient = gradient_of_distortion(label, middle)
    for index in np.ndindex(label.shape):
        step = np.zeros_like(label)
        step[index] = 1e-3
        slope = (distortion(label + step, middle) - distortion(label - step, middle)) / 2e-3
        assert gradient[index] == pytest.approx(slope, abs=1e-7)


def test_labels_in_order_are_not_distorted():
    label = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1.0]])
    assert distortion(label, np.arange(5.0)) == 0.0
    assert distortion(label[::-1], np.arange(5.0)) > 0.0


@pytest.fixture(name="problem", scope="module")
def _problem():
    made = made_up(clips=6, windows=20, dimensions=8)
    prior = [np.linspace(0, 1, len(own)) for own in made.label]
    return Clustering(beta=0.1, state_regularisation=1e-3).problem(stacked(made.clips), prior)


def start(problem, seed=0):
    rng = np.random.default_rng(seed)
    pieces = zip(problem.stack.split(problem.stack.step), problem.shortest, strict=True)
    return np.concatenate([
        np.mean([random_vertex(step, rng, shortest) for _ in range(5)], axis=0) for step, shortest in pieces
    ])  # fmt: skip


def test_gradient_of_the_objective(problem):
    label = start(problem)
    score = problem.scores(label)
    for row in (0, 19, 50):
        clip = row // 20
        rows = problem.stack.rows(clip)
        gradient = problem.gradient(rows, label[rows], score[rows])[row - rows.start]
        for k in range(3):
            step = np.zeros_like(label)
            step[row, k] = 1e-2
            slope = (problem.objective(label + step).total - problem.objective(label - step).total) / 2e-2
            assert gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-7)


def test_no_step_raises_the_objective(problem):
    descent = Descent(problem, start(problem))
    values = [problem.objective(descent.label).total]
    for _ in range(4):
        for clip in range(problem.stack.clips):
            descent.sweep([clip])
            values.append(problem.objective(descent.label).total)
    assert max(np.diff(values)) <= 1e-9
    assert values[-1] < values[0]


def test_gap_bounds_the_distance_to_the_least_value_of_a_convex_problem(problem):
    convex = problem._replace(beta=0.0)
    descent = Descent(convex, start(convex))
    seen = []
    for _ in range(100):
        seen.append((convex.objective(descent.label).total, convex.gap(descent.label, convex.scores(descent.label))))
        descent.sweep(range(convex.stack.clips))
    least = convex.objective(descent.label).total
    assert all(value - gap <= least + 1e-9 for value, gap in seen)
    assert seen[-1][1] < 0.02 * seen[0][1]


def test_relaxed_labels_stay_means_of_allowed_ones(problem):
    descent = Descent(problem, start(problem))
    descent.sweep(range(problem.stack.clips))
    assert descent.label.min() >= -1e-12
    assert descent.label.sum(axis=1).max() <= 1 + 1e-12
    for own in problem.stack.split(descent.label):
        assert (own.sum(axis=0) >= 1 - 1e-12).all()


def test_log_holds_parts_gap_and_rounded_objective(problem, caplog):
    with caplog.at_level("DEBUG", "perception.states.clustering"):
        clustered = Clustering(beta=0.1).clustered(problem, 0, 0)
    assert len(clustered.log) >= 2
    assert all(entry.gap >= -1e-12 for entry in clustered.log)
    assert clustered.objective == min(entry.rounded for entry in clustered.log)
    assert caplog.messages == [f"start 1 {entry.told()}" for entry in clustered.log]
    assert re.fullmatch(
        r"start 1 sweep \d+: action \S+, states \S+, distortion \S+, prior \S+; gap \S+; rounded \S+",
        caplog.messages[0],
    )
    assert clustered.objective == pytest.approx(problem.objective(clustered.label).total)
    assert problem.objective(clustered.label).distortion == 0.0
