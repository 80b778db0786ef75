"""What touches something, from a 3D motion alone: low, slow soles, knees and seats; hands that keep from falling.

For motions that come without an image (motion capture, other people's estimates). The numbers are of how people move
and how well soles are known; none is the result of a fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from motion.body import Body
from motion.local_derivative import differentiate
from motion.resting_contact import with_resting
from motion.resting_features import beyond_support
from motion.scene import Scene, clearance
from motion.skeleton import CONTACT_SITES, RESTING_SITES, SOLE_SITES
from records import ContactStates, Motion

CLEARANCE = 0.03
"""Height of a point of a sole over the ground [m] from which it is in the air: toes swing by at 2 to 5 cm."""
MEASURED_ERROR = 0.01
"""Standard error of the height of a sole that was captured by markers [m]."""
ESTIMATED_ERROR = 0.03
"""The same for a motion that was estimated from a video [m]."""
SPEED = 0.6
"""Speed of a point of the sole [m/s] at which contact is as likely as not: resting points roll and are noisy, swinging
feet move at 3 to 5 m/s."""
SPEED_POWER = 4
"""The odds of rest fall with this power of the speed."""
STILL = 0.25
"""The same speed for a hand, a knee, a seat, or a foot off the ground [m/s]: nothing but rest tells that it touches."""
FLESH = 0.02
"""By how much knees and seats are thicker than assumed [m]: girths vary by a fifth."""
LEVEL, LEVEL_SPREAD = 0.6, 0.1
"""Rise of a thigh over its length from which it is too steep to sit on [1], and how sharply."""
FALL = 0.5
"""Share of the weight that must be carried for a body not to count as falling [1]."""
SMOOTHING = 0.03
"""Width of the Gaussian behind speeds and accelerations [s]."""
GRAVITY = 9.81
"""[m/s^2]"""


def kinematic_contacts(
    body: Body, motion: Motion, *, height_error: float = MEASURED_ERROR, scene: Scene | None = None
) -> ContactStates:
    """Estimate contact probabilities of feet and hands, of knees and hips where there are any; the ground is at z = 0.

    A foot is on the ground by the likeliest of its heel, ball and toes. Where no foot is, but something carries the
    body, it is what rests: hands over the head (a bar), else feet (a box), else hands (an obstacle that is vaulted).
    Knees and seats bear where they are low and still. A seat of unknown height bears, too, where the thighs are level
    and the centre of mass lies beyond the feet, which then cannot carry it.

    Args:
        body: the person.
        motion: the person's motion.
        height_error: standard error of the height of the soles [m]; contact is as likely as not two of them above
            `CLEARANCE`, and its odds fall e-fold with each.
        scene: surroundings of known shape: feet, knees and seat rest on them as on the ground, hands that are still
            hold them.
    """
    q, fps = motion.q, motion.fps
    v = differentiate(q, fps, SMOOTHING).v

    def moving(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Positions (T, N, 3) m and speeds (T, N) m/s."""
        points, J = body.site_jacobian(q, names)
        return points, np.linalg.norm(np.einsum("tnij,tj->tni", J, v), axis=-1)

    feet = [moving(names) for names in SOLE_SITES.values()]
    limit = CLEARANCE + 2 * height_error
    ground = np.stack(
        [(below(clearance(scene, p), limit, height_error) * resting(speed, SPEED)).max(axis=1) for p, speed in feet],
        axis=1,
    )
    raised = np.stack([resting(speed.min(axis=1), STILL) for _, speed in feet], axis=1)
    hands, speed = moving([name for name in CONTACT_SITES if name not in SOLE_SITES])
    still = resting(speed, STILL)
    overhead = below(-hands[..., 2], -body.site_positions(q, ["head"])[..., 2], height_error)
    unexplained = (1 - ground.max(axis=1)) * resting(1 - carried_share(body, q, fps), 1 - FALL)
    hanging = (still * overhead).max(axis=1)
    on_box = raised * (unexplained * (1 - hanging))[:, None]
    holding = still * unexplained[:, None] * (1 - (1 - overhead) * raised.max(axis=1, keepdims=True))
    if scene is not None:
        holding = np.maximum(holding, still * below(scene.nearest(hands).distance, limit, height_error))
    # Feet come before hands in `CONTACT_SITES`.
    probability = np.concatenate([np.maximum(ground, on_box), holding], axis=1)
    limbs = ContactStates(names=CONTACT_SITES, probability=np.clip(probability, 0, 1), fps=fps)
    points, speed = moving(list(RESTING_SITES.values()))
    low = below(clearance(scene, points), limit + FLESH, height_error)
    soles = np.concatenate([p for p, _ in feet], axis=1)
    beyond = beyond_support(body.centre_of_mass(q), soles)
    joints = body.site_positions(q, ["l_hip", "r_hip", "l_knee", "r_knee"])[..., 2]
    level = below(np.abs(joints[:, :2] - joints[:, 2:]) / body.bones["thigh"], LEVEL, LEVEL_SPREAD)
    seated = level * ((1 - below(beyond, limit, height_error)) * (1 - hanging))[:, None]
    # Knees come before hips in `RESTING_SITES`.
    rests = resting(speed, STILL) * np.concatenate([low[:, :2], np.maximum(low[:, 2:], seated)], axis=1)
    return with_resting(limbs, ContactStates(names=tuple(RESTING_SITES), probability=np.clip(rests, 0, 1), fps=fps))


def below(
    height: Float[np.ndarray, "*S"], limit: float | Float[np.ndarray, "*#S"], error: float
) -> Float[np.ndarray, "*S"]:
    """Falls from 1 far below a height [m] through 1/2 at it."""
    return 1 / (1 + np.exp(np.clip((height - limit) / error, -50, 50)))


def resting(value: Float[np.ndarray, "*S"], half: float) -> Float[np.ndarray, "*S"]:
    """Falls from 1 at 0 through 1/2 at `half`."""
    ratio = np.maximum(np.asarray(value, float), 0) / half
    return 1 / (1 + ratio**SPEED_POWER)


def carried_share(body: Body, q: Float[np.ndarray, "T 99"], fps: float) -> Float[np.ndarray, "T"]:
    """Vertical force that something must give, over the weight: 0 in free fall, 1 at rest."""
    upright = np.tile([0.0, 0, 0, 1], (len(q), 1))
    acceleration = differentiate(np.concatenate([body.centre_of_mass(q), upright], axis=1), fps, SMOOTHING).a[:, 2]
    return np.asarray(1 + acceleration / GRAVITY)
