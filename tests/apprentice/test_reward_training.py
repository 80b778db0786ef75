"""`apprentice rewards train`: from files of the user to a saved reward and its page; one line for what is refused."""

import json
import re

import h5py
import numpy as np
import pytest
from held import interaction
from small_model import model_of
from watched import NAMES, episode

from apprentice.cli import main
from apprentice.reward_training import has_seen
from perception.video import write_video
from policies.rewards.describers import frames_of
from policies.rewards.reward import REWARDS, judge
from policies.rewards.saved import load_reward
from policies.rewards.watching import watched_video
from records import Episodes, Timeline

CODE = """
def arrived(s, a, s_next):
    return ((s[:, 0] < 0.95) & (s_next[:, 0] >= 0.95)).astype(float)
"""


def some(count=8):
    """Episodes that arrive, and those that do not go, in turn by twos: halves hold both."""
    return [episode(k, reach=0.1 if k // 2 % 2 else 1.0) for k in range(count)]


def write_robomimic(path, episodes, *, change=None):
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps({"env_kwargs": {"control_freq": 10, "observations": list(NAMES)}})
        for k, one in enumerate(episodes):
            group = data.create_group(f"demo_{k}")
            group.attrs["success"] = bool(one.success)
            obs = one.obs if change is None else change(one.obs)
            pictures = np.stack(list(frames_of(one)))
            for name, cut in (("obs", slice(-1)), ("next_obs", slice(1, None))):
                group[f"{name}/at"], group[f"{name}/view"] = obs[cut], pictures[cut]
            group["actions"] = one.action
            group["rewards"] = np.eye(len(one))[-1] * bool(one.success)
    return path


def write_minari(folder, episodes):
    folder.mkdir()
    with h5py.File(folder / "main_data.hdf5", "w") as file:
        for k, one in enumerate(episodes):
            group = file.create_group(f"episode_{k}")
            group["observations"], group["actions"], group["rewards"] = one.obs, one.action, np.zeros(len(one))
            group.attrs["success"] = bool(one.success)
    (folder / "metadata.json").write_text(json.dumps({"environment_arguments": {"control_rate": 10}}))
    return folder


def write_record(path, episodes, names=NAMES, task="reach"):
    steps = sum(map(len, episodes))
    Episodes(
        task=task,
        agent="someone",
        fps=10.0,
        obs_names=names,
        action_names=("x", "y"),
        term_names=("arrived",),
        length=np.array([len(e) for e in episodes]),
        obs=np.concatenate([e.obs for e in episodes]),
        action=np.concatenate([e.action for e in episodes]),
        reward=np.zeros(steps),
        reward_terms=np.zeros((steps, 1)),
        terminated=np.ones(len(episodes), bool),
        success=np.array([e.success for e in episodes]),
        seed=np.arange(len(episodes)),
    ).save(path)
    return path


def write_clips(folder, episodes):
    folder.mkdir()
    for k, one in enumerate(episodes):
        write_video(folder / f"clip{k}.mp4", frames_of(one), 10.0, quality=5)
    return folder


def broken(obs):
    return np.where(np.arange(len(obs))[:, None] == 3, np.nan, obs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    write_robomimic(folder / "demo.hdf5", some())
    write_minari(folder / "minari", some())
    write_record(folder / "mine.episodes.npz", some())
    write_clips(folder / "clips", [episode(k) for k in range(3)])
    write_clips(folder / "still", [episode(k, reach=0.0, noise=0.0) for k in range(2)])
    write_clips(folder / "failing", [episode(k, reach=0.1) for k in range(2)])
    for k in range(3):
        timeline = Timeline(
            labels=("initial state", "action", "final state"),
            interval=np.array([[0, 0.3], [0.3, 1.3], [1.4, 2.1]]),
            confidence=np.ones(3),
        )
        timeline.save(folder / f"states/timelines/clip{k}.timeline.npz")
    for k in range(2):
        interaction().save(folder / f"run{k}/interaction.npz")
    model_of().save(folder / "encoder")
    (folder / "truth.py").write_text(CODE)
    return folder


def learn(folder, *said, out="reward"):
    main(["rewards", "train", *map(str, said), "--out", str(folder / out)])
    return folder / out


def test_from_a_file_to_a_reward_to_its_page(folder, capsys):
    learned = learn(folder, folder / "demo.hdf5", "--part", "even", "--reward", "goal_distance", out="mine")
    assert "learned from 2 demonstrations and 2 others, described by obs" in capsys.readouterr().err.replace("\n", " ")
    judged = ["rewards", "evaluate", str(folder / "demo.hdf5"), "--part", "odd", "--reward", str(learned)]
    main([*judged, "--truth", f"{folder / 'truth.py'}:arrived", "--transitions", "60", "--out", str(folder / "page")])
    note = json.loads((folder / "page/mine.json").read_text())
    assert (note["episodes"], note["about"]["part"]) == (4, "odd")
    assert note["separation"]["auc"]["last"]["value"] == 1
    assert note["value_order"]["forward"]["value"] > 0.5 > note["value_order"]["reversed"]["value"]
    assert {d.get("kind") for d in note["distances"]} >= {"epic"}
    assert not any("flatters" in caution for caution in note["cautions"])
    assert ">Success from failure</h2>" in (folder / "page/mine.html").read_text()
    seen = [has_seen(learned, folder / name, part) for name, part in (("demo.hdf5", "all"), ("minari", "even"))]
    assert seen == [True, False]


@pytest.mark.parametrize("kind", list(REWARDS))
def test_every_kind_is_learned_and_the_same_again(folder, kind):
    said = {
        "text_similarity": [folder / "clips", "--model", folder / "encoder"],
        "force_profile": [folder / "run0", folder / "run1"],
    }.get(kind, [folder / "demo.hdf5"])
    said += ["--set", "iterations=20"] if kind == "progress" else []
    first, again = (learn(folder, *said, "--reward", kind, "--seed", "3", out=f"{kind}{k}") for k in range(2))
    assert (first / "reward.safetensors").read_bytes() == (again / "reward.safetensors").read_bytes()
    assert load_reward(first).seed == 3


def test_every_format_and_settings(folder):
    for name in ("minari", "mine.episodes.npz"):
        found = load_reward(
            learn(folder, folder / name, "--reward", "progress", "--set", "objective=tcn", "hidden=[8]")
        )
        assert (found.settings.objective, found.settings.hidden) == ("tcn", (8,))
        reaching, staying = (judge(found, renamed(episode(50, reach=r), found)).sum() for r in (1.0, 0.1))
        assert reaching > staying


def renamed(one, like):
    names = (*like.describer.names, "phase")
    obs = np.c_[one.obs[:, : len(names) - 1], one.obs[:, -1]]
    return type(one)(obs=obs, obs_names=names, action=one.action, fps=one.fps) if len(names) != 3 else one


def test_clips_of_pixels_with_timelines(folder):
    said = [folder / "clips", "--timelines", folder / "states", "--others", folder / "failing"]
    found = load_reward(learn(folder, *said, "--reward", "state_classifier"))
    assert found.needs == {"frames"}
    ending, failing = (
        judge(found, watched_video(folder / name))[-1] for name in ("clips/clip0.mp4", "failing/clip0.mp4")
    )
    assert ending > 0.5 > failing


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{}/clips/clip0.mp4 --reward goal_distance", "one demonstration only: the reward 'goal_distance' needs"),
        ("{}/still --reward progress", "nothing changes in any of these episodes"),
        ("{}/nan.hdf5 --reward progress", r"nan\.hdf5: an episode has obs that are not finite, first in step 3"),
        ("{}/failing.hdf5 --reward progress", "none of 2 episodes is known to succeed"),
        ("{}/demo.hdf5 {}/other.npz --reward progress", r"demo.hdf5 and .*other.npz are of different env.*names"),
        ("{}/mine.episodes.npz {}/task.npz --reward progress", r"different environments \(task: reach, pour\)"),
        ("{}/demo.hdf5 --reward wishes", "unknown reward 'wishes'; choose from: state_classifier"),
        ("{}/demo.hdf5 --reward force_profile", "tells no forces"),
        ("{}/demo.hdf5 --reward progress --set size=big", "setting size='big' of 'progress': expected such as 8"),
        ("{}/demo.hdf5 --reward progress --set batch=0", "setting batch=0 of 'progress': expected at least 1"),
        ("{}/demo.hdf5 --reward progress --set decay=NaN", "setting decay=nan of 'progress': expected at least 0"),
        (
            "{}/demo.hdf5 --reward progress --set hidden=[0]",
            r"hidden=\[0\] of 'progress': expected whole numbers",
        ),
        ("{}/demo.hdf5 --reward state_classifier --set tail=0.7", "tail=0.7 .*: expected more than 0, at most 0.5"),
        (
            '{}/demo.hdf5 --reward ensemble --set options={{"decay":-1}}',
            "setting decay=-1 of 'state_classifier': expected at least 0",
        ),
        ("{}/demo.hdf5 --reward progress --set wings=2", "has no setting 'wings'"),
        ("{}/clips --reward adversarial", "give some of those, too"),
        ("{}/clips --reward progress --describe obs", "clips tell no observations"),
        ("{}/clips --reward progress --describe pretrained", "a trained encoder goes with 'pretrained'"),
        ("{}/clips --reward state_classifier --timelines {}", r"no timeline of clip0; make them"),
        ("{}/demo.hdf5 --reward progress --observations z", "'z', which this environment has not"),
        ("{}/nowhere --reward progress", "nowhere: no video file there"),
    ],
)
def test_what_cannot_be_learned_from_is_one_line(folder, capsys, said, told):
    if not (folder / "nan.hdf5").exists():
        write_robomimic(
            folder / "nan.hdf5", some(2), change=lambda obs: np.where(np.arange(len(obs))[:, None] == 3, np.nan, obs)
        )
        write_robomimic(folder / "failing.hdf5", [episode(k, reach=0.1) for k in range(2)])
        write_record(folder / "other.npz", some(2), names=("a", "b", "c"))
        write_record(folder / "task.npz", some(2), task="pour")
    with pytest.raises(SystemExit) as end:
        learn(folder, *said.format(*[folder] * said.count("{}")).split(), out="none")
    error = capsys.readouterr().err.strip()
    assert end.value.code == 2
    assert re.search(told, error), error
    assert error.startswith("error: ")
    assert "\n" not in error
    assert not (folder / "none").exists()


def test_a_reward_of_another_encoder_is_one_line(folder, capsys):
    model_of().save(folder / "moved")
    learned = learn(folder, folder / "clips", "--reward", "goal_distance", "--model", folder / "moved", out="encoded")
    model_of(seed=1).save(folder / "moved")
    with pytest.raises(SystemExit):
        main(
            ["rewards", "evaluate", str(folder / "demo.hdf5"), "--reward", str(learned), "--out", str(folder / "none")]
        )
    assert "learned with another encoder" in capsys.readouterr().err
