import contextlib

import numpy as np
import pytest

from policies.residual import ResidualEnv
from policies.sight import Sight
from sim.actions import ACTIONS
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.sensing import Sensing

STEPS = 12
"""Fewer than until the scripted hammer strikes."""


@pytest.fixture
def make(demonstration):
    with contextlib.ExitStack() as stack:

        def made(action="residual", **sensing):
            env = ToolEnv(
                demonstration, action=ACTIONS.load(action), spread=Spread(0.05, 0.1), sensing=Sensing(**sensing)
            )
            stack.callback(env.close)
            return env

        yield made


def watch(env, sight, seed=3):
    """Observations as told (T, D) and as they look, and the shifts of both."""
    obs, _ = env.reset(seed=seed)
    sight.begin()
    told, looks, shifts = [], [], []
    for _ in range(STEPS):
        told.append(obs)
        looks.append(sight.look(obs))
        shifts.append((env.shift_action(), sight.shift()))
        obs = env.step(np.zeros(len(env.action_names)))[0]
    return np.array(told), np.array(looks), np.array(shifts)


@pytest.mark.parametrize("action", ["residual", "turning", "free"])
def test_without_memory_sight_is_what_sensors_tell(make, action):
    env = make(action, place=0.02, jitter=0.02, turn=0.1, delay=0.2)
    told, looks, shifts = watch(env, Sight(env))
    assert np.array_equal(told, looks)
    assert shifts[:, 0] == pytest.approx(shifts[:, 1])
    assert np.any(shifts) == (action != "free")


def test_the_average_is_that_of_all_that_was_seen(make):
    env = make(jitter=0.03, delay=0.2)
    told, looks, shifts = watch(env, Sight(env, averaged=True))
    names = list(env.obs_names)
    unseen = int(np.ceil(0.2 * env.fps))
    for axis, name in enumerate(("offset_x", "offset_y")):
        column = told[:, names.index(name)]
        since = np.arange(STEPS - unseen) + 1
        assert not looks[:unseen, names.index(name)].any()
        assert looks[unseen:, names.index(name)] == pytest.approx(np.cumsum(column[unseen:]) / since)
        assert shifts[:, 1, axis] * 0.2 == pytest.approx(looks[:, names.index(name)])
    for name in ("nail_x", "nail_y"):
        moved = looks[:, names.index(name)] - told[:, names.index(name)]
        place = "offset_" + name[-1]
        assert moved == pytest.approx(looks[:, names.index(place)] - told[:, names.index(place)])
    still = [k for k, name in enumerate(names) if not name.endswith(("offset_x", "offset_y", "nail_x", "nail_y"))]
    assert np.array_equal(told[:, still], looks[:, still])


def test_errors_average_out_with_the_root_of_their_number(make):
    env = make(jitter=0.03)
    sight = Sight(env, averaged=True)
    place = [env.obs_names.index(f"offset_{axis}") for axis in "xy"]
    errors = []
    for seed in range(30):
        looks = watch(env, sight, seed)[1]
        errors.append(looks[-1, place] - env.conditions.offset)
    assert np.std(errors) == pytest.approx(0.03 / np.sqrt(STEPS), rel=0.35)


def test_a_new_episode_remembers_nothing(make):
    env = make(jitter=0.03)
    sight = Sight(env, averaged=True)
    first = watch(env, sight, seed=5)
    watch(env, sight, seed=6)
    assert np.array_equal(first[1], watch(env, sight, seed=5)[1])


@pytest.mark.parametrize("base", ["shifted", "replay"])
def test_the_expert_knows_where_objects_stand(demonstration, base):
    """Whatever sensors tell, base and its decision together are the true displacement."""
    with contextlib.closing(
        ResidualEnv(demonstration, base=base, spread=Spread(0.05), sensing=Sensing(place=0.04, jitter=0.01))
    ) as env:
        env.reset(seed=2)
        seems = env.tool_env.shift_action()[:2] * 0.2
        whole = env.expert()[:2] * 0.2 + (seems if base == "shifted" else 0.0)
        assert whole == pytest.approx(env.tool_env.conditions.offset)
        assert np.abs(seems - env.tool_env.conditions.offset).max() > 0.01
