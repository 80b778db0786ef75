"""Published values of EPIC, and the laws that EPIC and DARD obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from policies.rewards.evaluation.canonical import dard, epic, tabular
from policies.rewards.evaluation.canonical.epic import Marginals, Transitions
from policies.rewards.evaluation.canonical.pearson import (
    ConstantRewardError,
    needed_size,
    pearson_distance,
    rarest,
    refuse_constant,
    resampled,
)
from policies.rewards.evaluation.coverage import coverage
from policies.rewards.reward import RewardError, Watched

GAMMA = 0.99
SIDE = 3
GOAL = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1.0])
CENTRE = np.array([0, 0, 0, 0, 1.0, 0, 0, 0, 0])
DIRT = np.array([0, -1, -1, 0, 0, 0, -1, -1, 4.0])
CLIFF = np.array([0, -1, -1, 0, 0, 0, -4, -4, 4.0])
AWAY = np.array([abs(2 - row) + abs(2 - column) for row in range(SIDE) for column in range(SIDE)], float)
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))
UNIFORM = np.full(9, 1 / 9)
EVENLY = np.full(5, 1 / 5)
MODERATE = st.floats(-10, 10, allow_subnormal=False)


def of_states(value, potential=None):
    """Reward (9, 5, 9) of the state that is left, and shaping."""
    table = np.broadcast_to(value[:, None, None], (9, 5, 9)).astype(float)
    return table if potential is None else tabular.shaped(table, potential, GAMMA)


def gridworld():
    """Where moves lead to; a wall is not passed."""
    leads = np.zeros((9, 5, 9))
    for state in range(9):
        for a, move in enumerate(MOVES):
            row, column = np.clip(np.add(divmod(state, SIDE), move), 0, SIDE - 1)
            leads[state, a, SIDE * row + column] = 1
    return leads


def tabular_distance(a, b, kind="epic"):
    if kind == "epic":
        return pearson_distance(*(tabular.epic(r, UNIFORM, EVENLY, GAMMA) for r in (a, b)))
    leads = gridworld()
    weight = leads / leads.sum()
    return pearson_distance(*(tabular.dard(r, leads, EVENLY, GAMMA) for r in (a, b)), weight)


SPARSE = of_states(GOAL)
EQUIVALENT = {
    "shifted": of_states(GOAL + 1),
    "scaled": of_states(10 * GOAL),
    "densely shaped": of_states(GOAL, -AWAY),
    "anti-dense": of_states(GOAL, AWAY),
    "all transformed": of_states(10 * GOAL - 1, -10 * AWAY),
}
OTHERS = {
    "centre goal": (CENTRE, 0.75),
    "dirt path": (DIRT, 0.1602),
    "cliff walk": (CLIFF, 0.3676),
    "negated": (-GOAL, 1),
}


@pytest.mark.parametrize("name", EQUIVALENT)
@pytest.mark.parametrize("kind", ["epic", "dard"])
def test_equivalent_rewards_of_the_gridworld(name, kind):
    assert tabular_distance(SPARSE, EQUIVALENT[name], kind) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("name", OTHERS)
def test_other_rewards_of_the_gridworld_as_published(name):
    value, published = OTHERS[name]
    found = tabular_distance(SPARSE, of_states(value))
    assert found == pytest.approx(published, abs=5e-4 if published < 1 else 1e-9)
    assert tabular_distance(of_states(value), EQUIVALENT["all transformed"]) == pytest.approx(found, abs=1e-9)


def test_sampled_epic_agrees_with_the_exact_one_on_all_transitions():
    """With every transition, and every draw of S, A and S' once, the samples are the tables."""
    s, a, t = (x.ravel()[:, None].astype(float) for x in np.meshgrid(range(9), range(5), range(9), indexing="ij"))
    for value, _ in OTHERS.values():
        table = of_states(value, AWAY)

        def reward(s, a, s_next, table=table):
            return table[s[:, 0].astype(int), a[:, 0].astype(int), s_next[:, 0].astype(int)]

        found = epic.canonical(reward, Transitions(s, a, t), Marginals(s, a, t), GAMMA)
        np.testing.assert_allclose(found, tabular.epic(table, UNIFORM, EVENLY, GAMMA).ravel(), atol=1e-9)


class Tabular:
    """The gridworld's dynamics as samples: every action once."""

    def draw(self, s, s_next, draws):
        leads = gridworld().argmax(axis=2)
        a = np.tile(np.arange(5), (len(s), 1))
        first, second = (leads[x[:, 0].astype(int)] for x in (s, s_next))
        return tuple(x[..., None].astype(float) for x in (a, first, second))


def test_sampled_dard_agrees_with_the_exact_one():
    s, a, t = (x.ravel()[:, None].astype(float) for x in np.meshgrid(range(9), range(5), range(9), indexing="ij"))
    table = np.random.default_rng(0).normal(size=(9, 5, 9))

    def reward(s, a, s_next):
        return table[s[:, 0].astype(int), a[:, 0].astype(int), s_next[:, 0].astype(int)]

    found = dard.canonical(reward, Transitions(s, a, t), Tabular(), GAMMA, draws=5)
    np.testing.assert_allclose(found, tabular.dard(table, gridworld(), EVENLY, GAMMA).ravel(), atol=1e-9)


def point_mass(count, seed):
    """Transitions of (position, velocity, goal) and draws, all independent."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(count, 3)), rng.uniform(-1, 1, (count, 1)), rng.normal(size=(count, 3))]
    return Transitions(*parts), Marginals(
        rng.normal(size=(count, 3)), rng.uniform(-1, 1, (count, 1)), rng.normal(size=(count, 3))
    )


def away(s):
    return np.abs(s[:, 0] - s[:, 2])


def sparse(s, a, s_next, control=1.0):
    return (away(s) < 0.05).astype(float) - control * (a**2).sum(axis=1)


def dense(s, a, s_next):
    return sparse(s, a, s_next) + 10 * (away(s) - away(s_next))


def no_control(s, a, s_next):
    return sparse(s, a, s_next, control=0)


def ground_truth(s, a, s_next):
    return -away(s_next) - (a**2).sum(axis=1)


@pytest.fixture(scope="module")
def line():
    """Canonical rewards on 2048 transitions of the point mass on a line, discount 1."""
    at, over = point_mass(2048, 0)
    return {
        reward.__name__: epic.canonical(reward, at, over, 1.0) for reward in (sparse, dense, no_control, ground_truth)
    }


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ("dense", "sparse", 0, 5e-4),
        ("ground_truth", "sparse", 0.54, 0.58),
        ("no_control", "sparse", 0.49, 0.53),
        ("no_control", "ground_truth", 0.61, 0.645),
    ],
)
def test_point_mass_as_published(line, a, b, low, high):
    """Bands of the published figures (.572 of 512, .55 to .56 of 4096 samples; .50 to .52; .62 to .635)."""
    assert low <= pearson_distance(line[a], line[b]) <= high


@given(arrays(float, (4, 2, 4), elements=MODERATE), arrays(float, 4, elements=MODERATE), st.floats(0.1, 10), MODERATE)
@settings(max_examples=50, deadline=None)
def test_canonical_rewards_know_neither_shaping_nor_scale(table, potential, scale, shift):
    states, actions = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.3, 0.7])
    leads = np.random.default_rng(1).dirichlet(np.ones(4), size=(4, 2))
    changed = tabular.shaped(scale * table + shift, potential)
    for canonical in (lambda r: tabular.epic(r, states, actions), lambda r: tabular.dard(r, leads, actions)):
        before, after = canonical(table), canonical(changed)
        flat = np.ptp(after - scale * before)
        assert flat < 1e-9 * (1 + np.abs(changed).max()), "but for a constant"


@given(arrays(float, (3, 12), elements=st.integers(-20, 20)))
@settings(max_examples=100, deadline=None)
def test_pearson_distance_is_a_bounded_metric(values):
    if any(np.ptp(value) == 0 for value in values):
        with pytest.raises(ConstantRewardError, match="zero variance"):
            pearson_distance(values[np.argmin(np.ptp(values, axis=1))], values[0])
        return
    d = [[pearson_distance(a, b) for b in values] for a in values]
    for i in range(3):
        assert d[i][i] < 1e-9
        assert pearson_distance(values[i], -values[i]) == pytest.approx(1)
        for j in range(3):
            assert 0 <= d[i][j] <= 1
            assert d[i][j] == pytest.approx(d[j][i])
            rho = np.corrcoef(values[i], values[j])[0, 1]
            assert d[i][j] == pytest.approx(np.sqrt(max(0, (1 - rho) / 2)), abs=1e-6)
            for k in range(3):
                assert d[i][k] <= d[i][j] + d[j][k] + 1e-9


def test_a_rare_event_is_refused_with_the_sample_that_would_be_needed():
    few = np.zeros(100)
    many = np.zeros(20_000)
    many[::1000] = 1
    with pytest.raises(
        ConstantRewardError, match=r"'rare' has zero variance.*in all of 100 .*share of 0.001 of 20,000.*2,995"
    ):
        refuse_constant("rare", few, many)
    with pytest.raises(ConstantRewardError, match=r"constant, or what it pays for is rarer than 0.03: more than 100"):
        refuse_constant("rare", few)
    with pytest.raises(ConstantRewardError, match=r"in all of 100 transitions, and of a larger sample of 500; either"):
        refuse_constant("rare", few, np.zeros(500))
    rng = np.random.default_rng(0)
    shown = np.mean([(rng.random(needed_size(0.01)) < 0.01).any() for _ in range(2000)])
    assert shown == pytest.approx(0.95, abs=0.02)
    assert needed_size(rarest(500)) in (500, 501)


def test_the_interval_holds_the_distance_and_narrows():
    rng = np.random.default_rng(0)

    def width(episodes):
        a, b = rng.normal(size=(2, episodes * 5))
        group = np.repeat(np.arange(episodes), 5)
        low, high = resampled(a, a + b, group, np.random.default_rng(1), 200)
        assert low < np.sqrt((1 - np.sqrt(0.5)) / 2) < high
        return high - low

    assert width(400) < 0.5 * width(40)


def test_the_interval_counts_episodes_not_transitions():
    rng = np.random.default_rng(0)
    a, b = np.repeat(rng.normal(size=(2, 30)), 20, axis=1)
    by_episode = np.subtract(*resampled(a, a + b, np.repeat(np.arange(30), 20), rng, 200))
    by_transition = np.subtract(*resampled(a, a + b, np.arange(600), rng, 200))
    assert abs(by_episode) > 2 * abs(by_transition)


def test_the_interval_counts_episodes_where_state_and_action_are_drawn_apart():
    """States and actions are the same within an episode: of s and s + a the correlation is sqrt(1/2)."""
    truth, held = np.sqrt((1 - np.sqrt(0.5)) / 2), []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        s, a = rng.normal(size=(2, 10))
        episodes = [
            Watched(obs=np.full((21, 1), s[k]), obs_names=("s",), action=np.full((20, 1), a[k]), fps=1.0)
            for k in range(10)
        ]
        on = coverage(episodes, "independent", count=300, seed=seed)
        assert on.episode.shape == (300, 3)
        np.testing.assert_array_equal(s[on.episode[:, 0]], on.at.s[:, 0])
        low, high = resampled(on.at.s[:, 0], on.at.s[:, 0] + on.at.a[:, 0], on.episode, rng, 60)
        held.append(low < truth < high)
    assert np.mean(held) >= 0.8


def test_a_single_episode_leaves_the_distance_open():
    a, b = np.random.default_rng(0).normal(size=(2, 30))
    assert resampled(a, b, np.zeros(30, int), np.random.default_rng(0)) == (0.0, 1.0)


def test_a_reward_that_is_not_finite_is_refused():
    at, over = point_mass(8, 0)
    with pytest.raises(RewardError, match="a reward is nan for a transition"):
        epic.canonical(lambda s, a, s_next: np.full(len(s), np.nan), at, over)
    with pytest.raises(RewardError, match=r"shape \(8, 3\) for 8 transitions"):
        epic.rewarded(lambda s, a, s_next: s, *at)


def test_actions_lead_where_they_led_nearby():
    """On a line where an action is the step, what is seen nearby is the truth."""
    rng = np.random.default_rng(0)
    s, a = rng.uniform(-1, 1, (500, 1)), rng.uniform(-1, 1, (500, 1))
    nearby = dard.SeenNearby(Transitions(s, a, s + a), rng)
    action, first, second = nearby.draw(np.zeros((2, 1)), np.full((2, 1), 0.5), 50)
    np.testing.assert_allclose(first, action)
    assert np.abs(second - 0.5 - action).max() < 0.15
