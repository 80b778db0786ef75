"""The costless answer that computes: the stroke is carried along with its objects, and the arm is solved for again.

The base stays where it is, and the solution begins at the one of the demonstration: a warm re-solve of the retargeting,
once the objects' place is known and before the tool moves.
"""

from __future__ import annotations

import time

import numpy as np
import pinocchio as pin

from motion.robot import build_arm
from motion.tool import differentiate, motion_of_poses, tool_of
from policies.agents import Replay
from policies.evaluate import play
from policies.trials import Trial
from records import Demonstration
from records.single_thread import single_thread
from sim.arm_problem import BASE, ArmProblem
from sim.conditions import Conditions
from sim.tasks.task import TASKS


def resolved(demonstration: Demonstration, conditions: Conditions) -> Demonstration:
    """The demonstration with an arm's motion that follows the stroke as it is carried along with its objects."""
    robot, stroke = demonstration.robot, demonstration.tool
    if robot is None:
        raise ValueError("a tool alone is not retargeted; give a demonstration with a robot")
    tool, task = tool_of(stroke), TASKS.load(demonstration.task)
    arm, work = build_arm(robot.model, tool), task.work(demonstration.scene)
    poses = [pin.XYZQUATToSE3(q) for q in stroke.q]
    moved = motion_of_poses(
        stroke.model,
        dict(stroke.parameters),
        np.array([conditions.rotation @ pose.rotation for pose in poses]),
        conditions.moved(np.array([pose.translation for pose in poses]), work),
        stroke.fps,
    )
    place = conditions.moved(work, work)
    problem = ArmProblem(moved, arm, place, task.obstacles(demonstration.scene), working=task.working, searched=())
    first = robot.q[problem.frame]
    base = np.array([robot.parameters[f"base_{name}"] for name in BASE])
    with single_thread():
        q = problem.solve(first, base).q[: problem.T]
    v, a = differentiate(arm.model, q, robot.fps)
    return demonstration.replace(robot=robot.replace(q=q, v=v, a=a))


def play_resolved(demonstration: Demonstration, under: Trial, seeds: list[int]) -> tuple[np.ndarray, float]:
    """Success of one episode per seed (N,), and the mean processor time of a re-solve [s]."""
    success, spent = [], 0.0
    env = under.environment(demonstration)
    try:
        drawn = [Conditions(**env.reset(seed=seed)[1]["conditions"]) for seed in seeds]
    finally:
        env.close()
    for seed, conditions in zip(seeds, drawn, strict=True):
        started = time.process_time()
        answer = resolved(demonstration, conditions)
        spent += time.process_time() - started
        env = under.environment(answer)
        try:
            success.append(play(env, Replay(), [seed], name="resolved").success[0])
        finally:
            env.close()
    return np.array(success), spent / len(seeds)
