"""What optimising a reward buys: the truth buys success, a reward of height is hacked."""

import pytest
from points import named

from policies.agents import Shifted
from policies.learners.ppo import PPOSettings
from policies.rewards.evaluation.hacking import hack
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
        scale_of("points:Clock", longer)
    found = train_on({}, demonstration, tmp_path, done, training=training, seeds=(0, 1), episodes=2)
    assert list(found.found) == [TRUTH]
    assert found.free.episodes == 4
