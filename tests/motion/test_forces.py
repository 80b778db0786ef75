from __future__ import annotations

from dataclasses import replace

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motion.body import build_body
from motion.centroidal import demand
from motion.cone import generators
from motion.force_options import ForceOptions, ForceOptionsError
from motion.forces import ForceError, solve_forces
from motion.local_derivative import Derivatives, differentiate
from motion.skeleton import CONTACT_SITES
from records import Camera, ContactStates, Motion

G = 9.81
FPS = 25.0
BODY = build_body(height=1.75, mass=65.0)
WEIGHT = BODY.mass * G
EXACT = ForceOptions(position_sigma=1e-4, moment_arm_sigma=1e-3)
LEFT, RIGHT, LEFT_HAND, RIGHT_HAND = range(4)


def motion_of(q, fps=FPS):
    still = np.zeros((len(q), BODY.nv))
    return Motion(model="smpl_tree", parameters=BODY.parameters(), fps=fps, q=q, v=still, a=still)


def standing(frames=20):
    return np.repeat(BODY.neutral()[None], frames, axis=0)


def contacts(probability, frames=20, fps=FPS):
    rows = np.broadcast_to(np.asarray(probability, float), (frames, 4)).copy()
    return ContactStates(names=CONTACT_SITES, probability=rows, fps=fps)


def random_motion(seed, frames=12, size=0.3):
    """A smooth motion through random poses, in the air or on the ground."""
    rng = np.random.default_rng(seed)
    start, drift = size * rng.standard_normal(75), 0.1 * size * rng.standard_normal(75)
    return np.array([pin.integrate(BODY.model, BODY.neutral(), start + t * drift) for t in range(frames)])


def twin(name):
    return {"l": "r", "r": "l"}[name[0]] + name[1:] if name[:2] in ("l_", "r_") else name


def mirrored(q):
    """The same motion seen in a mirror that lies in the x z plane."""
    turns = q[:, 3:].reshape(len(q), 24, 4)
    turns = turns[:, [BODY.joint_names.index(twin(name)) for name in BODY.joint_names]] * [1, -1, -1, 1]
    root = Rotation.from_quat(q[:, 3:7]).as_matrix()
    turns[:, 0] = Rotation.from_matrix(np.diag([1, -1, 1]) @ root @ np.diag([-1, 1, 1])).as_quat()
    return np.concatenate([q[:, :3] * [1, -1, 1], turns.reshape(len(q), -1)], axis=1)


class Weight:
    """A point mass."""

    def __init__(self, mass):
        self.model = pin.Model()
        joint = self.model.addJoint(0, pin.JointModelFreeFlyer(), pin.SE3.Identity(), "root")
        inertia = pin.Inertia(mass, np.zeros(3), 0.01 * mass * np.eye(3))
        self.model.appendBodyToJoint(joint, inertia, pin.SE3.Identity())


def test_local_parabolas_are_exact_on_free_fall_and_constant_turning():
    t = np.arange(15) / FPS
    spin, push = np.array([0.4, -1.0, 0.7]), np.array([1.0, 0.5, -G])
    turn = Rotation.from_rotvec(t[:, None] * spin)
    q = np.concatenate([t[:, None] * [1, 2, 3] + 0.5 * t[:, None] ** 2 * push, turn.as_quat()], axis=1)
    v, a = differentiate(q, FPS, 0.06)
    np.testing.assert_allclose(turn.apply(v[:, :3]), np.array([1, 2, 3]) + t[:, None] * push, atol=1e-9)
    np.testing.assert_allclose(v[:, 3:], np.tile(spin, (15, 1)), atol=1e-9)
    np.testing.assert_allclose(turn.apply(a[:, :3] + np.cross(v[:, 3:], v[:, :3])), np.tile(push, (15, 1)), atol=1e-8)
    np.testing.assert_allclose(a[:, 3:], 0, atol=1e-8)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_short_clips_have_finite_derivatives(frames):
    v, a = differentiate(random_motion(1, frames), FPS, 0.06)
    assert np.isfinite(v).all()
    assert np.isfinite(a).all()
    assert frames > 1 or not v.any()


def test_demand_agrees_with_centroidal_momentum():
    """The wrench at the centre of mass is the rate of Pinocchio's centroidal momentum, minus gravity."""
    rng, data = np.random.default_rng(5), BODY.model.createData()
    q = random_motion(2, 3)
    v, a = rng.standard_normal((2, 3, 75))
    found = demand(BODY.model, q, Derivatives(v, a))
    for t in range(3):
        rate = pin.computeCentroidalMomentumTimeVariation(BODY.model, data, q[t], v[t], a[t]).vector
        np.testing.assert_allclose(found.wrench[t], rate + np.array([0, 0, WEIGHT, 0, 0, 0]), atol=1e-8)


def test_standing_still_is_weight_shared_by_the_feet():
    forces = solve_forces(BODY, motion_of(standing()), contacts([1, 1, 0, 0]))
    np.testing.assert_allclose(forces.wrench[:, :2, 2], WEIGHT / 2, rtol=5e-3)
    np.testing.assert_allclose(forces.wrench[:, LEFT, :3], forces.wrench[:, RIGHT, :3] * [1, -1, 1], atol=1e-6)
    np.testing.assert_allclose(forces.wrench[:, 2:], 0, atol=0.5)
    assert np.abs(forces.residual[:, :3]).max() < 0.01 * WEIGHT
    assert np.abs(forces.residual[:, 3:]).max() < 10


def test_balance_holds_to_the_newton_when_it_is_trusted():
    forces = solve_forces(BODY, motion_of(standing()), contacts([1, 1, 0, 0]), options=EXACT)
    assert np.abs(forces.residual).max() < 0.05
    np.testing.assert_allclose(forces.wrench.sum(1)[:, 2], WEIGHT, atol=0.05)


def test_a_certain_contact_bears_at_any_height():
    high = standing()
    high[:, 2] += 1.5
    forces = solve_forces(BODY, motion_of(high), contacts([1, 1, 0, 0]))
    np.testing.assert_allclose(forces.wrench[:, :2, 2], WEIGHT / 2, rtol=5e-3)


def test_an_uncertain_foot_bears_less_the_higher_it_is():
    lifted = standing()
    lifted[:, 7 + 4 * 0 : 11] = Rotation.from_rotvec([-0.8, 0, 0]).as_quat()
    forces = solve_forces(BODY, motion_of(lifted), contacts([0.5, 0.5, 0, 0]))
    assert BODY.site_positions(lifted, ["l_ball"])[0, 0, 2] > 0.1
    assert forces.wrench[10, LEFT, 2] < 0.1 * forces.wrench[10, RIGHT, 2]


def test_single_support_carries_the_whole_weight():
    q = standing()
    forces = solve_forces(BODY, motion_of(q), contacts([0, 1, 0, 0]))
    np.testing.assert_allclose(forces.wrench[:, RIGHT, 2], WEIGHT, rtol=1e-2)
    np.testing.assert_allclose(forces.wrench[:, LEFT], 0, atol=1.0)


def test_leaning_forward_moves_the_centre_of_pressure_under_the_centre_of_mass():
    q = standing()
    q[:, 3:7] = (Rotation.from_rotvec([0, 0.06, 0]) * Rotation.from_quat(q[:, 3:7])).as_quat()
    forces = solve_forces(BODY, motion_of(q), contacts([1, 1, 0, 0]), options=EXACT)
    f, m, p = forces.wrench[10, :2, :3], forces.wrench[10, :2, 3:], forces.point[10, :2]
    moment = (m + np.cross(p, f)).sum(0)
    com = pin.centerOfMass(BODY.model, BODY.model.createData(), q[0])
    assert com[0] > BODY.site_positions(q, ["l_ankle"])[0, 0, 0] + 0.05, "it does lean"
    np.testing.assert_allclose([-moment[1], moment[0]] / f.sum(0)[2], com[:2], atol=2e-3)


def test_free_fall_needs_no_force_even_where_all_contacts_are_likely():
    t = np.arange(20) / FPS
    q = random_motion(3, 1).repeat(20, axis=0)
    q[:, :3] += t[:, None] * [2, 1, 3] + 0.5 * t[:, None] ** 2 * [0, 0, -G]
    for probability in (0.5, 1.0):
        forces = solve_forces(BODY, motion_of(q), contacts([probability] * 4))
        assert np.abs(forces.wrench).max() < 0.01
        assert np.abs(forces.tau).max() < 0.01


def test_hanging_by_the_hands():
    forces = solve_forces(BODY, motion_of(standing()), contacts([0, 0, 1, 1]))
    np.testing.assert_allclose(forces.wrench[:, 2:, 2].sum(1), WEIGHT, rtol=1e-2)
    np.testing.assert_allclose(forces.wrench[:, LEFT_HAND, 2], forces.wrench[:, RIGHT_HAND, 2], rtol=1e-2)


def test_jump_impulse_is_the_change_of_momentum():
    """Crouched for half a second, pushed off at 2.5 m/s by a smooth force, then in flight."""
    fps, push = 100.0, 0.4
    t = np.arange(130) / fps
    phase = np.clip((t - 0.5) / push, 0, 1)
    speed = 2.5 * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
    flight = np.maximum(t - 0.9, 0)
    q = standing(len(t))
    q[:, 2] += np.concatenate([[0], np.cumsum(0.5 * (speed[1:] + speed[:-1])) / fps]) - 0.5 * G * flight**2
    state = np.tile([1.0, 1, 0, 0], (len(t), 1))
    state[t > 0.92] = 0
    trust = ForceOptions(smoothing=0.02, position_sigma=0.002, foot_speed=10.0)
    forces = solve_forces(BODY, motion_of(q, fps), contacts(state, len(t), fps), options=trust)
    total, ground = forces.wrench[..., 2].sum(1), t <= 0.9
    impulse = (total[ground].sum() - 0.5 * total[0]) / fps
    assert impulse == pytest.approx(BODY.mass * 2.5 + WEIGHT * 0.9, rel=0.03)
    assert total[:40] == pytest.approx(WEIGHT, rel=0.01)
    np.testing.assert_allclose(total[t > 1.0], 0, atol=2)


def held_weight(mass, probability, hands="both", load=None):
    q = standing()
    grip = BODY.site_positions(q, ["l_fingers", "r_fingers"])
    place = grip.mean(1) if hands == "both" else grip[:, 0]
    pose = np.concatenate([place, np.tile([0, 0, 0, 1.0], (20, 1))], axis=1)
    tool = Motion(model="barbell", fps=FPS, q=pose, v=np.zeros((20, 6)), a=np.zeros((20, 6)))
    return solve_forces(BODY, motion_of(q), contacts(probability), tool=tool, tool_model=Weight(mass), tool_load=load)


def test_a_barbell_that_a_rack_bears_weighs_on_nobody():
    forces = held_weight(20.0, [1, 1, 1, 1], load=np.tile([0, 0, 20.0 * G, 0, 0, 0], (20, 1)))
    np.testing.assert_allclose(forces.wrench[:, 2:, :3], 0, atol=1)
    np.testing.assert_allclose(forces.wrench[:, :2, 2], WEIGHT / 2, rtol=0.01)


def test_a_held_barbell_weighs_on_the_hands_and_the_feet():
    forces = held_weight(20.0, [1, 1, 1, 1])
    np.testing.assert_allclose(forces.wrench[:, 2:, 2], -20 * G / 2, rtol=0.02)
    np.testing.assert_allclose(forces.wrench[:, :2, 2], (BODY.mass + 20) * G / 2, rtol=0.01)
    assert np.abs(forces.residual[:, :3]).max() < 5


def test_a_weight_in_one_hand():
    forces = held_weight(5.0, [1, 1, 1, 0], hands="left")
    np.testing.assert_allclose(forces.wrench[:, LEFT_HAND, 2], -5 * G, rtol=0.02)
    np.testing.assert_allclose(forces.wrench[:, RIGHT_HAND, :3], 0, atol=1)


def test_a_swung_tool_pulls_with_its_acceleration():
    """A 2 kg weight on a circle of 0.8 m radius at 3 rad/s asks for m (g + a) of the hand that holds it."""
    t = np.arange(40) / FPS
    circle = 0.8 * np.stack([np.cos(3 * t), np.sin(3 * t), 0 * t], axis=1)
    q, hand = standing(40), BODY.site_positions(standing(40), ["l_fingers"])[:, 0]
    q[:, :3] += circle - circle[0]
    pose = np.concatenate([hand + circle - circle[0], np.tile([0, 0, 0, 1.0], (40, 1))], axis=1)
    tool = Motion(model="ball", fps=FPS, q=pose, v=np.zeros((40, 6)), a=np.zeros((40, 6)))
    state = contacts([1, 1, 1, 0], 40)
    trust = ForceOptions(position_sigma=1e-4, tool_acceleration_sigma=0.1, foot_speed=100.0, friction=2.0)
    forces = solve_forces(BODY, motion_of(q), state, tool=tool, tool_model=Weight(2.0), options=trust)
    expected = -2.0 * (np.array([0, 0, G]) - 9 * circle)
    np.testing.assert_allclose(forces.wrench[5:35, LEFT_HAND, :3], expected[5:35], atol=1.5)


def test_torques_satisfy_the_equations_of_motion():
    """All rows: M a + h = tau + J' f, the free-flyer's included, as the body accelerates on the path of its forces."""
    q = random_motion(6)
    forces = solve_forces(BODY, motion_of(q), contacts([0.9, 0.6, 0.8, 0.3], len(q)))
    v, a = differentiate(q, FPS, ForceOptions().smoothing)
    own = demand(BODY.model, q, Derivatives(v, a)).wrench[:, :3]
    more = (forces.wrench[:, :, :3].sum(axis=1) + forces.residual[:, :3] - own) / BODY.mass
    assert np.abs(more).max() > 1e-3, "random motion has errors of position"
    data = BODY.model.createData()
    for t in (0, 5, 11):
        total = forces.tau[t].copy()
        pin.framesForwardKinematics(BODY.model, data, q[t])
        for c, name in enumerate(CONTACT_SITES):
            frame = BODY.model.getFrameId(f"{name}_site")
            aligned = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
            J = pin.computeFrameJacobian(BODY.model, data, q[t], frame, aligned)
            # A sole's force on the toes bends them, too: their rows are those of the foot joint.
            total += J.T @ forces.wrench[t, c]
        toes = [6 + 3 * (BODY.joint_names.index(name) - 1) + k for name in ("l_foot", "r_foot") for k in range(3)]
        others = np.setdiff1d(np.arange(75), toes)
        pushed = a[t].copy()
        pushed[:3] += Rotation.from_quat(q[t, 3:7]).inv().apply(more[t])
        np.testing.assert_allclose(total[others], pin.rnea(BODY.model, data, q[t], v[t], pushed)[others], atol=1e-6)


def test_residual_is_what_the_free_flyer_torques_say():
    q = random_motion(7)
    forces = solve_forces(BODY, motion_of(q), contacts([0.5, 0.5, 0.5, 0.5], len(q)))
    pelvis = Rotation.from_quat(q[:, 3:7])
    np.testing.assert_allclose(pelvis.apply(forces.tau[:, :3].copy()), forces.residual[:, :3], atol=1e-8)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.floats(0, 1.5),
    probability=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    friction=st.floats(0.05, 1.5),
)
def test_feet_never_pull_nor_leave_the_friction_cone(seed, size, probability, friction):
    q = random_motion(seed, 6, size)
    forces = solve_forces(BODY, motion_of(q), contacts(probability, 6), options=ForceOptions(friction=friction))
    f = forces.wrench[:, :2, :3]
    assert (f[..., 2] >= 0).all()
    assert (np.hypot(f[..., 0], f[..., 1]) <= friction * f[..., 2] + 1e-9).all()
    assert np.isfinite(forces.tau).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), probability=st.lists(st.floats(0.05, 1), min_size=4, max_size=4))
def test_mirrored_motion_has_mirrored_forces(seed, probability):
    q = random_motion(seed, 6)
    swapped = [probability[i] for i in (1, 0, 3, 2)]
    one = solve_forces(BODY, motion_of(q), contacts(probability, 6)).wrench
    other = solve_forces(BODY, motion_of(mirrored(q)), contacts(swapped, 6)).wrench
    expected = one[:, [1, 0, 3, 2]] * [1, -1, 1, -1, 1, -1]
    np.testing.assert_allclose(other, expected, atol=1e-3)


def test_forces_are_proportional_to_mass():
    heavy = build_body(height=1.75, mass=2 * BODY.mass)
    q, state = random_motion(8), contacts([1, 0.5, 0.2, 0.7], 12)
    one = solve_forces(BODY, motion_of(q), state).wrench
    two = solve_forces(heavy, motion_of(q), state).wrench
    np.testing.assert_allclose(two, 2 * one, atol=1e-2)


def test_impossible_options_are_refused():
    with pytest.raises(ForceOptionsError, match="force option friction is -1"):
        ForceOptions(friction=-1.0)
    with pytest.raises(ForceOptionsError, match="cone_edges is 2; expected a positive number, at least 3"):
        ForceOptions(cone_edges=2)


def test_speed_along_the_line_of_sight_is_not_held_against_a_contact():
    q, t = standing(), np.arange(20) / FPS
    q[:, 0] += 2.0 * t
    along = np.eye(4)
    along[:3, :3] = Rotation.from_rotvec([0, np.pi / 2, 0]).as_matrix()
    along[:3, 3] = [-1000, 0, 1]
    camera = Camera(K=np.diag([1000.0, 1000, 1]), T_world_camera=along[None], size_hw=(100, 100))
    blind = solve_forces(BODY, motion_of(q), contacts([1, 1, 0, 0]))
    seen = solve_forces(BODY, motion_of(q), contacts([1, 1, 0, 0]), camera=camera)
    assert np.abs(seen.residual[:, 2]).max() < 0.2 * np.abs(blind.residual[:, 2]).max()


def test_contacts_may_be_fewer_and_in_any_order():
    state = ContactStates(names=("nose", "r_ankle"), probability=np.ones((20, 2)), fps=FPS)
    forces = solve_forces(BODY, motion_of(standing()), state)
    assert forces.names == CONTACT_SITES
    np.testing.assert_allclose(forces.wrench[:, RIGHT, 2], WEIGHT, rtol=1e-2)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips(frames):
    forces = solve_forces(BODY, motion_of(standing(frames)), contacts([1, 1, 0, 0], frames))
    np.testing.assert_allclose(forces.wrench[:, :2, 2].sum(1), WEIGHT, rtol=5e-3)


def test_parts_that_do_not_belong_together_are_refused():
    motion = motion_of(standing())
    with pytest.raises(ForceError, match=r"contacts: 19 frames at 25.0 fps, but the motion has 20 at 25.0"):
        solve_forces(BODY, motion, contacts([1, 1, 0, 0], 19))
    with pytest.raises(ForceError, match="together"):
        solve_forces(BODY, motion, contacts([1, 1, 0, 0]), tool_model=Weight(1.0))


def test_cone_edges_lie_on_the_friction_cone():
    edges = generators(0.5, 6)
    np.testing.assert_allclose(np.hypot(edges[0], edges[1]), 0.5 * edges[2])


def bouncing(frames, height, frequency, seed=0):
    """A body that goes up and down, its true vertical force in body weights, and the same seen with errors of 2 cm."""
    t = np.arange(frames) / FPS
    omega = 2 * np.pi * frequency
    q = standing(frames)
    q[:, 2] += height * np.cos(omega * t)
    rng, phi = np.random.default_rng(seed), np.exp(-1 / FPS / 0.2)
    error = 0.02 * rng.standard_normal((frames, 3))
    for k in range(1, frames):
        error[k] = phi * error[k - 1] + np.sqrt(1 - phi**2) * error[k]
    seen = q.copy()
    seen[:, :3] += error
    return q, 1 - height * omega**2 * np.cos(omega * t) / G, seen


def test_who_stands_for_seconds_was_carried_however_shaky_the_sight():
    _, _, seen = bouncing(100, 0.0, 1.0)
    own = demand(BODY.model, seen, differentiate(seen, FPS, ForceOptions().smoothing)).wrench[:, 2]
    assert np.abs(own - WEIGHT).mean() > 0.1 * WEIGHT, "single frames say little"
    total = solve_forces(BODY, motion_of(seen), contacts([1, 1, 0, 0], 100)).wrench[:, :2, 2].sum(axis=1)
    assert total.mean() == pytest.approx(WEIGHT, rel=0.025), "2 cm in 4 s, twice differentiated"
    inside = slice(10, -10)
    assert np.abs(total - WEIGHT)[inside].mean() < 0.9 * np.abs(own - WEIGHT)[inside].mean()


def test_forces_of_a_bouncing_body_are_recovered_from_shaky_positions():
    trust, errors = ForceOptions(foot_speed=10.0, foot_height=1.0), []
    for seed in range(4):
        _, true, seen = bouncing(75, 0.06, 1.5, seed)
        own = demand(BODY.model, seen, differentiate(seen, FPS, trust.smoothing)).wrench[:, 2] / WEIGHT
        forces = solve_forces(BODY, motion_of(seen), contacts([1, 1, 0, 0], 75), options=trust)
        total = forces.wrench[:, :2, 2].sum(axis=1) / WEIGHT
        assert np.corrcoef(total, true)[0, 1] > 0.8
        errors.append(np.abs([total - true, own - true])[:, 5:-5].mean(axis=1))
    ours, single_frames = np.mean(errors, axis=0)
    assert ours < 0.15
    assert ours < 0.95 * single_frames


def test_a_body_that_nothing_known_touches_is_not_borne_by_absent_contacts():
    forces = solve_forces(BODY, motion_of(standing()), contacts([0, 0, 0, 0]))
    assert np.abs(forces.wrench[..., :3].sum(axis=1)).max() < 0.05 * WEIGHT
    np.testing.assert_allclose(forces.residual[:, 2], WEIGHT, rtol=0.05)


def test_residual_is_measured_beside_the_path_of_the_forces():
    """A jerk of 5 cm in one frame is an error of position, not a blow: explained, and little force follows."""
    q = standing(40)
    q[20, 2] += 0.05
    forces = solve_forces(BODY, motion_of(q), contacts([1, 1, 0, 0], 40))
    assert np.linalg.norm(forces.residual[:, :3], axis=1).max() < 0.01 * WEIGHT
    jerk = 0.05 * FPS**2 / G
    assert jerk > 3, "it would be three body weights"
    np.testing.assert_allclose(forces.wrench[:, :2, 2].sum(axis=1), WEIGHT, rtol=0.5)


def test_a_mass_that_is_not_known_takes_nothing_off_the_weight():
    vague = replace(ForceOptions(), mass_error=0.4)
    assumed = solve_forces(BODY, motion_of(standing()), contacts([0, 1, 0, 0]), options=vague)
    np.testing.assert_allclose(assumed.wrench[:, RIGHT, 2], WEIGHT, rtol=1e-2)
    with pytest.raises(ForceOptionsError, match="mass_error is -1"):
        ForceOptions(mass_error=-1)


def test_feet_bear_more_than_hands_where_either_could():
    forces = solve_forces(BODY, motion_of(standing()), contacts([1, 1, 1, 1]))
    assert forces.wrench[:, :2, 2].sum() > 4 * np.abs(forces.wrench[:, 2:, 2]).sum()
