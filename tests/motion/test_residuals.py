from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion import residuals as package
from motion.body import build_body, rotations
from motion.elimination import Memory
from motion.problem import assemble, costs
from motion.residuals.balance import Balance
from motion.residuals.contact import Anchor, Ground, Sliding
from motion.residuals.grasp import Grasp, Grip
from motion.residuals.lift import Lift
from motion.residuals.loss import GemanMcClure, PseudoHuber, Quadratic
from motion.residuals.pose_prior import Hinge, RestPose
from motion.residuals.reprojection import Reprojection
from motion.residuals.residual import RESIDUALS, Jacobian, OfPoints, Residual, expand
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration, JointRate
from motion.residuals.stature import Stature
from motion.residuals.surface import Clear, Surface
from motion.rotation import exponential, quaternion
from motion.scene import Box, Plane, Together
from motion.solve import DidNotConverge, SolverOptions, solve
from motion.state import SHARED, State
from motion.wield import usual_grip
from records import Camera

FRAMES = 4
ROOM = Together(
    (
        Box(lower=(-0.3, -0.4, -1.0), upper=(0.4, 0.3, 0.2)),
        Plane(normal=(-1.0, 0.2, 0.1), offset=-0.9),
        Plane(offset=-1.2),
    )
)
"""A box that the feet are in, a wall and a floor."""


def random_state(seed=0, frames=FRAMES):
    rng = np.random.default_rng(seed)
    body = build_body(height=1.75)
    R = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, [0.2, -4.0, 1.3]
    camera = Camera(K=np.array([[800.0, 0, 360], [0, 850, 288], [0, 0, 1]]), T_world_camera=T[None], size_hw=(576, 720))
    tool_q = np.tile([0.3, 0.1, 1.1, 0.1, 0.2, 0.3, np.sqrt(1 - 0.14)], (frames, 1))
    state = State(
        q=np.tile(body.neutral(), (frames, 1)),
        tool_q=tool_q,
        tool_length=0.4,
        fps=25.0,
        reference_body=body,
        reference_camera=camera,
    )
    sigma = np.array([shared.sigma for shared in SHARED])
    return state.step(0.3 * rng.standard_normal((frames, state.nv)), 0.5 * sigma * rng.standard_normal(len(SHARED)))


def examples(frames=FRAMES):
    """One residual of each kind in the table, with random data."""
    rng = np.random.default_rng(1)
    names = ("nose", "l_wrist", "r_toes", "l_hip", "tool_head")
    turns = exponential(0.2 * rng.standard_normal((frames, 3)))
    return {
        "reprojection": Reprojection(
            names=names, uv=400 * rng.random((frames, 5, 2)), weight=rng.random((frames, 5)), sigma=8.0
        ),
        "lift": Lift(
            names=names[:4],
            xyz=rng.standard_normal((frames, 4, 3)),
            R_camera_ray=rotations(turns),
            weight=rng.random((frames, 4)),
        ),
        "acceleration": Acceleration(names=(*names, "l_heel")),
        "joint_rate": JointRate(),
        "rest_pose": RestPose(),
        "hinge": Hinge(),
        "anchor": Anchor(
            names=("l_ball", "r_fingers"), place=rng.standard_normal((frames, 2, 3)), weight=rng.random((frames, 2))
        ),
        "sliding": Sliding(names=("l_ball", "r_fingers"), weight=rng.random((frames - 1, 2))),
        "ground": Ground(names=("l_ball", "r_ball"), weight=rng.random((frames, 2))),
        "surface": Surface(
            names=("l_ball", "r_fingers", "r_ball"),
            weight=rng.random((frames, 3)),
            scene=ROOM,
            standing=(True, False, True),
        ),
        "clear": Clear(scene=ROOM),
        "balance": Balance(share=rng.dirichlet(np.ones(4), frames), weight=rng.random(frames), load=(0.2, 0.6)),
        "grasp": Grasp(hands=("l_fingers", "r_fingers"), weight=rng.random((frames, 2)), reach=(0.2, 0.4)),
        "grip": Grip(joint="r_wrist", rest=quaternion(usual_grip("r")), weight=rng.random(frames)),
        "shared_prior": SharedPrior(),
        "stature": Stature(),
    }


def test_every_residual_in_the_table_has_an_example_of_its_class():
    made = examples()
    assert set(made) == set(RESIDUALS)
    for name, residual in made.items():
        assert isinstance(residual, RESIDUALS.load(name))


def test_no_residual_of_the_package_is_missing_from_the_table():
    """What has an error and a Jacobian is in the table, so that every test of this file is made of it."""
    table = {RESIDUALS.load(name) for name in RESIDUALS}
    modules = [
        importlib.import_module(info.name) for info in pkgutil.iter_modules(package.__path__, "motion.residuals.")
    ]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and value is not Residual
        and {"error", "jacobian"} <= set(dir(value))
    }
    assert found == table
    assert len(modules) > 5


def moving(state):
    """The same state, seen by a camera that pans and is carried along."""
    camera, frames = state.reference_camera, state.num_frames
    T = np.repeat(camera.T_world_camera, frames, axis=0)
    T[:, :3, :3] = T[:, :3, :3] @ rotations(exponential(np.linspace(0, 0.2, frames)[:, None] * [0.3, 1.0, 0.1]))
    T[:, 0, 3] += np.linspace(0, 0.3, frames)
    return replace(state, reference_camera=camera.replace(T_world_camera=T))


@pytest.mark.parametrize("seen", [random_state, lambda: moving(random_state(seed=4))], ids=["still", "moving camera"])
@pytest.mark.parametrize("name", list(RESIDUALS))
def test_jacobian_against_finite_differences(name, seen):
    residual, state, step = examples()[name], seen(), 1e-6
    by_frames, by_shared = expand(residual.jacobian(state), state)
    count, window = len(by_frames), by_frames.shape[1]
    assert np.abs(residual.error(state)).max() > 0
    rng = np.random.default_rng(2)
    for _ in range(12):
        tangent, shared = rng.standard_normal((FRAMES, state.nv)), rng.standard_normal(len(SHARED))
        ahead = residual.error(state.step(step * tangent, step * shared))
        behind = residual.error(state.step(-step * tangent, -step * shared))
        numeric = (ahead - behind) / (2 * step)
        analytic = by_shared @ shared
        for w in range(window):
            analytic += np.einsum("ngdv,nv->ngd", by_frames[:, w], tangent[w : w + count])
        np.testing.assert_allclose(analytic, numeric, atol=1e-6 * (1 + np.abs(numeric).max()))


def stacked(residuals, state):
    """Hessian and gradient of all unknowns, from every residual with all columns."""
    frames, size = state.num_frames, state.nv
    total = frames * size + len(SHARED)
    hessian, gradient = np.zeros((total, total)), np.zeros(total)
    for residual in residuals.values():
        error = residual.error(state)
        by_frames, by_shared = expand(residual.jacobian(state), state)
        rows = np.zeros((*error.shape, total))
        for n, w in np.ndindex(by_frames.shape[:2]):
            rows[n, ..., (n + w) * size : (n + w + 1) * size] = by_frames[n, w]
        rows[..., frames * size :] = by_shared
        rows *= np.sqrt(residual.loss.weight((error**2).sum(-1)))[..., None, None]
        weighed = error * np.sqrt(residual.loss.weight((error**2).sum(-1)))[..., None]
        flat = rows.reshape(-1, total)
        hessian += flat.T @ flat
        gradient += flat.T @ weighed.ravel()
    return hessian, gradient


@pytest.mark.parametrize("names", [*((name,) for name in RESIDUALS), tuple(RESIDUALS)], ids="+".join)
def test_equations_by_limbs_are_those_of_all_columns(names):
    state = random_state()
    residuals = {name: examples()[name] for name in names}
    hessian, gradient = stacked(residuals, state)
    equations = assemble(residuals, state).dense()
    unknowns, size = state.num_frames * state.nv, state.nv
    found = np.zeros_like(hessian)
    for k, t in np.ndindex(equations.blocks.shape[:2]):
        if t + k < state.num_frames:
            rows, columns = slice((t + k) * size, (t + k + 1) * size), slice(t * size, (t + 1) * size)
            found[rows, columns], found[columns, rows] = equations.blocks[k, t], equations.blocks[k, t].T
    found[:unknowns, unknowns:] = equations.border.reshape(unknowns, -1)
    found[unknowns:] = np.hstack([found[:unknowns, unknowns:].T, equations.corner])
    np.testing.assert_allclose(found, hessian, atol=1e-12 * np.abs(hessian).max())
    both = np.concatenate([equations.g.ravel(), equations.h])
    np.testing.assert_allclose(both, gradient, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.parametrize("shared", [True, False])
def test_the_step_does_not_depend_on_how_many_frames_are_written_at_a_time(monkeypatch, shared):
    memory = Memory()
    whole = assemble(examples(), random_state(), shared=shared).solve(1e-3)
    assemble(examples(), random_state(seed=5), memory=memory).solve(1e-3)
    monkeypatch.setattr("motion.pieces.STRIP", 3)
    parts = assemble(examples(), random_state(), memory=memory, shared=shared).solve(1e-3)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9 * np.abs(whole[0]).max())


@pytest.mark.parametrize("most", [1, 3, 7])
@pytest.mark.parametrize("shared", [True, False])
def test_pieces_of_a_clip_give_the_equations_and_the_cost_of_the_whole(monkeypatch, most, shared):
    frames = 30  # no array of a residual has nearly as many rows for another reason
    residuals, state = examples(frames), moving(random_state(frames=frames))
    whole, cost = assemble(residuals, state, shared=shared).dense(), costs(residuals, state, widening=2.0)
    monkeypatch.setattr("motion.pieces.PIECE", most)
    parts = assemble(residuals, state, shared=shared).dense()
    for one, other in zip(vars(whole).values(), vars(parts).values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12 * np.abs(one).max(initial=0))
    assert costs(residuals, state, widening=2.0) == pytest.approx(cost, rel=1e-12)


def test_the_step_is_that_of_the_dense_equations():
    equations = assemble(examples(), random_state())
    for one, other in zip(equations.solve(1e-3), equations.dense().solve(1e-3), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9 * np.abs(other).max())


def test_what_all_frames_share_can_be_held():
    """The step of the frames alone is that of the equations without their border."""
    hessian, gradient = stacked(examples(), random_state())
    state = random_state()
    unknowns = state.num_frames * state.nv
    dx, ds = assemble(examples(), state, shared=False).solve(1e-3)
    inner = hessian[:unknowns, :unknowns] + 1e-3 * np.diag(np.diag(hessian)[:unknowns])
    expected = np.linalg.solve(inner, -gradient[:unknowns])
    np.testing.assert_allclose(dx.ravel(), expected, atol=1e-6 * np.abs(expected).max())
    assert not ds.any()


def test_trust_multiplies_what_a_residual_adds():
    residuals = {name: examples()[name] for name in ("reprojection", "rest_pose")}
    seen, both = (assemble({name: residuals[name] for name in names}, random_state()).dense()
                  for names in (("reprojection",), tuple(residuals)))  # fmt: skip
    weighed = assemble(residuals, random_state(), trust={"reprojection": 0.1}).dense()
    np.testing.assert_allclose(weighed.blocks, both.blocks - 0.9 * seen.blocks, atol=1e-9 * np.abs(both.blocks).max())


def test_matrices_over_several_frames_are_refused():
    class Wide(Acceleration):
        def jacobian(self, state):
            names = self.names
            return Jacobian(points=OfPoints(names, np.zeros((state.num_frames - 2, 3, len(names), 3, 3))))

    with pytest.raises(ValueError, match="windows of 3 frames take multiples of the identity"):
        assemble({"wide": Wide()}, random_state()).solve(1e-3)


@pytest.mark.parametrize("names", [*((name,) for name in RESIDUALS), tuple(RESIDUALS)], ids="+".join)
def test_the_solver_ends_with_a_status_and_numbers_and_the_same_ones_again(names):
    residuals = {"rest": RestPose(), "prior": SharedPrior()} | {name: examples()[name] for name in names}
    few = SolverOptions(iterations=3)
    one, other = (solve(residuals, random_state(), few) for _ in range(2))
    before = costs(residuals, random_state())
    assert one.status in ("converged", "stalled", "iteration limit")
    assert np.isfinite(one.state.q).all()
    assert np.isfinite(one.state.shared).all()
    assert sum(one.cost.values()) < sum(before.values())
    assert one.cost == other.cost
    for array in ("q", "tool_q", "shared"):
        np.testing.assert_array_equal(getattr(one.state, array), getattr(other.state, array))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 6), st.floats(-2, 1), st.sampled_from([1e-12, 1e-3, 1e3]))
def test_observations_that_are_absurd_never_make_the_solver_return_what_is_no_number(seed, size, away, damping):
    """Points and landmarks anywhere, a body in any pose: a status and numbers, or an error that says so."""
    rng, made = np.random.default_rng(seed), examples()
    made["reprojection"] = replace(made["reprojection"], uv=10**size * rng.standard_normal((FRAMES, 5, 2)))
    made["lift"] = replace(made["lift"], xyz=10 ** (size / 2) * rng.standard_normal((FRAMES, 4, 3)))
    start = random_state(seed)
    start = start.step(10**away * rng.standard_normal((FRAMES, start.nv)), np.zeros(len(SHARED)))
    try:
        solution = solve(made, start, SolverOptions(iterations=4, damping=damping))
    except DidNotConverge as failed:
        solution = failed.solution
    assert solution.status in ("converged", "stalled", "iteration limit")
    for values in (solution.state.q, solution.state.tool_q, solution.state.shared, list(solution.cost.values())):
        assert np.isfinite(values).all()


@given(
    st.sampled_from([Quadratic(), PseudoHuber(1.5), GemanMcClure(3.0)]),
    st.floats(1e-3, 1e3),
    st.floats(1.0, 4.0),
)
def test_weight_is_the_derivative_of_the_cost(loss, s, widening):
    s, step = np.array([s]), 1e-3 * s
    numeric = (loss.cost(s + step, widening) - loss.cost(s - step, widening)) / (2 * step)
    weight = loss.weight(s, widening)
    np.testing.assert_allclose(weight, numeric, rtol=1e-4, atol=1e-6)
    assert np.all((weight >= 0) & (weight <= 1))


def test_stature_is_that_of_the_body_that_stands_upright():
    """Taller by a tenth, all bones alike; and by any bones, what the head gains over the soles in the T-pose."""
    state, body = random_state(), build_body(height=1.75)
    bones, growth = len(body.bone_names), np.zeros((2, len(SHARED)))
    growth[0, :bones] = np.log(1.1)
    growth[1, :bones] = np.random.default_rng(3).normal(0, 0.1, bones)
    found = [Stature().error(replace(state, shared=shared))[0].item() * Stature().sigma for shared in growth]
    heights = [
        np.ptp(built.site_positions(built.neutral()[None], ["head", "l_heel"])[0, :, 2])
        for built in (replace(state, shared=shared).body for shared in (0 * growth[0], *growth))
    ]
    np.testing.assert_allclose(found, np.log(np.divide(heights[1:], heights[0])), atol=1e-9)
    assert found[0] == pytest.approx(np.log(1.1))


def test_hinge_is_silent_inside_the_range_and_grows_beyond_it():
    body = build_body()
    state = State(
        q=np.tile(body.neutral(), (3, 1)),
        fps=25.0,
        reference_body=body,
        reference_camera=random_state().reference_camera,
    )
    knee = 6 + 3 * (body.joint_names.index("l_knee") - 1)
    bend = np.zeros((3, 75))
    bend[:, knee] = [0.5, -0.3, -0.6]
    error = Hinge().error(state.step(bend, np.zeros(len(SHARED))))[:, 0, 0]
    assert error[0] == 0
    np.testing.assert_allclose(error[1:], [-0.3 / 0.08, -0.6 / 0.08])
