"""What is drawn lies where the camera sees it, in its colour and length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from standing import FRAMES, standing

from apprentice.drawing import Drawing, blank
from apprentice.figures import curve_figure, force_figure, spoken
from apprentice.findings import Findings
from apprentice.overlay import LONG_SIDE, overlay_frames, striking_frame
from apprentice.shapes import FORCE, LEFT, RIGHT, force_lines, ground_lines, person_lines, tool_lines
from apprentice.stills import SIZE_HW, chosen_frames, stills, true_lines
from apprentice.viewpoint import heading_of, looking_at
from motion.body import body_of
from motion.tool import HAMMER


def near(image: np.ndarray, uv: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Whether the colour is found within two pixels of a point."""
    x, y = np.round(uv).astype(int)
    patch = image[y - 2 : y + 3, x - 2 : x + 3].astype(int)
    return bool((np.abs(patch - colour).max(axis=-1) < 40).any())


def test_bones_and_forces_lie_where_the_camera_sees_them():
    interaction = standing(force=1000)
    frames = list(overlay_frames(Findings(path=Path("run"), interaction=interaction)))
    scale = LONG_SIDE / 640
    assert (len(frames), frames[0].shape) == (FRAMES, (480 * scale, LONG_SIDE, 3))
    body = body_of(interaction.person)
    for t in (0, FRAMES - 1):
        knees = scale * interaction.camera.project(body.site_positions(interaction.person.q, ["l_elbow", "r_elbow"]))[t]
        assert near(frames[t], knees[0], LEFT)
        assert near(frames[t], knees[1], RIGHT)
        middle = interaction.forces.point[:, :1] + [0, 0, 0.6]
        assert near(frames[t], scale * interaction.camera.project(middle)[t, 0], FORCE)


def test_arrows_have_the_length_of_their_force():
    arrows = force_lines(standing(force=250).forces)
    length = np.linalg.norm(arrows.ends[..., 1, :] - arrows.ends[..., 0, :], axis=-1)
    np.testing.assert_allclose(length[:, :2], 0.25)
    np.testing.assert_allclose(length[:, 2:], 0)


def test_a_tool_is_drawn_in_its_size():
    tool = standing().tool
    ends = tool_lines(tool).ends
    handle, edges = ends[:, 0], ends[:, 1:]
    np.testing.assert_allclose(np.linalg.norm(handle[:, 1] - handle[:, 0], axis=-1), HAMMER.length)
    assert edges.shape[1] == 12
    sides = np.linalg.norm(edges[0, :, 1] - edges[0, :, 0], axis=-1)
    np.testing.assert_allclose(np.sort(sides), np.repeat(np.sort(HAMMER.head_size), 4))


def test_the_ground_lies_below_everything():
    points = np.array([[0.2, 0.3, 1.0], [1.9, -0.4, 0.2]])
    ends = ground_lines(points).ends
    assert (ends[..., 2] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(ends[0, :, 1] - ends[0, :, 0], axis=-1), 0.5)
    assert (ends[..., :2].min(axis=(0, 1, 2)) <= points[:, :2].min(axis=0)).all()
    assert (ends[..., :2].max(axis=(0, 1, 2)) >= points[:, :2].max(axis=0)).all()


@pytest.mark.parametrize("heading", [0.0, 1.0, -2.5])
def test_a_viewpoint_sees_all_points(heading):
    points = np.random.default_rng(0).uniform(-1, 2, (40, 3))
    camera = looking_at(points, (300, 400), heading=heading)
    uv = camera.project(points[None])[0]
    assert (camera.depth(points[None]) > 0).all()
    assert (uv >= 0).all()
    assert (uv <= [400, 300]).all()
    assert heading_of(camera) == pytest.approx(heading)


def test_what_lies_behind_the_camera_is_not_drawn():
    interaction = standing()
    camera = interaction.camera
    pose = camera.T_world_camera.copy()
    pose[0, :3, :3] = pose[0, :3, :3] @ np.diag([-1, 1, -1])
    away = camera.replace(T_world_camera=pose)
    image = Drawing(away, [person_lines(interaction.person)]).onto(blank((480, 640)), 0)
    np.testing.assert_array_equal(image, blank((480, 640)))


def test_stills_have_their_size_and_show_the_truth_in_grey():
    estimate = standing()
    alone, beside = (stills(estimate, [1, 4], truth=truth) for truth in (None, standing(head_shift=0.2)))
    assert [image.shape for image in alone] == [(*SIZE_HW, 3)] * 2
    assert not np.array_equal(alone[0], beside[0])


def test_the_truth_is_laid_over_the_estimate():
    estimate, truth = standing(), standing()
    q = truth.person.q.copy()
    q[:, :2] += [3.0, -2.0]
    moved = truth.replace(person=truth.person.replace(q=q), tool=None)
    (body,) = true_lines(estimate, moved)
    np.testing.assert_allclose(body.ends, person_lines(estimate.person).ends, atol=1e-9)


def test_frames_are_chosen_inside_the_motion():
    assert chosen_frames(standing(frames=3).person) == [0, 1, 2]
    assert chosen_frames(standing(frames=101).person) == [20, 40, 60, 80]


def test_the_striking_frame_has_the_largest_force():
    interaction = standing(frames=12)
    wrench = interaction.forces.wrench.copy()
    wrench[7, 0, 2] = 2000
    assert striking_frame(interaction.replace(forces=interaction.forces.replace(wrench=wrench))) == 7


def test_plots_name_what_they_show():
    svg = force_figure(standing())
    assert all(word in svg for word in ("left foot", "right hand", "weight", "time, s"))
    assert "vertical, true" not in svg
    assert "vertical, true" in force_figure(standing(), standing())
    curve = curve_figure([(0, 0.1), (500, 0.9)], {"costless": 0.5})
    assert "costless" in curve
    assert "currentColor" in curve


def test_sites_in_words():
    assert [spoken(n) for n in ("l_ankle", "r_fingers", "l_knee", "pelvis")] == [
        "left foot",
        "right hand",
        "left knee",
        "pelvis",
    ]
