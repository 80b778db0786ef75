"""Episodes in other people's formats, read back by readers that are not ours."""

import json

import h5py
import numpy as np
import pytest
from pyarrow import parquet

from perception.video import open_clip, read_frames
from policies.agents import AGENTS
from policies.datasets import DATASETS, DatasetError, write_dataset
from policies.datasets.dataset import EpisodeSteps, steps_of
from policies.datasets.replayed import Replayed
from policies.evaluate import evaluate
from policies.trials import Trial
from records import Episodes, UnknownName
from sim.conditions import Spread

UNDER = Trial(Spread(offset=0.08))


def two_episodes(**changes):
    """Of 3 and of 2 steps; the first is solved, the second cut off."""
    values = {
        "task": "hammer",
        "agent": "policy",
        "fps": 24.0,
        "obs_names": ("height", "speed"),
        "action_names": ("push",),
        "term_names": ("driven", "price"),
        "length": np.array([3, 2]),
        "obs": np.arange(14.0).reshape(7, 2),
        "action": np.linspace(-1, 1, 5)[:, None],
        "reward": np.arange(5) / 10,
        "reward_terms": np.stack([np.arange(5) / 10, np.zeros(5)], axis=1),
        "terminated": np.array([True, False]),
        "success": np.array([True, False]),
        "seed": np.array([11, 13]),
    }
    return Episodes(**values | changes)


@pytest.fixture(scope="module")
def judged(demonstration):
    return evaluate(demonstration, episodes=3, under=UNDER, seed=4).episodes


def test_steps_share_out_everything():
    episodes = two_episodes()
    one, two = steps_of(episodes)
    assert (len(one), len(two)) == (3, 2)
    assert (one.seed, two.seed) == (11, 13)
    np.testing.assert_array_equal(np.concatenate([one.obs, two.obs]), episodes.obs)
    for field in ("action", "reward"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(one, field), getattr(two, field)]), getattr(episodes, field)
        )
    assert one.terminated.tolist() == [False, False, True]
    assert one.truncated.tolist() == [False] * 3
    assert two.terminated.tolist() == [False] * 2
    assert two.truncated.tolist() == [False, True]
    assert isinstance(one, EpisodeSteps)


def test_lerobot(demonstration, tmp_path):
    files = write_dataset(two_episodes(), demonstration, "lerobot", tmp_path, under=UNDER)
    assert all(file.is_file() for file in files)
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert info["splits"] == {"train": "0:2"}
    assert info["video_path"] is None
    assert info["features"]["next.reward_terms"]["names"] == ["driven", "price"]
    data = parquet.read_table(tmp_path / "data/chunk-000/file-000.parquet").to_pydict()
    assert [row[0] for row in data["observation.state"]] == [0, 2, 4, 8, 10], "last observations left out"
    assert data["episode_index"] == [0, 0, 0, 1, 1]
    assert data["index"] == [0, 1, 2, 3, 4]
    assert data["frame_index"] == [0, 1, 2, 0, 1]
    assert data["next.done"] == [False, False, True, False, True]
    assert data["next.success"] == [False, False, True, False, False]
    rows = parquet.read_table(tmp_path / "meta/episodes/chunk-000/file-000.parquet").to_pydict()
    assert rows["length"] == [3, 2]
    assert (rows["dataset_from_index"], rows["dataset_to_index"]) == ([0, 3], [3, 5])
    environment = json.loads((tmp_path / "meta/environment.json").read_text())
    assert environment["spread"]["offset"] == 0.08
    assert environment["scene"] == dict(demonstration.scene)


def test_robomimic(demonstration, tmp_path):
    episodes = two_episodes()
    (path,) = write_dataset(episodes, demonstration, "robomimic", tmp_path, under=UNDER)
    with h5py.File(path) as file:
        assert file["data"].attrs["total"] == 5
        arguments = json.loads(file["data"].attrs["env_args"])
        assert (arguments["env_name"], arguments["type"]) == ("hammer", 2)
        assert arguments["env_kwargs"]["tool"] == "hammer"
        assert arguments["env_kwargs"]["spread"]["offset"] == 0.08
        assert sorted(file["data"]) == ["demo_0", "demo_1"]
        for e, episode in enumerate(steps_of(episodes)):
            demo = file[f"data/demo_{e}"]
            assert demo.attrs["num_samples"] == len(episode)
            np.testing.assert_array_equal(demo["obs/state"], episode.obs[:-1])
            np.testing.assert_array_equal(demo["next_obs/state"], episode.obs[1:])
            np.testing.assert_allclose(demo["actions"], episode.action)
            np.testing.assert_allclose(demo["rewards"], episode.reward, rtol=1e-6)
            assert demo["dones"][()].tolist() == [0] * (len(episode) - 1) + [1]
            assert demo["states"][()].tolist() == [[episode.seed, k] for k in range(len(episode))]
        assert file["mask/success"][()].tolist() == [b"demo_0"]
        assert file["mask/failure"][()].tolist() == [b"demo_1"]


def test_minari_opens_what_is_written(judged, demonstration, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    episodes = judged["random"]
    write_dataset(episodes, demonstration, "minari", tmp_path, under=UNDER)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert list(minari.list_local_datasets()) == ["apprentice/hammer/random-v0"]
    dataset = minari.load_dataset("apprentice/hammer/random-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (3, int(episodes.length.sum()))
    assert dataset.observation_space.shape == episodes.obs.shape[1:]
    for read, episode in zip(dataset.iterate_episodes(), steps_of(episodes), strict=True):
        np.testing.assert_array_equal(read.observations, episode.obs)
        np.testing.assert_array_equal(read.rewards, episode.reward)
        np.testing.assert_array_equal(read.terminations, episode.terminated)
        np.testing.assert_array_equal(read.truncations, episode.truncated)
        assert all(dataset.observation_space.contains(obs) for obs in read.observations)
        assert all(dataset.action_space.contains(action) for action in read.actions)
        assert read.infos is not None
        np.testing.assert_array_equal(read.infos["driven"][1:], episode.terms[:, 0])
    assert sum(bool(row["success"]) for row in dataset.storage.get_episode_metadata(range(3))) == episodes.success.sum()


@pytest.mark.parametrize("agent", ["replay", "zero", "random"])
def test_pictures_are_of_the_recorded_episodes(judged, demonstration, tmp_path, agent):
    episodes = _first(judged[agent])
    steps = len(episodes.reward)
    with Replayed(demonstration, UNDER, follows=AGENTS.load(agent).follows, size_hw=(48, 64)) as film:
        write_dataset(episodes, demonstration, "lerobot", tmp_path / "lerobot", under=UNDER, pictures=film)
        write_dataset(episodes, demonstration, "robomimic", tmp_path, under=UNDER, pictures=film)
    key = "observation.images.front"
    info = json.loads((tmp_path / "lerobot/meta/info.json").read_text())
    assert info["features"][key]["dtype"] == "video"
    assert info["features"][key]["shape"] == [48, 64, 3]
    video = info["video_path"].format(video_key=key, chunk_index=0, file_index=0)
    filmed = np.stack(list(read_frames(open_clip(tmp_path / "lerobot" / video))))
    rows = parquet.read_table(tmp_path / "lerobot/meta/episodes/chunk-000/file-000.parquet").to_pydict()
    assert rows[f"videos/{key}/to_timestamp"] == [pytest.approx(steps / episodes.fps)]
    with h5py.File(tmp_path / "demo.hdf5") as file:
        exact = file["data/demo_0/obs/front_image"][()]
    assert exact.shape == filmed.shape == (steps, 48, 64, 3)
    assert exact.std() > 5, "there is something in the pictures"
    assert not np.array_equal(exact[0], exact[-1]), "and it moves"
    assert np.abs(exact.astype(float) - filmed).mean() < 6, "the film shows the same, but for its compression"


def test_pictures_of_another_setting_are_refused(judged, demonstration, tmp_path):
    episodes = _first(judged["replay"])
    with (
        Replayed(demonstration, Trial(Spread(offset=0.01)), size_hw=(32, 32)) as film,
        pytest.raises(DatasetError, match="episode 0 cannot be repeated: after 0 steps"),
    ):
        write_dataset(episodes, demonstration, "robomimic", tmp_path, pictures=film)
    assert not list(tmp_path.rglob("*")), "nothing half-written is left"


def test_bad_input_is_refused(demonstration, tmp_path):
    with pytest.raises(UnknownName, match="unknown dataset format 'rlds'; choose from: lerobot, robomimic, minari"):
        write_dataset(two_episodes(), demonstration, "rlds", tmp_path)
    with pytest.raises(DatasetError, match="'scythe' with a demonstration of 'hammer'"):
        write_dataset(two_episodes(task="scythe"), demonstration, "minari", tmp_path)
    none = {
        "length": np.zeros(0, int),
        "obs": np.zeros((0, 2)),
        "action": np.zeros((0, 1)),
        "reward": np.zeros(0),
        "reward_terms": np.zeros((0, 2)),
        "terminated": np.zeros(0, bool),
        "success": np.zeros(0, bool),
        "seed": np.zeros(0, int),
    }
    for format in DATASETS:
        with pytest.raises(DatasetError, match="no episodes"):
            write_dataset(two_episodes(**none), demonstration, format, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot write robomimic"):
        write_dataset(two_episodes(), demonstration, "robomimic", tmp_path / "file")


def _first(episodes: Episodes) -> Episodes:
    """The first episode alone."""
    count = int(episodes.length[0])
    arrays = {name: getattr(episodes, name)[:count] for name in ("action", "reward", "reward_terms")}
    arrays |= {name: getattr(episodes, name)[:1] for name in ("length", "terminated", "success", "seed")}
    return episodes.replace(obs=episodes.obs[: count + 1], **arrays)
