"""DARD by simulation: other actions lead elsewhere, and the sparse truth of a strike keeps something to compare."""

from dataclasses import replace

import numpy as np
import pytest
from points import named

from policies.evaluate import evaluate
from policies.rewards.evaluation.canonical.pearson import ConstantRewardError
from policies.rewards.evaluation.coverage import coverage
from policies.rewards.evaluation.data.reading import DataError, read_episodes
from policies.rewards.evaluation.distance import SAME, Distance, distance
from policies.rewards.evaluation.simulated import Simulated
from policies.rewards.evaluation.truths import true_reward
from policies.trials import NOMINAL
from sim.tasks.hammer import HammerTask


@pytest.fixture(scope="module")
def demonstration():
    return HammerTask.scripted()


@pytest.fixture(scope="module")
def data(demonstration, tmp_path_factory):
    """Episodes of the moved demonstration, and of random actions, which never come near a strike."""
    path = tmp_path_factory.mktemp("simulated") / "both.npz"
    both = list(evaluate(demonstration, agents=["shifted", "random"], episodes=3, seed=1).episodes.values())
    names = ("length", "obs", "action", "reward", "reward_terms", "terminated", "success", "seed")
    both[0].replace(**{name: np.concatenate([getattr(one, name) for one in both]) for name in names}).save(path)
    return read_episodes(path)


@pytest.fixture(scope="module")
def simulated(data, demonstration):
    aside = np.array([[0.0, 0.0, 0.0], [0.4, 0.9, 0.7]])
    return Simulated(data, demonstration, under=NOMINAL, actions=aside)


def test_the_action_that_was_taken_leads_where_it_led(data, demonstration):
    episode, step = data.episodes[0], 3
    one = replace(data, episodes=[episode], seeds=data.seeds[:1])
    known = Simulated(one, demonstration, under=NOMINAL, actions=episode.action[step : step + 1])
    _, first, second = known.draw(episode.obs[step : step + 1], episode.obs[-1:], 3)
    np.testing.assert_allclose(first[0], np.repeat(episode.obs[step + 1 : step + 2], 3, axis=0), atol=1e-9)
    np.testing.assert_array_equal(second[0], np.repeat(episode.obs[-1:], 3, axis=0))
    with pytest.raises(DataError, match="not one of the simulated episodes"):
        known.draw(episode.obs[:1] + 1, episode.obs[:1], 1)


def test_the_sparse_truth_is_compared_where_data_alone_show_one_action(data, simulated, demonstration, tmp_path):
    names = data.episodes[0].obs_names
    truth, column = true_reward(data.environment, names), names.index("driven")
    driven = named(lambda s, a, s_next: s_next[:, column]).function
    evaluate(demonstration, agents=["shifted"], episodes=20, seed=1).episodes["shifted"].save(tmp_path / "alike.npz")
    alike = coverage(list(read_episodes(tmp_path / "alike.npz").episodes), "mixed")
    with pytest.raises(ConstantRewardError, match=SAME):
        distance((("truth", truth), ("driven", driven)), alike, "dard")
    on = coverage(list(data.episodes), "mixed")
    found = distance((("truth", truth), ("driven", driven)), on, "dard", dynamics=simulated)
    assert isinstance(found, Distance)
    assert found.transitions == len(on.at.a)

    def shaped(s, a, s_next):
        return truth(s, a, s_next) + 0.99 * s_next[:, 0] - s[:, 0]

    same = distance((("truth", truth), ("shaped", shaped)), on, "dard", dynamics=simulated)
    assert same.value == pytest.approx(0, abs=1e-6)
