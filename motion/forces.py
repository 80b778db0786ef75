"""Contact forces of a motion: the wrenches on feet and hands that explain it, inside friction cones, unilateral.

The free-flyer rows of the dynamics say how much force and moment the outside world must give; the contacts share it.
Which contact carries how much is settled by priors: how likely each contact is, how fast and how high its point moves,
and that forces change smoothly. After Li et al. 2019 (CVPR), section 3; their released code leaves the cone out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import pinocchio as pin

from motion.body import Body
from motion.centroidal import Demand, demand
from motion.cone import FRICTION, generators
from motion.local_derivative import differentiate
from motion.nonnegative import solve_nonnegative
from motion.skeleton import CONTACT_SITES, SITES, SOLE_SITES
from records import Camera, ContactForces, ContactStates, Motion

FEET = tuple(SOLE_SITES)
HANDS = tuple(name for name in CONTACT_SITES if name not in SOLE_SITES)
SOLE = tuple(site for foot in FEET for site in SOLE_SITES[foot])
UNIT = 100.0
"""Forces are solved for in units of 100 N (moments 100 N m), so that unknowns are of order one."""


class ForceError(ValueError):
    """Motion, contacts and tool do not belong together, or an option is impossible."""


class HeldTool(Protocol):
    """A rigid tool: anything with a Pinocchio model whose root is a free-flyer."""

    @property
    def model(self) -> pin.Model:
        """The tool's inertia in the frame of its configuration."""


@dataclass(frozen=True, kw_only=True)
class ForceOptions:
    """How far the balance and each prior are trusted. All are standard deviations unless said otherwise."""

    smoothing: float = 0.06
    """Width of the Gaussian behind accelerations [s] (1.5 frames at 25 fps)."""
    force_sigma: float = 20.0
    """Error of m (c'' - g) [N]."""
    moment_sigma: float = 100.0
    """Error of dL/dt about the centre of mass [N m]; grows with the error of depth. Infinite leaves the rows out."""
    contact_force: float = 1000.0
    """Size of the force of a certain contact at rest [N]."""
    absent_force: float = 10.0
    """Size of the force where there is certainly no contact [N]."""
    hand_moment: float = 10.0
    """Size of the moment that a hand passes on, beyond its force at the fingers [N m]."""
    rate: float = 5000.0
    """Size of the rate of change of a contact force [N/s]."""
    friction: float = FRICTION
    """Coefficient of friction of the soles [1]."""
    cone_edges: int = 4
    """Edges of the linearised friction cone [1]."""
    tool_moment_sigma: float = 10.0
    """Error of dL/dt of a held tool about its centre of mass [N m]."""
    foot_speed: float = 0.6
    """Speed at which a foot is half free [m/s]."""
    hand_speed: float = 0.5
    """Speed at which a hand on the environment is half free [m/s]."""
    foot_height: float = 0.08
    """Height of the sole above the ground at which a foot is half free [m]."""


def solve_forces(
    body: Body,
    motion: Motion,
    contacts: ContactStates,
    *,
    tool: Motion | None = None,
    tool_model: HeldTool | None = None,
    camera: Camera | None = None,
    options: ForceOptions | None = None,
) -> ContactForces:
    """Solve for the contact wrenches and joint torques of a motion.

    Args:
        body: the person, with the mass that forces are proportional to.
        motion: the person's motion; accelerations are derived from its configurations.
        contacts: probability of contact of any of `CONTACT_SITES`; a site that is not listed has no contact.
        tool: motion of a tool held in the hands; its weight and inertia enter the balance.
        tool_model: its inertia.
        camera: when given, the speed of a contact is measured across the line of sight, as depth is uncertain.
        options: trust in balance and priors.

    Returns:
        Wrenches on the person at l_ankle, r_ankle, l_fingers, r_fingers, world axes; joint torques, whose first six
        rows are what the free-flyer's dynamics leave unexplained; the same as `residual` at the centre of mass.

    Raises:
        ForceError: lengths or rates differ, or a tool comes without its model.
    """
    options = options or ForceOptions()
    _check(motion, contacts, tool, tool_model)
    derivatives = differentiate(motion.q, motion.fps, options.smoothing)
    person = demand(body.model, motion.q, derivatives)
    points, J = body.site_jacobian(motion.q, [*SOLE, *HANDS])
    velocity = np.einsum("tnij,tj->tni", J, derivatives.v)
    if camera is not None:
        velocity = _across_sight(velocity, points, camera)
    probability = _probabilities(contacts)
    held = tool is not None
    cone = generators(options.friction, options.cone_edges)

    basis = _basis(cone)
    A, b, sigma = _person_rows(person, points, basis, options)
    rows, targets, sigmas = [A], [b], [sigma]
    if tool is not None and tool_model is not None:
        weight = demand(tool_model.model, tool.q, differentiate(tool.q, tool.fps, options.smoothing))
        A_tool, b_tool, sigma_tool = _tool_rows(weight, points, basis, options)
        rows, targets, sigmas = [*rows, A_tool], [*targets, b_tool], [*sigmas, sigma_tool]
    whitened = np.concatenate(rows, axis=1) / np.concatenate(sigmas)[None, :, None]
    target = np.concatenate(targets, axis=1) / np.concatenate(sigmas)

    precision = _precision(points, velocity, probability, held, options)
    H = whitened.swapaxes(1, 2) @ whitened + np.einsum("tp,pin,pim->tnm", precision, basis.blocks, basis.blocks)
    H += 1e-3 * np.einsum("tp,pn->tn", precision, basis.members)[:, :, None] * np.eye(basis.size)
    rate = 1 / (options.rate / motion.fps) ** 2
    smooth = rate * np.einsum("pin,pim->nm", basis.contacts, basis.contacts)
    H[1:] += smooth
    H[:-1] += smooth
    coupling = np.broadcast_to(-smooth, (len(H) - 1, *smooth.shape))
    g = -np.einsum("trn,tr->tn", whitened, target)
    x = UNIT * solve_nonnegative(H * UNIT**2, coupling * UNIT**2, g * UNIT, basis.bounded)

    force = np.einsum("pin,tn->tpi", basis.blocks[: len(SOLE) + len(HANDS)], x)
    moment = np.einsum("pin,tn->tpi", basis.blocks[len(SOLE) + len(HANDS) :], x)
    residual = b - np.einsum("trn,tn->tr", A, x)
    point = body.site_positions(motion.q, list(CONTACT_SITES))
    tau = person.tau - np.einsum("tpij,tpi->tj", J, force) - _hand_torques(body, motion.q, moment)
    return ContactForces(
        names=CONTACT_SITES,
        fps=motion.fps,
        point=point,
        wrench=_at_sites(points, force, moment, point),
        tau=tau,
        residual=residual,
    )


class Basis(NamedTuple):
    """How the unknowns of a frame map to point forces, hand moments and contact totals."""

    size: int
    bounded: np.ndarray
    """Which unknowns must not be negative: weights of cone edges."""
    blocks: np.ndarray
    """(P, 3, size): force at each of `SOLE` and `HANDS`, then moment of each of `HANDS`."""
    contacts: np.ndarray
    """(C, 3, size): force of each foot and hand, moment of each hand."""

    @property
    def members(self) -> np.ndarray:
        """(P, size): 1 where an unknown belongs to a block."""
        return np.any(self.blocks != 0, axis=1).astype(float)


def _basis(cone: np.ndarray) -> Basis:
    edges, hands = cone.shape[1], len(HANDS)
    size = len(SOLE) * edges + 6 * hands
    blocks = np.zeros((len(SOLE) + 2 * hands, 3, size))
    for s in range(len(SOLE)):
        blocks[s, :, s * edges : (s + 1) * edges] = cone
    for h in range(2 * hands):
        start = len(SOLE) * edges + 3 * h
        blocks[len(SOLE) + h, :, start : start + 3] = np.eye(3)
    feet = [sum(blocks[SOLE.index(site)] for site in SOLE_SITES[foot]) for foot in FEET]
    return Basis(size, np.arange(size) < len(SOLE) * edges, blocks, np.array([*feet, *blocks[len(SOLE) :]]))


def _person_rows(
    person: Demand, points: np.ndarray, basis: Basis, options: ForceOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton and Euler of the person about the centre of mass: matrix (T, 6, size), right side (T, 6), sigma (6,)."""
    forces, moments = basis.blocks[: points.shape[1]], basis.blocks[points.shape[1] :]
    lever = points - person.com[:, None]
    turn = np.einsum("tpij,pjn->tin", _skew(lever), forces) + moments.sum(0)
    push = np.broadcast_to(forces.sum(0), turn.shape)
    sigma = np.repeat([options.force_sigma, options.moment_sigma], 3)
    return np.concatenate([push, turn], axis=1), person.wrench, sigma


def _tool_rows(
    tool: Demand, points: np.ndarray, basis: Basis, options: ForceOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton and Euler of the tool, which feels the opposite of what the hands feel."""
    forces, moments = basis.blocks[len(SOLE) : points.shape[1]], basis.blocks[points.shape[1] :]
    lever = points[:, len(SOLE) :] - tool.com[:, None]
    turn = np.einsum("tpij,pjn->tin", _skew(lever), forces) + moments.sum(0)
    push = np.broadcast_to(forces.sum(0), turn.shape)
    sigma = np.repeat([options.force_sigma, options.tool_moment_sigma], 3)
    return -np.concatenate([push, turn], axis=1), tool.wrench, sigma


def _precision(
    points: np.ndarray, velocity: np.ndarray, probability: np.ndarray, held: bool, options: ForceOptions
) -> np.ndarray:
    """Prior precision (T, P) of the force at each point [1/N^2] and of the moment at each hand [1/(N m)^2]."""
    soles, share = len(SOLE), len(SOLE) / len(FEET)
    speed = np.linalg.norm(velocity, axis=-1)
    height = np.maximum(points[:, :soles, 2], 0)
    foot = 1 + (speed[:, :soles] / options.foot_speed) ** 3 + (height / options.foot_height) ** 3
    hand = np.ones_like(speed[:, soles:]) if held else 1 + (speed[:, soles:] / options.hand_speed) ** 3
    present, absent = options.contact_force**2, options.absent_force**2
    variance = probability * present + (1 - probability) * absent
    relative = variance[:, len(FEET) :] / present
    on_sole = share * foot / np.repeat(variance[:, : len(FEET)], int(share), axis=1)
    return np.concatenate(
        [on_sole, hand / variance[:, len(FEET) :], hand / (relative * options.hand_moment**2)], axis=1
    )


def _probabilities(contacts: ContactStates) -> np.ndarray:
    """Contact probabilities (T, C) in the order of feet, then hands; 0 for a site that is not listed."""
    probability = np.zeros((len(contacts.probability), len(CONTACT_SITES)))
    for c, name in enumerate([*FEET, *HANDS]):
        if name in contacts.names:
            probability[:, c] = contacts.probability[:, contacts.names.index(name)]
    return probability


def _across_sight(velocity: np.ndarray, points: np.ndarray, camera: Camera) -> np.ndarray:
    ray = points - camera.T_world_camera[:, None, :3, 3]
    ray /= np.maximum(np.linalg.norm(ray, axis=-1, keepdims=True), 1e-9)
    return velocity - (velocity * ray).sum(-1, keepdims=True) * ray


def _hand_torques(body: Body, q: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Generalised forces (T, 75) of moments (T, hands, 3) on the hands."""
    R, _ = body.joint_poses(q)
    total = np.zeros((len(q), body.nv))
    for h, hand in enumerate(HANDS):
        path = body.ancestors[body.joint_names.index(SITES[hand].joint)]
        local = np.einsum("tkij,ti->tkj", R, moment[:, h]) * path[None, :, None]
        total[:, 3:] += local.reshape(len(q), -1)
    return total


def _at_sites(points: np.ndarray, force: np.ndarray, moment: np.ndarray, site: np.ndarray) -> np.ndarray:
    """Wrenches (T, C, 6) at the contact sites from point forces and hand moments."""
    wrench = np.zeros((len(points), len(CONTACT_SITES), 6))
    groups = {name: [SOLE.index(s) for s in SOLE_SITES[name]] for name in FEET}
    groups |= {name: [len(SOLE) + h] for h, name in enumerate(HANDS)}
    for name, members in groups.items():
        c = CONTACT_SITES.index(name)
        f, lever = force[:, members], points[:, members] - site[:, None, c]
        wrench[:, c] = np.concatenate([f.sum(1), np.cross(lever, f).sum(1)], axis=-1)
    for h, name in enumerate(HANDS):
        wrench[:, CONTACT_SITES.index(name), 3:] += moment[:, h]
    return wrench


def _check(motion: Motion, contacts: ContactStates, tool: Motion | None, tool_model: HeldTool | None) -> None:
    if (tool is None) != (tool_model is None):
        raise ForceError("a tool's motion and its model must be given together")
    for what, frames, fps in [
        ("contacts", len(contacts.probability), contacts.fps),
        *([("tool", tool.num_frames, tool.fps)] if tool is not None else []),
    ]:
        if (frames, fps) != (motion.num_frames, motion.fps):
            raise ForceError(
                f"{what}: {frames} frames at {fps} fps, but the motion has {motion.num_frames} at {motion.fps};"
                " give both the same frames"
            )


def _skew(p: np.ndarray) -> np.ndarray:
    matrix = np.zeros((*p.shape, 3))
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -p[..., 2], p[..., 1], -p[..., 0]
    return matrix - matrix.swapaxes(-1, -2)
