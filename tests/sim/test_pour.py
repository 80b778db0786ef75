"""The pour task: what counts as poured, when the cup is spoilt, and what it takes to place a stroke."""

from __future__ import annotations

import numpy as np
import pytest
from episodes import play
from scipy.spatial.transform import Rotation

from motion.tool import JUG, motion_of_poses
from sim.align import AlignError, align
from sim.conditions import STILL, Spread
from sim.env import ToolEnv
from sim.tasks.pour import PourTask, in_cup
from sim.tasks.pour_path import EMPTY, FLOWS, LAG, emptied, pouring
from sim.tasks.pour_placement import PourPlacer
from sim.tasks.pour_scene import CUP, HEIGHT, THICK


@pytest.fixture(scope="module")
def placer():
    return PourPlacer(PourTask.scripted().tool, JUG)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ([0.0, 0.0, 0.02], True),
        ([CUP / 2 - 0.01, 0.0, HEIGHT], True),
        ([CUP / 2 + 0.01, 0.0, 0.02], False),
        ([0.0, 0.0, -0.01], False),
        ([0.0, 0.0, HEIGHT + THICK + 0.02], False),
    ],
)
def test_in_cup(point, expected):
    assert in_cup(np.array([point]), 0.011)[0] == expected


def test_emptied_follows_the_tilt_with_a_lag():
    fps = 20.0
    tilt = np.r_[np.linspace(0, EMPTY, 30), np.full(20, EMPTY)]
    share = emptied(Rotation.from_rotvec(np.outer(tilt, [0.0, 1.0, 0.0])).as_matrix(), fps)
    assert share[0] == 0
    assert share[-1] == pytest.approx(1)
    assert (np.diff(share) >= 0).all()
    assert np.argmax(share > 0) == np.argmax(tilt > FLOWS) + round(LAG * fps)
    back = emptied(Rotation.from_rotvec(np.outer(-tilt, [0.0, 1.0, 0.0])).as_matrix(), fps)
    assert back.max() == 0


def test_pouring_beside_the_cup_wins_nothing():
    env = ToolEnv(PourTask.scripted(), spread=STILL)
    _, info = play(env, seed=0, object_offset=(0.0, 0.3))
    left, moved = env.task.left, env.task.moved
    env.close()
    assert not info["success"]
    assert (left, moved) == (0.0, 0.0)


def test_knocking_the_cup_over_spoils_the_task():
    demonstration = PourTask.scripted()
    q = np.array(demonstration.tool.q)
    q[:, 2] = q[0, 2]
    q[:, 0] += 0.2
    env = ToolEnv(demonstration.replace(tool=demonstration.tool.replace(q=q)), spread=STILL)
    _, info = play(env, seed=0)
    env.close()
    assert info["spoilt"]
    assert not info["success"]


def test_shifted_strokes_solve_displaced_scenes():
    env = ToolEnv(PourTask.scripted(), spread=Spread(0.05))
    won = [play(env, "shifted", seed=seed)[1]["success"] for seed in range(4)]
    env.close()
    assert all(won)


def test_placed_strokes_keep_off_the_ground_and_the_cup(placer):
    made = pouring(placer._swing, JUG, placer.starts()[0])
    origin = made.tip + np.einsum("tij,j->ti", made.R, JUG.p_head - np.array([0.2899, 0.0, 0.0754]))
    assert origin[:, 2].min() > 0.05
    assert made.flow.sum() == pytest.approx(1, abs=0.05)
    inside = np.abs(made.landing - made.cup[:2]).max(axis=1) < CUP / 2
    assert made.flow[inside].sum() > 0.9


def test_shortfall_prefers_what_is_better(placer):
    start = placer.starts()[0]
    good = placer.shortfall(start)
    worse = [
        start._replace(ahead=0.1),
        start._replace(aside=0.1),
        start._replace(tilt=start.tilt - 0.6, more=0.0),
        start._replace(roll=0.5),
        start._replace(pour=99.0),
    ]
    assert all(placer.shortfall(other) > good + 0.3 for other in worse)


def test_jugs_that_are_never_tilted_are_refused():
    R = np.tile(np.eye(3), (40, 1, 1))
    p = np.outer(np.linspace(0, 0.5, 40), [1.0, 0.0, 0.0])
    with pytest.raises(AlignError, match="never tilted: its nose goes down by 0 degrees at most, 20 are needed"):
        align(motion_of_poses("jug", JUG.parameters(), R, p, 24.0), "pour")


def test_a_stroke_seen_from_elsewhere_is_placed_robustly():
    """Turned, moved and a fifth smaller."""
    stroke = PourTask.scripted().tool
    turn = Rotation.from_euler("z", 2.0)
    R = (turn * Rotation.from_quat(stroke.q[:, 3:7])).as_matrix()
    head = 0.8 * turn.apply(stroke.q[:, :3] + Rotation.from_quat(stroke.q[:, 3:7]).apply(JUG.p_head)) + [1.0, 2.0, 0.5]
    moved = motion_of_poses("jug", JUG.parameters(), R, head - R @ JUG.p_head, stroke.fps)
    found = PourPlacer(moved, JUG)
    best = min(found.starts(), key=found.shortfall)
    env = ToolEnv(found.place(best), spread=STILL)
    _, info = play(env, seed=0)
    env.close()
    assert info["success"]
