"""Knees and hips bear: forces go where a body kneels or sits, and nowhere else; a clip without them has none."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest
from scipy.spatial.transform import Rotation
from squatting import level_camera, observe

from motion.body import body_of, build_body
from motion.contact_basis import POINTS
from motion.contact_posterior import refine_contacts
from motion.contact_prior import precision
from motion.estimate import EstimateOptions, estimate
from motion.exporters import EXPORTERS, export
from motion.force_options import ForceOptions
from motion.force_uncertainty import force_covariance
from motion.forces import solve_forces
from motion.kinematic_contact import kinematic_contacts
from motion.resting_contact import LEAST_TIME, confirmed, resting_log_odds, with_resting
from motion.resting_features import beyond_support, resting_features
from motion.scene import Box
from motion.skeleton import CONTACT_SITES, RESTING_SITES
from records import ContactStates, Motion
from sim.studio_moves import perform

FPS = 25.0
BODY = build_body(height=1.75, mass=70.0)
WEIGHT = 9.81 * BODY.mass
ALL = (*CONTACT_SITES, *RESTING_SITES)


def posed(turns, height=0.0, frames=30):
    """Arms hanging, joints turned by rotation vectors, the lowest point of feet and knees at a height [m]."""
    q = np.tile(BODY.neutral(), (frames, 1))
    for name, vector in {"l_shoulder": (0, 0, -1.4), "r_shoulder": (0, 0, 1.4), **turns}.items():
        j = BODY.joint_names.index(name)
        q[:, 3 + 4 * j : 7 + 4 * j] = Rotation.from_rotvec(vector).as_quat()
    points = ["l_heel", "l_toes", "r_heel", "r_toes", "l_ball", "r_ball", "l_kneecap", "r_kneecap"]
    q[:, 2] += height - BODY.site_positions(q, points)[..., 2].min()
    return q


def both(**turns):
    return {f"{side}_{joint}": turn for side in "lr" for joint, turn in turns.items()}


def kneeling(**more):
    """Thighs upright, shanks level, feet stretched."""
    return posed(both(hip=(-0.12, 0, 0), knee=(1.6, 0, 0), ankle=(0.9, 0, 0)), **more)


def sitting(**more):
    """Thighs level, shanks upright."""
    return posed(both(hip=(-1.5, 0, 0), knee=(1.5, 0, 0)), **more)


def squatting():
    """Thighs level, trunk leant so that the feet carry."""
    q = posed(both(hip=(-2.2, 0, 0), knee=(2.0, 0, 0), ankle=(-0.6, 0, 0)) | {"spine1": (0.5, 0, 0)})
    tilt = Rotation.from_rotvec([0, 0.8, 0])
    q[:, 3:7] = (tilt * Rotation.from_quat(q[0, 3:7])).as_quat()
    q[:, 2] -= BODY.site_positions(q, ["l_heel", "l_toes", "l_ball"])[..., 2].min()
    return q


def motion_of(q):
    still = np.zeros((len(q), BODY.nv))
    return Motion(model="smpl_tree", parameters=BODY.parameters(), fps=FPS, q=q, v=still, a=still)


def states(probability, frames, names=ALL):
    rows = np.broadcast_to(np.asarray(probability, float), (frames, len(names))).copy()
    return ContactStates(names=names, probability=rows, fps=FPS)


def forces_of(q, probability, names=ALL, **more):
    return solve_forces(BODY, motion_of(q), states(probability, len(q), names), **more)


def test_a_body_that_kneels_is_carried_by_its_knees():
    found = forces_of(kneeling(), [0.5, 0.5, 0, 0, 1, 1, 0, 0])
    assert found.names == ALL
    vertical = found.wrench[5:-5, :, 2].mean(axis=0)
    np.testing.assert_allclose(vertical.sum(), WEIGHT, rtol=0.01)
    assert vertical[4:6].sum() > 0.7 * WEIGHT
    np.testing.assert_allclose(vertical[4], vertical[5], rtol=0.02)
    np.testing.assert_allclose(vertical[[2, 3, 6, 7]], 0, atol=0.02 * WEIGHT)


def test_a_body_that_sits_is_carried_by_its_seat_and_a_little_by_its_feet():
    found = forces_of(sitting(), [1, 1, 0, 0, 0, 0, 1, 1])
    vertical = found.wrench[5:-5, :, 2].mean(axis=0)
    np.testing.assert_allclose(vertical.sum(), WEIGHT, rtol=0.01)
    assert 0.65 * WEIGHT < vertical[6:].sum() < 0.95 * WEIGHT
    assert 0.05 * WEIGHT < vertical[:2].sum() < 0.35 * WEIGHT


@pytest.mark.parametrize(("q", "column"), [(kneeling(), 4), (sitting(), 6)])
def test_a_contact_that_is_not_there_bears_nothing(q, column):
    """Complementarity: the same body with the same feet, whose knee or hip is known not to touch on one side."""
    probability = np.array([0.5, 0.5, 0, 0, 0, 0, 0, 0])
    probability[column] = 1
    vertical = forces_of(q, probability).wrench[5:-5, :, 2].mean(axis=0)
    assert vertical[column] > 0.5 * WEIGHT
    assert abs(vertical[column + 1]) < 0.03 * WEIGHT


def test_no_sliding_under_force_and_no_height_without_doubt():
    names = tuple(RESTING_SITES)
    options, knees, hips = ForceOptions(), slice(len(POINTS), len(POINTS) + 2), slice(len(POINTS) + 2, len(POINTS) + 4)
    points = np.zeros((1, len(POINTS) + 4, 3))
    velocity = np.zeros_like(points)
    probability = np.full((1, 8), 0.8)

    def asked(points, velocity):
        return precision(points, velocity, probability, False, options, None, names)[0]

    rest = asked(points, velocity)
    slid = asked(points, velocity + np.array([2 * options.hand_speed, 0, 0]))
    np.testing.assert_allclose(slid[knees.start : hips.stop], 9 * rest[knees.start : hips.stop])
    high = asked(points + np.array([0, 0, 3 * options.foot_height]), velocity)
    assert (high[knees] > 2 * rest[knees]).all()
    np.testing.assert_allclose(high[hips], rest[hips], err_msg="a seat may be anywhere")


def test_forces_of_knees_and_hips_stay_in_their_cones():
    t = np.arange(40) / FPS
    q = sitting(frames=40)
    q[:, 0] += 0.05 * np.sin(2 * np.pi * t)
    force = forces_of(q, [0.8, 0.8, 0, 0, 0.2, 0.2, 0.9, 0.9]).wrench[:, 4:, :3]
    assert (np.linalg.norm(force[..., :2], axis=-1) <= ForceOptions().friction * force[..., 2] + 0.1).all()


def test_a_clip_that_lists_no_knees_has_forces_as_before():
    q = sitting()
    four, eight = (
        forces_of(q, p, names) for p, names in (([1, 1, 0, 0], CONTACT_SITES), ([1, 1, 0, 0, 0, 0, 0, 0], ALL))
    )
    assert four.names == CONTACT_SITES
    np.testing.assert_allclose(eight.wrench[:, :4], four.wrench, atol=0.02 * WEIGHT)
    assert np.abs(eight.wrench[:, 4:, :3]).max() < 0.02 * WEIGHT


def test_wrenches_and_torques_balance_the_body():
    q = kneeling()
    found = forces_of(q, [0.5, 0.5, 0, 0, 1, 1, 0.2, 0.2])
    force = found.wrench[..., :3].sum(axis=1) + found.residual[:, :3]
    np.testing.assert_allclose(force, np.tile([0, 0, WEIGHT], (len(q), 1)), atol=1e-3 * WEIGHT)
    centre = BODY.centre_of_mass(q)
    moment = found.wrench[..., 3:] + np.cross(found.point - centre[:, None], found.wrench[..., :3])
    np.testing.assert_allclose(moment.sum(axis=1) + found.residual[:, 3:], 0, atol=1e-3 * WEIGHT)


def test_intervals_of_all_contacts_are_stated():
    q = sitting()
    known = states([1, 1, 0, 0, 0, 0, 0.9, 0.9], len(q))
    covariance = force_covariance(forces_of(q, known.probability[0]), known, BODY.mass, held=False)
    assert covariance.shape == (len(q), 8, 3, 3)
    sigma = np.sqrt(covariance[10, :, 2, 2])
    assert sigma[6] > 3 * sigma[4]
    assert sigma[4] < 0.02 * WEIGHT


@pytest.fixture(scope="module")
def sat():
    """What is estimated of a person who sits on a seat of unknown height and moves the trunk a little."""
    q = sitting(frames=40)
    spine = BODY.joint_names.index("spine1")
    lean = 0.15 * np.sin(2 * np.pi * 0.5 * np.arange(40) / FPS)
    q[:, 3 + 4 * spine : 7 + 4 * spine] = Rotation.from_rotvec(np.outer(lean, [1, 0, 0])).as_quat()
    camera = level_camera()
    said = states([0.95, 0.95, 0.05, 0.05], 40, CONTACT_SITES)
    options = EstimateOptions(height=BODY.height, mass=BODY.mass)
    return estimate(observe(BODY, q, camera), camera, said, options=options)


def test_an_estimate_finds_the_seat_and_its_force(sat):
    assert sat.contacts.names == sat.forces.names == (*CONTACT_SITES, "l_hip", "r_hip")
    vertical = sat.forces.wrench[5:-5, :, 2].mean(axis=0)
    np.testing.assert_allclose(vertical.sum(), WEIGHT, rtol=0.05)
    assert vertical[4:].sum() > 0.6 * WEIGHT
    assert sat.contacts.probability[5:-5, 4:].min() > 0.7
    assert sat.uncertainty.contact_names == sat.forces.names
    assert sat.uncertainty.forces.shape == (40, 6, 3, 3)


def test_a_seat_goes_out_in_every_format(sat, tmp_path):
    for format in EXPORTERS:
        assert export(sat, format, tmp_path / format)
    for table in ("forces.csv", "forces_sigma.csv"):
        rows = (tmp_path / "csv" / table).read_text().splitlines()[1:]
        assert {row.split(",")[2] for row in rows} == set(sat.forces.names)
    loads = (tmp_path / "mot" / "external_loads.xml").read_text()
    assert loads.count("<applied_to_body>pelvis<") == 2
    header, *rows = (tmp_path / "mot" / "forces.mot").read_text().split("endheader\n")[1].splitlines()
    columns = dict(zip(header.split("\t"), np.array([row.split("\t") for row in rows], float).T, strict=True))
    seat = body_of(sat.person).site_positions(sat.person.q, ["l_seat"])[:, 0, 2]
    np.testing.assert_allclose(columns["l_hip_ground_force_py"], seat, atol=1e-5)
    for axis in "xyz":
        np.testing.assert_allclose(columns[f"l_hip_ground_torque_{axis}"], 0, atol=1e-2)


def test_only_those_that_touch_long_enough_are_listed():
    limbs = states([1, 1, 0, 0], 50, CONTACT_SITES)
    resting = states(np.zeros(4), 50, tuple(RESTING_SITES))
    assert with_resting(limbs, resting) is limbs
    long = int(np.ceil(LEAST_TIME * FPS))
    for frames, listed in ((long - 2, ()), (long, ("l_knee", "r_knee"))):
        p = resting.probability.copy()
        p[10 : 10 + frames, 1] = 0.9
        found = with_resting(limbs, resting.replace(probability=p))
        assert found.names == (*CONTACT_SITES, *listed)
    unseen = np.ones(50, bool)
    unseen[12:30] = False
    assert with_resting(limbs, resting.replace(probability=p), unseen) is limbs, "bridged frames are no evidence"
    own = states([1, 1, 0, 0, 0, 0, 0, 0], 50)
    assert with_resting(own, resting.replace(probability=p)) is own, "what is listed already stays"


def test_what_all_evidence_denies_is_not_listed():
    """Knees that are likely throughout stay; hips that never are go, unless somebody else has said them."""
    rows = np.tile([0.9, 0.9, 0.1, 0.1, 0.8, 0.1, 0.44, 0.4], (30, 1))
    names = (*CONTACT_SITES, *RESTING_SITES)
    refined = ContactStates(names=names, probability=rows, fps=25.0)
    kept = confirmed(refined, CONTACT_SITES)
    assert kept.names == (*CONTACT_SITES, "l_knee", "r_knee")
    np.testing.assert_array_equal(kept.probability, rows[:, :6])
    assert confirmed(refined, names) == refined
    observed = np.arange(30) < 5
    assert confirmed(refined, CONTACT_SITES, observed).names == CONTACT_SITES, "5 frames at 25 Hz are too few"


def test_by_heights_and_speeds_knees_kneel_and_seats_bear():
    names = kinematic_contacts(BODY, motion_of(kneeling())).names
    assert names == (*CONTACT_SITES, "l_knee", "r_knee")
    found = kinematic_contacts(BODY, motion_of(sitting()))
    assert found.names == (*CONTACT_SITES, "l_hip", "r_hip"), "on a seat of unknown height"
    assert found.probability[:, 4:].min() > 0.9
    known = kinematic_contacts(BODY, motion_of(squatting()))
    assert known.names == CONTACT_SITES, "the feet carry who squats"
    upright = kinematic_contacts(BODY, motion_of(posed({})))
    assert upright.names == CONTACT_SITES


def test_on_a_known_box_a_seat_bears_where_its_surface_is():
    q = sitting()
    seat = BODY.site_positions(q, ["l_seat"])[0, 0]
    for drop, listed in ((0.0, True), (0.3, True)):
        box = Box(lower=(seat[0] - 0.3, -0.5, 0.0), upper=(seat[0] + 0.1, 0.5, float(seat[2]) - drop))
        found = kinematic_contacts(BODY, motion_of(q), scene=box)
        assert ("l_hip" in found.names) == listed
    probability = resting_log_odds(BODY, q, FPS, None, box)
    near = Box(lower=box.lower, upper=(*box.upper[:2], float(seat[2])))
    assert (resting_log_odds(BODY, q, FPS, None, near)[:, 2:] > probability[:, 2:] + 1).all()


def test_a_centre_beyond_its_support():
    square = np.array([[[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]])
    for place, beyond in (((0.5, 0.5, 3), -0.5), ((1.25, 0.5, 0), 0.25), ((0.5, -1, 0), 1.0)):
        assert beyond_support(np.array([place], float), square)[0] == pytest.approx(beyond)


def test_features_of_a_mirrored_body_are_mirrored():
    rng = np.random.default_rng(0)
    turns = {name: 0.4 * rng.standard_normal(3) for name in ("l_hip", "r_hip", "l_knee", "r_knee", "spine1")}
    q = posed(turns)
    swap = {"l": "r", "r": "l"}
    # A mirror across the body's middle turns a rotation vector (x, y, z) into (x, -y, -z).
    mirrored = {(swap[n[0]] + n[1:] if n[1] == "_" else n): tuple(v * np.array([1, -1, -1])) for n, v in turns.items()}
    one, other = (resting_features(BODY, p, FPS) for p in (q, posed(mirrored)))
    np.testing.assert_allclose(other.knees, one.knees[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(other.hips, one.hips[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(other.whole, one.whole, atol=0.02)


@pytest.mark.parametrize(("move", "seed"), [("kneel", 41), ("sit_box", 41)])
def test_the_network_finds_who_kneels_and_who_sits(move, seed):
    done = perform(move, seed=seed, seconds=4.0)
    frames = len(done.q)
    limbs = ContactStates(names=CONTACT_SITES, probability=done.touch.astype(float), fps=done.fps)
    read = 1 / (1 + np.exp(-resting_log_odds(done.body, done.q, done.fps)))
    resting = ContactStates(names=tuple(RESTING_SITES), probability=read, fps=done.fps)
    said = with_resting(limbs, resting)
    pair = ("l_knee", "r_knee") if move == "kneel" else ("l_hip", "r_hip")
    assert set(pair) <= set(said.names)
    found = refine_contacts(done.body, done.q, said)
    truth = done.resting[:, [list(RESTING_SITES).index(n) for n in pair]]
    columns = [found.names.index(n) for n in pair]
    assert truth.sum() > 0.2 * frames
    assert ((found.probability[:, columns] >= 0.5) == truth).mean() > 0.85


@pytest.mark.parametrize("move", ["squat", "stand", "kong"])
def test_who_does_neither_has_no_knees_and_hips(move):
    done = perform(move, seed=44, seconds=1.2)
    limbs = ContactStates(names=CONTACT_SITES, probability=done.touch.astype(float), fps=done.fps)
    read = 1 / (1 + np.exp(-resting_log_odds(done.body, done.q, done.fps)))
    resting = ContactStates(names=tuple(RESTING_SITES), probability=read, fps=done.fps)
    assert with_resting(limbs, resting) is limbs


class Weight:
    """A sphere that is held."""

    model = pin.Model()
    model.appendBodyToJoint(
        model.addJoint(0, pin.JointModelFreeFlyer(), pin.SE3.Identity(), "root"),
        pin.Inertia.FromSphere(8.0, 0.1),
        pin.SE3.Identity(),
    )


@pytest.mark.parametrize(("holding", "learned"), [(True, True), (False, False)])
def test_knees_are_read_beside_a_tool_and_without_the_network_of_hands(holding, learned):
    q = kneeling()
    said = states([0.7, 0.7, 0.8, 0.3, 0.5, 0.5, 0.1, 0.1], len(q))
    found = refine_contacts(BODY, q, said, holding=holding, learned=learned)
    assert found.names == said.names
    assert found.probability[5:-5, 4:6].min() > 0.8
    assert found.probability[5:-5, 6:].max() < 0.2
    if holding:
        np.testing.assert_array_equal(found.probability[:, 2:4], said.probability[:, 2:4])


def test_who_kneels_with_a_weight_in_the_hands_bears_it_on_the_knees():
    q = kneeling()
    grip = BODY.site_positions(q, ["l_fingers", "r_fingers"]).mean(axis=1)
    pose = np.concatenate([grip, np.tile([0.0, 0, 0, 1], (len(q), 1))], axis=1)
    still = np.zeros((len(q), 6))
    tool = Motion(model="hammer", fps=FPS, q=pose, v=still, a=still)
    found = forces_of(q, [0.5, 0.5, 1, 1, 1, 1, 0, 0], tool=tool, tool_model=Weight())
    vertical = found.wrench[5:-5, :, 2].mean(axis=0)
    np.testing.assert_allclose(vertical[2:4].sum(), -8.0 * 9.81, rtol=0.1)
    np.testing.assert_allclose(vertical[[0, 1, 4, 5]].sum(), WEIGHT + 8.0 * 9.81, rtol=0.05)
    assert vertical[4:6].sum() > 0.6 * WEIGHT
