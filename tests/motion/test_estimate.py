from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from squatting import FPS, OPENPOSE, SEEN, level_camera, observe, squatting, standing_contacts

from motion.body import body_of, build_body, rotations
from motion.estimate import EstimateOptions, balance, estimate
from motion.force_options import ForceOptions
from motion.residuals.balance import SOLES
from motion.skeleton import SITES
from motion.state import SHARED, State
from records import ContactStates, Keypoints


def errors(interaction, body, q, names=SEEN):
    """Mean distance [mm] in the world and relative to the hips."""
    found = body_of(interaction.person).site_positions(interaction.person.q, list(names))
    true = body.site_positions(q, list(names))
    hips = [names.index("l_hip"), names.index("r_hip")]
    shape = (found - found[:, hips].mean(axis=1, keepdims=True)) - (true - true[:, hips].mean(axis=1, keepdims=True))
    return 1e3 * np.linalg.norm(found - true, axis=-1).mean(), 1e3 * np.linalg.norm(shape, axis=-1).mean()


@pytest.fixture(scope="module")
def squat():
    body, q = squatting()
    camera = level_camera()
    person = observe(body, q, camera)
    interaction = estimate(
        person, camera, standing_contacts(len(q)), options=EstimateOptions(height=body.height, mass=body.mass)
    )
    return body, q, interaction


def test_a_known_motion_is_recovered(squat):
    body, q, interaction = squat
    world, shape = errors(interaction, body, q)
    assert shape < 15
    assert world < 80, "distance along the line of sight is the least known"
    bones = body_of(interaction.person).bones
    assert max(abs(np.log(bones[name] / length)) for name, length in body.bones.items()) < 0.03
    assert interaction.status in ("converged", "iteration limit")
    assert interaction.observed.all()
    assert set(interaction.assumed) == {"focal"}


@pytest.mark.parametrize("metres", [0.0, 0.06])
def test_noisy_landmarks_do_not_shrink_the_body(metres):
    """Errors in variables: a smaller body would fit its share of the noise at less cost."""
    body, q = squatting(frames=24)
    camera = level_camera()
    person = observe(body, q, camera, metres=metres)
    interaction = estimate(person, camera, standing_contacts(24), options=EstimateOptions(height=body.height))
    found = body_of(interaction.person).bones
    assert np.mean([np.log(found[name] / length) for name, length in body.bones.items()]) == pytest.approx(0, abs=0.03)


def test_feet_in_contact_do_not_slide_and_carry_the_weight(squat):
    body, _, interaction = squat
    found = body_of(interaction.person).site_positions(interaction.person.q, ["l_ball", "r_ball"])
    assert np.ptp(found, axis=0).max() < 0.03
    assert np.abs(found[..., 2]).max() < 0.08
    vertical = interaction.forces.wrench[:, :, 2].sum(axis=1)
    assert vertical.mean() == pytest.approx(9.81 * body.mass, rel=0.05)


def test_velocities_are_those_of_the_configurations(squat):
    import pinocchio as pin

    _, _, interaction = squat
    model = body_of(interaction.person).model
    q, v = interaction.person.q, interaction.person.v
    central = np.array([pin.difference(model, a, b) for a, b in zip(q[:-2], q[2:], strict=True)]) * FPS / 2
    assert np.abs(central - v[1:-1]).mean() < 0.1 * np.abs(v).max()
    assert np.corrcoef(central.reshape(-1), v[1:-1].reshape(-1))[0, 1] > 0.9


def test_a_measured_focal_length_is_kept():
    body, q = squatting(frames=12)
    camera = level_camera(focal=1100.0)
    options = EstimateOptions(height=body.height, mass=body.mass, focal_known=True)
    wrong = camera.replace(K=camera.K * np.array([[0.85], [0.85], [1]]))
    kept = estimate(observe(body, q, camera), wrong, standing_contacts(12), options=options)
    assert kept.camera.K[0, 0] == pytest.approx(wrong.K[0, 0], rel=5e-3)
    assert not kept.assumed


def test_gaps_are_bridged_and_marked():
    body, q = squatting(frames=24)
    camera = level_camera()
    person = observe(body, q, camera)
    confidence = person.confidence.copy()
    confidence[8:13] = 0
    interaction = estimate(person.replace(confidence=confidence), camera, standing_contacts(24))
    assert not interaction.observed[8:13].any()
    assert interaction.observed[[0, 7, 13, 23]].all()
    assert errors(interaction, body, q)[1] < 60
    assert set(interaction.assumed) == {"height", "mass", "focal"}
    assert interaction.assumed["focal"] == camera.K[0, 0]


def test_image_points_alone_give_a_person_who_projects_onto_them():
    body, q = squatting(frames=24)
    camera = level_camera()
    person = observe(body, q, camera, names=OPENPOSE, lifted=False)
    interaction = estimate(person, camera, standing_contacts(24), options=EstimateOptions(height=body.height))
    found = body_of(interaction.person).site_positions(interaction.person.q, list(OPENPOSE))
    away = np.linalg.norm(interaction.camera.project(found) - person.uv, axis=-1)
    assert np.median(away) < 8
    assert np.median(interaction.camera.depth(found)) == pytest.approx(4.0, rel=0.25)


def test_image_points_alone_give_a_person_who_neither_leans_nor_changes_proportions():
    """Hips are detected too far apart and limbs too short, as detectors do; leaning back would explain it all."""
    body, q = squatting(frames=30, body=build_body(bones={"hip_half_width": 0.11, "trunk": 0.43, "shank": 0.39}))
    camera = level_camera()
    person = observe(body, q, camera, names=OPENPOSE, lifted=False)
    interaction = estimate(person, camera, standing_contacts(30), options=EstimateOptions(height=body.height))
    assert interaction.assumed["mass"] == pytest.approx(24.2 * body.height**2)
    found = body_of(interaction.person)
    feet = found.site_positions(interaction.person.q, ["l_heel", "l_ball", "r_heel", "r_ball"]).mean(axis=1)
    lean = np.linalg.norm((found.centre_of_mass(interaction.person.q) - feet)[:, :2], axis=1)
    assert lean.max() < 0.25
    assert rotations(interaction.person.q[:, 3:7])[:, 2, 1].min() > np.cos(np.deg2rad(45)), "upright"
    assert interaction.camera.K[0, 0] == pytest.approx(900, rel=0.2)
    usual = build_body(height=body.height).bones
    assert max(abs(np.log(found.bones[name] / length)) for name, length in usual.items()) < 0.25
    assert np.abs(interaction.forces.residual).mean(axis=0).max() < 20, "no limb flips from frame to frame"


def test_a_standing_body_that_balances_has_no_error_and_one_that_leans_has_its_lean():
    body = build_body()
    q = np.tile(body.neutral(), (4, 1))
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    residual = balance(standing_contacts(4, feet=1.0), holding=False)
    lean = residual.error(state)[:, 0] * residual.sigma / residual.weight[1:-1, None]
    feet = body.site_positions(q, list(SOLES)).mean(axis=1)
    np.testing.assert_allclose(lean, (body.centre_of_mass(q) - feet)[1:-1, :2], atol=1e-9)
    assert np.abs(lean).max() < 0.08
    carried = balance(
        ContactStates(names=("l_ankle", "r_fingers"), probability=np.array([[0.9, 1.0]] * 4), fps=FPS), holding=False
    )
    assert not carried.error(state).any(), "a hand may carry"


def test_a_falling_start_from_rest_is_in_balance_with_its_inertia():
    """A mass that accelerates by g x / h over feet at rest has its zero-moment point on them."""
    body = build_body()
    q, t = np.tile(body.neutral(), (6, 1)), np.arange(6) / FPS
    still = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    residual = balance(standing_contacts(6, feet=1.0), holding=False)
    moved = q.copy()
    moved[:, 0] += 0.5 * 2.0 * t**2
    swung = replace(still, q=moved).positions(("centre_of_mass", *SOLES))
    height = (swung[:, 0] - swung[:, 1:].mean(axis=1))[1:-1, 2]
    shift = (residual.error(replace(still, q=moved)) - residual.error(still))[:, 0, 0] * residual.sigma
    np.testing.assert_allclose(shift / residual.weight[1:-1], -height * 2.0 / 9.81, rtol=1e-6)


def test_hands_alone_are_enough_to_go_on():
    body, q = squatting(frames=12)
    camera = level_camera()
    names = ("l_elbow", "r_elbow", "l_wrist", "r_wrist", "l_fingers", "r_fingers")
    interaction = estimate(
        observe(body, q, camera, names=names), camera, standing_contacts(12, feet=0.5), options=EstimateOptions()
    )
    found = body_of(interaction.person).site_positions(interaction.person.q, list(names))
    away = np.linalg.norm(
        interaction.camera.project(found) - camera.project(body.site_positions(q, list(names))), axis=-1
    )
    assert np.median(away) < 15


def test_a_tool_that_is_seen_is_held_and_recovered():
    body, q = squatting(frames=24)
    camera = level_camera()
    hand = body.site_positions(q, ["r_fingers"])[:, 0]
    axis = np.array([0.6, 0.0, 0.8])
    ends = np.stack([hand + 0.28 * axis, hand - 0.12 * axis], axis=1)
    rng = np.random.default_rng(3)
    tool = Keypoints(
        names=("tool_head", "tool_handle"),
        uv=camera.project(ends) + rng.standard_normal((24, 2, 2)),
        confidence=np.ones((24, 2)),
        xyz=None,
        fps=FPS,
        size_hw=camera.size_hw,
    )
    interaction = estimate(observe(body, q, camera), camera, standing_contacts(24), tool=tool, tool_name="hammer")
    assert interaction.tool is not None
    length = interaction.tool.parameters["length"]
    handle = interaction.tool.q[:, :3]
    head = handle + length * rotations(interaction.tool.q[:, 3:])[..., 0]
    away = np.linalg.norm(interaction.camera.project(np.stack([head, handle], axis=1)) - tool.uv, axis=-1)
    assert np.median(away) < 6
    found = body_of(interaction.person).site_positions(interaction.person.q, ["r_fingers"])[:, 0]
    assert np.linalg.norm(found - (handle + 0.12 * (head - handle) / length), axis=1).mean() < 0.12


def test_a_tool_that_is_never_seen_follows_the_hand():
    body, q = squatting(frames=12)
    camera = level_camera()
    interaction = estimate(observe(body, q, camera), camera, standing_contacts(12), tool_name="hammer")
    assert interaction.tool is not None
    assert interaction.assumed["tool_length"] == interaction.tool.parameters["length"]
    found = body_of(interaction.person).site_positions(interaction.person.q, ["l_fingers", "r_fingers"])
    nearest = np.linalg.norm(found - interaction.tool.q[:, None, :3], axis=-1).min(axis=1)
    assert nearest.max() < 0.25


def test_the_world_is_moved_so_that_the_ground_is_at_zero(squat):
    _, _, interaction = squat
    heels = body_of(interaction.person).site_positions(interaction.person.q, ["l_heel", "r_heel"])
    assert abs(np.median(heels[..., 2])) < 0.08


def test_every_site_of_a_state_is_found_with_its_derivatives():
    body, q = squatting(frames=4)
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    points = state.points(list(SITES))
    np.testing.assert_allclose(points.p, body.site_positions(q, list(SITES)))
    assert points.J.shape == (4, len(SITES), 3, 75)
    assert points.J_shared.shape == (4, len(SITES), 3, len(SHARED))


def test_a_calm_body_is_trusted_more_than_a_flying_one():
    body, q = squatting()
    options = EstimateOptions(mass=body.mass)
    still = np.repeat(q[:1], len(q), axis=0)
    assert options.trust(body, still, FPS).acceleration_sigma == pytest.approx(options.forces.acceleration_sigma)
    thrown = still.copy()
    t = np.arange(len(q)) / FPS
    thrown[:, 2] += 2.0 - 9.81 / 2 * t**2
    rms = 9.81 / np.sqrt(3)
    assert options.trust(body, thrown, FPS).acceleration_sigma == pytest.approx(0.8 * rms, rel=0.05)
    assert options.trust(body, still, FPS).mass_error == 0
    assert options.trust(body, still, FPS).untracked_force == ForceOptions().untracked_force
    assert options.trust(body, still, FPS).hanging_untracked_force == pytest.approx(0.05, rel=0.03)
    assert options.trust(body, thrown, FPS).hanging_untracked_force > 0.4
    assert EstimateOptions().trust(body, still, FPS).mass_error == 0.2
