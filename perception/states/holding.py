"""Where a person is and goes, beside what the hands hold on to, as features of every frame: the state of a relation.

Posture is much alike before and after something is done: a person stands, does it, and stands. What has changed is
where the person is in relation to the object. It need not be seen: it is where the hands rest while they hold it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from perception.image_motion import hand, smooth, trunk, trunk_length, velocity
from perception.states.pose import SWIFT
from records import ContactStates, Features, Keypoints, digest

VERSION = 1


def holding_features(person: Keypoints, contacts: ContactStates) -> Features:
    """One window a frame: the trunk about the place that was held, its velocity, and who is in contact.

    Lengths are in trunks; the image is mirrored where the person as a whole moves to the left. The camera stands still.

    Args:
        person: keypoints in the image.
        contacts: probabilities for `l_fingers`, `r_fingers` and others, of the same frames.
    """
    scale = np.maximum(trunk_length(person), 1e-9)[:, None]
    centre = smooth(trunk(person), person.fps)
    drift = velocity(trunk(person), person.fps) / scale
    about = (centre - held_place(person, contacts)) / scale
    vectors = np.stack([about, drift / SWIFT], axis=1)
    if centre[-1, 0] < centre[0, 0]:
        vectors[..., 0] *= -1
    start = np.arange(person.num_frames) / person.fps
    return Features(
        value=np.concatenate([vectors.reshape(len(vectors), -1), contacts.probability], axis=1),
        time=np.stack([start, start + 1 / person.fps], axis=1),
        encoder="holding",
        encoder_hash=digest("holding", VERSION, list(contacts.names)),
    )


def held_place(person: Keypoints, contacts: ContactStates) -> Float[np.ndarray, "2"]:
    """Mean place of the hands [px], each frame by the probability that it is seen and holds; else that of the trunk."""
    weight, place = [], []
    for side in ("l", "r"):
        track = hand(person, side)
        weight.append(contacts.probability[:, contacts.names.index(f"{side}_fingers")] * track.confidence * track.seen)
        place.append(smooth(track, person.fps))
    total = np.sum(weight)
    if total <= 0:
        return np.asarray(smooth(trunk(person), person.fps).mean(axis=0))
    return np.asarray(np.einsum("st,stk->k", weight, place) / total)
