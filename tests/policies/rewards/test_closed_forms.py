"""Each reward where its value is known: by hand, or from the distributions that it was learned from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_model import model_of
from watched import GOAL, episode, observed, shown

from policies.rewards.adversarial import Adversarial, AdversarialSettings
from policies.rewards.alignment import warp
from policies.rewards.describers import Encoded, Observed
from policies.rewards.ensemble import EnsembleSettings
from policies.rewards.goal_distance import GoalDistanceSettings
from policies.rewards.learned import Scale, learn
from policies.rewards.logit import fit_logit, forward
from policies.rewards.progress import ProgressSettings
from policies.rewards.reward import RewardError, Shown, Watched, judge
from policies.rewards.state_classifier import labelled
from records import Timeline


def watched(obs, action=None, names=None, **more):
    obs = np.asarray(obs, float)
    obs = obs[:, None] if obs.ndim == 1 else obs
    action = np.zeros((len(obs) - 1, 1)) if action is None else action
    names = names or tuple("xyzw"[: obs.shape[1]])
    return Watched(obs=obs, obs_names=names, action=action, fps=10.0, **more)


def pressing(force):
    """One contact that presses downwards, in each step as said [N]."""
    force = np.asarray(force, float)
    whole = np.zeros((len(force), 1, 3))
    whole[:, 0, 2] = -force
    return watched(np.arange(len(force) + 1.0), forces=whole, force_names=("work",))


def test_distance_is_zero_at_the_goal_and_one_at_the_mean_start():
    reward = learn("goal_distance", Shown([watched([0.0, 1.0, 2.0]), watched([0.0, 1.0, 2.0])]), Observed(("x",)))
    np.testing.assert_allclose(judge(reward, watched([0.0, 2.0, 0.0, 1.0])), [0.0, -1.0, -0.5], atol=1e-12)


def test_distance_in_principal_directions_leaves_out_what_hardly_changes():
    rng = np.random.default_rng(0)
    demonstrations = [watched(np.c_[np.linspace(0, 1, 9), 1e-9 * rng.standard_normal(9)]) for _ in range(3)]
    reward = learn("goal_distance", Shown(demonstrations), observed(), settings=GoalDistanceSettings(directions=1))
    assert len(reward.tensors()["directions"]) == 1


def test_a_warp_by_hand():
    cost = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 1.0], [9.0, 4.0, 0.5], [9.0, 4.0, 1.0]])
    total, path = warp(cost)
    assert total == 1.5
    np.testing.assert_array_equal(path, [[0, 0], [1, 1], [2, 2], [3, 2]])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_a_warp_is_the_least_of_all_paths(a, b):
    cost = np.abs(np.subtract.outer(a, b)).astype(float)

    def least(i, j):
        if (i, j) == (0, 0):
            return cost[0, 0]
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        return cost[i, j] + min(least(*at) for at in before if min(at) >= 0)

    total, path = warp(cost)
    assert total == least(len(a) - 1, len(b) - 1) == cost[path[:, 0], path[:, 1]].sum()
    assert set(map(tuple, np.diff(path, axis=0))) <= {(1, 1), (1, 0), (0, 1)}


BLOW = [0.0, 0.0, 30.0, 0.0]


@pytest.mark.parametrize("alignment", ["phase", "warp"])
def test_the_demonstrated_forces_cost_nothing_and_none_cost_their_share(alignment):
    reward = learn("force_profile", Shown([pressing(BLOW)]), settings=forces(alignment))
    np.testing.assert_allclose(judge(reward, pressing(BLOW)), 0, atol=1e-9)
    missing = judge(reward, pressing([0.0] * 4))
    # The unit is the root mean square 15 N: a missing blow of 30 N costs 2.
    np.testing.assert_allclose(missing, [0, 0, -2, 0], atol=1e-9)


def forces(alignment):
    from policies.rewards.force_profile import ForceProfileSettings

    return ForceProfileSettings(alignment=alignment, moments=4)


def test_a_late_blow_costs_by_phase_and_not_by_warping():
    late, demonstration = pressing([0.0, 0.0, 0.0, 30.0]), Shown([pressing(BLOW)])
    by_phase = judge(learn("force_profile", demonstration, settings=forces("phase")), late)
    by_warp = judge(learn("force_profile", demonstration, settings=forces("warp")), late)
    np.testing.assert_allclose(by_phase, [0, 0, -2, -2], atol=1e-9)
    assert by_warp.sum() == pytest.approx(-4 * 2 / 5)  # one of five cells of the path costs 2, over four steps


def test_forces_do_not_depend_on_which_way_a_stroke_faces():
    one = pressing(BLOW)
    turned = one.forces.copy()
    turned[:, 0] = [[3, 4, -f] for f in BLOW]
    across = one.forces.copy()
    across[:, 0] = [[0, 5, -f] for f in BLOW]
    first, second = (watched(one.obs, forces=force, force_names=("work",)) for force in (turned, across))
    reward = learn("force_profile", Shown([first]), settings=forces("phase"))
    np.testing.assert_allclose(judge(reward, second), 0, atol=1e-9)


def test_forces_that_nobody_bears_are_no_demonstration():
    with pytest.raises(RewardError, match="no force of work is ever borne"):
        learn("force_profile", Shown([pressing([0.0, 0.0])]))


def test_an_episode_without_forces_is_refused():
    reward = learn("force_profile", Shown([pressing(BLOW)]))
    with pytest.raises(RewardError, match="looks at forces, which the episode has not"):
        judge(reward, watched([0.0, 1.0]))


def test_a_discriminator_is_the_log_ratio_of_known_gaussians():
    # Of N(1, 1) and N(-1, 1) it is 2 x: linear, so that a linear discriminator can be the optimum.
    rng = np.random.default_rng(0)
    demonstrations, others = ([watched(mean + rng.standard_normal(201)) for _ in range(100)] for mean in (1.0, -1.0))
    options = AdversarialSettings(sees="after", decay=1e-7)
    reward = learn("adversarial", Shown(demonstrations, others), Observed(("x",)), settings=options)
    at = np.array([-1.5, 0.0, 1.0, 2.0])
    found = reward.transitions(np.zeros((4, 1)), np.zeros((4, 1)), at[:, None])
    np.testing.assert_allclose(found, 2 * at, atol=0.1)
    gail = Adversarial(reward.describer, options._replace(form="gail"), 0, reward._scale, reward._layers)
    np.testing.assert_allclose(
        gail.transitions(np.zeros((4, 1)), np.zeros((4, 1)), at[:, None]), np.log1p(np.exp(found))
    )


def test_airl_takes_a_known_shaping_out():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40_000, 4))
    discount, g, h = 0.9, np.array([1.0, -0.5]), np.array([0.7, 0.3])
    logit = x[:, :2] @ g + discount * x[:, 2:] @ h - x[:, :2] @ h
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-logit))).astype(float)
    layers = fit_logit(x, y, np.ones(len(x)), decay=1e-9)
    scale = Scale(np.zeros(4), np.ones(4))
    options = AdversarialSettings(form="airl", discount=discount)
    reward = Adversarial(observed(), options, 0, scale, layers)
    found = reward.transitions(np.eye(2), np.zeros((2, 1)), np.zeros((2, 2)))
    np.testing.assert_allclose(found, g, atol=0.05)


def test_a_discriminator_needs_something_to_tell_from():
    with pytest.raises(RewardError, match="give some of those"):
        learn("adversarial", Shown(shown().demonstrations), observed())


def test_a_logit_through_a_layer_has_the_gradient_of_its_loss():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)
    linear, deep = (fit_logit(x, y, np.ones(400), hidden=hidden, decay=1e-5) for hidden in ((), (16,)))
    right = [np.mean((forward(layers, x)[:, 0] > 0) == y) for layers in (linear, deep)]
    assert right[0] < 0.7
    assert right[1] > 0.95


def timeline(*intervals):
    labels, times = zip(*intervals, strict=True)
    return Timeline(labels=labels, interval=np.array(times), confidence=np.ones(len(labels)))


WHOLE = timeline(("initial state", (0.0, 0.2)), ("action", (0.4, 0.5)), ("final state", (0.8, 0.9)))


def test_moments_are_labelled_by_the_timeline_and_between_intervals_not_at_all():
    positive, negative = labelled(watched(np.arange(12.0)), WHOLE, persists=True)
    assert np.flatnonzero(positive).tolist() == [8, 9, 10, 11]
    assert np.flatnonzero(negative).tolist() == [0, 1, 2, 4, 5]
    assert np.flatnonzero(labelled(watched(np.arange(12.0)), WHOLE, persists=False)[0]).tolist() == [8, 9]


def test_the_end_state_is_told_from_the_rest_in_episodes_that_were_not_seen():
    reward = learn("state_classifier", shown(), observed())
    found = judge(reward, episode(40))
    assert found[0] < 0.2
    assert found[-1] > 0.8
    assert ((found >= 0) & (found <= 1)).all()


def test_demonstrations_without_an_end_state_are_refused():
    begun = timeline(("initial state", (0.0, 0.2)), ("action", (0.4, 0.5)))
    given = Shown([watched(np.arange(12.0))], (), [begun])
    with pytest.raises(RewardError, match="no moment of the 1 demonstrations shows the end state"):
        learn("state_classifier", given, Observed(("x",)))
    with pytest.raises(RewardError, match="none of the 1 demonstrations shows the final state"):
        learn("goal_distance", given, Observed(("x",)))


@pytest.mark.parametrize("objective", ["vip", "tcn"])
def test_progress_of_the_way_is_recovered(objective):
    reward = learn("progress", shown(), observed(), settings=ProgressSettings(objective=objective), seed=2)
    there = np.linspace([0.0, 0.2], GOAL, 11)
    value = reward.of_moments(there)
    assert np.corrcoef(value, np.arange(11))[0, 1] > 0.9
    fresh = episode(70)
    gained = judge(reward, fresh).sum()
    ends = reward.of_moments(fresh.obs[[0, -1], :2])
    assert gained == pytest.approx(ends[1] - ends[0])


def test_the_value_of_vip_is_minus_the_discounted_steps_that_are_left():
    # Optimal: V = -(1 - discount^n) / (1 - discount) at n steps from the goal.
    line = [watched(np.linspace(0, 1, 11)) for _ in range(2)]
    options = ProgressSettings(iterations=1500, rate=3e-3, decay=0.0, discount=0.9)
    reward = learn("progress", Shown(line), Observed(("x",)), settings=options)
    left = np.arange(10, -1, -1)
    optimum = -(1 - 0.9**left) / 0.1
    found = reward.of_moments(np.linspace(0, 1, 11)[:, None])
    assert np.corrcoef(found, optimum)[0, 1] > 0.98


def test_an_ensemble_is_the_mean_less_its_disagreement():
    options = EnsembleSettings(member="goal_distance", members=3, caution=0.5)
    reward = learn("ensemble", shown(), observed(), settings=options, seed=4)
    fresh = episode(30)
    each = np.stack([judge(member, fresh) for member in reward.members])
    np.testing.assert_allclose(judge(reward, fresh), each.mean(axis=0) - 0.5 * each.std(axis=0))
    np.testing.assert_allclose(reward.disagreement(fresh), each.std(axis=0))
    assert each.std(axis=0).max() > 0


def test_members_disagree_more_where_nothing_was_shown():
    options = EnsembleSettings(member="adversarial", options={"sees": "after"})
    reward = learn("ensemble", shown(), observed(), settings=options, seed=0)
    far = episode(31, reach=-4.0)
    assert reward.disagreement(far)[-5:].mean() > 3 * reward.disagreement(episode(31))[-5:].mean()


def test_an_ensemble_of_ensembles_is_refused():
    with pytest.raises(RewardError, match="at least 2, of another reward"):
        learn("ensemble", shown(), observed(), settings=EnsembleSettings(member="ensemble"))


def test_a_video_fits_itself_and_its_sentence_counts_once(tmp_path):
    model_of().save(tmp_path)
    encoder = Encoded(str(tmp_path))
    fresh = episode(5)
    alike = learn("text_similarity", Shown([fresh]), encoder)
    found = judge(alike, fresh)
    np.testing.assert_allclose(found, np.r_[np.zeros(len(fresh) - 1), 1.0], atol=1e-6)
    by_words = learn("text_similarity", Shown([], sentence="pour the coffee"), encoder)
    assert -1 <= judge(by_words, fresh)[-1] <= 1
    with pytest.raises(RewardError, match="describe by a pretrained encoder"):
        learn("text_similarity", shown(), observed())
