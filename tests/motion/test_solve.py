from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import LinAlgError
from squatting import level_camera, observe, squatting, standing_contacts

from motion.banded import solve_banded
from motion.body import build_body
from motion.estimate import EstimateOptions, balance, contact_residuals, estimate, start
from motion.evidence import image_residuals
from motion.problem import NormalEquations, assemble, costs
from motion.residuals.loss import Quadratic
from motion.residuals.pose_prior import RestPose
from motion.residuals.residual import Jacobian
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration, JointRate
from motion.solve import DidNotConverge, SolverOptions, solve
from motion.state import SHARED, State
from motion.touch import touches
from records import Camera


def still_state(frames, seed=0, spread=0.2):
    body = build_body()
    T = np.eye(4)
    T[:3, :3], T[2, 3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), 1.0
    camera = Camera(K=np.array([[800.0, 0, 360], [0, 800, 288], [0, 0, 1]]), T_world_camera=T[None], size_hw=(576, 720))
    state = State(q=np.tile(body.neutral(), (frames, 1)), fps=25.0, reference_body=body, reference_camera=camera)
    rng = np.random.default_rng(seed)
    return state.step(spread * rng.standard_normal((frames, 75)), np.zeros(len(SHARED)))


def random_equations(frames, size, shared, seed=0):
    rng = np.random.default_rng(seed)
    whole = np.zeros((frames * size + shared,) * 2)
    for t in range(frames - 2):
        rows = rng.standard_normal((3 * size, len(whole)))
        rows[:, : t * size] = rows[:, (t + 3) * size : frames * size] = 0
        whole += rows.T @ rows
    whole += np.eye(len(whole))
    blocks = np.zeros((3, frames, size, size))
    for k in range(3):
        for t in range(frames - k):
            blocks[k, t] = whole[(t + k) * size : (t + k + 1) * size, t * size : (t + 1) * size]
    border = whole[: frames * size, frames * size :].reshape(frames, size, shared)
    g, h = rng.standard_normal((frames, size)), rng.standard_normal(shared)
    return NormalEquations(blocks, border, whole[frames * size :, frames * size :], g, h), whole


@pytest.mark.parametrize("solver", [NormalEquations.solve, solve_banded])
@pytest.mark.parametrize("shared", [0, 3])
@pytest.mark.parametrize("frames", [1, 2, 3, 7, 8])
def test_banded_solution_equals_the_dense_one(frames, shared, solver):
    equations, whole = random_equations(frames=frames, size=4, shared=shared)
    dx, ds = solver(equations, 0.1)
    damped = whole + 0.1 * np.diag(np.diag(whole))
    expected = np.linalg.solve(damped, -np.concatenate([equations.g.reshape(-1), equations.h]))
    np.testing.assert_allclose(np.concatenate([dx.reshape(-1), ds]), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", [NormalEquations.solve, solve_banded])
def test_what_is_not_positive_definite_is_refused(solver):
    equations, _ = random_equations(frames=5, size=4, shared=3)
    for name in ("blocks", "corner"):
        with pytest.raises(LinAlgError, match="not positive definite"):
            solver(replace(equations, **{name: -getattr(equations, name)}), 0.1)


def test_assembled_gradient_is_that_of_the_cost():
    state = still_state(5)
    residuals = {"acceleration": Acceleration(), "rate": JointRate(), "rest": RestPose(), "shared": SharedPrior()}
    equations = assemble(residuals, state).dense()
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(5):
        tangent, shared = rng.standard_normal((5, 75)), rng.standard_normal(len(SHARED))
        ahead = sum(costs(residuals, state.step(step * tangent, step * shared)).values())
        behind = sum(costs(residuals, state.step(-step * tangent, -step * shared)).values())
        slope = (equations.g * tangent).sum() + equations.h @ shared
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


def test_time_is_linear_in_the_number_of_frames():
    def seconds(frames):
        equations, _ = None, None
        rng = np.random.default_rng(0)
        blocks = np.zeros((3, frames, 30, 30))
        blocks[0] = 200 * np.eye(30)
        blocks[1:] = rng.standard_normal((2, frames, 30, 30))
        equations = NormalEquations(
            blocks,
            rng.standard_normal((frames, 30, 4)),
            1e6 * np.eye(4),
            rng.standard_normal((frames, 30)),
            np.zeros(4),
        )
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            equations.solve(1e-3)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(3200) / seconds(400) < 16, "eight times as many frames"


def test_memory_per_frame_does_not_grow():
    """All residuals of an estimate with contacts, linearised and solved once: no array is T x T."""

    def peak(frames):
        body, q = squatting(frames=frames)
        person = observe(body, q, level_camera())
        state, evidence = start(person, level_camera(), EstimateOptions())
        contacts = standing_contacts(frames)
        residuals = image_residuals(evidence, person.fps)
        residuals |= contact_residuals(touches(state, contacts, evidence.observed))
        residuals["balance"] = balance(contacts, holding=False)
        tracemalloc.start()
        assemble(residuals, state).solve(1e-3)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used / frames

    assert peak(240) < 1.1 * peak(60)


@pytest.mark.slow
def test_a_clip_of_two_thousand_frames_is_estimated():
    frames = 2000
    body, q = squatting(frames=frames)
    few = EstimateOptions(first=SolverOptions(iterations=2), second=SolverOptions(iterations=2, widening=1.0))
    interaction = estimate(observe(body, q, level_camera()), level_camera(), standing_contacts(frames), options=few)
    assert np.isfinite(interaction.person.q).all()
    assert interaction.person.num_frames == frames


def test_rest_pose_alone_is_reached_and_the_status_says_so():
    residuals = {"rest": RestPose(loss=Quadratic()), "rate": JointRate(), "shared": SharedPrior()}
    solution = solve(residuals, still_state(4), SolverOptions(iterations=30, tolerance=1e-9))
    assert solution.status in ("converged", "stalled")
    assert solution.cost["rest"] < 1e-6
    assert np.linalg.norm(solution.state.q[:, 3:].reshape(4, 24, 4), axis=-1) == pytest.approx(1)


def test_the_iteration_limit_is_reported():
    residuals = {"rest": RestPose(), "shared": SharedPrior()}
    assert solve(residuals, still_state(4), SolverOptions(iterations=1)).status == "iteration limit"


class NotANumber:
    loss = Quadratic()

    def error(self, state):
        return np.full((state.num_frames, 1, 1), np.nan)

    def jacobian(self, state):
        return Jacobian(np.zeros((state.num_frames, 1, 1, 1, 75)), np.zeros((state.num_frames, 1, 1, len(SHARED))))


class NoWayDown:
    """A constant error whose derivative is not a number."""

    loss = Quadratic()

    def error(self, state):
        return np.ones((state.num_frames, 1, 1))

    def jacobian(self, state):
        return Jacobian(
            np.full((state.num_frames, 1, 1, 1, 75), np.nan), np.zeros((state.num_frames, 1, 1, len(SHARED)))
        )


@pytest.mark.parametrize("broken", [NotANumber(), NoWayDown()])
def test_numerical_failure_raises_with_the_last_solution(broken):
    state = still_state(4)
    with pytest.raises(DidNotConverge) as caught:
        solve({"broken": broken, "shared": SharedPrior()}, state)
    np.testing.assert_array_equal(caught.value.solution.state.q, state.q)
