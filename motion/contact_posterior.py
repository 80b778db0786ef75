"""Contacts once the 3D motion is known: what a network reads off the motion and the image, weighed with the balance.

All combinations of feet and hands over all frames, by forward and backward passes (Rabiner 1989, Proceedings of the
IEEE 77, section III). The image's own estimate is among what the network reads; prior odds are in its answer.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from motion.body import Body
from motion.contact_basis import FEET, HANDS, POINTS, SOLE, resting_of
from motion.contact_classifier import load_classifier
from motion.contact_evidence import balance_log_likelihood, combinations, motion_log_odds
from motion.contact_features import contact_features
from motion.contact_prior import probabilities
from motion.force_options import ForceOptions
from motion.resting_contact import resting_log_odds
from motion.scene import Scene, clearance
from motion.scene_contact import distance_log_odds, hands_log_odds
from motion.skeleton import RESTING_SITES
from records import Camera, ContactStates
from records.forward_backward import forward_backward

DWELL = 0.5
"""Mean time for which a contact, or its absence, lasts [s]."""
EVIDENCE_TIME = 0.1
"""Time over which errors of an estimate are alike [s]: frames closer than that are not independent evidence."""
CERTAINTY = 0.02
"""Bound on how certain the image can be of a contact or of none [1]."""
TOGETHER = 1.0
"""Log-odds that both hands do the same, where they can carry the body; set by hand, and known to the network."""


def refine_contacts(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    contacts: ContactStates,
    *,
    camera: Camera | None = None,
    observed: Bool[np.ndarray, "T"] | None = None,
    holding: bool = False,
    options: ForceOptions | None = None,
    scene: Scene | None = None,
    learned: bool = True,
) -> ContactStates:
    """Posterior probability of the contacts of feet, hands, knees and hips, given the 3D motion.

    Args:
        body: the person.
        q: configurations; the ground is at z = 0.
        contacts: what the image says; contacts that it does not name stay unnamed.
        camera: when given, speeds count across the line of sight only, as depth is uncertain.
        observed: frames whose motion was seen; bridged ones are no evidence.
        holding: whether the hands hold a tool: their contacts are then left as they are, and carry no body. The
            network has seen no tools: `learned` does not apply.
        options: how exact the balance of forces is.
        scene: surroundings of known shape, in the world of `q`.
        learned: whether the network reads the motion; else the image's word, rest and height count as set by hand.
    """
    options = options or ForceOptions()
    resting = resting_of(contacts.names)
    names = (*FEET, *HANDS, *resting)
    listed = np.array([name in contacts.names for name in names])
    if not listed.any():
        return contacts
    believed = np.where(listed, probabilities(contacts, resting), 0.0)
    carrying = tuple(bool(can) for can in listed & np.array([name not in HANDS or not holding for name in names]))
    seen = np.ones(len(q)) if observed is None else np.asarray(observed, float)
    bounded = believed.clip(CERTAINTY, 1 - CERTAINTY)
    log_odds = np.log(bounded / (1 - bounded))
    limbs = slice(0, len(FEET) + len(HANDS))
    if holding or not learned:
        log_odds[:, limbs] += seen[:, None] * motion_log_odds(body, q, contacts.fps, camera, options, scene)
    else:
        read = load_classifier().log_odds(contact_features(body, q, contacts, camera, scene))
        log_odds[:, limbs] += seen[:, None] * (read + _touching(scene, body, q) - log_odds[:, limbs])
    if resting:
        read = resting_log_odds(body, q, contacts.fps, camera, scene)[
            :, [list(RESTING_SITES).index(n) for n in resting]
        ]
        log_odds[:, limbs.stop :] += seen[:, None] * (read - log_odds[:, limbs.stop :])
    every = combinations(len(names))
    evidence = (log_odds * carrying) @ every.T
    evidence += seen[:, None] * balance_log_likelihood(
        body, q, contacts.fps, options, carrying=carrying, resting=resting
    )
    hands = every[:, len(FEET) : limbs.stop]
    if not learned and all(carrying[len(FEET) : limbs.stop]):
        evidence += TOGETHER * (hands.min(axis=1) == hands.max(axis=1))
    refined = smoothed(evidence / max(1.0, EVIDENCE_TIME * contacts.fps), 1 / (DWELL * contacts.fps)) @ every
    probability = contacts.probability.copy()
    for c, name in enumerate(names):
        if carrying[c]:
            probability[:, contacts.names.index(name)] = refined[:, c].clip(0, 1)
    return contacts.replace(probability=probability)


def _touching(scene: Scene | None, body: Body, q: Float[np.ndarray, "T 99"]) -> Float[np.ndarray, "T C"] | float:
    """Evidence of distances: of feet to what they can stand on, by their nearest point, and of hands to the scene.

    The network takes a still foot high over the ground for one on a box: where all boxes are known it cannot be.
    """
    if scene is None:
        return 0.0
    points = body.site_positions(q, POINTS)
    above = clearance(scene, points[:, : len(SOLE)]).reshape(len(q), len(FEET), -1).min(axis=2)
    return np.concatenate([distance_log_odds(above), hands_log_odds(scene, points[:, len(SOLE) :])], axis=1)


def smoothed(evidence: Float[np.ndarray, "T S"], change: float) -> Float[np.ndarray, "T S"]:
    """Probability of each of the `combinations` in each frame given the evidence of all frames.

    Args:
        evidence: log-likelihood per frame and combination, up to a constant per frame.
        change: probability that a contact is drawn anew from one frame to the next.
    """
    half = min(1.0, change) / 2
    step = np.array([[1 - half, half], [half, 1 - half]])
    A = np.ones((1, 1))
    states = evidence.shape[1]
    for _ in range(states.bit_length() - 1):
        A = np.kron(step, A)
    return forward_backward(evidence, A, np.full(states, 1 / states))
