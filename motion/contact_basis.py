"""Unknowns of the contact forces of a frame: cone edges at the points of the soles, force and moment at each hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from motion.body import Body
from motion.cone import generators
from motion.rotation import skew
from motion.skeleton import CONTACT_SITES, SITES, SOLE_SITES

FEET = tuple(SOLE_SITES)
HANDS = tuple(name for name in CONTACT_SITES if name not in SOLE_SITES)
SOLE = tuple(site for foot in FEET for site in SOLE_SITES[foot])
POINTS = (*SOLE, *HANDS)
"""Sites that forces act at, in the order of the unknowns."""


class ContactBasis(NamedTuple):
    """How the unknowns of a frame map to point forces, hand moments and contact totals."""

    size: int
    bounded: np.ndarray
    """Which unknowns must not be negative: weights of cone edges."""
    blocks: np.ndarray
    """(P, 3, size): force at each of `SOLE` and `HANDS`, then moment of each of `HANDS`."""
    contacts: np.ndarray
    """(C, 3, size): force of each foot and hand, moment of each hand."""

    @property
    def forces(self) -> np.ndarray:
        """(points, 3, size): blocks of the forces alone."""
        return self.blocks[: len(POINTS)]

    @property
    def moments(self) -> np.ndarray:
        """(hands, 3, size): blocks of the hands' moments."""
        return self.blocks[len(POINTS) :]

    @property
    def groups(self) -> np.ndarray:
        """(G, 3, size): what a prior is stated on: force at each point, moment of each hand, force of each foot."""
        return np.concatenate([self.blocks, self.contacts[: len(FEET)]])

    @property
    def members(self) -> np.ndarray:
        """(G, size): 1 where an unknown belongs to a group."""
        return np.any(self.groups != 0, axis=1).astype(float)


def contact_basis(friction: float, cone_edges: int) -> ContactBasis:
    """Build the basis for soles with a linearised friction cone about world z; hands are free."""
    cone = generators(friction, cone_edges)
    edges, hands = cone.shape[1], len(HANDS)
    size = len(SOLE) * edges + 6 * hands
    blocks = np.zeros((len(SOLE) + 2 * hands, 3, size))
    for s in range(len(SOLE)):
        blocks[s, :, s * edges : (s + 1) * edges] = cone
    for h in range(2 * hands):
        start = len(SOLE) * edges + 3 * h
        blocks[len(SOLE) + h, :, start : start + 3] = np.eye(3)
    feet = [sum(blocks[SOLE.index(site)] for site in SOLE_SITES[foot]) for foot in FEET]
    return ContactBasis(size, np.arange(size) < len(SOLE) * edges, blocks, np.array([*feet, *blocks[len(SOLE) :]]))


def balance(basis: ContactBasis, points: np.ndarray, about: np.ndarray, *, hands_only: bool = False) -> np.ndarray:
    """Matrix (T, 6, size) from unknowns to their wrench about a point (T, 3), of all contacts or of the hands alone."""
    chosen = slice(len(SOLE) if hands_only else 0, None)
    forces, lever = basis.forces[chosen], points[:, chosen] - about[:, None]
    turn = np.einsum("tpij,pjn->tin", skew(lever), forces) + basis.moments.sum(0)
    return np.concatenate([np.broadcast_to(forces.sum(0), turn.shape), turn], axis=1)


def hand_torques(body: Body, q: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Generalised forces (T, 75) of moments (T, hands, 3) on the hands."""
    R, _ = body.joint_poses(q)
    total = np.zeros((len(q), body.nv))
    for h, hand in enumerate(HANDS):
        path = body.ancestors[body.joint_names.index(SITES[hand].joint)]
        local = np.einsum("tkij,ti->tkj", R, moment[:, h]) * path[None, :, None]
        total[:, 3:] += local.reshape(len(q), -1)
    return total


def at_sites(points: np.ndarray, force: np.ndarray, moment: np.ndarray, site: np.ndarray) -> np.ndarray:
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
