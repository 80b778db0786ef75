"""A policy learns from a reward that is paid instead of the task's own."""

import numpy as np
import pytest
from points import Clock

from policies.learners.ppo import PPOSettings
from policies.residual import ResidualEnv
from policies.rewards.online import Payer, Paying
from policies.rewards.reward import RewardError
from policies.train import train
from policies.training import Training
from sim.tasks.hammer import HammerTask


def episode(env):
    env.reset(seed=3)
    done, paid, told = False, [], {}
    while not done:
        _, reward, done, _, told = env.step(np.zeros(3))
        paid.append(reward)
    return paid, told


def test_the_return_is_that_of_the_reward_paid_on_to_the_horizon():
    env = ResidualEnv(HammerTask.scripted(), paying=Paying("points:Clock", scale=0.5, paid_on=False))
    paid_on = ResidualEnv(HammerTask.scripted(), paying=Paying("points:Clock"))
    try:
        paid, told = episode(env)
        more, _ = episode(paid_on)
        horizon = env.tool_env.horizon
    finally:
        env.close()
        paid_on.close()
    steps = round((1 + np.sqrt(1 + 16 * sum(paid))) / 2)
    assert sum(paid) == pytest.approx(0.5 * steps * (steps - 1) / 2), "the clock counts 0, 1, 2, ..."
    assert told["return"] == pytest.approx(sum(paid))
    assert steps < horizon, "this episode is solved"
    assert sum(more) == pytest.approx(2 * sum(paid) + (horizon - steps) * (steps - 1))


def test_nothing_is_paid_on_for_change():
    payer = Payer(Paying("points:Ticks"), ("x",), 10.0, 50)
    payer.begin(np.zeros(1))
    for _ in range(5):
        payer.note(np.zeros(1), np.zeros(1))
    assert payer.pay(2, over=True) == 2


def test_pictures_are_not_taken_while_learning(tmp_path, monkeypatch):
    monkeypatch.setattr(Clock, "needs", frozenset({"frames"}))
    with pytest.raises(RewardError, match="looks at frames; policies learn from rewards of observations"):
        Payer(Paying("points:Clock"), ("x",), 10.0, 5)


def test_training_pays_it_and_is_another_training(tmp_path):
    settings = PPOSettings(decisions=16, minibatch=8, epochs=1, hidden=(8,))
    asked = Training(steps=128, settings=settings, processes=1, validation=0)
    told = []
    for paying in (None, Paying("points:Clock", scale=0.01)):
        policy = train(HammerTask.scripted(), tmp_path, training=asked._replace(paying=paying), seed=1)
        told.append((policy.fingerprint(), (tmp_path / "curve.json").read_text()))
    assert told[0] != told[1]
