"""`apprentice rewards train` from episodes of simulated tasks: LeRobot datasets, and what is seen in them again."""

import re

import numpy as np
import pytest

from apprentice.cli import main
from apprentice.stages import UsageError
from policies.datasets import write_dataset
from policies.datasets.replayed import Replayed
from policies.evaluate import evaluate
from policies.rewards.evaluation.data.reading import read_episodes
from policies.rewards.film import CloseUp
from policies.rewards.reward import judge
from policies.rewards.saved import load_reward
from policies.trials import NOMINAL, Trial
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask
from sim.tasks.pour import PourTask


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Episodes that succeed, as a record and as a LeRobot dataset with films; those of random actions beside."""
    folder = tmp_path_factory.mktemp("episodes")
    demonstration = HammerTask.scripted()
    demonstration.save(folder / "demonstration.npz")
    PourTask.scripted().save(folder / "pour.npz")
    found = evaluate(demonstration, agents=["shifted", "random"], episodes=3, seed=4).episodes
    assert found["shifted"].success.all()
    for name, episodes in found.items():
        episodes.save(folder / f"{name}.npz")
        with Replayed(demonstration, NOMINAL, follows=name == "shifted", size_hw=(48, 64)) as film:
            write_dataset(episodes, demonstration, "lerobot", folder / f"{name}_lerobot", under=NOMINAL, pictures=film)
    return folder


def learn(folder, data, *said):
    others = ["--others", str(folder / data.replace("shifted", "random"))]
    main(["rewards", "train", str(folder / data), *others, *said, "--out", str(folder / "reward")])
    return load_reward(folder / "reward")


@pytest.mark.parametrize(("describe", "needs"), [("obs", {"obs"}), ("pixels", {"frames"})])
def test_from_a_lerobot_dataset_to_a_reward_that_judges_it(folder, describe, needs):
    found = learn(folder, "shifted_lerobot", "--reward", "state_classifier", "--describe", describe)
    assert found.needs == needs
    good, bad = (read_episodes(folder / f"{name}_lerobot").episodes for name in ("shifted", "random"))
    ends = [judge(found, episode)[-1] for episode in (*good, *bad)]
    assert min(ends[:3]) > max(ends[3:])
    assert judge(found, good[0])[0] < ends[0]


def test_close_ups_are_taken_of_recorded_episodes(folder):
    found = learn(
        folder, "shifted.npz", "--reward", "state_classifier", "--describe", "close_up", "--demonstration", str(folder)
    )
    assert (found.needs, type(found.describer)) == ({"frames"}, CloseUp)
    assert any(np.abs(value).max() > 0 for value in found.tensors().values())


def test_forces_are_felt_in_recorded_episodes(folder):
    found = learn(folder, "shifted.npz", "--reward", "force_profile", "--demonstration", str(folder))
    assert found.needs == {"forces"}
    assert found.settings.contacts == ("holder", "work")
    assert found.unit > 1, "a hammer weighs some newtons"


def test_policies_are_paid_by_what_is_seen_again_where_the_episodes_come_from(folder, monkeypatch):
    """Episodes hold no forces: what brings the reward to scale is felt again, in scenes as they tell."""
    under, asked = Trial(Spread(offset=0.08)), {}
    demonstration = HammerTask.scripted()
    episodes = evaluate(demonstration, agents=["shifted"], episodes=3, under=under, seed=4).episodes["shifted"]
    write_dataset(episodes, demonstration, "minari", folder, under=under)
    data = folder / "apprentice/hammer/shifted-v0"
    told = ["--demonstration", str(folder)]
    main(["rewards", "train", str(data), "--reward", "force_profile", *told, "--out", str(folder / "felt")])

    def train_on(rewards, _, __, **how):
        asked.update(how, **rewards)
        raise UsageError("asked")

    monkeypatch.setattr("policies.rewards.evaluation.trained.train_on", train_on)
    judged = ["rewards", "evaluate", str(data), "--reward", str(folder / "felt"), *told, "--train", "64"]
    with pytest.raises(SystemExit):
        main([*judged, "--out", str(folder / "judged")])
    assert asked["felt"].scale > 0
    assert (asked["spread"], asked["training"].steps) == (under.spread, 64)


def test_a_reward_is_learned_in_turns_with_a_policy_in_the_task(folder, capsys):
    said = ["--reward", "airl", "--demonstration", str(folder), "--set", "rounds=1", "hidden=[4]"]
    main(["rewards", "train", str(folder / "shifted.npz"), *said, "--out", str(folder / "airl")])
    told = capsys.readouterr().err.replace("\n", " ")
    assert re.search(r"learned from 3 demonstrations, \d+% of their steps told from the policy's", told), told
    found = load_reward(folder / "airl")
    assert (found.name, found.settings.sees, found.settings.hidden) == ("adversarial", "before", (4,))
    assert "phase" not in found.describer.names
    assert len(set(judge(found, read_episodes(folder / "random.npz").episodes[0]))) > 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], "nothing to learn from: airl needs episodes"),
        (["--fps", "24"], "airl is learned in turns with a policy that acts: name the --demonstration"),
        (["--demonstration", "{}/pour.npz"], "does not come from the environment of .*pour.npz"),
        (["--demonstration", "{}", "--others", "{}/random.npz"], "its own policy's episodes, .*: leave --others out"),
        (["--demonstration", "{}", "--set", "rounds=many"], "setting rounds='many' of 'airl': expected such as 50"),
        (
            ["--reward", "gail", "--demonstration", "{}", "--set", "rounds=0"],
            "rounds=0 of 'gail': expected at least 1",
        ),
        (["--demonstration", "{}", "--set", "form=gail"], "setting form='gail' of 'airl'"),
    ],
)
def test_what_cannot_be_learned_in_turns_is_one_line(folder, capsys, said, told):
    with pytest.raises(SystemExit) as end:
        main(
            ["rewards", "train", *[str(folder / "shifted.npz")] * bool(said), "--out", str(folder / "none")]
            + ["--reward", "airl"] * ("--reward" not in said)
            + [word.format(folder) for word in said]
        )
    error = capsys.readouterr().err.strip()
    assert end.value.code == 2
    assert re.search(told, error), error
    assert "\n" not in error
    assert not (folder / "none").exists()


@pytest.mark.parametrize(
    ("data", "said", "told"),
    [
        (
            "shifted.npz",
            ["close_up"],
            "looks at frames, which .*npz does not hold: name the --demonstration of its",
        ),
        (
            "shifted.npz",
            ["close_up", "--demonstration", "{}/pour.npz"],
            "does not come from the environment of .*pour.npz",
        ),
        ("shifted.npz", ["obs", "--demonstration", "{}/pour.npz"], "does not come from the environment of .*pour.npz"),
        ("shifted_lerobot", ["close_up", "--demonstration", "{}"], "does not tell the seeds of its episodes"),
    ],
)
def test_what_cannot_be_seen_again_is_one_line(folder, capsys, data, said, told):
    with pytest.raises(SystemExit) as end:
        learn(folder, data, "--reward", "progress", "--describe", *(word.format(folder) for word in said))
    error = capsys.readouterr().err.strip()
    assert end.value.code == 2
    assert re.search(told, error), error
    assert "\n" not in error
