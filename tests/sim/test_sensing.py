"""Sensors err as they are told to, everywhere alike; what is repeated errs alike."""

from __future__ import annotations

import numpy as np
import pytest
from episodes import play

from sim.actions import REACH
from sim.conditions import ConditionError, Conditions
from sim.env import ToolEnv
from sim.sensing import Sensing, Sensor
from sim.tasks.task import TASKS

TRUE = Conditions(0.1, -0.2, 0.3, 1.1, 0.9)


def test_perfect_sensors_see_what_there_is():
    sensor = Sensor(Sensing(), 5)
    assert sensor.seen(TRUE, 0, 24.0) is TRUE
    action = np.array([0.1, 0.2, 0.3])
    assert sensor.acted(action, 3) is action


def test_errors_are_as_large_as_told():
    sensing = Sensing(place=0.03, jitter=0.01, turn=0.2, action=0.1)
    episodes = [[Sensor(sensing, key).seen(TRUE, step, 24.0) for step in range(20)] for key in range(500)]
    errors = np.array([[(*s.offset - TRUE.offset, s.yaw - TRUE.yaw) for s in steps] for steps in episodes])
    lasting, jitter = errors.mean(axis=1), errors - errors.mean(axis=1, keepdims=True)
    assert lasting[:, :2].std() == pytest.approx(0.03, rel=0.1)
    assert jitter[..., :2].std() == pytest.approx(0.01, rel=0.1)
    assert lasting[:, 2].std() == pytest.approx(0.2, rel=0.1)
    assert np.abs(jitter[..., 2]).max() < 1e-12, "a turn is misjudged once an episode"
    assert {s.mass for steps in episodes for s in steps} == {1.1}
    acted = np.array([Sensor(sensing, key).acted(np.zeros(3), 7) for key in range(500)])
    assert acted.std() == pytest.approx(0.1, rel=0.1)


def test_a_camera_that_is_wrongly_calibrated_errs_alike_in_all_episodes():
    sensing = Sensing(calibration=0.04)
    seen = [Sensor(sensing, key).seen(TRUE, step, 24.0) for key in range(3) for step in (0, 7)]
    assert np.array([s.offset - TRUE.offset for s in seen]) == pytest.approx(0.04, abs=1e-12)
    late = Sensor(sensing._replace(delay=1.0), 0).seen(TRUE, 3, 24.0)
    assert late.offset == pytest.approx(0, abs=1e-12), "nothing has been seen yet"


def test_objects_are_seen_late():
    sensor = Sensor(Sensing(delay=0.25), 0)
    seen = [sensor.seen(TRUE, step, 24.0) for step in range(8)]
    assert all(s == Conditions(mass=1.1, friction=0.9) for s in seen[:6])
    assert seen[6:] == [TRUE, TRUE]


@pytest.mark.parametrize("wrong", [{"place": -0.1}, {"delay": float("nan")}, {"action": float("inf")}])
def test_senseless_sensing_is_refused(wrong):
    with pytest.raises(ConditionError, match=f"sensing {next(iter(wrong))}"):
        ToolEnv(TASKS.load("hammer").scripted(), sensing=Sensing(**wrong))


@pytest.fixture(params=["hammer", "scythe"])
def blurred(request):
    demonstration = TASKS.load(request.param).scripted()
    made = [ToolEnv(demonstration, sensing=sensing) for sensing in (Sensing(), Sensing(place=0.05, jitter=0.02))]
    yield made
    for env in made:
        env.close()


def test_everything_that_is_seen_of_objects_has_the_same_error(blurred):
    clear, env = blurred
    names = env.obs_names
    objects = [name[:-2] for name in env.task.obs_names if name.endswith("_x")]
    places = [(names.index(f"{name}_x"), names.index(f"{name}_y")) for name in objects]
    assert places
    first = [play(each, seed=3)[0][0] for each in (clear, env)]
    for each in (clear, env):
        each.reset(seed=3)
    later = [[each.step(np.zeros(3))[0] for _ in range(4)] for each in (clear, env)]
    for truth, seen in [first, *zip(*later, strict=True)]:
        error = seen - truth
        offset = error[[names.index("offset_x"), names.index("offset_y")]]
        assert np.abs(offset).max() > 1e-3
        for place in places:
            assert error[list(place)] == pytest.approx(offset, abs=1e-9)
        others = [k for k, name in enumerate(names) if not name.startswith("offset_") and k not in np.ravel(places)]
        assert error[others] == pytest.approx(0, abs=1e-12), "the tool's own sensors are exact"
    shift = (env.shift_action() - clear.shift_action())[:2] * REACH
    assert shift == pytest.approx(offset, abs=1e-9)
    assert env.seen_target()[:2] - clear.task.target()[:2] == pytest.approx(offset, abs=1e-9)


def test_states_are_restored_with_their_errors(blurred):
    _, env = blurred
    env.reset(seed=1)
    env.step(np.zeros(3))
    state = env.save_state()
    first = [env.step(np.full(3, 0.2))[0] for _ in range(3)]
    env.reset(seed=2)
    env.restore_state(state)
    again = [env.step(np.full(3, 0.2))[0] for _ in range(3)]
    np.testing.assert_array_equal(first, again)
