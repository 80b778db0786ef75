"""The film of an episode shows the very episode that was judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from apprentice import robot_film as robot_film_module
from apprentice.findings import Findings
from apprentice.robot_film import EVERY, film_of, filmstrip, robot_film
from motion.tool import HAMMER, motion_of_poses
from policies.agents import Replay, Shifted
from policies.evaluate import play
from policies.trials import Trial
from records import Demonstration
from sim.conditions import Spread
from sim.sensing import Sensing

SEED = 9
UNDER = Trial(Spread(0.1, mass=0.2), Sensing(action=0.02))
"""All of it bears on what is filmed."""
"""Standard deviation of the nail's displacement [m], and an episode in which it is too large for a replay."""


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    """The tool alone falls onto the nail and through its stroke in 9 frames."""
    scene = {"nail_x": 0.5, "nail_y": 0.0, "nail_z": 0.2}
    top = np.array([0.5, 0.0, 0.2 + HAMMER.head_size[2] / 2])
    fallen = np.clip((np.arange(14) - 2) / 9, 0, 1) ** 2
    head = top + np.outer(0.25 - 0.34 * fallen, [0, 0, 1])
    R = np.tile(np.eye(3), (len(head), 1, 1))
    motion = motion_of_poses(HAMMER.name, HAMMER.parameters(), R, head - HAMMER.length * R[:, :, 0], 24.0)
    return Demonstration(task="hammer", scene=scene, tool=motion)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(robot_film_module, "SIZE_HW", (48, 64))


@pytest.mark.parametrize(("agent", "name"), [(Shifted(), "shifted"), (Replay(), "replay")])
def test_an_episode_is_repeated(demonstration, agent, name):
    env = UNDER.environment(demonstration)
    try:
        episodes = play(env, agent, [SEED, SEED + 1], name=name)
        env.reset(seed=SEED)
        offset = env.conditions.offset
    finally:
        env.close()
    assert episodes.success[0] == (name == "shifted")
    film = robot_film(demonstration, episodes, under=UNDER)
    assert (film.agent, film.success) == (name, episodes.success[0])
    np.testing.assert_array_equal(film.offset, offset)
    wrong = robot_film(demonstration, episodes, under=Trial(Spread(0.1, mass=0.2)))
    assert not np.array_equal(wrong.frames[3], film.frames[3]), "without the errors of actions it is another episode"
    lingering = sum(frame is film.frames[-1] for frame in film.frames)
    assert len(film.frames) - lingering == -(-episodes.length[0] // EVERY)
    assert film.frames[0].shape == (48, 64, 3)


def test_without_episodes_the_demonstration_is_replayed(demonstration):
    film = film_of(Findings(path=Path("run"), demonstration=demonstration))
    assert (film.agent, film.success) == ("replay", True)
    np.testing.assert_array_equal(film.offset, [0, 0])
    strip = filmstrip(film, 4)
    assert len(strip) == 4
    np.testing.assert_array_equal(strip[-1], film.frames[-1])
    assert not np.array_equal(strip[0], strip[-1])


def test_nothing_to_film():
    with pytest.raises(ValueError, match="run has no demonstration to film"):
        film_of(Findings(path=Path("run")))
