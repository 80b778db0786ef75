"""Speed and memory of the solver: per stage, beside scipy's sparse least squares, and from short clips to long ones.

    python benchmarks/solver.py [DIR] [--lengths 50 500 5000] [--long 500 5000 20000]

`DIR` holds the Parkour clips (kv01_PKFC.mp4); without them a synthetic squat is solved. Times are processor time on one
thread, the best of several runs. scipy gets the same residuals with their losses and the same start, once with the
exact sparse Jacobian (the figure) and once with finite differences on its sparsity. All are stopped as soon as their
cost is within 0.1 % of what ours converges to. Memory is what `estimate` allocates at its peak beyond what it was given
(tracemalloc), in a process of its own for each length.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, least_squares
from scipy.sparse import block_diag, csr_array, hstack, vstack

from motion.body import Body, build_body
from motion.elimination import Memory
from motion.estimate import EstimateOptions, balance, contact_residuals, estimate, start
from motion.evidence import image_residuals
from motion.initialise import rotation_to
from motion.problem import Problem, ProblemAt, costs, errors
from motion.residuals.residual import Residual, expand
from motion.rotation import exponential, inverse_right_jacobian
from motion.solve import Solution, SolverOptions, solve
from motion.state import SHARED, State
from motion.touch import touches
from perception.track import track
from perception.video import open_clip
from records import Camera, ContactStates, Keypoints
from records.single_thread import single_thread

CLIP, FPS = "kv01_PKFC.mp4", 25.0
"""Clip of the first two figures, and its frame rate, which headers get wrong."""

SEEN = ("nose", "neck", *(f"{s}_{n}" for s in "lr" for n in (
    "ear", "shoulder", "elbow", "wrist", "fingers", "hip", "knee", "ankle", "heel", "toes")))  # fmt: skip
"""Points of the synthetic squat."""

LENGTHS = (50, 500, 5000)
"""Frames of the clips over which the cost per frame and iteration is compared, solved as one."""

LONG = (500, 5000, 20000)
"""Frames of the clips whose estimate is timed and weighed; long ones are solved by windows."""

SCIPY_SECONDS = 120.0
"""Processor time after which scipy is stopped, wherever it is [s]."""

ENOUGH = 1.001
"""Costs within this factor of what ours converges to are low enough: the solver's own tolerance."""


class Observed:
    """A person, a camera and contacts; and the problem that `estimate` makes of them."""

    def __init__(self, person: Keypoints, camera: Camera, contacts: ContactStates) -> None:
        """Start, and residuals with contacts as they are touched at the start."""
        self.person, self.camera, self.contacts = person, camera, contacts
        self.state, evidence = start(person, camera, EstimateOptions())
        self.residuals: dict[str, Residual] = image_residuals(evidence, person.fps)
        self.residuals["balance"] = balance(contacts, holding=False)
        self.residuals |= contact_residuals(touches(self.state, contacts, evidence.observed))


def squat(frames: int, seed: int = 0) -> Observed:
    """A person who bends the knees every 1.6 s, seen with 2 px and 3 cm of noise."""
    body, rng = build_body(), np.random.default_rng(seed)
    bend = 0.25 * (1 - np.cos(2 * np.pi * np.arange(frames) / FPS / 1.6))
    turn = np.zeros((frames, len(Body.joint_names), 3))
    for side, x in (("l", 1.0), ("r", -1.0)):
        for joint, share in (("hip", -1.0), ("knee", 2.0), ("ankle", -1.0)):
            turn[:, Body.joint_names.index(f"{side}_{joint}"), 0] = share * bend
        turn[:, Body.joint_names.index(f"{side}_shoulder"), 2] = x * (0.5 * bend - 1.1)
    q = np.tile(body.neutral(), (frames, 1))
    q[:, 7:] = exponential(turn[:, 1:]).reshape(frames, -1)
    soles = body.site_positions(q, ["l_ball", "r_ball"]).mean(axis=1)
    q[:, :3] += soles[0] - soles
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]], [0, -4.0, 1.2]
    K = np.array([[900.0, 0, 360], [0, 900, 288], [0, 0, 1]])
    camera = Camera(K=K, T_world_camera=T[None], size_hw=(576, 720))
    p = body.site_positions(q, SEEN)
    uv = camera.project(p) + 2.0 * rng.standard_normal((*p.shape[:2], 2))
    root = body.site_positions(q, ["l_hip", "r_hip"]).mean(axis=1, keepdims=True)
    ray = rotation_to((uv.mean(axis=1) - K[:2, 2]) / K[0, 0])
    xyz = (p - root) @ T[:3, :3] @ ray + 0.03 * rng.standard_normal(p.shape)
    seen = np.full(p.shape[:2], 0.9)
    person = Keypoints(names=SEEN, uv=uv, confidence=seen, xyz=xyz, fps=FPS, size_hw=camera.size_hw)
    names, probability = (
        ("l_ankle", "r_ankle", "l_fingers", "r_fingers"),
        np.tile([0.98, 0.98, 0.02, 0.02], (frames, 1)),
    )
    return Observed(person, camera, ContactStates(names=names, probability=probability, fps=FPS))


def seconds(work: Callable[[], Any], times: int) -> float:
    """Least processor time of some runs [s]."""
    best = np.inf
    for _ in range(times):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def optimiser_seconds(clip: Observed, times: int = 3) -> tuple[float, float]:
    """Processor time of the solver's two passes inside `estimate`, and of all of `estimate` [s]."""
    import motion.solve_clip as module

    inside = 0.0

    def timed(*arguments: Any) -> Solution:
        nonlocal inside
        began = time.process_time()
        solution = solve(*arguments)
        inside += time.process_time() - began
        return solution

    best = (np.inf, np.inf)
    module.solve = timed
    try:
        for _ in range(times):
            inside, began = 0.0, time.process_time()
            estimate(clip.person, clip.camera, clip.contacts)
            best = min(best, (inside, time.process_time() - began))
    finally:
        module.solve = solve
    return best


def stages(clip: Observed) -> dict[str, float]:
    """Processor time of one iteration up to its parts, per frame [ms]."""
    frames, state = clip.state.num_frames, clip.state
    problem, memory = Problem(clip.residuals, frames), Memory()
    still = (np.zeros((frames, state.nv)), np.zeros(len(SHARED)))
    rows = [np.empty((frames, state.nv, *shape)) for shape in ((state.nv,), (2 * state.nv,), (len(SHARED) + 1,))]
    own, over, beside = rows[0], rows[1].reshape(frames, 2, state.nv, state.nv), rows[2]

    def here() -> ProblemAt:
        return problem.at(state.step(*still))

    parts = {
        "errors": lambda: here().costs(),
        "errors and equations": lambda: list(here().equations().write(own, over, beside)),
        "errors, equations and step": lambda: here().equations(memory=memory).solve(1e-3),
    }
    return {name: 1e3 * seconds(work, 7) / frames for name, work in parts.items()}


def our_seconds(clip: Observed) -> tuple[float, float, int]:
    """Processor time until our cost is low enough [s], the cost that is, and our iterations."""
    options = replace(EstimateOptions().second, iterations=50)
    target = ENOUGH * sum(solve(clip.residuals, clip.state, options).cost.values())
    for steps in range(1, options.iterations + 1):
        few = replace(options, iterations=steps)
        if sum(solve(clip.residuals, clip.state, few).cost.values()) <= target:
            break
    return seconds(lambda: solve(clip.residuals, clip.state, few), 5), target, steps


def scipy_seconds(clip: Observed, target: float, *, exact: bool = True) -> tuple[float, float, int]:
    """Processor time until scipy's cost is as low as the target [s], the cost that it reached, and its iterations.

    Args:
        clip: the problem.
        target: cost to reach.
        exact: whether scipy gets the Jacobian, or only which entries are not zero.
    """
    state = clip.state
    shape, count = (state.num_frames, state.nv), state.num_frames * state.nv
    began = time.process_time()

    def at(x: np.ndarray) -> State:
        return state.step(x[:count].reshape(shape), x[count:])

    def robust(x: np.ndarray) -> np.ndarray:
        known = errors(clip.residuals, at(x))
        return np.concatenate([(known[n] * _robust(r, known[n])[0]).ravel() for n, r in clip.residuals.items()])

    def jacobian(x: np.ndarray) -> csr_array:
        here = at(x)
        # Residuals of the same points share their derivatives, as they do in ours.
        here.__dict__["points"] = cache(here.points)
        rows = []
        for residual in clip.residuals.values():
            error = residual.error(here)
            if error.size:
                by_frames, by_shared = expand(residual.jacobian(here), here)
                factor, slope = _robust(residual, error)
                along = slope * error
                by_frames = (
                    factor[:, None, ..., None] * by_frames
                    + along[:, None, ..., None]
                    * np.einsum("ngd,nwgdv->nwgv", error, by_frames, optimize=True)[..., None, :]
                )
                by_shared = (
                    factor[..., None] * by_shared
                    + along[..., None] * np.einsum("ngd,ngds->ngs", error, by_shared)[..., None, :]
                )
                rows.append(_sparse(by_frames, by_shared, count))
        return csr_array(vstack(rows) @ _of_step(state, here, x[:count].reshape(shape)))

    def enough(intermediate_result: OptimizeResult) -> None:
        if intermediate_result.cost <= target or time.process_time() - began > SCIPY_SECONDS:
            raise StopIteration

    x = np.zeros(count + len(SHARED))
    how = {"jac": jacobian} if exact else {"jac": "2-point", "jac_sparsity": _sparsity(clip)}
    found = least_squares(
        robust, x, method="trf", tr_solver="lsmr", x_scale="jac", max_nfev=500, callback=enough, **how
    )
    return time.process_time() - began, float(found.cost), int(found.njev)


def _robust(residual: Residual, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor f that makes squares of losses, |f e|^2 = rho(s), s = |e|^2, and 2 f'(s); both (N, G, 1)."""
    s = np.maximum((error**2).sum(-1, keepdims=True), 1e-12)
    cost = residual.loss.cost(s)
    factor = np.sqrt(cost / s)
    return factor, (residual.loss.weight(s) - cost / s) / (s * factor)


def _sparse(by_frames: np.ndarray, by_shared: np.ndarray, count: int) -> csr_array:
    """Rows of a residual with all unknowns as columns; what is zero is left out."""
    windows, _, groups, dimensions, size = by_frames.shape
    n, w, g, d, v = np.nonzero(by_frames)
    row = (n * groups + g) * dimensions + d
    rows = windows * groups * dimensions
    local = csr_array((by_frames[n, w, g, d, v], (row, (n + w) * size + v)), shape=(rows, count))
    return csr_array(hstack([local, csr_array(by_shared.reshape(rows, -1))]))


def _sparsity(clip: Observed) -> csr_array:
    """All unknowns of the frames that an error looks at, and what all frames share."""
    rows = []
    for residual in clip.residuals.values():
        by_frames, by_shared = expand(residual.jacobian(clip.state), clip.state)
        if by_frames.size:
            rows.append(
                _sparse(np.ones_like(by_frames), np.ones_like(by_shared), clip.state.num_frames * clip.state.nv)
            )
    return csr_array(vstack(rows))


def _of_step(state: State, here: State, x: np.ndarray) -> csr_array:
    """How the tangent step at `here` follows from a change of the whole step `x` from `state`."""
    turned = here.poses[0][:, 0].swapaxes(-1, -2) @ state.poses[0][:, 0]
    right = np.linalg.inv(inverse_right_jacobian(x[:, 3 : Body.nv].reshape(len(x), -1, 3)))
    blocks = np.concatenate([turned[:, None], right], axis=1).reshape(-1, 3, 3)
    return csr_array(block_diag([*blocks, np.eye(len(SHARED))], format="csr"))


def per_frame(lengths: Sequence[int], rounds: int = 4) -> dict[int, float]:
    """Processor time of an iteration of clips, per frame [ms], by their length.

    A solve makes all the iterations that it may. The system needs some 0.4 ms a frame to give memory that was never
    touched, once for a solve and only to long ones: the pages of short clips come back from what was solved before. In
    every round each length is solved so often that all have as many frames: what else runs slows all of them alike.
    """
    options = SolverOptions(tolerance=0.0, widening=1.0)
    clips, best = {frames: squat(frames) for frames in lengths}, dict.fromkeys(lengths, np.inf)
    for _ in range(rounds):
        for frames, clip in clips.items():
            times = max(lengths) // frames
            began = time.process_time()
            for _ in range(times):
                solve(clip.residuals, clip.state, options)
            spent = 1e3 * (time.process_time() - began) / (times * frames * options.iterations)
            best[frames] = min(best[frames], spent)
    return best


def of_estimate(frames: int, *, traced: bool = False) -> float:
    """Processor time of `estimate`, per frame [ms], or its peak of memory [MB]."""
    clip = squat(frames)
    if traced:
        tracemalloc.start()
    began = time.process_time()
    estimate(clip.person, clip.camera, clip.contacts)
    spent = time.process_time() - began
    return tracemalloc.get_traced_memory()[1] / 1e6 if traced else 1e3 * spent / frames


def alone(frames: int, *, traced: bool) -> float:
    """`of_estimate` in a process of its own: what one leaves in caches and heap does not count for the next."""
    command = [sys.executable, "-m", "benchmarks.solver", "--estimate", str(frames), *(["--traced"] if traced else [])]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    """Print the comparisons and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="folder of the Parkour clips")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="frames of the clips compared")
    parser.add_argument("--long", type=int, nargs="*", default=LONG, help="frames of the clips that are estimated")
    parser.add_argument("--estimate", type=int, help="print the time of one such clip, and nothing else")
    parser.add_argument("--traced", action="store_true", help="its memory instead")
    arguments = parser.parse_args()
    if arguments.estimate:
        print(of_estimate(arguments.estimate, traced=arguments.traced))
        return
    video = (arguments.folder or Path()) / CLIP
    if video.exists():
        seen = track(open_clip(video, fps=FPS))
        clip = Observed(seen.person, seen.camera, seen.contacts)
    else:
        clip = squat(34)
    frames = clip.state.num_frames
    duration = frames / FPS
    print(f"{video.name if video.exists() else 'synthetic squat'}: {frames} frames at {FPS:.0f} fps")
    with single_thread():
        inside, whole = optimiser_seconds(clip)
        print(f"optimiser {inside / duration:.3f}, all of estimate {whole / duration:.3f} s per clip-second")
        for name, spent in stages(clip).items():
            print(f"  {name:28}{spent:6.3f} ms per frame and iteration")
        before = sum(costs(clip.residuals, clip.state).values())
        spent, target, steps = our_seconds(clip)
        print(f"cost {before:.1f} at the start; ours {target:.1f} after {steps} iterations, {spent:.3f} s")
        theirs, reached, steps = scipy_seconds(clip, target)
        print(f"scipy.optimize.least_squares, exact Jacobian: {reached:.1f} after {steps} iterations, {theirs:.2f} s")
        loose, reached, steps = scipy_seconds(clip, target, exact=False)
        print(f"the same, finite differences on its sparsity: {reached:.1f} after {steps} iterations, {loose:.2f} s")
        lengths = per_frame(arguments.lengths)
    print("  ".join(f"{n} frames: {spent_ms:.3f} ms" for n, spent_ms in lengths.items()) + " per frame and iteration")
    for frames in arguments.long:
        spent_ms, megabytes = (alone(frames, traced=traced) for traced in (False, True))
        print(
            f"estimate of {frames:6} frames: {spent_ms:7.2f} ms per frame, {megabytes:7.0f} MB at its peak", flush=True
        )
    spread = max(lengths.values()) / min(lengths.values()) - 1
    print(
        f"optimiser {inside / duration:.3f} s per clip-second, {theirs / spent:.0f} times as fast as scipy's"
        f" least_squares ({loose / spent:.0f} times with its finite differences), cost per frame within"
        f" {100 * spread:.0f} % from {min(lengths)} to {max(lengths)} frames"
    )


if __name__ == "__main__":
    main()
