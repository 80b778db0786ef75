"""The visible body of the studio: skin, face, hair, hands and clothes around the joints of the human model.

All shapes are given in the T-pose, in the axes of the human model: x to the person's left, y up, z forward.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from motion.body import Body
from sim.flesh import Flesh, Limb
from sim.mesh import SkinnedMesh, joined_skins
from sim.studio_hand import hand_flesh
from sim.studio_head import head_skins

Colour = tuple[float, float, float]
"""Reflectance, linear RGB."""
BODY_SPACING, HAND_SPACING = 0.012, 0.006
"""Grids on which the surfaces are found [m]."""

SKINS = ((0.55, 0.33, 0.23), (0.47, 0.27, 0.18), (0.36, 0.20, 0.13), (0.22, 0.11, 0.07), (0.12, 0.06, 0.04))
HAIRS = ((0.015, 0.012, 0.010), (0.05, 0.028, 0.016), (0.16, 0.09, 0.04), (0.30, 0.20, 0.09), (0.25, 0.24, 0.23))
SHIRTS = ((0.45, 0.05, 0.05), (0.05, 0.16, 0.36), (0.07, 0.25, 0.12), (0.50, 0.46, 0.40), (0.35, 0.18, 0.04))
TROUSERS = ((0.03, 0.05, 0.12), (0.06, 0.06, 0.065), (0.22, 0.16, 0.09), (0.08, 0.11, 0.19), (0.11, 0.12, 0.07))
SHOES = ((0.02, 0.02, 0.02), (0.16, 0.08, 0.04), (0.40, 0.38, 0.36))
"""Reflectances, linear RGB."""


SHORT, LONG = 0.42, 0.97
"""Length of sleeves over that of the arm."""
SHORT_SLEEVED = 0.6
"""Share of people in short sleeves."""
USUAL_BODY_MASS_INDEX = 23.0
"""Of the person whose girth the shapes are given for [kg/m^2]."""
TO_ELBOW = 0.56
"""Length of the upper arm over that of the arm."""


class Look(NamedTuple):
    """Colours and cut of a person."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    sleeve: float
    """Length of the sleeves, over that of the arm."""
    pattern: int
    """Of the shirt: 0 plain, 1 stripes, 2 checks."""
    girth: float
    """Thickness of the body over the usual."""


def draw_look(rng: np.random.Generator, body: Body) -> Look:
    """Draw colours and cut; the girth follows from the body mass index."""

    def one_of(table: tuple[Colour, ...]) -> Colour:
        return table[int(rng.integers(len(table)))]

    return Look(
        skin=one_of(SKINS),
        hair=one_of(HAIRS),
        shirt=one_of(SHIRTS),
        trousers=one_of(TROUSERS),
        shoes=one_of(SHOES),
        sleeve=SHORT if rng.uniform() < SHORT_SLEEVED else LONG,
        pattern=int(rng.integers(3)),
        girth=float(np.sqrt(body.mass / body.height**2 / USUAL_BODY_MASS_INDEX)),
    )


def dress(body: Body, look: Look, side: str) -> SkinnedMesh:
    """Build the person; the hand on `side` (`l` or `r`) is closed around a handle."""
    rest = rest_joints(body)
    frame = _Frame(body, rest, look.girth)
    parts = [
        _coloured(_shirt(frame, look.sleeve).skin(rest), look.shirt, look.pattern),
        _coloured(_trousers(frame).skin(rest), look.trousers),
        _coloured(_skin(frame).skin(rest), look.skin),
        *head_skins(body, rest, look.skin, look.hair),
    ]
    for foot in ("l", "r"):
        shoe = _coloured(_shoe(frame, foot).skin(rest), look.shoes)
        heights = shoe.mesh.vertices[:, 1] - shoe.mesh.vertices[:, 1].min()
        shoe.mesh.colours[heights < 0.02] = 0.6 * np.array([0.8, 0.78, 0.75])
        parts.append(shoe)
        hand = hand_flesh(body, rest, foot, closed=foot == side, spacing=HAND_SPACING)
        parts.append(_coloured(hand.skin(rest), look.skin))
    return joined_skins(parts)


def rest_joints(body: Body) -> Float[np.ndarray, "24 3"]:
    """Joint positions of the T-pose with the pelvis at the origin [m]."""
    p = np.zeros((24, 3))
    for j in range(1, 24):
        p[j] = p[body.parents[j]] + body.offsets[j]
    return p


class _Frame:
    """Places and measures of a body in the T-pose."""

    def __init__(self, body: Body, rest: np.ndarray, girth: float) -> None:
        self.body, self.rest, self.unit = body, rest, body.height * girth
        self.index = body.joint_names.index

    def at(self, joint: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
        """A point beside a joint, by shares of the stature [m]."""
        return self.rest[self.index(joint)] + self.body.height * np.array([x, y, z])

    def between(self, a: str, b: str, share: float) -> np.ndarray:
        """A point on the line between two joints [m]."""
        return (1 - share) * self.at(a) + share * self.at(b)

    def limb(
        self,
        joint: str,
        a: np.ndarray,
        b: np.ndarray,
        radius_a: float,
        radius_b: float,
        flat: tuple[float, float, float] = (1, 1, 1),
    ) -> Limb:
        """A limb with radii as shares of the stature."""
        return Limb(self.index(joint), a, b, radius_a * self.unit, radius_b * self.unit, flat)


def _shirt(f: _Frame, sleeve: float) -> Flesh:
    deep = (1.0, 1.0, 0.74)
    limbs = [
        f.limb("pelvis", f.at("pelvis", -0.030, -0.030), f.at("pelvis", 0.030, -0.030), 0.074, 0.074, flat=deep),
        f.limb("spine1", f.at("spine1", -0.022, -0.03), f.at("spine1", 0.022, -0.03), 0.066, 0.066, flat=deep),
        f.limb("spine2", f.at("spine2", -0.028, -0.02), f.at("spine2", 0.028, -0.02), 0.068, 0.068, flat=deep),
        f.limb(
            "spine3", f.at("spine3", -0.042, -0.01, 0.004), f.at("spine3", 0.042, -0.01, 0.004), 0.067, 0.067, flat=deep
        ),
        f.limb("spine3", f.at("spine3", -0.045, 0.035), f.at("spine3", 0.045, 0.035), 0.055, 0.055, flat=deep),
    ]
    for side, x in (("l", 1.0), ("r", -1.0)):
        collar, shoulder = f"{side}_collar", f"{side}_shoulder"
        hem = f.between(shoulder, f"{side}_elbow", min(1.0, sleeve / TO_ELBOW))
        limbs += [
            f.limb(collar, f.at(collar, 0, 0.012), f.at(shoulder, -0.01 * x, 0.004), 0.034, 0.036),
            f.limb(shoulder, f.at(shoulder), hem, 0.037, 0.032),
        ]
        if sleeve > TO_ELBOW:
            share = (sleeve - TO_ELBOW) / (1 - TO_ELBOW)
            end = f.between(f"{side}_elbow", f"{side}_wrist", share)
            limbs.append(f.limb(f"{side}_elbow", f.at(f"{side}_elbow"), end, 0.030, 0.021))
    neckline = (f.at("neck", y=0.012), np.array([0.0, 1.0, 0.25]) / np.hypot(1.0, 0.25))
    return Flesh(tuple(limbs), 0.014, BODY_SPACING, (neckline,))


def _trousers(f: _Frame) -> Flesh:
    seat = [f.at("pelvis", x, -0.028, -0.004) for x in (-0.034, 0.034)]
    limbs = [f.limb("pelvis", seat[0], seat[1], 0.066, 0.066, flat=(1, 1, 0.84))]
    for side in ("l", "r"):
        hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
        calf = np.add(f.between(knee, ankle, 0.35), [0, 0, -0.012])
        limbs += [
            f.limb(hip, f.at(hip, 0, -0.01), f.between(hip, knee, 0.45), 0.053, 0.047),
            f.limb(hip, f.between(hip, knee, 0.45), f.at(knee), 0.047, 0.035),
            f.limb(knee, f.at(knee), calf, 0.035, 0.034),
            f.limb(knee, calf, f.between(knee, ankle, 0.96), 0.034, 0.028),
        ]
    return Flesh(tuple(limbs), 0.007, BODY_SPACING)


def _skin(f: _Frame) -> Flesh:
    limbs = [f.limb("neck", f.at("neck", y=-0.02, z=-0.004), f.at("head", y=0.02), 0.033, 0.030)]
    for side in ("l", "r"):
        shoulder, elbow, wrist = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
        limbs += [
            f.limb(shoulder, f.between(shoulder, elbow, 0.3), f.at(elbow), 0.029, 0.024),
            f.limb(elbow, f.at(elbow), f.between(elbow, wrist, 0.3), 0.024, 0.0255),
            f.limb(elbow, f.between(elbow, wrist, 0.3), f.between(elbow, wrist, 1.0), 0.0255, 0.0165),
        ]
    return Flesh(tuple(limbs), 0.004, 0.009)


def _shoe(f: _Frame, side: str) -> Flesh:
    ankle, ball = f"{side}_ankle", f"{side}_foot"
    length = f.body.bones["foot"]
    sole = -0.4875 * length
    heel = np.add(f.at(ankle), [0, sole + 0.034, -0.22 * length])
    middle = np.add(f.at(ball), [0, 0.030, 0])
    tip = np.add(f.at(ball), [0, 0.026, 0.36 * length])
    instep = np.add(f.at(ankle), [0, 0.01, -0.01])
    limbs = (
        Limb(f.index(ankle), heel, middle, 0.036, 0.043, (1.0, 0.8, 1.0)),
        Limb(f.index(ankle), instep, np.add(middle, [0, 0.004, -0.03]), 0.038, 0.034),
        Limb(f.index(ball), middle, tip, 0.043, 0.034, (1.05, 0.72, 1.0)),
    )
    floor = (np.add(f.at(ankle), [0, sole, 0]), np.array([0.0, -1.0, 0.0]))
    return Flesh(limbs, 0.010, 0.009, (floor,))


def _coloured(skin: SkinnedMesh, colour: Colour, pattern: int = 0) -> SkinnedMesh:
    colours = np.tile(np.array(colour), (len(skin.mesh.vertices), 1))
    x, y, _ = skin.mesh.vertices.T
    if pattern:
        stripe = 0.75 + 0.5 * (np.sin(2 * np.pi * y / 0.06) > 0.3)
        checks = 0.85 + 0.3 * (np.sin(2 * np.pi * x / 0.07) > 0.3)
        colours *= (stripe * checks if pattern == 2 else stripe)[:, None]
    return skin._replace(mesh=skin.mesh._replace(colours=np.clip(colours, 0, 1)))
