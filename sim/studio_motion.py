"""The acting of the studio: a whole body put onto a stroke by the motion room's whole-clip solver.

The tool is rigid in the hand, so that its motion is exactly what the hand does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from motion.body import Body
from motion.residuals.contact import Anchor
from motion.residuals.loss import Quadratic
from motion.residuals.pose_prior import Hinge, RestPose, spreads
from motion.residuals.residual import Residual
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import SMOOTH_SITES, Acceleration, JointRate
from motion.skeleton import SITES, SOLE_SITES
from motion.solve import SolverOptions, solve
from motion.state import SHARED, State
from motion.tool import Tool
from motion.wield import usual_grip
from records import Camera
from records.single_thread import single_thread
from sim.studio_stroke import Character, Stroke

FOLLOWING = 0.12
"""Width of the Gaussian by which the trunk follows the arm [s]."""
CALM_SITES = tuple(name for name in SMOOTH_SITES if name[2:] not in ("elbow", "wrist", "fingers"))
"""Points that the stroke does not shake."""
PALM = 0.02
"""From the knuckles down to the axis of a handle in the fist [m]."""
FIRM, LOOSE = 3, 0.3
"""How late in the stroke the attitude of the tool is settled (power of the progress), and its weight before [1]."""
STIFF = 0.6
"""Range of the wrist that holds the tool, over the usual [1]."""
GAZE_RAISED, GAZE_STRIKING = float(np.deg2rad(12)), float(np.deg2rad(35))
"""How far the person looks down [rad]."""
_FROM_NEUTRAL = SolverOptions(iterations=12, widening=1.0)
_REFINED = SolverOptions(iterations=7, widening=1.0)


class Acting(NamedTuple):
    """What person, tool and nail do."""

    q: Float[np.ndarray, "T 99"]
    """Configurations of the person."""
    R_tool: Float[np.ndarray, "T 3 3"]
    p_tool: Float[np.ndarray, "T 3"]
    """Pose of the tool in the world [m]."""
    nail: Float[np.ndarray, "T 3"]
    """Top of the nail [m]."""
    on_nail: Bool[np.ndarray, "T"]
    """Where the face is on the nail."""


def act(character: Character, tool: Tool, stroke: Stroke, fps: float) -> Acting:
    """Let the person do the stroke."""
    body = character.body
    trunk = gaussian_filter1d(stroke.progress, FOLLOWING * fps, mode="nearest")
    state = State(
        q=np.repeat(body.neutral()[None], len(trunk), axis=0),
        fps=fps,
        reference_body=body,
        reference_camera=Camera(K=np.eye(3), T_world_camera=np.eye(4)[None], size_hw=(1, 1)),
    )
    shift = np.zeros(len(trunk))
    # Only where it meets the nail must the tool have its planned attitude: elsewhere the wrist has its way.
    firmness = np.maximum(stroke.progress**FIRM, LOOSE)
    with single_thread():
        for firm, options in ((1.0, _FROM_NEUTRAL), (firmness, _REFINED)):
            state = solve(_aims(character, stroke, trunk, shift, firm), state, options).state
            shift -= gaussian_filter1d(_ahead_of_feet(body, state.q), FOLLOWING * fps, mode="nearest")
        q = solve(_aims(character, stroke, trunk, shift, firmness), state, _REFINED).state.q
    R_tool, p_tool = held(character, tool, q)
    return Acting(q, R_tool, p_tool, stroke.nail, stroke.progress >= 1)


def held(character: Character, tool: Tool, q: Float[np.ndarray, "T 99"]) -> tuple[np.ndarray, np.ndarray]:
    """Pose of the tool in the hand: R (T, 3, 3) and p (T, 3) [m]."""
    body, side = character.body, character.side
    R, _ = body.joint_poses(q)
    wrist = R[:, body.joint_names.index(f"{side}_wrist")]
    R_tool = wrist @ usual_grip(side)
    palm = body.site_positions(q, [f"{side}_fingers"])[:, 0] - PALM * wrist[:, :, 1]
    return R_tool, palm - tool.grip * R_tool[:, :, 0]


def _aims(
    character: Character, stroke: Stroke, trunk: np.ndarray, shift: np.ndarray, firm: np.ndarray | float
) -> dict[str, Residual]:
    """Where hand, feet, trunk and gaze belong.

    `trunk` is the progress that it follows (T,), `shift` moves it (T,) [m], `firm` is the weight of the grip.
    """
    body, side, sign = character.body, character.side, character.sign
    other = "r" if side == "l" else "l"
    feet = {name: np.broadcast_to(p, (len(trunk), 3)) for name, p in _feet(character).items()}
    poses = _trunk(character, trunk, shift)
    R = stroke.R_tool @ usual_grip(side).T
    hand = body.bones["hand"]
    knuckles = stroke.hand + PALM * R[:, :, 1]
    wrist = knuckles - R @ np.array([sign * hand, 0, 0])
    thumb = wrist + R @ np.array([0.5 * sign * hand, 0, 0.45 * hand])
    free = poses["pelvis"] + np.array([0.13, -sign * 0.19, 0.02]) * body.height
    return {
        "feet": _aim(feet, 0.002),
        "hand": _aim({f"{side}_fingers": knuckles}, 0.003),
        "grip": _aim({f"{side}_wrist": wrist, f"{side}_thumb": thumb}, 0.003, firm),
        "trunk": _aim(poses, 0.02),
        "free": _aim({f"{other}_fingers": free}, 0.08),
        "gaze": _aim(_head(character, trunk, poses["neck"]), 0.015),
        "rest": RestPose(sigma=_spread(f"{side}_wrist")),
        "hinge": Hinge(),
        "calm": Acceleration(names=CALM_SITES, sigma=4.0),
        "rate": JointRate(),
        "shared": SharedPrior(sigma=np.full(len(SHARED), 1e-9)),
    }


def _aim(points: dict[str, np.ndarray], sigma: float, weight: np.ndarray | float = 1.0) -> Anchor:
    """Points to be met within `sigma` [m], over the weight of each frame."""
    place = np.stack(list(points.values()), axis=1)
    weights = np.broadcast_to(np.reshape(weight, (-1, 1)), place.shape[:2])
    return Anchor(names=tuple(points), place=place, weight=weights, sigma=sigma, loss=Quadratic())


def _spread(wrist: str) -> Float[np.ndarray, "23 3"]:
    """Usual range of the joints [rad], with the wrist that holds the tool kept near its middle."""
    sigma = spreads()
    sigma[Body.joint_names.index(wrist) - 1] *= STIFF
    return sigma


def _feet(character: Character) -> dict[str, np.ndarray]:
    """Points of the soles on the ground [m], turned out; the foot opposite to the tool is ahead."""
    body, (apart, along) = character.body, character.stance
    length = body.bones["foot"]
    points = {}
    for foot, y in (("l", 1.0), ("r", -1.0)):
        ahead = 0.5 * along * (1.0 if foot != character.side else -1.0)
        turn = np.deg2rad(8.0 if foot != character.side else 20.0) * y
        forward = np.array([np.cos(turn), np.sin(turn), 0.0])
        ankle = np.array([ahead - 0.03, 0.5 * apart * y, 0.0])
        for name, share in (("heel", -0.45), ("ball", 0.873), ("toes", 1.373)):
            points[f"{foot}_{name}"] = ankle + share * length * forward
        points[f"{foot}_ankle"] = np.add(ankle, [0, 0, 0.4875 * length])
    return points


def _trunk(character: Character, progress: np.ndarray, shift: np.ndarray) -> dict[str, np.ndarray]:
    """Pelvis, hips, neck and shoulders [m]: bent and turned into the stroke."""
    body, sign = character.body, character.sign
    bones = body.bones
    lean = np.deg2rad(4.0) + (character.lean - np.deg2rad(4.0)) * progress
    turn = sign * np.deg2rad(22.0) - sign * np.deg2rad(34.0) * progress
    legs = bones["hip_drop"] + bones["thigh"] + bones["shank"] + 0.4875 * bones["foot"]
    pelvis = np.stack([shift, 0 * shift, (0.975 - 0.03 * progress) * legs], axis=1)
    up = np.stack([np.sin(lean), 0 * lean, np.cos(lean)], axis=1)
    neck = pelvis + bones["trunk"] * up
    points = {"pelvis": pelvis, "neck": neck}
    for side, y in (("l", 1.0), ("r", -1.0)):
        width = y * bones["shoulder_half_width"]
        across = np.stack([-np.sin(turn), np.cos(turn), 0 * turn], axis=1)
        points[f"{side}_shoulder"] = neck - 0.12 * bones["trunk"] * up + width * across
        across = np.stack([-np.sin(0.3 * turn), np.cos(0.3 * turn), 0 * turn], axis=1)
        points[f"{side}_hip"] = pelvis - [0, 0, bones["hip_drop"]] + y * bones["hip_half_width"] * across
    return points


def _head(character: Character, progress: np.ndarray, neck: np.ndarray) -> dict[str, np.ndarray]:
    """Crown, nose and ears [m]: the head is level from ear to ear and looks down to the nail."""
    bones = character.body.bones
    down = GAZE_RAISED + (GAZE_STRIKING - GAZE_RAISED) * progress
    forward = np.stack([np.cos(down), 0 * down, -np.sin(down)], axis=1)
    up = np.stack([np.sin(down), 0 * down, np.cos(down)], axis=1)
    joint = neck + bones["neck"] * up
    across = np.array([0.0, 1.0, 0.0])
    return {
        name: joint + bones["head"] * (x * across + y * up + z * forward)
        for name in ("head", "nose", "l_ear", "r_ear")
        for ((_, (x, y, z)),) in [SITES[name].offset]
    }


def _ahead_of_feet(body: Body, q: np.ndarray) -> Float[np.ndarray, "T"]:
    """How far the middle of the body's masses is ahead of the middle of the feet [m]."""
    soles = body.site_positions(q, [site for sites in SOLE_SITES.values() for site in sites])
    centre = 0.5 * (soles[..., 0].max(axis=1) + soles[..., 0].min(axis=1))
    return centre_of_mass(body, q)[:, 0] - centre


def centre_of_mass(body: Body, q: Float[np.ndarray, "T 99"]) -> Float[np.ndarray, "T 3"]:
    """Centre of mass of the person [m]."""
    import pinocchio as pin

    data = body.model.createData()
    return np.array([pin.centerOfMass(body.model, data, row) for row in q])
