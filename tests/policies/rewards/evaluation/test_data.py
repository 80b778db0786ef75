"""Episodes come back from every format that is written, and from files of other people's layout."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pytest
from points import named, near, walk
from pyarrow import parquet

from policies.datasets import write_dataset
from policies.datasets.dataset import steps_of
from policies.datasets.replayed import Replayed
from policies.evaluate import evaluate
from policies.rewards.evaluation.canonical.pearson import ConstantRewardError
from policies.rewards.evaluation.data.progress import write_progress
from policies.rewards.evaluation.data.reading import DataError, Dataset, read_episodes
from policies.rewards.evaluation.loading import named_reward, title_of
from policies.rewards.reward import RewardError, judge
from policies.trials import Trial
from sim.conditions import Spread
from sim.tasks.hammer import HammerTask

UNDER = Trial(Spread(offset=0.08))


@pytest.fixture(scope="module")
def demonstration():
    return HammerTask.scripted()


@pytest.fixture(scope="module")
def episodes(demonstration):
    """Three of the shifted demonstration, which succeed."""
    return evaluate(demonstration, agents=["shifted"], episodes=3, under=UNDER, seed=4).episodes["shifted"]


def path_of(format, folder):
    return {"robomimic": folder / "demo.hdf5", "minari": folder / "apprentice/hammer/shifted-v0"}.get(format, folder)


@pytest.mark.parametrize("format", ["lerobot", "robomimic", "minari"])
def test_episodes_come_back(format, demonstration, episodes, tmp_path):
    write_dataset(episodes, demonstration, format, tmp_path, under=UNDER)
    found = read_episodes(path_of(format, tmp_path))
    assert found.format == format
    assert found.environment["task"] == "hammer"
    assert len(found.episodes) == 3
    for watched, episode in zip(found.episodes, steps_of(episodes), strict=True):
        steps = len(episode) - (format == "lerobot")
        assert len(watched) == steps
        assert watched.obs_names == episodes.obs_names
        assert watched.fps == episodes.fps
        assert watched.success is episode.success
        np.testing.assert_allclose(watched.obs, episode.obs[: steps + 1], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(watched.action, episode.action[:steps], rtol=1e-5, atol=1e-6)
        assert watched.reward.sum() == pytest.approx(episode.reward.sum())
    if format != "lerobot":
        assert list(found.seeds) == episodes.seed.tolist()


def test_a_record_comes_back(episodes, tmp_path):
    episodes.save(tmp_path / "shifted.episodes.npz")
    found = read_episodes(tmp_path / "shifted.episodes.npz", fps=12.0)
    assert [e.fps for e in found.episodes] == [12.0] * 3
    np.testing.assert_array_equal(np.concatenate([e.obs for e in found.episodes]), episodes.obs)


def test_pictures_come_back(demonstration, episodes, tmp_path):
    with Replayed(demonstration, UNDER, size_hw=(48, 64)) as film:
        write_dataset(episodes, demonstration, "lerobot", tmp_path / "l", under=UNDER, pictures=film)
        write_dataset(episodes, demonstration, "robomimic", tmp_path, under=UNDER, pictures=film)
    lerobot, robomimic = (read_episodes(p).episodes[1] for p in (tmp_path / "l", tmp_path / "demo.hdf5"))
    filmed, exact = (np.stack(list(e.frames())) for e in (lerobot, robomimic))
    assert filmed.shape == exact.shape == (len(lerobot) + 1, 48, 64, 3)
    assert np.abs(filmed.astype(float) - exact).mean() < 6, "the film is of the same episode, but for its compression"


def test_files_of_other_people(tmp_path):
    """Keys of observations in the order of their names; no next_obs, no success, a rate by another name."""
    with h5py.File(tmp_path / "lift.hdf5", "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps({"env_name": "Lift", "type": 1, "env_kwargs": {"control_freq": 25}})
        for name, reward in (("demo_10", [0, 0, 1.0]), ("demo_2", [0, 0, 0.0])):
            group = data.create_group(name)
            group["obs/pos"], group["obs/grip"] = np.arange(6.0).reshape(3, 2), np.ones(3)
            group["actions"], group["rewards"] = np.zeros(3), reward
            group["obs/front"], group["obs/wrist"] = np.zeros((2, 3, 4, 4, 3), np.uint8)
            group["obs/said"] = np.array(["lift it"] * 3, dtype=h5py.string_dtype())
        empty = data.create_group("demo_3")
        empty["obs/pos"], empty["actions"], empty["rewards"] = np.zeros((0, 2)), np.zeros((0, 1)), np.zeros(0)
    found = read_episodes(tmp_path / "lift.hdf5")
    second, tenth = found.episodes
    assert tenth.obs_names == ("grip_0", "pos_0", "pos_1")
    assert (tenth.fps, len(tenth), tenth.success, second.success) == (25, 2, True, False)
    assert tenth.action.shape == (2, 1)
    np.testing.assert_array_equal(tenth.reward, [0, 1])
    assert found.remarks[0] == "pictures are those of front, the first of 2 cameras"
    assert "no observation after it" in found.remarks[1]
    assert len(list(second.frames())) == 3
    with h5py.File(tmp_path / "main_data.hdf5", "w") as file:
        group = file.create_group("episode_0")
        group["observations/goal"], group["observations/at"] = np.ones((3, 1)), np.zeros((3, 2))
        group["actions"], group["rewards"] = np.zeros((2, 1)), np.zeros(2)
        group["infos/success"] = [False, False, True]
    (only,) = read_episodes(tmp_path / "main_data.hdf5").episodes
    assert only.obs_names == ("at_0", "at_1", "goal_0")
    assert only.success is True
    with h5py.File(tmp_path / "main_data.hdf5", "w") as file:
        group = file.create_group("episode_0")
        group["observations"] = np.array(["go on"] * 3, dtype=h5py.string_dtype())
        group["actions"], group["rewards"] = np.zeros((2, 1)), np.zeros(2)
    with pytest.raises(DataError, match="episode_0 has no observations or no actions that are numbers"):
        read_episodes(tmp_path / "main_data.hdf5")


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(DataError, match="there is nothing; give a LeRobot v3 folder"):
        read_episodes(tmp_path / "none")
    with pytest.raises(DataError, match="unknown data; expected a LeRobot v3 folder"):
        read_episodes(tmp_path)
    (tmp_path / "broken.hdf5").write_bytes(b"no HDF5")
    with pytest.raises(DataError, match="cannot be read as robomimic"):
        read_episodes(tmp_path / "broken.hdf5")
    damaged = lerobot_of_other_people(tmp_path / "lr")
    (damaged / "data/chunk-000/file-001.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(DataError, match=r"cannot be read as lerobot \(Parquet magic bytes not found"):
        read_episodes(damaged)
    for text in ("{not JSON", "[]", '{"codebase_version": "v3.0"}'):
        (damaged / "meta/info.json").write_text(text)
        with pytest.raises(DataError, match="cannot be read as lerobot"):
            read_episodes(damaged)
    with h5py.File(tmp_path / "uneven.hdf5", "w") as file:
        group = file.create_group("data/demo_0")
        group["obs/a"], group["obs/b"], group["actions"] = np.zeros((3, 1)), np.zeros((4, 1)), np.zeros((3, 1))
    with pytest.raises(DataError, match="cannot be read as robomimic"):
        read_episodes(tmp_path / "uneven.hdf5")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text('{"codebase_version": "v2.1", "features": {}}')
    with pytest.raises(DataError, match=r"version v2\.1; convert it to v3\.0"):
        read_episodes(tmp_path)


def test_progress_as_lerobot_keeps_it(tmp_path):
    data = Dataset(path=tmp_path, format="episodes", episodes=[walk(0), walk(1, to=0.5, steps=10)])
    assert write_progress(named(near), data, tmp_path / "progress.parquet") == 32
    table = parquet.read_table(tmp_path / "progress.parquet")
    assert table.column_names == ["index", "episode_index", "frame_index", "progress_sparse", "progress_dense"]
    rows = table.to_pydict()
    assert rows["index"] == list(range(32))
    assert rows["episode_index"] == [0] * 21 + [1] * 11
    assert rows["frame_index"] == [*range(21), *range(11)]
    assert (min(rows["progress_sparse"]), rows["progress_sparse"][20]) == (0, 1)
    assert rows["progress_sparse"][31] < 0.6
    assert np.all(np.diff(rows["progress_dense"][:21]) >= 0)
    with pytest.raises(ConstantRewardError, match="zero variance"):
        write_progress(named(lambda s, a, s_next: np.ones(len(s))), data, tmp_path / "none.parquet")
    assert not (tmp_path / "none.parquet").exists()


LENGTHS = (5, 4, 1, 6)


def lerobot_of_other_people(folder):
    """Two files of frames, not in order, the second without success; an episode of a single frame."""
    (folder / "meta").mkdir(parents=True)
    state = {"dtype": "float32", "shape": [1], "names": None}
    info = {"codebase_version": "v3.0", "fps": 10, "features": {"observation.state": state, "action": state}}
    (folder / "meta/info.json").write_text(json.dumps(info))
    rows = [
        {"observation.state": [10.0 * e + f], "action": [float(f)], "episode_index": e, "frame_index": f}
        for e, length in enumerate(LENGTHS)
        for f in range(length)
    ]
    (folder / "data/chunk-000").mkdir(parents=True)
    for k, part in enumerate((rows[8::-1], [row | {"next.success": True} for row in rows[9:]])):
        parquet.write_table(pa.Table.from_pylist(part), folder / f"data/chunk-000/file-{k:03d}.parquet")
    return folder


def test_progress_has_the_numbers_of_the_whole_dataset(tmp_path):
    """An episode too short to judge, and half of those that are left, are passed over, but counted."""
    data = read_episodes(lerobot_of_other_people(tmp_path / "lr"))
    assert [len(episode) + 1 for episode in data.episodes] == [5, 4, 6]
    assert all(np.all(np.diff(episode.obs[:, 0]) == 1) for episode in data.episodes), "in the order of frame_index"
    assert [episode.success for episode in data.episodes] == [None] * 3, "success is not told of all frames"
    expected = {"all": ([0] * 5 + [1] * 4 + [3] * 6, [*range(9), *range(10, 16)]), "odd": ([1] * 4, [5, 6, 7, 8])}
    for part, (episode, index) in expected.items():
        reward = named(lambda s, a, s_next: s_next[:, 0])
        write_progress(reward, data.part(part), tmp_path / "progress.parquet")
        rows = parquet.read_table(tmp_path / "progress.parquet").to_pydict()
        assert (rows["episode_index"], rows["index"]) == (episode, index)


def test_rewards_are_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))  # puts sys.path back afterwards
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "mine.py"
    code.write_text(
        "def height(s, a, s_next):\n    return s_next[:, 0]\n"
        "class Steps:\n    name = 'steps'\n    needs = frozenset()\n"
        "    def per_step(self, episode):\n        return 0 * episode.action[:, 0]\n"
        "number = 3\n"
        "class Asks:\n    def __init__(self, how):\n        pass\n"
    )
    assert judge(named_reward(f"{code}:height"), walk())[-1] == 1
    (tmp_path / "in_working_folder.py").write_text(code.read_text())
    assert judge(named_reward("in_working_folder:height"), walk())[-1] == 1
    assert judge(named_reward(f"{code}:Steps"), walk()).tolist() == [0] * 20
    assert judge(named_reward("points:near"), walk())[-1] == 0
    assert title_of(f"{code}:height") == "height"
    for spec, told in {
        f"{code}:depth": "has no 'depth'",
        f"{code}:number": "neither a function",
        f"{code}:Asks": "cannot be made without arguments .TypeError",
        "nowhere:f": "cannot be imported .ModuleNotFoundError",
        str(tmp_path / "absent"): "no reward; give the folder",
        f"{tmp_path}/other.py:f": "no such file",
        str(tmp_path): "no reward here",
    }.items():
        with pytest.raises(RewardError, match=told):
            named_reward(spec)
