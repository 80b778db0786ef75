"""Contact forces of a motion: the wrenches on feet, hands, knees and hips that explain it, unilateral, in their cones.

The path of the centre of mass says how much force the outside world must give over a clip (`motion.centre_path`), the
angular momentum how much moment; the contacts share it. Which contact carries how much is settled by priors: how likely
each contact is, how fast and how high its point moves, and that forces change smoothly. One convex problem for the
whole clip. After Li et al. 2019 (CVPR), section 3; their released code leaves the cone out.

Forces are solved for after the motion. Solved for in turns with it (a residual that draws the centre of mass onto the
path of the forces, then forces again: descent on the joint cost, block by block), the parkour clips gained 0.1 mm of
PA-MPJPE and 0.5 mm of G-MPJPE in two rounds, and their forces nothing (+0.2 N); even with the true contacts 0.2 mm,
1.7 mm and 1 N: the image fixes a moving body's acceleration as well as forces of unknown contacts do.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import pinocchio as pin

from motion.block_quadratic import BlockQuadratic
from motion.body import Body
from motion.centre_path import SIZE, add_path, second_difference, seen_path, whitening
from motion.centroidal import accelerating, demand
from motion.contact_basis import (
    FEET,
    ContactBasis,
    at_frames,
    at_sites,
    balance,
    contact_basis,
    hand_torques,
    points_of,
    resting_of,
)
from motion.contact_prior import across_sight, precision, probabilities
from motion.force_options import ForceOptions
from motion.local_derivative import differentiate
from motion.nonnegative import solve_nonnegative
from motion.scene import Scene
from motion.scene_contact import touched_normals
from motion.skeleton import CONTACT_SITES
from records import Camera, ContactForces, ContactStates, Motion

GRAVITY = 9.81
"""[m/s^2], as in Pinocchio."""

EDGE_REGULARISATION = 1e-3
"""Share of a point's prior precision that goes to each cone edge: it settles how parallel edges share a force."""

LOOSE = 0.5
"""Standard deviation of the force of what is not tracked (back, belly, elbows) on a body that nothing known touches
[body weights]: it may fall, lie, or touch what the contacts deny."""


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
        contacts: probability of contact of any of `CONTACT_SITES` and `RESTING_SITES`; a site that is not listed has
            no contact.
        tool: motion of a tool held in the hands; its weight and inertia enter the balance.
        tool_model: its inertia.
        tool_load: known wrench (T, 6) of other things on the tool, world axes at its centre of mass [N, N m].
        camera: when given, the speed of a contact is measured across the line of sight, as depth is uncertain.
        options: trust in balance and priors.
        scene: surroundings of known shape, in the world of the motion: feet, knees and seat rest on it, too,
            and friction cones stand about its normals.

    Returns:
        Wrenches on the person at l_ankle, r_ankle, l_fingers, r_fingers, and at those of `RESTING_SITES` that
        `contacts` lists, world axes; joint torques, whose first six rows are what the
        free-flyer's dynamics leave unexplained; the same as `residual` at the centre of mass. All of them belong to the
        most probable path of the centre of mass, which differs from that of the motion by its errors: the body
        accelerates as its joints do, and as a whole by as much more as that path says.

    Raises:
        ForceError: lengths or rates differ, or a tool comes without its model.
    """
    options = options or ForceOptions()
    _check(motion, contacts, tool, tool_model)
    derivatives = differentiate(motion.q, motion.fps, options.smoothing)
    person = demand(body.model, motion.q, derivatives)
    resting = resting_of(contacts.names)
    names, probability = points_of(resting), probabilities(contacts, resting)
    points, J = body.site_jacobian(motion.q, names)
    velocity = np.einsum("tnij,tj->tni", J, derivatives.v)
    if camera is not None:
        velocity = across_sight(velocity, points, camera)

    normals = None if scene is None else touched_normals(body, motion.q, names, points, scene)
    basis = contact_basis(options.friction, options.cone_edges, resting=resting, normals=normals)
    weight = GRAVITY * body.mass
    A = balance(basis, points, person.com)
    rows = A[:, 3:] / options.moment_arm_sigma
    targets = person.wrench[:, 3:] / (weight * options.moment_arm_sigma)
    if tool is not None and tool_model is not None:
        held = demand(tool_model.model, tool.q, differentiate(tool.q, tool.fps, options.smoothing))
        tool_mass = pin.computeTotalMass(tool_model.model)
        arm = GRAVITY * options.tool_moment_arm_sigma
        tool_sigma = tool_mass / weight * np.repeat([options.tool_acceleration_sigma, arm], 3)
        reaction = -balance(basis, points, held.com, hands_only=True)
        rows = np.concatenate([rows, reaction / tool_sigma[:, None]], axis=1)
        needed = held.wrench if tool_load is None else held.wrench - tool_load
        targets = np.concatenate([targets, needed / (weight * tool_sigma)], axis=1)
    prior = precision(points, velocity, probability, tool is not None, options, scene, resting)
    slack = GRAVITY * _untracked(probability, tool is not None, options)
    x, acceleration = _solve(rows, targets, prior, basis, person.com, slack, motion.fps, camera, options)
    x *= weight
    person = accelerating(person, body.mass, body.centre_of_mass_jacobian(motion.q)[1], acceleration)

    force = (basis.forces @ x[:, None, :, None])[..., 0]
    moment = (basis.moments @ x[:, None, :, None])[..., 0]
    sites = (*CONTACT_SITES, *resting)
    site = body.site_positions(motion.q, sites)
    return ContactForces(
        names=sites,
        fps=motion.fps,
        point=site,
        wrench=at_sites(points, force, moment, site, resting),
        tau=person.tau - np.einsum("tpij,tpi->tj", J, force) - hand_torques(body, motion.q, moment),
        residual=person.wrench - np.einsum("trn,tn->tr", A, x),
    )


def _solve(
    rows: np.ndarray,
    targets: np.ndarray,
    prior: np.ndarray,
    basis: ContactBasis,
    com: np.ndarray,
    slack: np.ndarray,
    fps: float,
    camera: Camera | None,
    options: ForceOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Most probable unknowns (T, size) [body weights] and acceleration of the centre of mass (T, 3) [m/s^2].

    Args:
        rows: whitened, of moments and tool (T, R, size).
        targets: what they should be (T, R).
        prior: precision of each of `ContactBasis.groups` (T, G).
        basis: the unknowns.
        com: centre of mass (T, 3) [m].
        slack: standard deviation of the acceleration by what is not tracked (T) [m/s^2].
        fps: frame rate [1/s].
        camera: where the motion was seen from.
        options: trust.
    """
    seen = seen_path(com, fps, options.smoothing)
    rows, targets, prior = rows[seen.frames], targets[seen.frames], prior[seen.frames]
    basis = at_frames(basis, seen.frames)
    frames, n = len(seen.frames), basis.size
    total = BlockQuadratic(frames, n + SIZE)
    total.add(rows, targets)
    groups = basis.groups
    stiff = (np.sqrt(prior)[..., None, None] * groups).reshape(frames, -1, n)
    total.H[:, :n, :n] += stiff.swapaxes(1, 2) @ stiff
    edges = EDGE_REGULARISATION * np.einsum("tp,pn->tn", prior, basis.members)
    total.H[:, range(n), range(n)] += edges
    contacts = basis.contacts
    change = np.zeros((len(contacts), 3 * contacts.shape[1], n + SIZE))
    change[..., :n] = contacts.reshape(*change.shape[:2], n) * (fps / options.rate)
    change = np.broadcast_to(change, (frames, *change.shape[1:]))
    total.tie(-change[:-1], change[1:])
    whiten = whitening(seen, camera, options.position_sigma, options.depth_sigma)
    push = GRAVITY * (basis.forces.sum(axis=1) if len(basis.forces) > 1 else basis.forces[0].sum(axis=0))
    unit = add_path(total, seen, push, slack[seen.frames], whiten, fps, options.position_time)
    bounded = np.concatenate([basis.bounded, np.zeros(SIZE, bool)])
    x = solve_nonnegative(total.H, total.coupling, total.g, bounded)
    path = seen.position + unit * x[:, n : n + 3]
    inside = slice((frames - len(com)) // 2, (frames + len(com)) // 2)
    return x[inside, :n], second_difference(path)[inside] * fps**2


def _untracked(probability: np.ndarray, held: bool, options: ForceOptions) -> np.ndarray:
    """Standard deviation (T) [body weights] of what else bears a body, by which of its contacts touch."""
    columns = np.arange(probability.shape[1])
    gripping = (columns >= len(FEET)) & (columns < len(CONTACT_SITES))
    stands, hands = (1 - (1 - probability[:, part]).prod(axis=1) for part in (~gripping, gripping))
    hangs = (1 - stands) * (0 if held else hands)
    by_case = (options.untracked_force, options.hanging_untracked_force, LOOSE)
    return np.sqrt(sum(p * s**2 for p, s in zip((stands, hangs, 1 - stands - hangs), by_case, strict=True)))


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
