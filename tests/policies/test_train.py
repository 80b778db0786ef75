import json
import subprocess
import sys

import numpy as np
import pytest

from policies.checkpoint import Curve
from policies.evaluate import evaluate
from policies.policy import SETTINGS, WEIGHTS, load_policy
from policies.residual import REPEAT
from policies.train import CHECKPOINT, CURVE, Learning, train
from policies.weights import PolicyError, load_weights
from records.progress import listening

SMALL = Learning(decisions=16, minibatch=8, epochs=2, hidden=(16, 16))
ROUNDS = 3
STEPS = ROUNDS * SMALL.decisions * REPEAT


def learn(demonstration, folder, **changed):
    return train(demonstration, folder, **({"steps": STEPS, "seed": 3, "learning": SMALL} | changed))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Interrupted(Exception):
    pass


def stop_at(rounds):
    def listen(what, done, total):
        assert (what, total) == ("learning", ROUNDS)
        if done == rounds:
            raise Interrupted

    return listening(listen)


@pytest.fixture(scope="module")
def whole(demonstration, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    learn(demonstration, folder)
    return folder


def test_leaves_a_policy_and_its_curve_only(whole, demonstration):
    assert sorted(contents(whole)) == sorted([CURVE, SETTINGS, WEIGHTS])
    policy = load_policy(whole, demonstration)
    assert any(np.abs(weight).max() > 0 for weight, _ in policy.layers[-1:])
    curve = Curve(**json.loads((whole / CURVE).read_text()))
    assert curve.rounds == ROUNDS
    assert np.all(np.diff(curve.steps) > 0)
    assert curve.steps[-1] <= STEPS
    assert min(curve.episodes) > 0
    assert all(0 <= share <= 1 for share in curve.success)
    # The reward of the task is sparse: the mean return of episodes is their success.
    assert curve.reward == pytest.approx(curve.success)


def test_repeats_under_its_seed(whole, demonstration, tmp_path):
    learn(demonstration, tmp_path / "same")
    assert contents(tmp_path / "same") == contents(whole)
    learn(demonstration, tmp_path / "other", seed=4)
    assert contents(tmp_path / "other")[WEIGHTS] != contents(whole)[WEIGHTS]


@pytest.mark.parametrize("rounds", [1, ROUNDS])
def test_a_stopped_training_ends_with_the_same_policy(whole, demonstration, tmp_path, rounds):
    with stop_at(rounds), pytest.raises(Interrupted):
        learn(demonstration, tmp_path)
    assert not (tmp_path / SETTINGS).exists()
    assert (tmp_path / CHECKPOINT).exists() == (rounds > 1)
    heard = []
    with listening(lambda what, done, total: heard.append(done)):
        learn(demonstration, tmp_path)
    assert heard[0] == rounds
    assert contents(tmp_path) == contents(whole)


def test_a_killed_training_ends_with_the_same_policy(whole, demonstration, tmp_path):
    """The process is gone, without a chance to tidy up."""
    demonstration.save(tmp_path / "d.npz")
    code = f"""
import os
from policies.train import Learning, train
from records import Demonstration
from records.progress import listening
with listening(lambda what, done, total: os._exit(9) if done == 3 else None):
    train(Demonstration.load({str(tmp_path / "d.npz")!r}), {str(tmp_path / "policy")!r},
          steps={STEPS}, seed=3, learning=Learning{tuple(SMALL)})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert (tmp_path / "policy" / CHECKPOINT).exists()
    learn(demonstration, tmp_path / "policy")
    assert contents(tmp_path / "policy") == contents(whole)


def test_a_damaged_checkpoint_starts_over(whole, demonstration, tmp_path, caplog):
    with stop_at(3), pytest.raises(Interrupted):
        learn(demonstration, tmp_path)
    data = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(data[:-9])
    learn(demonstration, tmp_path)
    assert "starts over" in caplog.text
    assert contents(tmp_path) == contents(whole)


def test_a_checkpoint_of_another_training_starts_over(whole, demonstration, tmp_path, caplog):
    with stop_at(3), pytest.raises(Interrupted):
        learn(demonstration, tmp_path, seed=8)
    learn(demonstration, tmp_path)
    assert "another training" in caplog.text
    assert contents(tmp_path) == contents(whole)


def test_what_is_finished_is_left_as_it_is(whole, demonstration):
    before = {path.name: path.stat().st_mtime_ns for path in whole.iterdir()}
    heard = []
    with listening(lambda *told: heard.append(told)):
        learn(demonstration, whole)
    assert not heard
    assert {path.name: path.stat().st_mtime_ns for path in whole.iterdir()} == before


def test_says_so_when_the_reward_never_came(demonstration, tmp_path, caplog):
    far = demonstration.replace(scene={**demonstration.scene, "nail_x": 2.0})
    learn(far, tmp_path, steps=1)
    assert "no episode was solved" in caplog.text
    assert load_policy(tmp_path, far).settings.steps == 1


def test_checkpoint_holds_no_pickle(demonstration, tmp_path):
    with stop_at(3), pytest.raises(Interrupted):
        learn(demonstration, tmp_path)
    tensors, note = load_weights(tmp_path / CHECKPOINT)
    assert {name.partition(".")[0] for name in tensors} == {"policy", "optimizer"}
    assert note["curve"]["steps"][-1] > 0


def test_the_policy_takes_part_in_the_evaluation(whole, demonstration):
    result = evaluate(demonstration, policy=whole, episodes=4, seed=1)
    assert list(result.outcomes) == ["policy", "shifted", "replay", "zero", "random"]
    assert result.outcomes["policy"].episodes == 4


def test_a_policy_of_another_demonstration_is_refused(whole, demonstration):
    with pytest.raises(PolicyError, match="another demonstration"):
        evaluate(demonstration.replace(scene={**demonstration.scene, "nail_x": 0.51}), policy=whole, episodes=1)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"noise": -0.1}, {"noise": float("nan")}, {"base": "magic"}])
def test_senseless_options_are_refused(demonstration, tmp_path, wrong):
    with pytest.raises(ValueError, match="at least 1, not negative"):
        learn(demonstration, tmp_path, **wrong)


@pytest.mark.slow
def test_learns_from_the_sparse_reward_alone(demonstration, tmp_path):
    """From a replay that fails every other time to one that hardly ever does, and past the baseline's interval."""
    train(demonstration, tmp_path, steps=40_000, noise=0.08, seed=0, base="replay")
    outcomes = evaluate(demonstration, policy=tmp_path, episodes=100, noise=0.08, seed=0).outcomes
    assert outcomes["replay"].success < 0.7
    assert outcomes["policy"].success >= 0.9
    assert outcomes["policy"].low > outcomes["replay"].high
