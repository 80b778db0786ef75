"""`apprentice rewards`: pages, JSON and a ranking of rewards; one line for what cannot be judged."""

import json
import re
from pathlib import Path

import pytest
from held import interaction
from points import arrived, named, near, walks
from pyarrow import parquet

from apprentice.cli import main
from apprentice.reward_page import reward_page
from policies.evaluate import evaluate
from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.evaluation.distance import Distance
from policies.rewards.evaluation.judgement import Asked, judge_reward
from policies.rewards.force_profile import held_forces
from policies.rewards.learned import learn
from policies.rewards.reward import Shown
from policies.rewards.saved import save_reward
from policies.trials import Trial
from records import Episodes
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask
from sim.tasks.pour import PourTask

CODE = """
import numpy as np

def driven(s, a, s_next):
    return s_next[:, -1]

def clock(s, a, s_next):
    return s_next[:, 0]

def constant(s, a, s_next):
    return np.ones(len(s))

def broken(s, a, s_next):
    return np.full(len(s), np.nan)

def elsewhere(s, a, s_next):
    return s_next[:, 99]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Episodes of the shifted demonstration, most of them solved, with objects far away; and rewards."""
    folder = tmp_path_factory.mktemp("rewards")
    demonstration = HammerTask.scripted()
    demonstration.save(folder / "demonstration.npz")
    PourTask.scripted().save(folder / "pour.npz")
    found = evaluate(demonstration, agents=["shifted", "replay"], episodes=8, under=Trial(Spread(offset=0.1)))
    both = [found.episodes[name] for name in ("shifted", "replay")]
    names = ("length", "obs", "action", "reward", "reward_terms", "terminated", "success", "seed")
    import numpy as np

    joined = {name: np.concatenate([getattr(one, name) for one in both]) for name in names}
    Episodes.save(both[0].replace(agent="both", **joined), folder / "episodes.npz")
    (folder / "mine.py").write_text(CODE)
    return folder


def judge(folder, *names, out="out", more=()):
    rewards = [f"{folder / 'mine.py'}:{name}" for name in names]
    main(["rewards", "evaluate", str(folder / "episodes.npz"), "--reward", *rewards, "--out", str(folder / out), *more])


def test_pages_and_json_and_a_ranking(folder, capsys):
    acting = ["--demonstration", str(folder), "--stray", "6", "--hack", "1", "--hack-with", "ppo", "--hack-steps", "64"]
    judge(folder, "clock", "driven", more=[*acting, "--transitions", "200"])
    written = {path.name for path in (folder / "out").iterdir()}
    assert written >= {"clock.html", "clock.json", "driven.html", "driven.json", "ranking.html", "ranking.json"}
    note = json.loads((folder / "out/driven.json").read_text())
    assert note["separation"]["auc"]["last"]["value"] == 1
    assert note["near_misses"]["failures"] > 0
    assert note["strayed"]["auc"]["last"]["value"] == 1
    assert 0 < note["strayed"]["failures"] <= note["strayed"]["successes"] <= 6
    assert note["value_order"]["forward"]["value"] > note["value_order"]["shuffled"]["value"]
    kinds = {(d["kind"], d["coverage"]) for d in note["distances"] if "kind" in d}
    assert ("epic", "mixed") in kinds
    assert all(0 <= d["low"] <= d["high"] <= 1 for d in note["distances"] if "kind" in d)
    assert (note["hacking"]["by"], note["hacking"]["hacked"]) == ("ppo", 0)
    assert [one["name"] for one in json.loads((folder / "out/ranking.json").read_text())] == ["driven", "clock"]
    page = (folder / "out/driven.html").read_text()
    for heading in ("Distance from the truth", "Order in time", "Success from failure", "True return", "Hacking"):
        assert f">{heading}</h2>" in page
    assert "led astray in the last fifth: last" in page
    assert "<script" not in page
    assert "driven" in capsys.readouterr().out


def test_the_glance_names_the_distance_that_it_shows():
    data = Dataset(path=Path("points"), format="made up", episodes=walks(4, 4))
    found = judge_reward("near", named(near), data, Asked(truth=arrived))
    without_epic = tuple(d for d in found.distances if isinstance(d, Distance) and d.kind == "dard")
    page = reward_page(found._replace(distances=without_epic), data, None, None, 0.99)
    assert "DARD distance" in page
    assert "EPIC distance" not in page


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("constant", r"the reward 'constant' has zero variance: it is 1 in all of .* transitions are needed"),
        ("broken", r"the reward .*broken' is nan in step 0; expected finite numbers"),
        ("elsewhere", r"failed on 23 observations and 3 actions .*: was it made for this environment\?"),
        ("absent", r"has no 'absent'"),
    ],
)
def test_a_reward_that_cannot_be_judged_is_one_line(folder, capsys, name, told):
    with pytest.raises(SystemExit) as end:
        judge(folder, name, out="none")
    error = capsys.readouterr().err.strip()
    assert end.value.code == 2
    assert re.search(told, error), error
    assert error.startswith("error: ")
    assert "\n" not in error
    assert not (folder / "none").exists()


def test_a_truth_that_fails_is_one_line_not_a_page_without_distances(folder, capsys):
    with pytest.raises(SystemExit) as end:
        judge(folder, "driven", out="none", more=["--truth", f"{folder / 'mine.py'}:broken"])
    assert end.value.code == 2
    assert "broken' is nan in step 0; expected finite numbers" in capsys.readouterr().err
    assert not (folder / "none").exists()


def test_another_environment_is_one_line(folder, capsys):
    with pytest.raises(SystemExit) as end:
        judge(folder, "driven", out="none", more=["--hack", "1", "--demonstration", str(folder / "pour.npz")])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert re.search(
        r"does not come from the environment of .*pour.npz: its task is hammer .* of the demonstration pour", error
    )


def test_a_reward_by_forces_asks_for_the_environment_and_takes_no_other(folder, capsys):
    save_reward(learn("force_profile", Shown([held_forces(interaction())])), folder / "pressing")
    judged = ["rewards", "evaluate", str(folder / "episodes.npz"), "--reward", str(folder / "pressing")]
    judged += ["--out", str(folder / "none")]
    for more, told in (
        ([], "looks at forces, which .*episodes.npz does not hold: name the --demonstration of its environment"),
        (["--demonstration", str(folder)], "episodes.npz: episode 0 cannot be repeated: the simulation does not do"),
    ):
        with pytest.raises(SystemExit):
            main([*judged, *more])
        assert re.search(told, capsys.readouterr().err)


def test_progress(folder):
    out = folder / "progress.parquet"
    reward = f"{folder / 'mine.py'}:driven"
    main(["rewards", "progress", str(folder / "episodes.npz"), "--reward", reward, "--out", str(out)])
    assert parquet.read_table(out).column_names[:4] == ["index", "episode_index", "frame_index", "progress_sparse"]
