"""A whole body put onto a plan of the studio by the motion room's whole-clip solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from motion.body import Body
from motion.residuals.contact import Anchor
from motion.residuals.loss import Loss, Quadratic
from motion.residuals.pose_prior import Hinge, RestPose
from motion.residuals.residual import Jacobian, Residual
from motion.residuals.shared_prior import SharedPrior
from motion.residuals.smoothness import Acceleration, JointRate
from motion.skeleton import RESTING_SITES, SITES
from motion.solve import SolverOptions, solve
from motion.state import CENTRE_OF_MASS, SHARED, State
from records import Camera
from records.single_thread import single_thread
from sim.studio_script import CHEST, LIMBS, Plan

FIRM = 0.003
"""How exactly a point that touches stays [m]."""
AIMED, LOOSE, FREE = 0.03, 0.06, 1.0
"""How exactly limbs follow a path through the world, or beside the body, and knees that go where they like [m]."""
EASING = 0.04
"""Width of the Gaussian over which a limb goes from firm to free [s]."""
CENTRED = 0.01
"""How exactly the centre of mass is on its path [m]."""
TRUNK = 0.04
"""How exactly pelvis, neck and shoulders are where the trunk's attitude puts them [m]."""
MIDDLE = 0.46
"""From the middle of the sole to the ball, over the length of the foot from ankle to ball [1]."""
INSTEP = 1.9
"""Pitch of a foot from which its instep is on the ground, not its toes [rad]."""
CALM = 20.0
"""Usual acceleration of points of the body [m/s^2]: quick movements, as in vaults."""
_ITERATIONS = SolverOptions(iterations=40, widening=1.0, damping=1e-4, tolerance=1e-3)


@dataclass(frozen=True, kw_only=True)
class Centre:
    """Distance of the centre of mass from its path, over `sigma`."""

    path: Float[np.ndarray, "T 3"]
    """[m]."""
    sigma: float = CENTRED
    """[m]."""
    loss: Loss = Quadratic()

    def error(self, state: State) -> Float[np.ndarray, "T 1 3"]:
        """Centre of mass minus path."""
        return (state.positions([CENTRE_OF_MASS]) - self.path[:, None]) / self.sigma

    def jacobian(self, state: State) -> Jacobian:
        """That of the centre of mass."""
        point = state.points([CENTRE_OF_MASS])
        return Jacobian(point.J[:, None] / self.sigma, point.J_shared / self.sigma)


def performed(body: Body, plan: Plan, fps: float) -> Float[np.ndarray, "T 99"]:
    """Configurations of a body that follows a plan."""
    q = np.repeat(body.neutral()[None], len(plan.com), axis=0)
    q[:, :3] = plan.com
    state = State(
        q=q,
        fps=fps,
        reference_body=body,
        reference_camera=Camera(K=np.eye(3), T_world_camera=np.eye(4)[None], size_hw=(1, 1)),
    )
    with single_thread():
        return solve(_aims(body, plan, fps), state, _ITERATIONS).state.q


def _aims(body: Body, plan: Plan, fps: float) -> dict[str, Residual]:
    free = np.where(plan.loose > 0, LOOSE**plan.loose * AIMED ** (1 - plan.loose), AIMED)
    log_sigma = np.log(np.where(plan.touch, FIRM, free))
    # A foot is as firm as its contact says in every frame of it; elsewhere it eases off.
    sigma = np.exp(np.where(plan.touch, np.log(FIRM), gaussian_filter1d(log_sigma, EASING * fps, axis=0)))
    residuals: dict[str, Residual] = {}
    for limb, name in enumerate(LIMBS):
        points = sole(body, plan, limb, name[0]) if limb < 2 else {name: plan.places[:, limb]}
        residuals[name] = _aim(points, sigma[:, limb])
    residuals["rests"] = _resting(plan, fps)
    return residuals | {
        "centre": Centre(path=plan.com),
        "trunk": _aim(_trunk(body, plan), np.full(len(plan.com), TRUNK)),
        "rest": RestPose(),
        "hinge": Hinge(),
        "calm": Acceleration(sigma=CALM),
        "rate": JointRate(sigma=8.0),
        "shared": SharedPrior(sigma=np.full(len(SHARED), 1e-9)),
    }


def _resting(plan: Plan, fps: float) -> Anchor:
    """Knees and seat where they bear; from place to place they are aimed, and eased into it elsewhere."""
    meant = np.isfinite(plan.rests).all(axis=-1)
    log_sigma = np.log(np.where(plan.resting, FIRM, np.where(meant, AIMED, FREE)))
    eased = gaussian_filter1d(log_sigma, EASING * fps, axis=0)
    sigma = np.exp(np.where(plan.resting, np.log(FIRM), np.where(meant, eased, np.log(FREE))))
    place = np.where(meant[..., None], plan.rests, 0.0)
    weight = np.where(meant, FIRM / sigma, 0.0)
    return Anchor(names=tuple(RESTING_SITES.values()), place=place, weight=weight, sigma=FIRM, loss=Quadratic())


def _aim(points: dict[str, np.ndarray], sigma: Float[np.ndarray, "T"]) -> Anchor:
    """Points to be met within `sigma` [m] of each frame."""
    place = np.stack(list(points.values()), axis=1)
    weight = np.repeat((FIRM / sigma)[:, None], place.shape[1], axis=1)
    return Anchor(names=tuple(points), place=place, weight=weight, sigma=FIRM, loss=Quadratic())


def sole(body: Body, plan: Plan, foot: int, side: str) -> dict[str, Float[np.ndarray, "T 3"]]:
    """Points of a foot [m] that is pitched about its ball; on the ground, the toes stay flat, but on the instep."""
    length, (sin, cos) = body.bones["foot"], (f(plan.pitch[:, foot])[:, None] for f in (np.sin, np.cos))
    yaw, zero = plan.yaw[:, foot], 0 * plan.yaw[:, foot]
    level = np.stack([np.cos(yaw), np.sin(yaw), zero], axis=1)
    ahead, up = cos * level - sin * [0, 0, 1], sin * level + cos * [0, 0, 1]
    ball, touch = plan.places[:, foot] + MIDDLE * length * level, plan.touch[:, foot][:, None]
    return {
        f"{side}_ball": ball,
        f"{side}_heel": ball - 1.323 * length * ahead,
        f"{side}_ankle": ball - 0.873 * length * ahead + 0.4875 * length * up,
        f"{side}_toes": ball + 0.5 * length * np.where(touch & (plan.pitch[:, [foot]] < INSTEP), level, ahead),
    }


def _trunk(body: Body, plan: Plan) -> dict[str, Float[np.ndarray, "T 3"]]:
    """Pelvis, hips, neck, shoulders, crown and nose [m] of a trunk that is carried about the centre of mass."""
    bones, left, up = body.bones, plan.frame[..., 1], plan.frame[..., 2]
    low, neck = (CHEST - 1) * bones["trunk"] * up, CHEST * bones["trunk"] * up
    points = {"pelvis": plan.com + low, "neck": plan.com + neck}
    for side, y in (("l", 1.0), ("r", -1.0)):
        points[f"{side}_shoulder"] = (
            points["neck"] - 0.12 * bones["trunk"] * up + y * bones["shoulder_half_width"] * left
        )
        points[f"{side}_hip"] = points["pelvis"] + y * bones["hip_half_width"] * left - bones["hip_drop"] * up
    # Heads are held up: half-way between the trunk and the vertical.
    upright = np.add(up, [0, 0, 1])
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    facing = np.cross(left, upright)
    joint = points["neck"] + bones["neck"] * upright
    for name in ("head", "nose"):
        ((_, (x, y, z)),) = SITES[name].offset
        points[name] = joint + bones["head"] * (x * left + y * upright + z * facing)
    return points
