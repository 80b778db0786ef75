"""Exact minimisation over ordered labels against trying all of them."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.states.order import ABSENT, best_triple
from perception.states.vertices import least_vertex, random_vertex

COST = st.floats(-2, 2, allow_nan=False).map(lambda x: round(x, 3))
ABSENCE = st.one_of(st.just(np.inf), COST)


@st.composite
def clips(draw, most=6):
    """Costs of the windows of a clip and their time steps, some with two candidates."""
    candidates = draw(st.lists(st.integers(1, 2), min_size=3, max_size=most).filter(lambda c: sum(c) <= most + 1))
    step = np.repeat(np.arange(len(candidates)), candidates)
    cost = draw(st.lists(COST, min_size=3 * len(step), max_size=3 * len(step)))
    return np.array(cost).reshape(-1, 3), step


def allowed(step, shortest):
    """All labels that a clip may have, states absent or not: one of none, 0, 1, 2 for each window."""
    moments = step[-1] + 1
    for kinds in product((None, 0, 1, 2), repeat=len(step)):
        labelled = [(s, k) for s, k in zip(step.tolist(), kinds, strict=True) if k is not None]
        if len({s for s, _ in labelled}) < len(labelled):
            continue
        action = [s for s, k in labelled if k == 1]
        if not action or action != list(range(action[0], action[-1] + 1)) or len(action) < min(shortest, moments):
            continue
        if all(s < action[0] for s, k in labelled if k == 0) and all(s > action[-1] for s, k in labelled if k == 2):
            yield np.array([[float(k == kind) for kind in range(3)] for k in kinds])


def costs(label, cost, absent):
    own = float((label * cost).sum())
    return own + (0 if label[:, 0].any() else absent[0]) + (0 if label[:, 2].any() else absent[1])


@given(clips(), st.integers(1, 2), st.tuples(ABSENCE, ABSENCE))
def test_least_vertex_is_the_least_of_all(clip, shortest, absent):
    cost, step = clip
    moments = int(step[-1]) + 1
    shortest = min(shortest, moments - 2 + int(np.isfinite(absent).sum()))
    label = least_vertex(cost, step, shortest, absent)
    every = list(allowed(step, shortest))
    assert any(np.array_equal(label, other) for other in every)
    least = min(costs(other, cost, absent) for other in every)
    assert costs(label, cost, absent) <= least + 1e-9


@given(clips(most=8), st.tuples(ABSENCE, ABSENCE))
def test_best_triple_is_the_best_of_all(clip, absence):
    score, step = -clip[0], clip[1]
    absent = (-absence[0], -absence[1])
    windows = [*range(len(step)), ABSENT]
    tried = {}
    for i, a, f in product(windows, range(len(step)), windows):
        if (i == ABSENT or step[i] < step[a]) and (f == ABSENT or step[a] < step[f]):
            first = absent[0] if i == ABSENT else score[i, 0]
            tried[i, a, f] = first + score[a, 1] + (absent[1] if f == ABSENT else score[f, 2])
    found = tuple(best_triple(score, step, absent).tolist())
    assert found in tried
    assert tried[found] >= max(tried.values()) - 1e-9


@given(clips(), st.integers(0, 5), st.integers(1, 3))
def test_random_labels_are_allowed(clip, seed, shortest):
    step = clip[1]
    shortest = min(shortest, int(step[-1]) - 1)
    label = random_vertex(step, np.random.default_rng(seed), shortest)
    assert label[:, [0, 2]].any(axis=0).all()
    assert any(np.array_equal(label, other) for other in allowed(step, shortest))
