import json

import numpy as np
import pytest

from policies.agents import Shifted
from policies.evaluate import fresh_seeds, play, wilson
from policies.learners.ppo import PPOSettings
from policies.policy import SETTINGS, WEIGHTS, load_policy
from policies.seeds import JUDGED, SUMMARY, train_seeds
from policies.train import train
from policies.training import Training
from policies.trials import Trial
from records.progress import listening
from sim.conditions import Spread

SMALL = Training(
    steps=300, settings=PPOSettings(decisions=16, minibatch=8, epochs=2, hidden=(8,)), processes=1, validation=0
)
SPREAD, EPISODES = Spread(0.12), 10


def learn(demonstration, folder, seeds, **changed):
    asked = {"training": SMALL, "spread": SPREAD, "episodes": EPISODES} | changed
    return train_seeds(demonstration, folder, seeds, **asked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture(scope="module")
def found(demonstration, folder):
    return learn(demonstration, folder, [4, 7])


def test_each_seed_is_trained_as_it_is_alone(found, demonstration, folder, tmp_path):
    train(demonstration, tmp_path, training=SMALL, spread=SPREAD, seed=7)
    for name in (SETTINGS, WEIGHTS):
        assert (folder / "seed-7" / name).read_bytes() == (tmp_path / name).read_bytes()
        assert (folder / "seed-4" / name).read_bytes() != (tmp_path / name).read_bytes()
    assert load_policy(folder / "seed-4", demonstration).settings.seed == 4


def test_success_adds_up(found, demonstration, folder):
    assert list(found.seeds) == list(found.base) == [4, 7]
    for parts, total in ((found.seeds, found.total), (found.base, found.base_total)):
        solved = sum(round(part.success * part.episodes) for part in parts.values())
        assert total.episodes == 2 * EPISODES
        assert total.success == pytest.approx(solved / total.episodes)
        assert (total.low, total.high) == pytest.approx(wilson(solved, total.episodes))
    assert json.loads((folder / SUMMARY).read_text()) == found.plain()


def test_the_base_plays_in_the_same_episodes(found, demonstration):
    env = Trial(SPREAD).environment(demonstration)
    try:
        success = play(env, Shifted(), fresh_seeds(7, EPISODES), name="shifted").success
    finally:
        env.close()
    assert found.base[7].success == success.mean()


def test_what_is_finished_is_left_and_what_lacks_is_added(found, demonstration, folder):
    def stamps():
        return {path: path.stat().st_mtime_ns for path in folder.glob("seed-[47]/*")}

    before, heard = stamps(), []
    with listening(lambda what, done, total: heard.append(what)):
        more = learn(demonstration, folder, [4, 7, 9])
    assert stamps() == before
    assert set(heard) == {"learning", "evaluating"}
    assert heard.count("evaluating") == 2 * EPISODES
    assert {seed: more.seeds[seed] for seed in (4, 7)} == found.seeds
    assert more.total.episodes == 3 * EPISODES
    again = learn(demonstration, folder, [4], episodes=3)
    assert again.total.episodes == 3, "judged anew, since in other episodes"


def test_damaged_verdicts_are_made_again(found, demonstration, folder):
    learn(demonstration, folder, [7])
    (folder / "seed-7" / JUDGED).write_text("{")
    assert learn(demonstration, folder, [7]).seeds[7] == found.seeds[7]


def test_the_base_of_every_policy(demonstration, tmp_path):
    """Where it learns from scratch, the base does nothing; where objects turn, it turns along."""
    scratch = learn(demonstration, tmp_path / "scratch", [1], training=SMALL._replace(steps=1, base="scratch"))
    assert scratch.base_total.success == 0
    turned = learn(demonstration, tmp_path / "turned", [1], training=SMALL._replace(steps=1), spread=Spread(0.02, 0.05))
    assert turned.base_total.success > 0.5


@pytest.mark.parametrize(("seeds", "episodes"), [([], 1), ([1, 1], 1), ([1], 0)])
def test_senseless_numbers_are_refused(demonstration, tmp_path, seeds, episodes):
    with pytest.raises(ValueError, match="at least one of each, and no seed twice"):
        learn(demonstration, tmp_path, np.array(seeds, int).tolist(), episodes=episodes)
