"""How far an estimate lies from the truth: joints, tool, forces, each by the protocol that it is published with.

Joints are the sixteen limb markers of Li et al. (CVPR 2019). A video does not show where north is: forces and tool are
compared after a turn about the vertical (and a shift, for the tool) that best lays the estimated joints on the true.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from motion.body import body_of
from motion.markers import LIMB_MARKERS, marker_positions
from motion.tool import head_positions, tool_of
from records import Interaction, RecordError

Points = Float[np.ndarray, "T N 3"]


class ContactError(NamedTuple):
    """Mean error of one contact over time, beside that of claiming no force at all."""

    force: float
    """[N]."""
    zero_force: float
    """[N]."""
    moment: float
    """[N m]."""
    zero_moment: float
    """[N m]."""


class Score(NamedTuple):
    """An estimate against its truth."""

    pa_mpjpe: float
    """Mean joint distance after one similarity per frame [mm]."""
    g_mpjpe: float
    """The same after one similarity for the clip [mm]."""
    tool_head: float | None
    """Mean distance of the tool's head after turn and shift [mm]; None without a tool."""
    contacts: dict[str, ContactError]
    """By name of the contact."""

    @property
    def force(self) -> float:
        """Mean force error of all contacts [N]."""
        return float(np.mean([contact.force for contact in self.contacts.values()]))

    @property
    def zero_force(self) -> float:
        """The same of no force at all [N]."""
        return float(np.mean([contact.zero_force for contact in self.contacts.values()]))


def score(estimate: Interaction, truth: Interaction) -> Score:
    """Compare an estimate with the truth of the same frames; only contacts that both name are compared.

    Raises:
        RecordError: they have different numbers of frames.
    """
    if len(estimate.observed) != len(truth.observed):
        raise RecordError(
            f"the estimate has {len(estimate.observed)} frames and the truth {len(truth.observed)};"
            " they must show the same frames"
        )
    p, target = limb_markers(estimate), limb_markers(truth)
    head = None
    if estimate.tool is not None and truth.tool is not None:
        found, true = (head_positions(tool_of(m), m) for m in (estimate.tool, truth.tool))
        head = _distance(laid_over(p, target, found), true)
    contacts = {}
    for name in estimate.forces.names:
        if name in truth.forces.names:
            ours, theirs = (i.forces.wrench[:, i.forces.names.index(name)][:, None] for i in (estimate, truth))
            turned = yaw_aligned(p, target, ours.reshape(-1, 1, 2, 3)).reshape(ours.shape)
            missed = np.zeros(theirs.shape[:2], bool)
            force, moment = wrench_errors(turned, theirs, missed)
            zero_force, zero_moment = wrench_errors(np.zeros_like(theirs), theirs, missed)
            contacts[name] = ContactError(*(float(e[0]) for e in (force, zero_force, moment, zero_moment)))
    return Score(pa_mpjpe(p, target), g_mpjpe(p, target), head, contacts)


def limb_markers(interaction: Interaction) -> Float[np.ndarray, "T 16 3"]:
    """World positions [m] of the markers that are scored."""
    return marker_positions(body_of(interaction.person), interaction.person.q, LIMB_MARKERS)


def similarity(p: Float[np.ndarray, "N 3"], target: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    """Points after the similarity that brings them closest to the target (Umeyama 1991)."""
    a, b = p - p.mean(axis=0), target - target.mean(axis=0)
    U, S, Vt = np.linalg.svd(a.T @ b)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))])
    scale = (S * sign).sum() / max((a**2).sum(), 1e-12)
    return scale * a @ (U * sign @ Vt) + target.mean(axis=0)


def pa_mpjpe(p: Points, target: Points) -> float:
    """Mean joint distance [mm] after a similarity per frame."""
    return float(np.mean([_distance(similarity(a, b), b) for a, b in zip(p, target, strict=True)]))


def g_mpjpe(p: Points, target: Points) -> float:
    """Mean joint distance [mm] after one similarity for the clip."""
    flat = target.reshape(-1, 3)
    return _distance(similarity(p.reshape(-1, 3), flat), flat)


def yaw_aligned(p: Points, target: Points, vectors: Float[np.ndarray, "*A 3"]) -> Float[np.ndarray, "*A 3"]:
    """Vectors turned about the vertical by the yaw that best aligns joints `p` with `target`."""
    return vectors @ _turn(p, target).T


def laid_over(p: Points, target: Points, points: Float[np.ndarray, "*A 3"]) -> Float[np.ndarray, "*A 3"]:
    """Points [m] moved with joints `p` by the turn about the vertical and the shift that lay these on `target`."""
    return (points - p.mean(axis=(0, 1))) @ _turn(p, target).T + target.mean(axis=(0, 1))


def wrench_errors(
    wrench: Float[np.ndarray, "T C 6"], truth: Float[np.ndarray, "T C 6"], uncaptured: Bool[np.ndarray, "T C"]
) -> tuple[Float[np.ndarray, "C"], Float[np.ndarray, "C"]]:
    """Mean L2 error of force [N] and moment [N m] over captured frames; NaN where a contact was never captured."""
    errors = []
    for part in (slice(0, 3), slice(3, 6)):
        distance = np.where(uncaptured, np.nan, np.linalg.norm((wrench - truth)[..., part], axis=-1))
        captured = ~uncaptured.all(axis=0)
        mean = np.full(distance.shape[1], np.nan)
        mean[captured] = np.nanmean(distance[:, captured], axis=0)
        errors.append(mean)
    return errors[0], errors[1]


def _turn(p: np.ndarray, target: np.ndarray) -> np.ndarray:
    a, b = ((x - x.mean(axis=(0, 1)))[..., :2] for x in (p, target))
    yaw = np.arctan2((a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(), (a * b).sum())
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _distance(p: np.ndarray, target: np.ndarray) -> float:
    return 1e3 * float(np.linalg.norm(p - target, axis=-1).mean())
