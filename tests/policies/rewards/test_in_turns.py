"""Adversarial rewards in turns with a policy: closed forms, and the reward of a gridworld is found again."""

import numpy as np
import pytest
from grid import (
    ACTIONS,
    EYE,
    GAMMA,
    HORIZON,
    NAMES,
    NEXT,
    STATES,
    TRUE,
    Exact,
    Grid,
    demonstrations,
    from_truth,
    soft_policy,
    walk,
)

from policies.learners.ppo import PPOSettings
from policies.rewards.acting import ActingSettings, PPOActing
from policies.rewards.adversarial import AdversarialSettings
from policies.rewards.describers import Observed
from policies.rewards.in_turns import InTurnsSettings, Moves, learn_in_turns
from policies.rewards.learned import learn
from policies.rewards.reward import RewardError, Shown, Watched, judge
from policies.rewards.saved import load_reward, save_reward

LINEAR = InTurnsSettings(hidden=(), discount=GAMMA)
TRUTH = soft_policy(np.repeat(TRUE[:, None], ACTIONS, axis=1))


class Recording(Exact):
    """Keeps what it was paid last for every state and action."""

    def improve(self, pays):
        s, a = np.divmod(np.arange(STATES * ACTIONS), ACTIONS)
        self.paid = pays(Moves(EYE[s], np.eye(ACTIONS)[a], EYE[NEXT[s, a]])).reshape(STATES, ACTIONS)
        return super().improve(pays)


class Fixed(Recording):
    """Never learns: acts at random."""

    def improve(self, pays):
        found = super().improve(pays)
        self.log_policy = np.full((STATES, ACTIONS), -np.log(ACTIONS))
        return found


def at_random(seed=1):
    states, actions = walk(np.full((STATES, ACTIONS), -np.log(ACTIONS)), np.random.default_rng(seed), 200)
    return [
        Watched(obs=EYE[s], obs_names=NAMES, action=np.eye(ACTIONS)[a], fps=1.0)
        for s, a in zip(states, actions, strict=True)
    ]


def test_where_the_policy_is_the_demonstrator_it_is_paid_the_log_of_its_own_probabilities():
    """D is 1/2 everywhere at the optimum, so f = log pi: here that of four actions alike, but for chance."""
    policy = Fixed()
    learn_in_turns(at_random(), policy, settings=LINEAR._replace(rounds=30, updates=40, batch=1024, rate=2e-3))
    np.testing.assert_allclose(policy.paid, -np.log(ACTIONS), atol=0.3)


def controls(expert):
    """Rewards learned once, from the same demonstrations and steps at random."""
    shown = Shown(expert, at_random())
    for settings in (AdversarialSettings(sees="after"), AdversarialSettings(form="airl", discount=GAMMA)):
        yield learn("adversarial", shown, Observed(NAMES), settings=settings).transitions(
            EYE, np.zeros((STATES, 0)), EYE
        )


def test_airl_finds_the_reward_of_states_again_and_the_demonstrator(tmp_path):
    expert, policy = demonstrations(), Exact()
    found = learn_in_turns(expert, policy, settings=LINEAR)
    reward = found.reward.of_steps(EYE)
    assert from_truth(reward) < 0.2
    assert min(map(from_truth, controls(expert))) > from_truth(reward) + 0.1
    assert (reward.argmax(), reward.argmin()) == (TRUE.argmax(), TRUE.argmin())
    assert np.abs(np.exp(policy.log_policy) - np.exp(TRUTH)).max() < 0.15
    assert found.told[-1] == pytest.approx(0.5, abs=0.05)
    save_reward(found.reward, tmp_path)
    paid = judge(load_reward(tmp_path), expert[0])
    np.testing.assert_array_equal(paid, judge(found.reward, expert[0]))
    np.testing.assert_allclose(paid, reward[expert[0].obs[:-1].argmax(axis=1)], rtol=1e-12)


def test_gail_brings_the_policy_near_the_demonstrator():
    policy = Exact()
    found = learn_in_turns(demonstrations(), policy, settings=LINEAR._replace(form="gail"))
    before, after = (np.abs(np.exp(log) - np.exp(TRUTH)).mean() for log in (np.log(0.25), policy.log_policy))
    assert after < 0.7 * before
    assert found.told[-1] < found.told[0] - 0.1
    assert min(judge(found.reward, demonstrations(1)[0])) >= 0


def test_the_same_seed_learns_the_same_and_what_makes_no_sense_is_told():
    expert, settings = demonstrations(20), LINEAR._replace(rounds=2)
    first, again, other = (
        learn_in_turns(expert, Exact(), settings=settings, seed=seed).reward.of_steps(EYE) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    for wrong, shown in (
        (settings._replace(form="gan"), expert),
        (settings, []),
        (settings._replace(rounds=0), expert),
    ):
        with pytest.raises(RewardError, match="expected airl or gail, and at least one of both"):
            learn_in_turns(shown, Exact(), settings=wrong)


def test_ppo_is_paid_what_it_is_told_and_its_steps_are_its_own():
    settings = ActingSettings(
        PPOSettings(4 * HORIZON, minibatch=40, epochs=1, gamma=GAMMA), environments=2, entropy=0.0
    )
    policy = PPOActing(Grid, settings)
    told = []

    def pays(moves):
        told.append(moves)
        return moves.s_next[:, -1]

    try:
        met = policy.improve(pays)
        chance = policy.log_probability(np.repeat(EYE, ACTIONS, axis=0), np.tile(np.eye(ACTIONS), (STATES, 1)))
    finally:
        policy.close()
    assert len(met.s) == 4 * HORIZON == sum(len(moves.s) for moves in told)
    state, action, after = (part.argmax(axis=1) for part in met)
    np.testing.assert_array_equal(after, NEXT[state, action], "also in the last step of an episode")
    np.testing.assert_allclose(np.exp(chance).reshape(STATES, ACTIONS).sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_airl_with_ppo_finds_the_reward_of_states_again():
    expert = demonstrations()
    policy = PPOActing(Grid, ActingSettings(ActingSettings().ppo._replace(gamma=GAMMA, rate=3e-3, epochs=5)))
    try:
        found = learn_in_turns(expert, policy, settings=LINEAR)
    finally:
        policy.close()
    assert from_truth(found.reward.of_steps(EYE)) < min(map(from_truth, controls(expert)))
