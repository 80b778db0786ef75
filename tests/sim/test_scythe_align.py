"""Alignment of scythe strokes: swings of all kinds cut the grass, robustly, after few simulations."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from episodes import play
from mowing import mowing, random_mowing

from motion.tool import SCYTHE, motion_of_poses, tool_motion
from records import Motion, RecordError
from sim.align import ROBUST, AlignError, align, outcomes
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.retarget import retarget
from sim.tasks.grass import SCENE
from sim.tasks.scythe_placement import CLEAR, FLOOR, ScythePlacer

DATA = Path("../shared/data/handtool/openpose18.npz")
MOST = 250
"""Placements that may be simulated up to the first robust one (issue 4); so far one or two are."""


def _checked(found, most=5):
    assert found.tried <= most <= MOST
    assert found.demonstration.score >= ROBUST
    assert outcomes(found.demonstration, np.zeros((1, 3))) == [True]


@pytest.fixture(scope="module")
def alignment():
    return align(mowing(), "scythe", seed=0)


def test_a_clean_swing(alignment):
    _checked(alignment)


@pytest.mark.parametrize("seed", range(2))
def test_noisy_swings_of_every_kind(seed):
    _checked(align(random_mowing(seed), "scythe", seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 40))
def test_many_noisy_swings(seed):
    _checked(align(random_mowing(seed), "scythe", seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scythe_1", "scythe_2", "scythe_3"])
def test_people_who_mow(name):
    """Sequences of the Handtool set: the scythe's axis is estimated from both hands."""
    if not DATA.is_file():
        pytest.skip("needs ../shared/data/handtool")
    from motion.estimate import estimate
    from perception.detectors.detector import read_keypoints
    from perception.track import observe_keypoints

    seen = observe_keypoints(read_keypoints(DATA, sequence=name)[0])
    found = estimate(seen.person, seen.camera, seen.contacts, tool=seen.tool, tool_name="scythe")
    _checked(align(found.tool, "scythe", seed=0))


def test_the_swing_begins_beside_the_grass_and_stays_above_the_ground(alignment):
    tool = alignment.demonstration.tool
    R = np.stack([motion_rotation(q) for q in tool.q])
    head = tool.q[:, :3] + R @ [alignment.demonstration.tool.parameters["length"], 0, 0]
    patch = np.array([SCENE["patch_x"], SCENE["patch_y"]])
    assert np.linalg.norm(head[0, :2] - patch) > 0.9 * CLEAR
    assert head[:, 2].min() > 0.9 * FLOOR
    nearest = int(np.linalg.norm(head[:, :2] - patch, axis=1).argmin())
    moving = head[nearest + 1] - head[nearest - 1]
    assert abs(np.arctan2(moving[0], moving[1])) < 0.3


def motion_rotation(q):
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(q[3:7]).as_matrix()


def test_chance_does_not_solve_it(alignment):
    """Where the demonstration is not followed, random actions reach too little of the grass."""
    env = ToolEnv(alignment.demonstration, spread=Spread(0.05, 0.1))
    rng = np.random.default_rng(0)
    try:
        for seed in range(15):
            actions = rng.uniform(-1, 1, (env.horizon, 3))
            assert not play(env, actions, seed=seed, follow=False)[1]["success"]
    finally:
        env.close()


def test_a_panda_swings_it_too(alignment):
    """Within millimetres, and it cuts the grass as the tool alone does."""
    found = retarget(alignment.demonstration, "panda", seed=0)
    assert found.tracking.mean_mm < 10
    assert max(found.tracking.velocity, found.tracking.acceleration) <= 1
    env = ToolEnv(found.demonstration, spread=Spread(0.05))
    replay = play(env, object_offset=np.zeros(2))[1]["success"]
    shifted = np.mean([play(env, "shifted", seed=seed)[1]["success"] for seed in range(12)])
    env.close()
    assert replay
    assert shifted >= 0.9


def test_it_does_not_matter_where_the_stroke_was_seen():
    stroke = mowing()
    q = np.array(stroke.q)
    q[:, :3] += [4.0, -3.0, 1.0]
    here, there = ScythePlacer(stroke, SCYTHE), ScythePlacer(stroke.replace(q=q), SCYTHE)
    start = here.starts()[0]
    assert there.starts()[0] == pytest.approx(start, abs=1e-9)
    assert there.place(start).tool.q == pytest.approx(here.place(start).tool.q, abs=1e-6)


def test_shortfall_prefers_what_is_better():
    placer = ScythePlacer(mowing(), SCYTHE)
    good = placer.starts()[0]
    worse = [
        good._replace(across=0.15),
        good._replace(height=0.2),
        good._replace(tilt=good.tilt + 0.8),
        good._replace(roll=0.9),
        good._replace(haft=0.4),
        good._replace(middle=good.middle - 0.35),
    ]
    assert all(placer.shortfall(other) > placer.shortfall(good) + 0.1 for other in worse)


def _mirrored(stroke: Motion) -> Motion:
    """The same swing from left to right."""
    R = np.stack([motion_rotation(q) for q in stroke.q])
    head = stroke.q[:, :3] + R @ [SCYTHE.length, 0, 0]
    across = np.array([1.0, -1.0, 1.0])
    return tool_motion(SCYTHE, head * across, stroke.q[:, :3] * across, stroke.fps)


@pytest.mark.parametrize(
    ("stroke", "message"),
    [
        pytest.param(
            motion_of_poses("scythe", SCYTHE.parameters(), np.tile(np.eye(3), (30, 1, 1)), np.zeros((30, 3)), 24.0),
            r"never sweeps from right to left: its head moves that way at 0\.00 m/s at most, 0\.5 m/s are needed",
            id="at rest",
        ),
        pytest.param(_mirrored(mowing()), "never sweeps from right to left", id="left-handed"),
        pytest.param(mowing(speed=0.4), r"at 0\.\d\d m/s at most", id="slow"),
        pytest.param(
            mowing(slope=-0.8), "never comes near the ground: in every sweep the handle rises to it", id="in the air"
        ),
    ],
)
def test_hopeless_strokes_are_refused_in_one_line(stroke, message):
    with pytest.raises(AlignError, match=message) as caught:
        align(stroke, "scythe", seed=0)
    assert "\n" not in str(caught.value)


def test_a_stroke_of_another_tool_is_told_of(caplog):
    from strokes import hammer_stroke

    with caplog.at_level(logging.WARNING, logger="sim"), pytest.raises(AlignError):
        align(hammer_stroke(), "scythe", seed=0, budget=1)
    assert "the task scythe is done with a scythe; this is a stroke of 'hammer'" in caplog.text


def test_poses_that_are_not_numbers_are_no_stroke():
    stroke = mowing()
    q = np.array(stroke.q)
    q[3, 0] = np.nan
    with pytest.raises(RecordError, match=r"not finite at index \(3, 0\)"):
        stroke.replace(q=q)
