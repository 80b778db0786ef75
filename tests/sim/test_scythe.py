"""The scythe task: what is cut, in closed form and in physics; the ground stops the blade."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest
from episodes import play
from hypothesis import given, settings
from hypothesis import strategies as st

from motion.tool import motion_of_poses
from records import Demonstration
from sim.conditions import STILL, Spread
from sim.env import ToolEnv
from sim.tasks.grass import CUT_HEIGHT, GAP, PATCH, SCENE, SCYTHE, SLOWEST, stalk_places
from sim.tasks.scythe import ScytheTask
from sim.tasks.scythe_cut import beyond, edge_of, edge_on, passing, sweep, swept
from sim.tasks.scythe_stroke import scythe_stroke
from sim.tasks.task import TaskError
from sim.tool_shape import LAY, scythe_blade

WIDTH, LENGTH, _ = SCYTHE.head_size
UP = np.array([0.0, 0.0, 1.0])


def _pass(
    *, speed=1.0, haft=-0.5, height=0.05, slope=0.0, rise=0.0, backwards=False, steps=120, stalk=(0.0, 0.0), turn=0.0
):
    """A blade whose centre passes over the origin along +y, its tip turned outwards by -haft; whether it cuts."""
    y = np.linspace(-0.5, 0.5, steps + 1) * (-1 if backwards else 1)
    p = np.stack([np.full_like(y, WIDTH / 2 * np.cos(haft)), y, np.full_like(y, height)], axis=1)
    p[:, 1] += WIDTH / 2 * np.sin(haft)
    R = pin.rpy.rpyToMatrix(rise, slope, haft)
    whole = pin.rpy.rpyToMatrix(0.0, 0.0, turn)
    places = np.array([[*stalk, 0.0]]) @ whole.T
    found = sweep(np.tile(whole @ R, (len(y), 1, 1)), p @ whole.T, places[:, :2], SCYTHE.head_size, speed * steps)
    return bool(found.cut())


def test_a_low_level_quick_blade_cuts():
    assert _pass()


# The middle of the edge passes through the origin. A stalk at x is met, GAP before the edge, at x / sin + GAP / tan.
_BEFORE = GAP * np.cos(0.5)
TIP, HEEL = (LENGTH / 2 + GAP) * np.sin(0.5) - _BEFORE, -(LENGTH / 2 + GAP) * np.sin(0.5) - _BEFORE


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"height": CUT_HEIGHT - 1e-3}, True, id="low enough"),
        pytest.param({"height": CUT_HEIGHT + 1e-3}, False, id="too high"),
        pytest.param({"height": -0.05}, False, id="in the ground"),
        pytest.param({"speed": 1.01 * SLOWEST / np.cos(0.5)}, True, id="quick enough along the edge"),
        pytest.param({"speed": 0.99 * SLOWEST / np.cos(0.5)}, False, id="too slow along the edge"),
        pytest.param({"haft": -np.pi / 2, "speed": 3.0}, False, id="chopping"),
        pytest.param({"haft": 0.5}, False, id="back first"),
        pytest.param({"backwards": True}, False, id="swung back"),
        pytest.param({"slope": np.radians(29)}, True, id="nearly level"),
        pytest.param({"slope": np.radians(31)}, False, id="steep across"),
        pytest.param({"rise": np.radians(-31), "height": 0.05}, False, id="steep along"),
        pytest.param({"stalk": (TIP - 1e-3, 0.0)}, True, id="at the tip"),
        pytest.param({"stalk": (TIP + 1e-3, 0.0)}, False, id="beyond the tip"),
        pytest.param({"stalk": (HEEL + 1e-3, 0.0)}, True, id="at the heel"),
        pytest.param({"stalk": (HEEL - 1e-3, 0.0)}, False, id="inside the heel"),
        pytest.param({"stalk": (0.0, 0.6)}, False, id="not reached"),
    ],
)
@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_cut_in_closed_form(options, expected, turn):
    assert _pass(**options, turn=turn) is expected


@given(steps=st.integers(8, 400), x=st.floats(-0.06, 0.06), y=st.floats(-0.1, 0.1), turn=st.floats(-3, 3))
@settings(max_examples=60, deadline=None)
def test_cut_does_not_depend_on_the_number_of_poses_or_the_direction(steps, x, y, turn):
    assert _pass(steps=steps, stalk=(x, y), turn=turn)
    assert not _pass(steps=steps, stalk=(x, y), turn=turn, backwards=True)


@pytest.mark.parametrize("count", [1, 10, 20, 100])
def test_stalks_stand_apart_on_the_patch(count):
    places = stalk_places({"stalks": float(count), "patch_x": 0.3, "patch_y": 0.1})
    assert places.shape == (count, 3)
    assert np.abs(places - [0.3, 0.1, 0.0]).max(axis=0) == pytest.approx([0, 0, 0], abs=max(PATCH) / 2)
    if count > 1:
        distance = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(count, 1)]
        assert distance.min() > 0.35 * np.sqrt(PATCH[0] * PATCH[1] / count)
        assert np.ptp(places[:, 1]) > 0.6 * PATCH[1]


@given(seed=st.integers(0, 2**32 - 1))
def test_one_step_is_a_sweep_of_two_poses(seed):
    rng = np.random.default_rng(seed)
    stalks = rng.uniform(-0.3, 0.3, (30, 2))
    turns, p = rng.normal(0, [0.2, 0.2, 1.0], (2, 3)), rng.normal(0, [0.1, 0.1, 0.05], (2, 3))
    R = np.stack([pin.rpy.rpyToMatrix(turn) for turn in turns])
    frames = [edge_on(pin.SE3(turn, at), SCYTHE.head_size) for turn, at in zip(R, p, strict=True)]
    edges = [edge_of(tuple(tuple(v.tolist()) for v in (f.translation, *f.rotation.T[[0, 2]]))) for f in frames]
    places = np.c_[stalks, np.zeros(30)].tolist()
    passed = passing(*(beyond(edge, places) for edge in edges))
    once = swept(edges, places, passed, LENGTH, 24.0)
    many = sweep(R, p, stalks, SCYTHE.head_size, 24.0)
    assert [meeting.stalk for meeting in once.meetings] == [meeting.stalk for meeting in many.meetings]
    assert np.array(once.meetings) == pytest.approx(np.array(many.meetings), rel=1e-6, abs=1e-9)
    assert once.wrong() == pytest.approx(many.wrong(), abs=1e-6)


@pytest.mark.parametrize("stalks", [0.0, 10.5, 1000.0, np.nan])
def test_impossible_numbers_of_stalks_are_refused(stalks):
    with pytest.raises(TaskError, match="it must be a whole number from 1 to 100"):
        ScytheTask.work({"stalks": stalks})


def _episode(demonstration, **options):
    env = ToolEnv(demonstration, spread=STILL)
    try:
        env.reset(seed=0, options=options)
        terms, heights, done, info = [], [], False, {}
        while not done:
            obs, _, terminated, truncated, info = env.step(np.zeros(3))
            terms.append(list(info["terms"].values()))
            heights.append(obs[env.obs_names.index("head_z")])
            done = terminated or truncated
        return info, np.array(terms).sum(axis=0), np.array(heights)
    finally:
        env.close()


def _changed(demonstration, change):
    """The demonstration with every pose (rotation, origin) of its tool changed."""
    poses = [change(pin.XYZQUATToSE3(q)) for q in demonstration.tool.q]
    R, p = np.stack([pose.rotation for pose in poses]), np.stack([pose.translation for pose in poses])
    tool = motion_of_poses("scythe", SCYTHE.parameters(), R, p, demonstration.tool.fps)
    return demonstration.replace(tool=tool)


@pytest.mark.parametrize("stalks", [10, 20])
def test_the_scripted_swing_cuts_all_and_ends(stalks):
    demonstration = scythe_stroke(stalks)
    info, (cut, dug), heights = _episode(demonstration)
    assert info["success"]
    assert cut == pytest.approx(1.0)
    assert dug == 0
    assert len(heights) < demonstration.tool.num_frames


def test_it_does_so_wherever_grass_is_displaced_and_turned():
    """Moved along with the grass, 40 fresh episodes; some miss it when it is not."""
    env = ToolEnv(scythe_stroke(), spread=Spread(0.05, np.radians(10)))
    shifted = np.mean([play(env, "shifted", seed=seed)[1]["success"] for seed in range(40)])
    env.close()
    assert shifted >= 0.97
    info, (cut, _), _ = _episode(scythe_stroke(), object_offset=(0.6, 0.0))
    assert not info["success"]
    assert cut == 0


def test_a_part_of_the_patch_is_a_part_of_the_reward():
    info, (cut, _), _ = _episode(scythe_stroke(), object_offset=(0.12, 0.0))
    assert not info["success"]
    assert 0 < cut < 0.8


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pose: pin.SE3(pose.rotation, pose.translation + 0.12 * UP), id="over the grass"),
        pytest.param(lambda pose: pin.SE3(pose.rotation, pose.translation * [1, -1, 1]), id="the other way"),
        pytest.param(
            lambda pose: pose * pin.SE3(pin.rpy.rpyToMatrix(0.6, 0.0, 0.0), np.zeros(3)), id="blade on its edge"
        ),
    ],
)
def test_not_any_swing_will_do(change):
    info, (cut, _), _ = _episode(_changed(scythe_stroke(), change))
    assert not info["success"]
    assert cut < 0.8


def test_slow_sweeps_bend_the_grass():
    swift = scythe_stroke()
    slow = swift.replace(tool=swift.tool.replace(fps=swift.tool.fps / 2.5))
    assert not _episode(slow)[0]["success"]


def test_the_ground_stops_the_blade_and_digging_in_spoils():
    """A swing that goes 10 cm under the ground: the blade stays on it, the episode ends and costs 1, once."""
    deep = _changed(scythe_stroke(), lambda pose: pin.SE3(pose.rotation, pose.translation - 0.13 * UP))
    info, (cut, dug), heights = _episode(deep)
    assert info["spoilt"]
    assert not info["success"]
    assert dug == -1
    assert cut < 0.8
    assert heights.min() > -0.02


def test_a_blade_that_glides_over_the_ground_cuts():
    """The underside of the blade is led 2 mm into the ground."""
    low = _changed(scythe_stroke(), lambda pose: pin.SE3(pose.rotation, pose.translation - 0.034 * UP))
    info, _, heights = _episode(low)
    assert info["success"]
    assert heights.min() > -0.005


def test_the_blade_lies_level_where_the_handle_slopes_down():
    R = pin.rpy.rpyToMatrix(0.0, float(LAY), 0.0)
    assert R @ scythe_blade(SCYTHE).rotation == pytest.approx(np.eye(3))
    assert R[2, 0] == pytest.approx(-np.sin(LAY))


def test_stalks_are_seen_to_fall():
    env = ToolEnv(scythe_stroke(20), spread=STILL, render_mode="rgb_array", size_hw=(120, 160))
    try:
        play_from = env.reset(seed=0)
        assert play_from
        before = _green(env.render())
        env.task._leave([])
        assert 0 < _green(env.render()) != before
        assert isinstance(env.demonstration, Demonstration)
        env.reset(seed=0)
        assert _green(env.render()) == before
    finally:
        env.close()


def _green(picture):
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return int(((green > red + 20) & (green > blue + 20)).sum())


def test_the_centre_of_the_patch_is_where_the_scene_says():
    assert ScytheTask.work({"patch_x": 0.7}) == pytest.approx([0.7, SCENE["patch_y"], CUT_HEIGHT / 2])
    assert ScytheTask.obstacles({}) == ()
