"""The acting of the studio over whole blows: the face meets the nail, the body can do it, and a robot can use it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from motion.tool import HAMMER, head_positions
from records import Camera, Interaction
from sim.align import ROBUST, align
from sim.studio_motion import Acting, act
from sim.studio_stroke import STRIKE_SPEED, Character, draw_character, stroke
from sim.studio_truth import nail_load, true_interaction

FPS, FRAMES = 25.0, 60


class Blow(NamedTuple):
    character: Character
    acting: Acting
    truth: Interaction


@pytest.fixture(scope="module")
def blow() -> Blow:
    character = draw_character(np.random.default_rng(7))
    acting = act(character, HAMMER, stroke(character, HAMMER, FRAMES, FPS), FPS)
    camera = Camera(K=np.eye(3), T_world_camera=np.eye(4)[None], size_hw=(1, 1))
    return Blow(character, acting, true_interaction(character, acting, HAMMER, camera, FPS))


def struck(blow: Blow) -> int:
    """First frame in which the face is on the nail again."""
    on = blow.acting.on_nail
    return int(np.flatnonzero(on[1:] & ~on[:-1])[0]) + 1


def test_the_face_meets_the_nail_flat_and_at_the_speed_of_the_strike(blow: Blow) -> None:
    acting, at = blow.acting, struck(blow)
    face = acting.p_tool + acting.R_tool @ (HAMMER.p_head - [0, 0, HAMMER.head_size[2] / 2])
    assert np.linalg.norm(face - acting.nail, axis=1)[acting.on_nail].max() < 0.01
    assert np.degrees(np.arccos(acting.R_tool[acting.on_nail, 2, 2])).max() < 3
    assert acting.nail[0, 2] - acting.nail[at, 2] == pytest.approx(0.015)
    assert blow.truth.tool is not None
    head = head_positions(HAMMER, blow.truth.tool)
    speed = np.linalg.norm(np.diff(head, axis=0), axis=1) * FPS
    # The mean over the last whole frame before the blow, which falls within the next one.
    assert STRIKE_SPEED[0] * 0.8 < speed[at - 2] < STRIKE_SPEED[1] * 1.3
    assert speed[at:].min() < 0.2
    assert head[:, 2].max() > 0.95 * blow.character.body.height


def test_the_tool_is_rigid_in_the_hand(blow: Blow) -> None:
    body, side = blow.character.body, blow.character.side
    R, p = body.joint_poses(blow.acting.q)
    wrist = body.joint_names.index(f"{side}_wrist")
    turn = R[:, wrist].swapaxes(1, 2) @ blow.acting.R_tool
    place = np.einsum("tji,tj->ti", R[:, wrist], blow.acting.p_tool - p[:, wrist])
    assert np.ptp(turn, axis=0).max() < 1e-9
    assert np.ptp(place, axis=0).max() < 1e-9
    assert np.linalg.norm(place[0]) < HAMMER.grip + body.bones["hand"] + 0.03


def test_the_blow_is_borne_by_the_nail_and_the_rest_by_the_feet(blow: Blow) -> None:
    truth, weight = blow.truth, 9.81 * blow.character.body.mass
    tool_q = np.asarray(truth.tool.q) if truth.tool is not None else np.zeros((FRAMES, 7))
    load = nail_load(blow.character, blow.acting, HAMMER, tool_q, FPS)
    at = struck(blow)
    assert int(load[10:, 2].argmax()) + 10 in (at - 1, at)
    assert load[:, 2].min() >= 0
    assert not load[1 : at - 1][~blow.acting.on_nail[1 : at - 1] & ~blow.acting.on_nail[2:at]].any()
    assert load[0, 2] == pytest.approx(9.81 * HAMMER.mass, abs=0.02 * weight)
    names = truth.forces.names
    feet = truth.forces.wrench[:, [names.index("l_ankle"), names.index("r_ankle")], :3]
    assert feet[..., 2].min() >= 0
    assert np.all(np.linalg.norm(feet[..., :2], axis=-1) <= 0.61 * feet[..., 2] + 1e-6)
    assert feet[..., 2].sum(axis=1).mean() == pytest.approx(weight, rel=0.08)
    free = names.index(f"{'l' if blow.character.side == 'r' else 'r'}_fingers")
    assert np.abs(truth.forces.wrench[:, free]).max() < 0.1
    # What no feet of this shape can give remains: below 3 % of the weight, in the moment of the blow only.
    residual = np.abs(truth.forces.residual)
    assert residual.max() < 0.03 * weight
    assert np.median(residual) < 0.01


def test_the_stroke_drives_a_simulated_nail(blow: Blow) -> None:
    assert blow.truth.tool is not None
    assert align(blow.truth.tool, "hammer").demonstration.score >= ROBUST


def test_people_differ() -> None:
    drawn = [draw_character(np.random.default_rng(seed)) for seed in range(12)]
    assert {character.side for character in drawn} == {"l", "r"}
    assert np.ptp([character.body.height for character in drawn]) > 0.08
    assert np.ptp([character.body.mass for character in drawn]) > 10
    assert all(1.55 < character.body.height < 1.90 for character in drawn)
