"""A tool in the hand of a person whose motion is known, seen by one camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from squatting import FPS, SEEN, level_camera, observe, squatting, standing_contacts

from motion.body import Body, build_body, rotations
from motion.estimate import EstimateOptions, balance, estimate
from motion.rotation import exponential, product
from motion.state import State
from motion.tool import BARBELL, HAMMER, tool_of
from motion.wield import usual_grip, wield
from records import ContactStates, Keypoints

FRAMES = 24
HAND = (*SEEN, "r_thumb", "r_index", "r_pinky", "l_thumb", "l_index", "l_pinky")


def hammering(yaw=0.0, twist=0.0):
    """A person who faces +x turned by `yaw` [rad], with a hammer ahead; `twist` turns the wrist about the forearm."""
    body, q = squatting(frames=FRAMES)
    turn = exponential(np.array([0, 0, yaw]))
    q[:, :3] = q[:, :3] @ rotations(turn).T
    q[:, 3:7] = product(np.broadcast_to(turn, (FRAMES, 4)), q[:, 3:7])
    j = Body.joint_names.index("r_wrist")
    q[:, 3 + 4 * j : 7 + 4 * j] = exponential(np.array([twist, 0, 0]))
    axis = body.joint_poses(q)[0][:, j] @ usual_grip("r")[:, 0]
    end = body.site_positions(q, ["r_fingers"])[:, 0] - HAMMER.grip * axis
    return body, q, end, axis


def ends(camera, end, axis, pixels=1.0):
    """Both ends as a tracker sees them."""
    uv = camera.project(np.stack([end + HAMMER.length * axis, end], axis=1))
    return Keypoints(
        names=("tool_head", "tool_handle"),
        uv=uv + pixels * np.random.default_rng(0).standard_normal(uv.shape),
        confidence=np.full(uv.shape[:2], 0.9),
        fps=FPS,
        size_hw=camera.size_hw,
    )


def estimated(body, q, end, axis, names, tool=HAMMER):
    """Angle to the true handle [rad], slope of both along the line of sight [rad] and length [m]."""
    camera = level_camera()
    interaction = estimate(
        observe(body, q, camera, names=names),
        camera,
        standing_contacts(FRAMES),
        tool=ends(camera, end, axis),
        tool_name=tool,
        options=EstimateOptions(height=body.height, mass=body.mass),
    )
    found = rotations(interaction.tool.q[:, 3:])[..., 0]
    angle = np.arccos(np.clip((found * axis).sum(-1), -1, 1)).mean()
    return angle, np.arcsin(found[:, 1]).mean(), np.arcsin(axis[:, 1]).mean(), tool_of(interaction.tool).length


@pytest.mark.parametrize("yaw", np.deg2rad([50, -50]), ids=["away", "towards"])
def test_a_handle_that_leans_into_depth_is_found_on_the_right_side(yaw):
    """The image of its ends is the same for both sides; the hand tells which."""
    angle, slope, true_slope, length = estimated(*hammering(yaw), HAND)
    assert abs(true_slope) > np.deg2rad(30), "the case is to be a hard one"
    assert np.sign(slope) == np.sign(true_slope)
    assert angle < np.deg2rad(15)
    assert length == pytest.approx(HAMMER.length, rel=0.06)


@pytest.mark.parametrize("twist", np.deg2rad([50, -50]))
def test_a_hand_whose_turn_is_not_seen_neither_tilts_nor_stretches_the_tool(twist):
    """Without fingers the wrist is taken to be straight: the image of the tool and its usual length know better."""
    angle, _, true_slope, length = estimated(*hammering(yaw=-np.sign(twist) * 0.9, twist=twist), SEEN)
    assert abs(true_slope) < np.deg2rad(20)
    assert angle < np.deg2rad(20)
    assert length == pytest.approx(HAMMER.length, rel=0.10)


def test_a_segment_of_known_length_has_two_starts_with_one_image():
    body, q, end, axis = hammering(yaw=0.9)
    camera = level_camera()
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=camera)
    points = ends(camera, end, axis, pixels=0.0)
    starts, wielding = wield(state, HAMMER, points)
    assert wielding.sides == ("r",)
    image = ContactStates(names=("l_ankle", "l_fingers"), probability=np.full((state.num_frames, 2), 0.2), fps=25.0)
    told = wielding.touched(image)
    assert told.names == ("l_ankle", "l_fingers", "r_fingers")
    np.testing.assert_array_equal(told.probability, np.tile([0.2, 0.2, 1.0], (state.num_frames, 1)))
    slopes = [rotations(start.tool_q[:, 3:])[..., 0] for start in starts]
    assert len(starts) == 2
    assert (slopes[0][:, 1] > 0).all()
    assert (slopes[1][:, 1] < 0).all()
    assert np.rad2deg(np.arccos(np.clip((slopes[0] * axis).sum(-1), -1, 1))).max() < 12
    for start in starts:
        away = start.camera.project(start.positions(["tool_head", "tool_handle"])) - points.uv
        assert np.linalg.norm(away, axis=-1).mean() < 12


def test_a_handle_in_the_image_plane_or_unseen_has_one_start():
    body, q, end, axis = hammering()
    camera = level_camera()
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=camera)
    for points in (None, ends(camera, end, axis, pixels=0.0)):
        assert len(wield(state, replace(HAMMER, length=0.38), points)[0]) == 1


def test_a_tool_that_is_seen_longer_than_usual_starts_as_long_as_it_is_seen():
    """Else the ends of a long swing are out of its reach, and taken for outliers."""
    body, q, end, axis = hammering()
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    points = ends(level_camera(), end, axis, pixels=0.0)
    for usual, expected in ((0.28, HAMMER.length), (0.55, 0.55)):
        starts, _ = wield(state, replace(HAMMER, length=usual), points)
        assert [start.tool_length for start in starts] == pytest.approx([expected] * len(starts), rel=0.05)
    short = replace(HAMMER, length=0.28, length_bounds=(0.25, 0.33))
    assert wield(state, short, points)[0][0].tool_length == 0.33


def test_a_tool_does_not_turn_about_in_a_gap():
    """Held the other way round than usual, as the image shows before and after, it is so in between, too."""
    body, q, end, axis = hammering()
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    points = ends(level_camera(), end + HAMMER.length * axis, -axis, pixels=0.0)
    gap = np.isin(np.arange(FRAMES), range(8, 12))
    confidence = points.confidence * ~gap[:, None]
    found = rotations(wield(state, HAMMER, points.replace(confidence=confidence))[0][0].tool_q[:, 3:])[..., 0]
    assert (found[gap] * -axis[gap]).sum(-1).min() > np.cos(np.deg2rad(20))
    first = np.arange(FRAMES) < 4
    found = rotations(
        wield(state, HAMMER, points.replace(confidence=points.confidence * ~first[:, None]))[0][0].tool_q[:, 3:]
    )[..., 0]
    assert (found[first] * axis[first]).sum(-1).min() > np.cos(np.deg2rad(20)), "before it is seen, as usual"


def only(points, name):
    """Points of which one alone was ever seen."""
    return points.replace(confidence=points.confidence * np.array([n == name for n in points.names]))


@pytest.mark.parametrize("name", ["tool_head", "tool_handle"])
def test_one_end_alone_has_a_near_and_a_far_start_with_its_image(name):
    body, q, end, axis = hammering(yaw=0.9)
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    seen = only(ends(level_camera(), end, axis, pixels=0.0), name)
    starts, wielding = wield(state, HAMMER, seen)
    assert wielding.seen
    depth = [start.camera.depth(start.positions([name]))[:, 0] for start in starts]
    assert len(starts) == 2
    assert (depth[0] < depth[1]).all()
    nearest = []
    for start in starts:
        away = start.camera.project(start.positions([name]))[:, 0] - seen.uv[:, seen.index(name)]
        assert np.linalg.norm(away, axis=-1).max() < 12
        nearest.append(np.arccos(np.clip((rotations(start.tool_q[:, 3:])[..., 0] * axis).sum(-1), -1, 1)).mean())
    assert min(nearest) < np.deg2rad(20)


@pytest.mark.parametrize("side", [-1.0, 1.0], ids=["towards", "away"])
def test_an_end_before_the_trunk_is_the_near_one(side):
    """A bar on the shoulders along the line of sight: its head is where the near end shows, on either side."""
    body, q = squatting(frames=FRAMES)
    turn = exponential(np.array([0, 0, np.pi if side > 0 else 0.0]))
    q[:, :3] = q[:, :3] @ rotations(turn).T
    q[:, 3:7] = product(np.broadcast_to(turn, (FRAMES, 4)), q[:, 3:7])
    state = State(q=q, fps=FPS, reference_body=body, reference_camera=level_camera())
    middle = state.positions(["l_shoulder", "r_shoulder"]).mean(axis=1)
    near = np.array([0.0, -1.0, 0.0])
    seen = only(ends(level_camera(), middle - BARBELL.grip * near, BARBELL.length / HAMMER.length * near), "tool_head")
    starts, _ = wield(state, BARBELL, seen)
    assert len(starts) == 1
    assert (rotations(starts[0].tool_q[:, 3:])[..., 0] @ near > 0.8).all()


def test_a_bar_in_the_hands_weighs_on_the_feet():
    """20 kg in the hands of 60 kg move the common centre of mass by a quarter of the way to the bar."""
    body, q = squatting(frames=FRAMES, body=build_body(mass=60.0))
    camera = level_camera()
    (state,), wielding = wield(State(q=q, fps=FPS, reference_body=body, reference_camera=camera), BARBELL, None)
    assert wielding.load(body.mass) == pytest.approx((0.25, 0.55), abs=1e-9)
    empty = balance(standing_contacts(FRAMES, feet=1.0), holding=True)
    loaded = replace(empty, load=wielding.load(body.mass))
    moved = (loaded.error(state) - empty.error(state))[:, 0] * empty.sigma / empty.weight[1:-1, None]
    head, handle, centre = state.positions(["tool_head", "tool_handle", "centre_of_mass"]).swapaxes(0, 1)
    bar = 0.55 * head + 0.45 * handle
    bend = np.diff(centre, 2, axis=0)[:, :2] * FPS**2 / 9.81
    expected = 0.25 * (bar - centre)[1:-1]
    np.testing.assert_allclose(moved, expected[:, :2] - expected[:, 2:] * bend, atol=1e-9)
