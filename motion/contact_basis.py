"""Unknowns of the contact forces of a frame: cone edges at soles, knees and hips, force and moment at each hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.body import Body
from motion.cone import generators, turned_to
from motion.rotation import skew
from motion.skeleton import CONTACT_SITES, RESTING_SITES, SITES, SOLE_SITES

FEET = tuple(SOLE_SITES)
HANDS = tuple(name for name in CONTACT_SITES if name not in SOLE_SITES)
SOLE = tuple(site for foot in FEET for site in SOLE_SITES[foot])
POINTS = (*SOLE, *HANDS)
"""Sites that forces of feet and hands act at, in the order of the unknowns."""


def resting_of(names: Sequence[str]) -> tuple[str, ...]:
    """Those of knees and hips that are named, in the order of `RESTING_SITES`."""
    return tuple(name for name in RESTING_SITES if name in names)


def points_of(resting: Sequence[str]) -> tuple[str, ...]:
    """Sites that forces act at, in the order of the unknowns: soles, hands, then those of some of `RESTING_SITES`."""
    return (*POINTS, *(RESTING_SITES[name] for name in resting))


class ContactBasis(NamedTuple):
    """How the unknowns of a frame map to point forces, hand moments and contact totals.

    The first axis of maps is one of frames, or 1 where all frames are alike.
    """

    size: int
    bounded: np.ndarray
    """Which unknowns must not be negative: weights of cone edges."""
    forces: Float[np.ndarray, "F P 3 N"]
    """Force at each of `points_of(resting)`."""
    moments: Float[np.ndarray, "F H 3 N"]
    """Moment of each hand."""
    resting: tuple[str, ...]
    """Which of `RESTING_SITES` there are."""

    @property
    def feet(self) -> Float[np.ndarray, "F 2 3 N"]:
        """Force of each foot."""
        each = [[SOLE.index(site) for site in SOLE_SITES[foot]] for foot in FEET]
        return np.stack([self.forces[:, members].sum(axis=1) for members in each], axis=1)

    @property
    def contacts(self) -> Float[np.ndarray, "F C 3 N"]:
        """Force of each foot, hand, knee and hip, moment of each hand."""
        return np.concatenate([self.feet, self.forces[:, len(SOLE) :], self.moments], axis=1)

    @property
    def groups(self) -> Float[np.ndarray, "F G 3 N"]:
        """What a prior is stated on: force at each point, moment of each hand, force of each foot."""
        return np.concatenate([self.forces, self.moments, self.feet], axis=1)

    @property
    def members(self) -> np.ndarray:
        """(G, N): 1 where an unknown belongs to a group."""
        return np.any(self.groups != 0, axis=(0, 2)).astype(float)


def contact_basis(
    friction: float,
    cone_edges: int,
    *,
    resting: Sequence[str] = (),
    normals: Float[np.ndarray, "T P 3"] | None = None,
) -> ContactBasis:
    """Build the basis: a linearised friction cone at each point of soles, knees and hips; hands are free.

    Args:
        friction: coefficient [1].
        cone_edges: edges of each cone.
        resting: which of `RESTING_SITES` there are.
        normals: of what each of `points_of(resting)` touches, unit vectors; world z by default.
    """
    cone = generators(friction, cone_edges)
    edges, hands, points = cone.shape[1], len(HANDS), len(points_of(resting))
    gripping = slice(len(SOLE) * edges, len(SOLE) * edges + 6 * hands)
    size = (points - hands) * edges + 6 * hands
    frames = 1 if normals is None else len(normals)
    forces, moments = np.zeros((frames, points, 3, size)), np.zeros((frames, hands, 3, size))
    for p in (*range(len(SOLE)), *range(len(POINTS), points)):
        start = p * edges if p < len(SOLE) else gripping.stop + (p - len(POINTS)) * edges
        forces[:, p, :, start : start + edges] = cone if normals is None else turned_to(normals[:, p], cone)
    for h in range(hands):
        start = gripping.start + 3 * h
        forces[:, len(SOLE) + h, :, start : start + 3] = np.eye(3)
        moments[:, h, :, start + 3 * hands : start + 3 * hands + 3] = np.eye(3)
    bounded = np.ones(size, bool)
    bounded[gripping] = False
    return ContactBasis(size, bounded, forces, moments, tuple(resting))


def at_frames(basis: ContactBasis, frames: Int[np.ndarray, "T"]) -> ContactBasis:
    """The basis of chosen frames."""
    if len(basis.forces) == 1:
        return basis
    return basis._replace(forces=basis.forces[frames], moments=basis.moments[frames])


def balance(
    basis: ContactBasis, points: np.ndarray, about: np.ndarray, *, hands_only: bool = False
) -> Float[np.ndarray, "T 6 N"]:
    """Matrix from unknowns to their wrench about a point (T, 3), of all contacts or of the hands alone."""
    chosen = slice(len(SOLE), len(POINTS)) if hands_only else slice(None)
    forces, lever = basis.forces[:, chosen], points[:, chosen] - about[:, None]
    forces = np.broadcast_to(forces, (len(points), *forces.shape[1:]))
    turn = np.einsum("tpij,tpjn->tin", skew(lever), forces) + basis.moments.sum(axis=1)
    return np.concatenate([forces.sum(axis=1), turn], axis=1)


def hand_torques(body: Body, q: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Generalised forces (T, 75) of moments (T, hands, 3) on the hands."""
    R, _ = body.joint_poses(q)
    total = np.zeros((len(q), body.nv))
    for h, hand in enumerate(HANDS):
        path = body.ancestors[body.joint_names.index(SITES[hand].joint)]
        local = np.einsum("tkij,ti->tkj", R, moment[:, h]) * path[None, :, None]
        total[:, 3:] += local.reshape(len(q), -1)
    return total


def at_sites(
    points: np.ndarray, force: np.ndarray, moment: np.ndarray, site: np.ndarray, resting: Sequence[str] = ()
) -> Float[np.ndarray, "T C 6"]:
    """Wrenches at feet, hands, then knees and hips, from the forces of points and the moments of hands."""
    names = (*CONTACT_SITES, *resting)
    wrench = np.zeros((len(points), len(names), 6))
    groups = {name: [SOLE.index(s) for s in SOLE_SITES[name]] for name in FEET}
    groups |= {name: [len(SOLE) + n] for n, name in enumerate((*HANDS, *resting))}
    for c, name in enumerate(names):
        members = groups[name]
        f, lever = force[:, members], points[:, members] - site[:, None, c]
        wrench[:, c] = np.concatenate([f.sum(1), np.cross(lever, f).sum(1)], axis=-1)
    for h, name in enumerate(HANDS):
        wrench[:, names.index(name), 3:] += moment[:, h]
    return wrench
