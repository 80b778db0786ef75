"""Retargeting: benchmarks/retarget.py [../shared/data/tools/hammer_1.npz ...] [--robots panda kuka] [--others].

Strokes are those of the files, synthetic ones of the hammer, and every task's own scripted one; all are aligned first.
Constants of `sim.retarget` and `sim.arm_search` were chosen with these in view; `--others` takes strokes that most were
not chosen with: those of the files mirrored, smaller and unevenly paced, and further synthetic ones of all tasks.

For each and each robot: distance of the tool's head from the stroke, use of the velocity and acceleration limits,
clearance, use of the torque limits, how much the stroke was slowed down, how the tool is held, processor time, and
whether the replay in physics solves the task; for the hammer, success with the demonstration moved along with the nail
(20 episodes, 5 cm).

Beside it what costs nothing: inverse kinematics frame by frame, each from the last one's joints (damped least squares;
joint limits kept, nothing else known), from the base that the whole-trajectory optimisation found, and from half a
metre before the middle of the stroke: mean distance from the same stroke, at the same speed and with the same grip, and
use of the velocity and acceleration limits and clearance.

A file `STROKE_panda.npz` beside a stroke holds base and joints that others found for it. How they mounted the tool is
not known: their error is that with the place in the hand, scale and origin of the stroke that fit them best.

A study with the same kind of solver and no collisions came to 7 mm mean, 25 mm at most, in 1 to 2.4 s.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from benchmarks.align import CHANGES, synthetic
from motion.robot import build_arm
from motion.tool import SPADE, TOOLS, head_positions, read_stroke, tool_of
from records import Demonstration, Motion
from sim.align import AlignError, align
from sim.arm_problem import BASE, POSITION, ArmProblem, Use
from sim.conditions import Spread
from sim.env import ToolEnv
from sim.replay import outcomes
from sim.retarget import RetargetError, retarget
from sim.tasks.task import TASKS

EPISODES = 20
"""Displaced episodes a stroke."""
NOISE = 0.05
"""Standard deviation of the nail's displacement [m]."""
FIRST_FRAME, NEXT_FRAMES = 200, 20
"""Steps of inverse kinematics in the first frame, and in every other."""
DAMPING = 1.0
"""Of inverse kinematics, in units of squared errors per squared angle [1/rad^2]."""
STUDY = (7.0, 25.0)
"""Mean and largest distance that a throw-away study reached [mm]."""
SYNTHETIC = 4
"""Random synthetic strokes of the hammer."""
OTHERS = {"hammer": 6, "scythe": 2, "spade": 3, "pour": 1}
"""Further synthetic strokes of each task."""


def main() -> None:
    """Print a row per stroke, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="*", help="files of head positions, see motion.tool.read_stroke")
    parser.add_argument("--robots", nargs="+", default=["panda", "kuka"], help="names of the table, or FILE.urdf:LINK")
    parser.add_argument("--others", action="store_true", help="other strokes of the same kinds instead")
    arguments = parser.parse_args()
    strokes = (others if arguments.others else usual)(arguments.strokes)
    print(
        f"{'stroke':<18}{'robot':<7}{'mean':>7}{'max mm':>8}{'degrees':>9}{'speed':>7}{'accel.':>7}{'clear mm':>9}"
        f"{'torque':>7}{'slower':>7}{'grip m':>8}{'s':>6}"
        f" | {'per frame mm':>13}{'speed':>7}{'accel.':>7}{'clear mm':>9}"
        f" | {'fixed base mm':>13} | {'replay':>7}{'moved along':>12}"
    )
    rows, refused = [], []
    for name, demonstration in demonstrations(strokes).items():
        for robot in arguments.robots:
            start = time.process_time()
            try:
                moving, tracking, _ = retarget(demonstration, robot)
            except RetargetError as error:
                refused.append(f"{name} by {robot}")
                print(f"{name:<18}{robot:<7} {error} ({time.process_time() - start:.1f} s)", flush=True)
                continue
            seconds = time.process_time() - start
            single, fixed = (frame_by_frame(moving, base) for base in bases(moving))
            replay, moved = outcomes(moving, np.zeros((1, 2)))[0], ""
            if moving.task == "hammer":
                moved = f"{moved_along(moving):.0%}"
            within = max(single.velocity, single.acceleration) <= 1 and single.clearance >= 0
            mean = 1000 * single.distance.mean()
            elsewhere = 1000 * fixed.distance.mean()
            rows.append((tracking.mean_mm, tracking.max_mm, seconds, elsewhere, replay, mean, within))
            print(
                f"{name:<18}{robot:<7}{tracking.mean_mm:>7.1f}{tracking.max_mm:>8.1f}{tracking.mean_degrees:>9.1f}"
                f"{tracking.velocity:>7.2f}{tracking.acceleration:>7.2f}{tracking.clearance_mm:>9.1f}"
                f"{tracking.torque:>7.2f}{tracking.slowdown:>7.2f}{tool_of(moving.tool).grip:>8.2f}{seconds:>6.1f}"
                f" | {mean:>13.1f}{single.velocity:>7.2f}{single.acceleration:>7.2f}{1000 * single.clearance:>9.1f} |"
                f" {elsewhere:>13.1f} |"
                f" {'yes' if replay else 'no':>7}{moved:>12}",
                flush=True,
            )
    for path in arguments.strokes:
        theirs = path.with_name(f"{path.stem}_panda.npz")
        if theirs.exists():
            print(found_by_others(path, theirs))
    table = np.array(rows)
    mean, _, _, fixed, replay, single, within = table.mean(axis=0)
    print(
        f"retarget: {len(rows)} of {len(rows) + len(refused)} strokes within all limits"
        f" (refused: {', '.join(refused) or 'none'}), mean {mean:.1f} mm, largest mean {table[:, 0].max():.1f} mm,"
        f" largest {table[:, 1].max():.1f} mm (study {STUDY[0]:.0f} and {STUDY[1]:.0f};"
        f" frame by frame {single:.1f} mean, {within:.0%} within all limits; from a fixed base {fixed:.0f}),"
        f" median {np.median(table[:, 2]):.1f} s, at most {table[:, 2].max():.1f} s; {replay:.0%} of replays solve"
    )


def usual(files: list[Path]) -> dict[str, Motion]:
    """Strokes by name: of the files (`TOOL_N.npz`), synthetic ones of the hammer, and every task's own."""
    found = {path.stem: read_stroke(path, TOOLS.load(path.stem.split("_")[0])) for path in files}
    found |= {f"synthetic {k}": stroke for k, stroke in enumerate(synthetic("hammer", SYNTHETIC))}
    return found | {f"{task} scripted": TASKS.load(task).scripted().tool for task in TASKS}


def others(files: list[Path]) -> dict[str, Motion]:
    """Strokes by name: changed ones of the files, and synthetic ones of all tasks that `usual` has not."""
    seen = {path.stem: read_stroke(path, TOOLS.load(path.stem.split("_")[0])) for path in files}
    found = {f"{name} {how}": change(stroke) for name, stroke in seen.items() for how, change in CHANGES.items()}
    for task, count in OTHERS.items():
        first = SYNTHETIC if task == "hammer" else 0
        further = synthetic(task, first + count)[first:]
        found |= {f"{task} {k}": stroke for k, stroke in enumerate(further, first)}
    return found


def demonstrations(strokes: dict[str, Motion]) -> dict[str, Demonstration]:
    """The strokes, aligned, by name."""
    tasks, found = {TASKS.load(task).tool: task for task in TASKS}, {}
    for name, stroke in strokes.items():
        try:
            found[name] = align(stroke, tasks[stroke.model]).demonstration
        except AlignError as error:
            print(f"{name:<18}not aligned: {error}", flush=True)
    return found


def found_by_others(stroke: Path, solution: Path) -> str:
    """What base and joints (x, y [m], joints [rad]) from a file make of a stroke: a line."""
    with np.load(stroke, allow_pickle=False) as file:
        head, fps = file["head_position"], float(file["fps"])
    with np.load(solution, allow_pickle=False) as file:
        rows = file["q"]
    # Their first frame is empty: all zeros.
    known = np.abs(rows).max(axis=1) > 0
    head, rows = head[known], rows[known]
    arm = build_arm("panda", SPADE)
    hand = arm.model.getFrameId(arm.spec.hand)
    # head = scale * stroke + origin = p + R place, linear in place (3), scale and origin (3).
    A, b = np.zeros((len(rows), 3, 7)), np.zeros((len(rows), 3))
    for k, row in enumerate(rows):
        pin.framesForwardKinematics(arm.model, arm.data, row[2:])
        A[k, :, :3] = arm.data.oMf[hand].rotation
        b[k] = -arm.data.oMf[hand].translation - [*row[:2], 0.0]
    A[:, :, 3], A[:, :, 4:] = -head, -np.eye(3)
    best = np.linalg.lstsq(A.reshape(-1, 7), b.ravel(), rcond=None)[0]
    distance = 1000 * np.linalg.norm(A @ best - b, axis=1) / best[3]
    speed = np.abs(np.diff(rows[:, 2:], axis=0)) * fps / arm.model.velocityLimit
    strength = np.abs(np.diff(rows[:, 2:], 2, axis=0)) * fps**2 / np.array(arm.spec.acceleration)
    return (
        f"{solution.stem}: mean {distance.mean():.0f} mm, at most {distance.max():.0f} mm, {speed.max():.2f} of the"
        f" velocity and {strength.max():.2f} of the acceleration limits (scale {best[3]:.2f});"
        f" ours for the same stroke in their scene: {ours_for(stroke)}"
    )


def ours_for(stroke: Path) -> str:
    """Our Panda on a spade's stroke where its authors aligned it, at their scale and speed: in words."""
    with np.load(stroke, allow_pickle=False) as file:
        sand, box = file["sand_position"].tolist(), file["goal_box_position"].tolist()
    scene = {"sand_x": sand[0], "sand_y": sand[1], "box_x": box[0], "box_y": box[1]}
    try:
        found = retarget(
            Demonstration(task="spade", scene=scene, tool=read_stroke(stroke, SPADE)), slowest=1.0
        ).tracking
    except RetargetError as error:
        return str(error)
    return (
        f"mean {found.mean_mm:.1f} mm, at most {found.max_mm:.1f} mm, {found.mean_degrees:.1f} degrees,"
        f" {found.velocity:.2f} and {found.acceleration:.2f} of the limits, clear by {found.clearance_mm:.0f} mm"
    )


def bases(moving: Demonstration) -> list[np.ndarray]:
    """Where the robot stands (x, y, z [m], yaw [rad]), and half a metre before the middle of the stroke."""
    assert moving.robot is not None
    found = np.array([moving.robot.parameters[f"base_{name}"] for name in BASE])
    middle = head_positions(tool_of(moving.tool), moving.tool)[:, :2].mean(axis=0)
    return [found, np.array([*(middle - [0.5, 0.0]), 0.0, 0.0])]


def moved_along(demonstration: Demonstration) -> float:
    """Success of the demonstration moved along with its displaced object."""
    solved = []
    with contextlib.closing(ToolEnv(demonstration, spread=Spread(NOISE))) as env:
        for seed in range(EPISODES):
            _, info = env.reset(seed=seed)
            done = False
            while not done:
                _, _, terminated, truncated, info = env.step(env.shift_action())
                done = terminated or truncated
            solved.append(info["success"])
    return float(np.mean(solved))


def frame_by_frame(moving: Demonstration, base: Float[np.ndarray, "4"]) -> Use:
    """What inverse kinematics, one frame after the other, makes of a retargeted stroke from a base.

    Damped least squares on the same pose errors as the whole trajectory's, from the rest configuration on.
    """
    assert moving.robot is not None
    task, arm = TASKS.load(moving.task), build_arm(moving.robot.model, tool_of(moving.tool))
    work, obstacles = task.work(moving.scene), task.obstacles(moving.scene)
    problem = ArmProblem(moving.tool, arm, work, obstacles, working=task.working)
    turn = pin.rpy.rpyToMatrix(0.0, 0.0, float(base[3]))
    lower, upper = problem.middle - problem.half, problem.middle + problem.half
    joints, q = [], np.array(arm.spec.rest)
    for R_wanted, head_wanted, tolerance in zip(problem.R, problem.head, problem.rotation, strict=True):
        weight = np.repeat([1 / POSITION, 1 / tolerance], 3)
        for _ in range(FIRST_FRAME if not joints else NEXT_FRAMES):
            R, head, J = arm.head_jacobian(q)
            miss = np.concatenate([turn.T @ (head_wanted - base[:3]) - head, pin.log3(turn.T @ R_wanted @ R.T)])
            A, e = weight[:, None] * J, weight * miss
            step = np.linalg.solve(A.T @ A + DAMPING * np.eye(len(q)), A.T @ e)
            q = np.clip(q + np.clip(step, -0.5, 0.5), lower, upper)
        joints.append(q)
    return problem.use(np.array(joints), base)


if __name__ == "__main__":
    main()
