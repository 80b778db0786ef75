"""Which feet and hands touch something, from a 3D motion alone: low, slow soles; hands that keep a body from falling.

For motions that come without an image (motion capture, other people's estimates). The numbers are of how people move
and how well soles are known; none is the result of a fit.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.local_derivative import differentiate
from motion.skeleton import CONTACT_SITES, SOLE_SITES
from records import ContactStates, Motion

HEIGHT = 0.05
"""Height of a point of the sole over the ground [m] at which contact is as likely as not: soles and their markers are
known to 1 or 2 cm, and swinging toes pass at 2 to 5 cm, but fast."""
HEIGHT_SLOPE = 0.01
"""Change of height that changes the odds e-fold [m]."""
SPEED = 0.6
"""Speed of a point of the sole [m/s] at which contact is as likely as not: resting points roll and are noisy, swinging
feet move at 3 to 5 m/s."""
SPEED_POWER = 4
"""The odds of rest fall with this power of the speed."""
HAND_SPEED = 0.25
"""The same speed for a hand [m/s]: a hand at rest while the body moves."""
FALL = 0.5
"""Share of the weight that must be carried for a body not to count as falling [1]."""
SMOOTHING = 0.03
"""Width of the Gaussian behind speeds and accelerations [s]."""
GRAVITY = 9.81
"""[m/s^2]"""


def kinematic_contacts(body: Body, motion: Motion) -> ContactStates:
    """Estimate contact probabilities of both feet and both hands; the ground is at z = 0.

    A foot is in contact by the likeliest of its heel, ball and toes. A hand is in contact where it rests while the body
    is carried by something other than the feet.
    """
    q, fps = motion.q, motion.fps
    derivatives = differentiate(q, fps, SMOOTHING)
    probability = np.zeros((len(q), len(CONTACT_SITES)))
    for foot, soles in SOLE_SITES.items():
        points, J = body.site_jacobian(q, soles)
        speed = np.linalg.norm(np.einsum("tnij,tj->tni", J, derivatives.v), axis=-1)
        low = 1 / (1 + np.exp(np.clip((points[..., 2] - HEIGHT) / HEIGHT_SLOPE, -50, 50)))
        probability[:, CONTACT_SITES.index(foot)] = (low * resting(speed, SPEED)).max(axis=1)
    on_feet = probability.max(axis=1)
    carried = carried_share(body, q, fps)
    for c, hand in enumerate(CONTACT_SITES):
        if hand not in SOLE_SITES:
            _, J = body.site_jacobian(q, (hand,))
            speed = np.linalg.norm(np.einsum("tnij,tj->tni", J, derivatives.v), axis=-1)[:, 0]
            probability[:, c] = resting(speed, HAND_SPEED) * (1 - on_feet) * resting(1 - carried, 1 - FALL)
    return ContactStates(names=CONTACT_SITES, probability=np.clip(probability, 0, 1), fps=fps)


def resting(value: Float[np.ndarray, "*S"], half: float) -> Float[np.ndarray, "*S"]:
    """Falls from 1 at 0 through 1/2 at `half`."""
    ratio = np.maximum(np.asarray(value, float), 0) / half
    return 1 / (1 + ratio**SPEED_POWER)


def carried_share(body: Body, q: Float[np.ndarray, "T 99"], fps: float) -> Float[np.ndarray, "T"]:
    """Vertical force that something must give, over the weight: 0 in free fall, 1 at rest."""
    upright = np.tile([0.0, 0, 0, 1], (len(q), 1))
    acceleration = differentiate(np.concatenate([body.centre_of_mass(q), upright], axis=1), fps, SMOOTHING).a[:, 2]
    return np.asarray(1 + acceleration / GRAVITY)
