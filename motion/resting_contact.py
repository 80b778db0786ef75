"""Knees that kneel and seats that bear: their evidence in a 3D motion, and whether a clip has any at all.

Most clips have none: their forces then have no unknowns of knees and hips, and are what they were without them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label

from motion.body import Body
from motion.contact_classifier import load_classifier
from motion.resting_features import resting_features
from motion.scene import Scene, clearance
from motion.scene_contact import distance_log_odds
from motion.skeleton import RESTING_SITES
from records import Camera, ContactStates

LIKELY = 2 / 3
"""Probability from which a knee or a hip tells that its clip has such contacts [1]: a force that is not there is taken
from the feet, so that the odds must be two to one."""
LEAST_TIME = 0.3
"""A clip has contacts of knees, or of hips, where one of them is likely for so long [s]: nobody kneels or sits for less
time, while errors of an estimate last 0.1 to 0.2 s."""


def resting_log_odds(
    body: Body,
    q: Float[np.ndarray, "T 99"],
    fps: float,
    camera: Camera | None = None,
    scene: Scene | None = None,
) -> Float[np.ndarray, "T 4"]:
    """Logarithm of the odds that each of `RESTING_SITES` touches, as the network reads them off a motion.

    Args:
        body: the person.
        q: configurations; the ground is at z = 0.
        fps: frame rate [1/s].
        camera: when given, speeds count across the line of sight only.
        scene: surroundings of known shape: its distance is evidence, too. Without one, height over the ground is
            evidence against a knee (that of a leg that is lifted bends like one that kneels); a seat may be anywhere.
    """
    read = load_classifier().resting_log_odds(resting_features(body, q, fps, camera, scene))
    near = distance_log_odds(clearance(scene, body.site_positions(q, list(RESTING_SITES.values()))))
    if scene is None:
        knees = np.array([name.endswith("knee") for name in RESTING_SITES])
        near = np.minimum(near, 0) * knees
    return np.asarray(read + near)


def with_resting(
    contacts: ContactStates,
    resting: ContactStates,
    observed: Bool[np.ndarray, "T"] | None = None,
) -> ContactStates:
    """Contacts with those of knees, and of hips, where the clip has any.

    Args:
        contacts: of feet and hands; returned as they are where they list knees or hips themselves.
        resting: probability of each of `RESTING_SITES`.
        observed: frames whose motion was seen; the others are no evidence.
    """
    if any(name in RESTING_SITES for name in contacts.names):
        return contacts
    names = _bearing(resting, observed)
    columns = [resting.names.index(name) for name in names]
    probability = np.concatenate([contacts.probability, resting.probability[:, columns]], axis=1)
    return contacts.replace(names=(*contacts.names, *names), probability=probability) if names else contacts


def confirmed(
    refined: ContactStates, stated: tuple[str, ...], observed: Bool[np.ndarray, "T"] | None = None
) -> ContactStates:
    """Contacts without the knees, or the hips, that all evidence together denies.

    A deep squat looks like a seat to whoever sees the motion alone, but its feet can carry the body.

    Args:
        refined: probabilities given the motion and the balance of its forces.
        stated: contacts that are listed whatever the evidence: somebody else has said them.
        observed: frames whose motion was seen.
    """
    kept = {*stated, *_bearing(refined, observed)}
    columns = [c for c, name in enumerate(refined.names) if name in kept or name not in RESTING_SITES]
    if len(columns) == len(refined.names):
        return refined
    return refined.replace(names=tuple(refined.names[c] for c in columns), probability=refined.probability[:, columns])


def _bearing(contacts: ContactStates, observed: Bool[np.ndarray, "T"] | None) -> list[str]:
    """Both knees, or both hips, where one of them is likely for long enough."""
    likely = np.asarray(contacts.probability >= LIKELY)
    if observed is not None:
        likely = likely & observed[:, None]
    names: list[str] = []
    for part in ("knee", "hip"):
        pair = [c for c, name in enumerate(contacts.names) if name in RESTING_SITES and name.endswith(part)]
        if _longest(np.asarray(likely[:, pair].any(axis=1))) >= LEAST_TIME * contacts.fps:
            names += [contacts.names[c] for c in pair]
    return names


def _longest(frames: Bool[np.ndarray, "T"]) -> int:
    """Number of frames in the longest stretch."""
    pieces, count = label(frames)
    return int(np.bincount(pieces.ravel())[1:].max()) if count else 0
