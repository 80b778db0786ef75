"""How well contact forces are known: which contacts bear, how they share, and how hard the body accelerates.

A sum over all sets of contacts, each as probable as the contacts of the estimate say (law of total variance). Within a
set the shares of what the motion demands are non-negative and sum to 1: a Dirichlet distribution about the estimated
shares, as wide as if nothing else were known. That is the part of the force solver's quadratic which its cone bounds
leave open; the demand itself, that of the path of the forces, errs with the acceleration, and in proportion with the
mass. Moments and earlier frames, which the solver uses too, only narrow it.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from jaxtyping import Float

from motion.contact_basis import HANDS, resting_of
from motion.contact_prior import probabilities
from motion.force_options import ForceOptions
from motion.residuals.balance import GRAVITY
from motion.skeleton import CONTACT_SITES
from records import ContactForces, ContactStates

LEAST_SHARE = 0.05
"""Share of the demand that a contact of a set is given, however small the estimate is [1]: a twentieth of the weight is
the least that still presses a sole on the ground."""

INTERVAL = 0.31
"""Half-width of the interval that holds 68 % of the errors, in root mean squares of this model [1]. Errors of forces
have long tails (a contact is there or not), and what narrows them is left out here. Fitted so that 68 % intervals cover
68 % on clips of the studio, seeds 0 to 4 (benchmarks/uncertainty.py --seeds)."""


def force_covariance(
    forces: ContactForces, contacts: ContactStates, mass: float, *, held: bool, options: ForceOptions | None = None
) -> Float[np.ndarray, "T C 3 3"]:
    """Covariances [N^2] of the forces at the contacts of `forces`, world axes; of 68 % intervals.

    Args:
        forces: the estimate.
        contacts: probability of contact.
        mass: of the body [kg].
        held: whether the hands hold a tool; they do not bear the body then.
        options: trust in the balance.
    """
    options = options or ForceOptions()
    estimate = forces.wrench[..., :3]
    demand = estimate.sum(axis=1) + forces.residual[:, :3]
    noise = (mass * options.acceleration_sigma) ** 2
    resting = resting_of(contacts.names)
    probability = probabilities(contacts, resting)
    bearing = np.array([name not in HANDS or not held for name in (*CONTACT_SITES, *resting)])
    if held:
        demand = demand - estimate[:, ~bearing].sum(axis=1)
        probability = probability * bearing
    size = np.linalg.norm(demand, axis=-1)
    heavier = options.mass_error * demand[:, None]
    along = np.linalg.norm(estimate, axis=-1) + LEAST_SHARE * size[:, None]
    total = np.zeros((*estimate.shape, 3))
    weights = np.zeros(len(estimate))
    for chosen in product((False, True), repeat=len(bearing)):
        present = np.array(chosen)
        weight = np.where(present, probability, 1 - probability).prod(axis=1)
        if not present.any():
            # Nothing bears: as probable as the demand is an error of the acceleration.
            weight = weight * np.exp(-0.5 * size**2 / noise)
        part = along * present
        share = part / np.maximum(part.sum(axis=1, keepdims=True), 1e-9)
        spread = share * (1 - share) / (1 + present.sum())
        away = share[..., None] * demand[:, None] - estimate * bearing[:, None]
        covariance = (
            spread[..., None, None] * (demand[:, :, None] * demand[:, None, :])[:, None]
            + away[..., :, None] * away[..., None, :]
            + (share**2 * noise)[..., None, None] * np.eye(3)
            + (share[..., None] * heavier)[..., :, None] * (share[..., None] * heavier)[..., None, :]
        )
        total += weight[:, None, None, None] * covariance
        weights += weight
    total /= np.maximum(weights, 1e-12)[:, None, None, None]
    # Where surely nothing bears, the estimate still is no better than what a force without contact may be.
    return np.asarray(INTERVAL**2 * (total + (options.absent_force * GRAVITY * mass) ** 2 * np.eye(3)))
