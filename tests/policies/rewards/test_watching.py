"""Episodes as rewards see them, from the simulation, a record and a video; forces of a person's hands."""

from __future__ import annotations

import numpy as np
import pytest
from held import interaction

from perception.video import write_video
from policies.agents import Shifted
from policies.datasets.replayed import Replayed
from policies.evaluate import play
from policies.rewards.describers import frames_of
from policies.rewards.force_profile import held_forces
from policies.rewards.learned import learn
from policies.rewards.reward import RewardError, Shown, judge
from policies.rewards.watching import watch, watched_episodes, watched_video
from policies.trials import NOMINAL
from sim.env import ToolEnv
from sim.felt import FELT


@pytest.fixture(scope="module")
def acted(demonstration):
    env = ToolEnv(demonstration, render_mode="rgb_array", size_hw=(24, 32), feel=True)
    try:
        return watch(env, Shifted(), [3, 4], film="scene"), play(env, Shifted(), [3, 4], name="shifted")
    finally:
        env.close()


def test_an_episode_that_is_watched_is_the_one_that_is_recorded(acted, demonstration):
    watched, recorded = acted
    with Replayed(demonstration, NOMINAL, size_hw=(24, 32)) as pictures:
        again = watched_episodes(recorded, film=lambda episodes, e: pictures.of(episodes, e, last=True))
        for one, other in zip(watched, again, strict=True):
            for name in ("obs", "action", "reward"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            assert one.success == other.success
            np.testing.assert_array_equal(list(frames_of(one)), list(frames_of(other)))


def test_forces_of_a_strike_are_told_apart_from_those_of_none(acted, demonstration):
    (first, second), _ = acted
    assert first.force_names == FELT
    reward = learn("force_profile", Shown([first]))
    still = type(first)(
        obs=first.obs,
        obs_names=first.obs_names,
        action=first.action,
        fps=first.fps,
        forces=np.repeat(first.forces[:1], len(first), axis=0),
        force_names=FELT,
    )
    assert judge(reward, second).mean() > judge(reward, still).mean()


def test_a_video_has_frames_and_nothing_else(tmp_path):
    frames = [np.full((16, 16, 3), 10 * k, np.uint8) for k in range(6)]
    watched = watched_video(write_video(tmp_path / "clip.mp4", frames, 5.0))
    assert (len(watched), watched.fps, watched.obs.shape, watched.forces) == (5, 5.0, (6, 0), None)
    assert len(list(frames_of(watched))) == 6
    with pytest.raises(RewardError, match="looks at forces"):
        judge(learn("force_profile", Shown([with_forces()])), watched)


def with_forces():
    return held_forces(interaction())


def test_hands_bear_the_tool_with_what_it_weighs_on_them():
    watched = with_forces()
    assert watched.force_names == FELT[:1]
    np.testing.assert_allclose(watched.forces[:, 0, 2], 2 * (4.5 + np.arange(4)))


def test_hands_without_a_tool_tell_nothing_of_one():
    with pytest.raises(RewardError, match="no tool is held"):
        held_forces(interaction(tool=False))
    with pytest.raises(RewardError, match="no force of l_fingers or r_fingers"):
        held_forces(interaction(names=("l_ankle", "r_ankle")))
