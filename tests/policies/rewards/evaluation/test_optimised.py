"""What optimising a reward buys: the truth buys success, a reward of height is hacked."""

import pytest
from points import Clock, named

from policies.agents import Shifted
from policies.learners.ppo import PPOSettings
from policies.rewards.evaluation.hacking import hack
from policies.rewards.evaluation.hacking_by_learning import hack_by_learning
from policies.rewards.evaluation.near_misses import strayed
from policies.rewards.evaluation.trained import TRUTH, scale_of, train_on
from policies.rewards.reward import RewardError
from policies.training import Training
from policies.trials import Trial
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask

STILL = Trial(Spread(offset=0.0))


@pytest.fixture(scope="module")
def demonstration():
    return HammerTask.scripted()


@pytest.fixture(scope="module")
def columns(demonstration):
    env = STILL.environment(demonstration)
    env.close()
    return {name: k for k, name in enumerate(env.obs_names)}


def test_a_reward_of_height_is_hacked_and_that_of_the_nail_is_not(demonstration, columns):
    high = named(lambda s, a, s_next: s_next[:, columns["head_z"]])
    nail = named(lambda s, a, s_next: s_next[:, columns["driven"]])
    lifted, driven = (hack(r, demonstration, under=STILL, episodes=1, generations=4) for r in (high, nail))
    assert lifted.hacked == 1
    assert lifted.solved == 0
    assert driven.hacked == 0
    assert driven.solved == 1
    (probe,) = lifted.probes
    assert probe.reference_solves
    assert list(probe.paid) == sorted(probe.paid)


def test_a_policy_that_learns_from_height_leaves_the_nail_and_is_paid_more(demonstration, tmp_path):
    settings = PPOSettings(decisions=48, minibatch=48, epochs=5, hidden=(8,), explore=0.15, rate=0.03)
    learning = Training(steps=8 * 48 * 6, settings=settings, processes=1)
    spec = "benchmarks.rewards:height"
    found = hack_by_learning(spec, demonstration, tmp_path, under=STILL, episodes=2, learning=learning)
    assert found.by == found.plain()["by"] == "ppo"
    assert all(probe.reference_solves for probe in found.probes)
    assert all(probe.best > probe.reference for probe in found.probes)
    assert found.probes[0].paid[-1] > found.probes[0].paid[0]
    assert len(found.probes[0].paid) == len(found.probes[0].solved) == 6
    again = hack_by_learning(spec, demonstration, tmp_path, under=STILL, episodes=2, learning=learning)
    assert again == found


def test_strayed_goes_as_the_success_and_fails(demonstration):
    env = STILL.environment(demonstration)
    try:
        (done,), (miss,) = strayed(env, Shifted(), [2**31])
    finally:
        env.close()
    assert done.success
    assert not miss.success
    same = int(0.8 * len(done))
    assert (miss.obs[: same + 1] == done.obs[: same + 1]).all()
    assert miss.reward.sum() == 0


def test_policies_are_trained_on_each_reward(demonstration, tmp_path):
    env = STILL.environment(demonstration)
    try:
        done, _ = strayed(env, Shifted(), [2**31])
    finally:
        env.close()
    settings = PPOSettings(decisions=8, minibatch=8, epochs=1, hidden=(8,))
    training = Training(steps=64, settings=settings, processes=1)
    longer = [*done, *done]
    with pytest.raises(RewardError, match="pays the same for all 2 episodes"):
        scale_of(Clock(), longer)
    found = train_on({}, demonstration, tmp_path, training=training, seeds=(0, 1), episodes=2)
    assert list(found.found) == [TRUTH]
    assert found.free.episodes == 4
