import json
import subprocess
import sys

import numpy as np
import pytest

from policies.checkpoint import Curve
from policies.evaluate import evaluate
from policies.learners.cloning import CloningSettings
from policies.learners.ppo import PPOSettings
from policies.learners.sac import SACSettings
from policies.policy import SETTINGS, WEIGHTS, load_policy
from policies.residual import REPEAT, see
from policies.train import ASKED, CHECKPOINT, CURVE, TENSORBOARD, _widened, train
from policies.training import Training
from policies.trials import Trial
from policies.weights import PolicyError, load_weights
from records import UnknownName
from records.progress import listening
from sim.conditions import ConditionError, Spread
from sim.sensing import Sensing

SMALL = {
    "ppo": PPOSettings(decisions=16, minibatch=8, epochs=2, hidden=(16, 16)),
    "sac": SACSettings(decisions=16, batch=8, hidden=(16, 16), memory=24),
    "clone": CloningSettings(decisions=16, batch=8, epochs=2, hidden=(16, 16)),
    "dagger": CloningSettings(decisions=16, batch=8, epochs=2, hidden=(16, 16)),
}
"""SAC's memory is full within the third round."""
ROUNDS = 3
STEPS = ROUNDS * 16 * REPEAT


def asked(learner="ppo", **changed):
    base = "shifted" if learner in ("ppo", "sac") else "replay"
    return Training(
        steps=STEPS, learner=learner, base=base, settings=SMALL[learner], processes=1, validation=0
    )._replace(**changed)


def learn(demonstration, folder, *, learner="ppo", seed=3, **changed):
    return train(demonstration, folder, training=asked(learner, **changed), seed=seed)


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
    assert sorted(contents(whole)) == sorted([ASKED, CURVE, SETTINGS, WEIGHTS])
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


@pytest.mark.parametrize("learner", ["sac", "clone", "dagger"])
def test_every_learner_goes_on_exactly_where_it_stopped(demonstration, tmp_path, learner):
    learn(demonstration, tmp_path / "whole", learner=learner)
    with stop_at(ROUNDS), pytest.raises(Interrupted):
        learn(demonstration, tmp_path / "stopped", learner=learner)
    heard = []
    with listening(lambda what, done, total: heard.append(done)):
        learn(demonstration, tmp_path / "stopped", learner=learner)
    assert heard == [ROUNDS]
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    policy = load_policy(tmp_path / "whole", demonstration)
    assert np.abs(policy.layers[-1][0]).max() > 0, "something was learned"
    assert policy.settings.squashed == (learner == "sac")


def test_processes_do_not_matter(whole, demonstration, tmp_path):
    learn(demonstration, tmp_path, processes=2)
    assert contents(tmp_path) == contents(whole)


def test_a_policy_to_start_from(whole, demonstration, tmp_path):
    began = learn(demonstration, tmp_path / "next", start_from=whole, steps=1, seed=9)
    other = learn(demonstration, tmp_path / "fresh", steps=1, seed=9)
    before = load_policy(whole)
    near, far = (
        max(np.abs(a - b).max() for (a, _), (b, _) in zip(policy.layers, before.layers, strict=True))
        for policy in (began, other)
    )
    assert near < 0.02 < far, "one round from there, and one round from zero"
    wide = asked().settings._replace(hidden=(8,))
    with pytest.raises(ValueError, match="use the same widths"):
        learn(demonstration, tmp_path / "wide", start_from=whole, settings=wide)


def test_a_policy_that_starts_from_another_turns_the_tool_as_that_does(demonstration, tmp_path):
    learn(demonstration, tmp_path / "turning", steps=1, turning=True)
    began = learn(demonstration, tmp_path / "next", steps=1, start_from=tmp_path / "turning")
    assert began.settings.action == "turning"
    with pytest.raises(PolicyError, match="acts by 'turning', this training by 'residual'"):
        learn(demonstration, tmp_path / "other", steps=1, start_from=tmp_path / "turning", turning=False)


def test_a_curriculum_widens_the_spread():
    spread = Spread(offset=0.08, yaw=0.2)
    assert _widened(spread, 0.0, 0.0) == spread
    assert _widened(spread, 0.5, 0.5) == spread
    assert _widened(spread, 0.5, 0.9) == spread
    begun, halfway = _widened(spread, 0.5, 0.0), _widened(spread, 0.5, 0.25)
    assert begun == pytest.approx((0.02, 0.05, 0, 0))
    assert halfway == pytest.approx((0.05, 0.125, 0, 0))


def test_the_curve_for_tensorboard(demonstration, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    learn(demonstration, tmp_path, tensorboard=True)
    curve = Curve(**json.loads((tmp_path / CURVE).read_text()))
    read = EventAccumulator(str(tmp_path / TENSORBOARD)).Reload()
    shown = read.Scalars("round/success")
    assert [point.step for point in shown] == curve.steps
    assert [point.value for point in shown] == pytest.approx(curve.success)


@pytest.mark.parametrize(
    ("changed", "yaw", "acts"),
    [
        ({}, 0.0, "residual"),
        ({}, 0.1, "turning"),
        ({"turning": False}, 0.1, "residual"),
        ({"base": "scratch"}, 0.1, "free"),
    ],
)
def test_what_is_learned_is_what_the_scene_asks_for(demonstration, tmp_path, changed, yaw, acts):
    """The tool is turned where objects are, and moved freely where nothing is to be followed."""
    spread = Spread(0.05, yaw)
    policy = train(demonstration, tmp_path, training=asked(steps=1, **changed), spread=spread, seed=3)
    assert policy.settings.action == acts
    assert np.any(policy.layers[-1][0])
    found = evaluate(demonstration, policy=tmp_path, episodes=2, under=Trial(spread), seed=1)
    assert found.episodes["policy"].action_names == policy.acts.names
    assert ("turned" in found.outcomes) == (yaw > 0)


def test_what_is_learned_depends_on_how_sensors_err(whole, demonstration, tmp_path):
    learn(demonstration, tmp_path, sensing=Sensing(jitter=0.02))
    assert contents(tmp_path)[WEIGHTS] != contents(whole)[WEIGHTS]
    assert load_policy(tmp_path).settings.sensing["jitter"] == 0.02
    with pytest.raises(ConditionError, match="sensing delay -1"):
        learn(demonstration, tmp_path, sensing=Sensing(delay=-1))


@pytest.mark.parametrize("learner", ["clone", "dagger"])
def test_imitation_learns_what_the_expert_does(demonstration, tmp_path, learner):
    """From the demonstration as recorded to moving it along with its object, which is seen."""
    settings = CloningSettings(decisions=128, epochs=60)
    wanted = asked(learner, settings=settings, steps=3 * 128 * REPEAT)
    train(demonstration, tmp_path, training=wanted, spread=Spread(offset=0.12), seed=3)
    found = evaluate(demonstration, policy=tmp_path, episodes=30, under=Trial(Spread(offset=0.12)), seed=0).outcomes
    assert found["policy"].success > found["replay"].success + 0.2
    assert found["policy"].success >= found["shifted"].success - 0.1


def test_imitation_learns_how_far_what_is_seen_can_be_trusted(demonstration, tmp_path):
    """Places spread by s and seen with errors of e are s^2 / (s^2 + e^2) of where they seem to be, on average."""
    sensing = Sensing(place=0.06)
    settings = CloningSettings(decisions=256, epochs=20, hidden=(16,))
    wanted = asked("dagger", settings=settings, sensing=sensing, base="shifted", steps=6 * 256 * REPEAT)
    spread = Spread(offset=0.06)
    policy = train(demonstration, tmp_path, training=wanted, spread=spread, seed=3)
    env = Trial(spread, sensing).environment(demonstration)
    told, answered = [], []
    try:
        for seed in range(60):
            obs, _ = env.reset(seed=seed)
            told.append(env.shift_action()[:2])
            answered.append(policy.decide(see(env, obs))[:2])
    finally:
        env.close()
    slope = np.sum(np.multiply(told, answered)) / np.sum(np.square(told))
    assert slope == pytest.approx(-0.5, abs=0.15)


def test_decisions_and_exploration_are_as_asked_for(whole, demonstration, tmp_path):
    sensing = Sensing(jitter=0.02)
    policy = learn(demonstration, tmp_path / "rare", repeat=24, averaged=True, sensing=sensing, steps=1)
    assert (policy.settings.repeat, policy.settings.averaged) == (24, True)
    curve = Curve(**json.loads((tmp_path / "rare" / CURVE).read_text()))
    assert curve.episodes[0] > 16 / 3, "an episode of two seconds has two or three decisions"
    found = evaluate(demonstration, policy=tmp_path / "rare", episodes=3, under=Trial(sensing=sensing))
    assert list(found.outcomes) == ["policy", "averaged", "shifted", "replay", "zero", "random"]
    calm = learn(demonstration, tmp_path / "calm", explore=1e-6, steps=1)
    bold = learn(demonstration, tmp_path / "bold", explore=0.1, steps=1)
    assert np.abs(calm.layers[-1][0] - bold.layers[-1][0]).max() > 0
    success = [Curve(**json.loads((tmp_path / name / CURVE).read_text())).success for name in ("calm", "bold")]
    assert success[0] > success[1], "who explores little does as the base does"


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
from policies.learners.ppo import PPOSettings
from policies.train import train
from policies.training import Training
from records import Demonstration
from records import UnknownName
from records.progress import listening
from sim.conditions import ConditionError, Spread
with listening(lambda what, done, total: os._exit(9) if done == 3 else None):
    train(Demonstration.load({str(tmp_path / "d.npz")!r}), {str(tmp_path / "policy")!r},
          training=Training(steps={STEPS}, settings=PPOSettings{tuple(SMALL["ppo"])}, processes=1), seed=3)
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
    assert {name.partition("/")[0] for name in tensors} == {"time.decisions", "policy", "policy.optimizer"}
    assert note["curve"]["steps"][-1] > 0


def test_the_policy_takes_part_in_the_evaluation(whole, demonstration):
    result = evaluate(demonstration, policy=whole, episodes=4, seed=1)
    assert list(result.outcomes) == ["policy", "shifted", "replay", "zero", "random"]
    assert result.outcomes["policy"].episodes == 4


def test_a_policy_of_another_demonstration_is_refused(whole, demonstration):
    with pytest.raises(PolicyError, match="another demonstration"):
        evaluate(demonstration.replace(scene={**demonstration.scene, "nail_x": 0.51}), policy=whole, episodes=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": 0}, "at least 1, at least 0, from 0 to 1"),
        ({"curriculum": 2.0}, "at least 1, at least 0, from 0 to 1"),
        ({"base": "magic"}, "at least 1, at least 0, from 0 to 1"),
        ({"environments": 0}, "at least 1 of each"),
        ({"repeat": 0}, "repeat 0, explore 0.0: at least 1, at least 0"),
        ({"explore": -1.0}, "repeat 8, explore -1.0: at least 1, at least 0"),
        ({"learner": "dagger", "explore": 0.1}, "dagger does not explore: leave that out"),
        ({"learner": "dagger", "base": "shifted"}, "nothing to learn where sensors do not err"),
        ({"learner": "dagger", "base": "scratch"}, "from scratch there is none"),
    ],
)
def test_senseless_options_are_refused(demonstration, tmp_path, wrong, said):
    with pytest.raises(ValueError, match=said):
        learn(demonstration, tmp_path, **wrong)


def test_other_things_that_do_not_exist_are_refused(demonstration, tmp_path):
    with pytest.raises(UnknownName, match="unknown learner 'evolution'; choose from: ppo, sac, clone, dagger"):
        train(demonstration, tmp_path, training=Training(learner="evolution"))
    with pytest.raises(ConditionError, match="offset spread nan"):
        train(demonstration, tmp_path, spread=Spread(offset=float("nan")))


@pytest.mark.slow
def test_learns_from_the_sparse_reward_alone(demonstration, tmp_path):
    """From a replay that fails every other time to one that hardly ever does, and past the baseline's interval."""
    train(demonstration, tmp_path, training=Training(steps=40_000, base="replay"), spread=Spread(offset=0.08), seed=0)
    outcomes = evaluate(demonstration, policy=tmp_path, episodes=100, under=Trial(Spread(offset=0.08)), seed=0).outcomes
    assert outcomes["replay"].success < 0.7
    assert outcomes["policy"].success >= 0.9
    assert outcomes["policy"].low > outcomes["replay"].high
