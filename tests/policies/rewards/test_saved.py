import json

import numpy as np
import pytest
from small_model import model_of
from watched import episode, observed, shown

from policies.rewards.describers import DESCRIBERS, Encoded, Observed, Pixels, make_describer, observed_names
from policies.rewards.film import CloseUp
from policies.rewards.learned import described, learn
from policies.rewards.reward import REWARDS, Reward, RewardError, Shown, judge
from policies.rewards.saved import NOTE, WEIGHTS, load_reward, save_reward


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    model_of().save(folder)
    return Encoded(str(folder))


def describer_of(name, encoder):
    return {"text_similarity": encoder, "force_profile": None}.get(name, observed())


@pytest.mark.parametrize("name", list(REWARDS))
def test_every_reward_is_the_same_after_saving_and_after_learning_again(name, encoder, tmp_path):
    describer = describer_of(name, encoder)
    reward, again = (learn(name, shown(), describer, seed=3) for _ in range(2))
    assert isinstance(reward, Reward)
    assert reward.name == name
    fresh = episode(50)
    found = judge(reward, fresh)
    np.testing.assert_array_equal(found, judge(again, fresh))
    save_reward(reward, tmp_path)
    loaded = load_reward(tmp_path)
    np.testing.assert_array_equal(found, judge(loaded, episode(50)))
    assert loaded.settings == reward.settings
    assert (loaded.needs, loaded.seed) == (reward.needs, 3)


@pytest.mark.parametrize("name", list(REWARDS))
def test_every_reward_pays_an_episode_that_arrives_more_than_one_that_does_not_go(name, encoder):
    if name == "text_similarity":
        pytest.skip("the encoder has random weights")
    reward = learn(name, shown(), describer_of(name, encoder), seed=1)
    arriving = [judge(reward, episode(60 + k)).sum() for k in range(4)]
    staying = [judge(reward, episode(80 + k, reach=0.1)).sum() for k in range(4)]
    assert min(arriving) > max(staying)


@pytest.mark.parametrize("name", list(REWARDS))
def test_no_reward_is_learned_from_nothing(name, encoder):
    with pytest.raises(RewardError, match="no demonstration"):
        learn(name, Shown([]), describer_of(name, encoder))


@pytest.mark.parametrize("name", list(DESCRIBERS))
def test_every_description_has_one_causal_vector_a_moment(name, encoder, tmp_path):
    describer = {"obs": observed(), "pixels": Pixels(), "close_up": CloseUp(), "pretrained": encoder}[name]
    watched = episode(0)
    value = described(watched, describer)
    assert value.shape[0] == len(watched) + 1
    same = make_describer(name, json.loads(json.dumps(describer.plain())))
    assert same.fingerprint() == describer.fingerprint()
    np.testing.assert_array_equal(same.describe(watched), value)
    longer = episode(0, steps=20)
    shortened = type(watched)(
        obs=longer.obs[:11],
        obs_names=longer.obs_names,
        action=longer.action[:10],
        frames=lambda: (frame for frame, _ in zip(longer.frames(), range(11), strict=False)),
        fps=longer.fps,
    )
    np.testing.assert_allclose(describer.describe(shortened), value[:11], atol=1e-6)


def test_the_clock_is_not_looked_at_unless_asked_for():
    assert observed_names(episode(0)) == ("x", "y")


def test_a_folder_that_is_no_reward_is_told(tmp_path):
    with pytest.raises(RewardError, match=r"no reward here.*save_reward"):
        load_reward(tmp_path)


def saved(folder, change=None):
    save_reward(learn("goal_distance", shown(), observed()), folder)
    if change:
        note = json.loads((folder / NOTE).read_text())
        (folder / NOTE).write_text(json.dumps(note | change))
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "version 99"),
        ({"reward": "os:system"}, "unknown reward 'os:system'; choose from"),
        ({"weights": "other"}, "different rewards"),
        ({"settings": {"wings": 2}}, "no setting 'wings'"),
        ({"surplus": 1}, "damaged.*surplus"),
        ({"fingerprint": "other"}, "another encoder"),
        ({"describer": {"kind": "subprocess", "arguments": {}}}, "unknown description"),
        ({"describer": {"kind": "obs"}}, "damaged.*arguments"),
    ],
)
def test_a_changed_note_is_refused(change, message, tmp_path):
    saved(tmp_path, change)
    with pytest.raises(RewardError, match=message):
        load_reward(tmp_path)


def test_damaged_weights_are_told(tmp_path):
    saved(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(RewardError, match="damaged"):
        load_reward(tmp_path)


def test_another_encoder_is_refused(tmp_path):
    saved(tmp_path)
    with pytest.raises(RewardError, match="another encoder or other observations"):
        load_reward(tmp_path, Observed(("y", "x")))


def test_an_environment_without_the_observations_is_told():
    reward = learn("goal_distance", shown(), observed())
    other = episode(0)
    renamed = type(other)(obs=other.obs, obs_names=("a", "b", "c"), action=other.action, fps=other.fps)
    with pytest.raises(RewardError, match="'x', which this environment has not"):
        judge(reward, renamed)


def test_an_episode_that_is_not_finite_is_refused():
    other = episode(0)
    broken = other.obs.copy()
    broken[3, 1] = np.nan
    with pytest.raises(RewardError, match=r"obs that are not finite, first in step 3"):
        type(other)(obs=broken, obs_names=other.obs_names, action=other.action, fps=other.fps)


def test_demonstrations_in_which_nothing_changes_are_refused():
    still = episode(0, noise=0.0)
    still = type(still)(obs=0 * still.obs, obs_names=still.obs_names, action=still.action, fps=still.fps)
    with pytest.raises(RewardError, match="nothing changes"):
        learn("goal_distance", Shown([still, still]), observed())
