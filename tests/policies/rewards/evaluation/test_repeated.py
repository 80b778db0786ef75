"""Recorded episodes are repeated, with pictures and forces; those of another environment are not."""

from dataclasses import replace

import numpy as np
import pytest

from policies.agents import Shifted
from policies.datasets import write_dataset
from policies.evaluate import evaluate
from policies.rewards.describers import frames_of
from policies.rewards.evaluation.data.reading import DataError, read_episodes
from policies.rewards.evaluation.judgement import judge_reward
from policies.rewards.evaluation.repeated import lacks, recorded_under, repeated
from policies.rewards.evaluation.separation import Separation
from policies.rewards.film import CloseUp, Film
from policies.rewards.learned import learn
from policies.rewards.reward import Shown
from policies.rewards.watching import watch
from policies.trials import Trial
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask

UNDER = Trial(Spread(offset=0.08))
FILM = Film(size=24)


@pytest.fixture(scope="module")
def demonstration():
    return HammerTask.scripted()


@pytest.fixture(scope="module")
def recorded(demonstration, tmp_path_factory):
    """Data of an agent that follows the demonstration, of one that does not, and of two in robomimic's format."""
    folder = tmp_path_factory.mktemp("repeated")
    found = evaluate(demonstration, agents=["replay", "random"], episodes=3, under=UNDER, seed=4).episodes
    for name, episodes in found.items():
        episodes.save(folder / f"{name}.npz")
    write_dataset(found["replay"], demonstration, "robomimic", folder, under=UNDER)
    return {name: read_episodes(folder / f"{name}.npz") for name in found} | {
        "robomimic": read_episodes(folder / "demo.hdf5")
    }


@pytest.fixture(scope="module")
def by_force(demonstration):
    """A reward by forces, of demonstrations that were felt."""
    env = UNDER.environment(demonstration, feel=True)
    try:
        felt = watch(env, Shifted(), [1, 2, 3])
    finally:
        env.close()
    return learn("force_profile", Shown([episode for episode in felt if episode.success]))


@pytest.mark.parametrize("name", ["replay", "random", "robomimic"])
def test_forces_are_felt_again_in_the_same_episodes(demonstration, recorded, by_force, name):
    data = recorded[name]
    assert lacks(by_force, data.episodes)
    assert recorded_under(data) == (UNDER if name == "robomimic" else None)
    again = repeated(data, demonstration, by_force, under=None if name == "robomimic" else UNDER)
    assert not lacks(by_force, again.episodes)
    for one, other in zip(data.episodes, again.episodes, strict=True):
        np.testing.assert_allclose(one.obs, other.obs, atol=1e-5)
        assert one.success == other.success
    assert np.abs(again.episodes[0].forces).max() > 0


def test_a_reward_by_close_ups_is_judged_on_episodes_without_pictures(demonstration, recorded):
    env = UNDER.environment(demonstration, **FILM.how)
    try:
        filmed = watch(env, Shifted(), [1, 2], film=FILM)
    finally:
        env.close()
    reward = learn("goal_distance", Shown(filmed), CloseUp(size=FILM.size))
    again = repeated(recorded["replay"], demonstration, reward, under=UNDER)
    assert next(frames_of(again.episodes[0])).shape == (24, 24, 3)
    assert isinstance(judge_reward("close", reward, again).separation, Separation | str)
    assert lacks(reward, again.episodes), "pictures of others are never taken for close-ups"


def test_what_cannot_be_repeated_is_told(demonstration, recorded, by_force):
    with pytest.raises(DataError, match=r"replay.npz: episode 0 cannot be repeated: the simulation does not do"):
        repeated(recorded["replay"], demonstration, by_force, under=Trial(Spread(offset=0.01)))
    with pytest.raises(DataError, match="does not tell the seeds"):
        repeated(replace(recorded["replay"], seeds=()), demonstration, by_force)
