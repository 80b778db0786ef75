"""Surroundings of known shape in an estimate: what touches them, where, and what that tells of the person's place."""

from __future__ import annotations

import numpy as np
import pytest
from squatting import SEEN, level_camera, observe, squatting, standing_contacts

from motion.body import body_of, build_body
from motion.contact_posterior import refine_contacts
from motion.estimate import EstimateOptions, estimate
from motion.forces import solve_forces
from motion.local_derivative import differentiate
from motion.scene import Box, Plane, lowered
from motion.scene_contact import MAX_EVIDENCE, hands_log_odds, on_surface
from motion.skeleton import CONTACT_SITES
from motion.state import State
from motion.touch import Touches
from records import ContactStates, Motion

PLINTH = Box(lower=(-0.5, -0.5, 0.0), upper=(0.5, 0.5, 0.4))
BODY = build_body()


def on_plinth(frames=24):
    body, q = squatting(frames)
    q = q.copy()
    q[:, 2] += 0.4 - body.site_positions(q, ["l_ball", "r_ball"])[..., 2].min()
    return body, q


@pytest.fixture(scope="module")
def told():
    """A person on a plinth, whose stature is told 8 % too small: without and with the plinth's shape."""
    body, q = on_plinth()
    camera = level_camera(height=1.8)
    person = observe(body, q, camera)
    options = EstimateOptions(height=0.92 * body.height, focal_known=True)
    found = {}
    for name, scene in (("without", None), ("with", PLINTH)):
        interaction = estimate(person, camera, standing_contacts(len(q)), options=options, scene=scene)
        raised = interaction.camera.T_world_camera[0, :3, 3] - camera.T_world_camera[0, :3, 3]
        p = body_of(interaction.person).site_positions(interaction.person.q, [*SEEN, "l_ball", "r_ball"]) - raised
        true = body.site_positions(q, [*SEEN, "l_ball", "r_ball"])
        found[name] = interaction, p, np.linalg.norm(p - true, axis=-1).mean()
    return found


def test_a_known_surface_tells_how_far_away_a_person_stands(told):
    assert told["without"][2] > 0.25
    assert told["with"][2] < 0.5 * told["without"][2]


def test_feet_rest_on_the_surface_and_the_ground_stays_below_it(told):
    interaction, p, _ = told["with"]
    np.testing.assert_allclose(p[:, -2:, 2], 0.4, atol=0.02)
    assert interaction.forces.wrench[:, :2, 2].sum(axis=1).mean() == pytest.approx(
        9.81 * interaction.assumed["mass"], rel=0.05
    )
    assert {"surface", "clear"} <= set(interaction.cost)
    assert "ground" not in interaction.cost


@pytest.fixture
def standing_high():
    _, q = on_plinth(20)
    return np.tile(q[:1], (20, 1))


def test_a_foot_on_a_known_box_is_believed_to_touch_and_to_bear(standing_high):
    q = standing_high
    said = ContactStates(names=CONTACT_SITES, probability=np.full((20, 4), 0.3), fps=25.0)
    blind, knowing = (refine_contacts(BODY, q, said, scene=scene) for scene in (None, PLINTH))
    assert np.all(knowing.probability[:, :2] > blind.probability[:, :2])
    hanging = refine_contacts(BODY, q, said, scene=lowered(PLINTH, 0.3))
    assert np.all(hanging.probability[:, :2] < blind.probability[:, :2]), "no box is where none is known"
    low = q - np.eye(q.shape[1])[2] * 0.4
    bar = Box(lower=(2.0, -1.0, 1.0), upper=(2.1, 1.0, 1.1))
    assert refine_contacts(BODY, low, said, scene=bar).probability[:, :2].min() > 0.9, "the ground is always there"
    derivatives = differentiate(q, 25.0, 0.04)
    motion = Motion(model="smpl_tree", parameters=BODY.parameters(), fps=25.0, q=q, v=derivatives.v, a=derivatives.a)
    unsure = said.replace(probability=np.tile([0.5, 0.5, 0.5, 0.5], (20, 1)))
    without, with_box = (
        solve_forces(BODY, motion, unsure, scene=scene).wrench[:, :2, 2].sum(axis=1).mean() for scene in (None, PLINTH)
    )
    assert with_box > without
    assert with_box == pytest.approx(9.81 * BODY.mass, rel=0.15)


def test_a_hand_near_a_known_thing_touches_it_more_likely(standing_high):
    q = standing_high
    hand = BODY.site_positions(q, ["l_fingers"])[0, 0]
    half = np.array([0.02, 0.5, 0.02])
    bar = Box(lower=tuple(hand - half), upper=tuple(hand + half))
    said = ContactStates(names=CONTACT_SITES, probability=np.full((20, 4), 0.5), fps=25.0)
    near, away = (refine_contacts(BODY, q, said, scene=scene) for scene in (bar, lowered(bar, 2.0)))
    assert np.all(near.probability[:, 2] > away.probability[:, 2])


def test_what_a_distance_says_of_a_hand():
    wall = Plane(normal=(1.0, 0.0, 0.0))
    said = hands_log_odds(wall, np.array([[[x, 0, 1.0] for x in (-0.1, 0.0, 0.1, 0.3, 2.0)]]))[0]
    assert said[0] == said[1] > 0
    assert np.all(np.diff(said[1:4]) < 0)
    assert said[-1] == -MAX_EVIDENCE


def state_of(q):
    return State(q=q, fps=25.0, reference_body=BODY, reference_camera=level_camera(height=1.8))


def touch_at(place, names=("l_fingers",)):
    return Touches(names, np.ones((1, len(names))), np.array([place], float))


def test_a_place_of_contact_moves_along_the_line_of_sight_onto_the_surface(standing_high):
    state = state_of(standing_high[:1])
    centre = state.camera.T_world_camera[0, :3, 3]
    on_top = np.array([0.1, 0.1, 0.4])
    ray = (on_top - centre) / np.linalg.norm(on_top - centre)
    moved = on_surface(touch_at([on_top + 0.2 * ray]), PLINTH, state).place[0, 0]
    assert PLINTH.nearest(moved).distance == pytest.approx(0, abs=1e-9)
    straight = on_top + 0.2 * ray * [1, 1, 0]
    assert np.linalg.norm(moved - on_top) < 0.25 * np.linalg.norm(straight - on_top)


def test_a_place_that_nothing_is_near_stays_and_so_does_a_foot_on_the_ground(standing_high):
    state = state_of(standing_high[:1])
    far = np.array([[0.0, 0.0, 1.5]])
    np.testing.assert_array_equal(on_surface(touch_at(far), PLINTH, state).place[0], far)
    foot = np.array([[0.55, 0.0, 0.01]])
    np.testing.assert_array_equal(on_surface(touch_at(foot, ("l_ball",)), PLINTH, state).place[0], foot)
    hand = on_surface(touch_at(foot), PLINTH, state).place[0]
    assert PLINTH.nearest(hand).distance == pytest.approx(0, abs=1e-9)
