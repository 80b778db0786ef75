"""Contact forces of a motion: the wrenches on feet and hands that explain it, inside friction cones, unilateral.

The free-flyer rows of the dynamics say how much force and moment the outside world must give; the contacts share it.
Which contact carries how much is settled by priors: how likely each contact is, how fast and how high its point moves,
and that forces change smoothly. After Li et al. 2019 (CVPR), section 3; their released code leaves the cone out.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import pinocchio as pin

from motion.body import Body
from motion.centroidal import demand
from motion.contact_basis import POINTS, ContactBasis, at_sites, balance, contact_basis, hand_torques
from motion.contact_prior import across_sight, precision, probabilities
from motion.force_options import ForceOptions
from motion.local_derivative import differentiate
from motion.nonnegative import solve_nonnegative
from motion.scene import Scene
from motion.skeleton import CONTACT_SITES
from records import Camera, ContactForces, ContactStates, Motion

GRAVITY = 9.81
"""[m/s^2], as in Pinocchio."""

EDGE_REGULARISATION = 1e-3
"""Share of a point's prior precision that goes to each cone edge: it settles how parallel edges share a force."""


class ForceError(ValueError):
    """Motion, contacts and tool do not belong together, or an option is impossible."""


@runtime_checkable
class HeldTool(Protocol):
    """A rigid tool: anything with a Pinocchio model whose root is a free-flyer."""

    @property
    def model(self) -> pin.Model:
        """The tool's inertia in the frame that its motion places."""


def solve_forces(
    body: Body,
    motion: Motion,
    contacts: ContactStates,
    *,
    tool: Motion | None = None,
    tool_model: HeldTool | None = None,
    tool_load: np.ndarray | None = None,
    camera: Camera | None = None,
    options: ForceOptions | None = None,
    scene: Scene | None = None,
) -> ContactForces:
    """Solve for the contact wrenches and joint torques of a motion.

    Args:
        body: the person, with the mass that forces are proportional to.
        motion: the person's motion; accelerations are derived from its configurations.
        contacts: probability of contact of any of `CONTACT_SITES`; a site that is not listed has no contact.
        tool: motion of a tool held in the hands; its weight and inertia enter the balance.
        tool_model: its inertia.
        tool_load: known wrench (T, 6) of other things on the tool, world axes at its centre of mass [N, N m].
        camera: when given, the speed of a contact is measured across the line of sight, as depth is uncertain.
        options: trust in balance and priors.
        scene: surroundings of known shape, in the world of the motion: feet rest on it, too.

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
    points, J = body.site_jacobian(motion.q, POINTS)
    velocity = np.einsum("tnij,tj->tni", J, derivatives.v)
    if camera is not None:
        velocity = across_sight(velocity, points, camera)

    basis = contact_basis(options.friction, options.cone_edges)
    weight = GRAVITY * body.mass
    A, b = balance(basis, points, person.com), person.wrench
    sigma = _row_sigma(weight, options.acceleration_sigma, options.moment_arm_sigma)
    size = np.linalg.norm(b.reshape(-1, 2, 3), axis=2).repeat(3, axis=1)
    sigma = np.hypot(sigma, options.mass_error * size)
    rows, targets = A / sigma[..., None], b / sigma
    if tool is not None and tool_model is not None:
        held = demand(tool_model.model, tool.q, differentiate(tool.q, tool.fps, options.smoothing))
        tool_weight = GRAVITY * pin.computeTotalMass(tool_model.model)
        tool_sigma = _row_sigma(tool_weight, options.tool_acceleration_sigma, options.tool_moment_arm_sigma)
        reaction = -balance(basis, points, held.com, hands_only=True)
        rows = np.concatenate([rows, reaction / tool_sigma[:, None]], axis=1)
        needed = held.wrench if tool_load is None else held.wrench - tool_load
        targets = np.concatenate([targets, needed / tool_sigma], axis=1)
    prior = precision(points, velocity, probabilities(contacts), tool is not None, options, scene)
    x = weight * _solve(rows * weight, targets, prior, basis, options.rate / motion.fps)

    force = np.einsum("pin,tn->tpi", basis.forces, x)
    moment = np.einsum("hin,tn->thi", basis.moments, x)
    site = body.site_positions(motion.q, CONTACT_SITES)
    return ContactForces(
        names=CONTACT_SITES,
        fps=motion.fps,
        point=site,
        wrench=at_sites(points, force, moment, site),
        tau=person.tau - np.einsum("tpij,tpi->tj", J, force) - hand_torques(body, motion.q, moment),
        residual=b - np.einsum("trn,tn->tr", A, x),
    )


def _row_sigma(weight: float, acceleration: float, arm: float) -> np.ndarray:
    """Standard errors (6,) of the balance of a body of given weight [N]: forces [N], then moments [N m]."""
    return np.repeat([weight / GRAVITY * acceleration, weight * arm], 3)


def _solve(rows: np.ndarray, targets: np.ndarray, prior: np.ndarray, basis: ContactBasis, change: float) -> np.ndarray:
    """Most probable unknowns (T, size): whitened balance rows, prior precisions, change per frame; in body weights."""
    H = rows.swapaxes(1, 2) @ rows + np.einsum("tp,pin,pim->tnm", prior, basis.groups, basis.groups, optimize=True)
    edges = EDGE_REGULARISATION * np.einsum("tp,pn->tn", prior, basis.members)
    H += edges[:, :, None] * np.eye(basis.size)
    smooth = np.einsum("pin,pim->nm", basis.contacts, basis.contacts) / change**2
    H[1:] += smooth
    H[:-1] += smooth
    coupling = np.broadcast_to(-smooth, (len(H) - 1, *smooth.shape))
    g = -np.einsum("trn,tr->tn", rows, targets)
    return solve_nonnegative(H, coupling, g, basis.bounded)


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
