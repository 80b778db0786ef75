"""A policy learns from a reward that is paid instead of the task's own."""

import numpy as np
import pytest

from policies.agents import Replay, Shifted
from policies.learners.ppo import PPOSettings
from policies.residual import ResidualEnv
from policies.rewards.film import CloseUp, Film, film_for
from policies.rewards.learned import learn
from policies.rewards.online import Payer, Paying, paid_in
from policies.rewards.reward import RewardError, Shown, judge
from policies.rewards.saved import load_reward, save_reward
from policies.rewards.watching import watch
from policies.train import train
from policies.training import Training
from sim.env import ToolEnv
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


@pytest.fixture
def still():
    env = ToolEnv(HammerTask.scripted())
    yield env
    env.close()


def paid(spec, env, monkeypatch):
    """Payments of five steps along x = 0, 1, .. 5, three of which are paid first."""
    monkeypatch.setattr(env, "obs_names", ("x",))
    monkeypatch.setattr(env, "horizon", 50)
    payer = Payer(Paying(spec))
    payer.begin(env, np.zeros(1))
    found = []
    for k in range(5):
        payer.note(np.array([k + 1.0]), np.zeros(1))
        if k in (2, 4):
            found.append(payer.pay(over=k == 4))
    return found


def test_nothing_is_paid_on_for_change(still, monkeypatch):
    assert sum(paid("points:Ticks", still, monkeypatch)) == 5


def test_what_looks_at_whole_episodes_is_paid_at_their_end(still, monkeypatch):
    assert paid("points:Clock", still, monkeypatch) == [0, 0 + 1 + 2 + 3 + 4 + 45 * 4]


def test_what_looks_at_single_steps_is_paid_as_they_are_done(still, monkeypatch):
    assert paid("points:near", still, monkeypatch) == [0 - 1 - 2, -3 - 4 - 45 * 4]


@pytest.fixture(scope="module")
def of_pictures(tmp_path_factory):
    demonstration, film = HammerTask.scripted(), Film(size=32)
    env = ToolEnv(demonstration, **film.how)
    try:
        shown = watch(env, Shifted(), [1, 2], film=film)
    finally:
        env.close()
    folder = tmp_path_factory.mktemp("reward")
    save_reward(learn("state_classifier", Shown(shown), CloseUp(size=32)), folder)
    return demonstration, folder


def test_pictures_are_taken_while_learning_and_paid_as_if_the_episode_were_judged_whole(of_pictures):
    demonstration, folder = of_pictures
    reward, env = load_reward(folder), ResidualEnv(demonstration, base="replay", paying=Paying(str(folder)))
    watched = ToolEnv(demonstration, **film_for(reward).how)
    try:
        payments, told = episode(env)
        (whole,) = watch(watched, Replay(), [3], film=film_for(reward))
        assert len(payments) > 1
        assert min(payments) > 0
        assert told["return"] == pytest.approx(paid_in(reward, whole, watched.horizon), rel=1e-12)
    finally:
        env.close()
        watched.close()


def test_pictures_of_another_size_are_refused(of_pictures):
    demonstration, folder = of_pictures
    film = Film(size=16)
    env = ToolEnv(demonstration, **film.how)
    try:
        (other,) = watch(env, Replay(), [3], film=film)
    finally:
        env.close()
    with pytest.raises(RewardError, match="16 x 16 px, but the reward was learned from close-ups of 32 x 32 px"):
        judge(load_reward(folder), other)
    with pytest.raises(RewardError, match="both must be positive"):
        CloseUp(radius=0.0)


def test_training_pays_it_and_is_another_training(tmp_path):
    settings = PPOSettings(decisions=16, minibatch=8, epochs=1, hidden=(8,))
    asked = Training(steps=128, settings=settings, processes=1, validation=0)
    told = []
    for paying in (None, Paying("points:Clock", scale=0.01)):
        policy = train(HammerTask.scripted(), tmp_path, training=asked._replace(paying=paying), seed=1)
        told.append((policy.fingerprint(), (tmp_path / "curve.json").read_text()))
    assert told[0] != told[1]
