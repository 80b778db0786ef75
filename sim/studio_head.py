"""Head of the studio's person: skull, jaw, nose, ears and hair, with eyes, brows and mouth painted on.

Measures are shares of the head's bone (from the joint between the ears to the crown); eyes, ears, nose and mouth lie
where the human model has them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.body import Body
from sim.flesh import Flesh, Limb
from sim.mesh import SkinnedMesh

SPACING = 0.0045
"""Grid on which the surface is found [m]."""
EYE_WHITE, IRIS, LIPS = (0.75, 0.73, 0.70), (0.03, 0.025, 0.02), (0.38, 0.10, 0.09)
"""Reflectances, linear RGB."""


def head_skins(
    body: Body,
    rest: Float[np.ndarray, "24 3"],
    skin: tuple[float, float, float],
    hair: tuple[float, float, float],
) -> list[SkinnedMesh]:
    """Head and hair in the given colours."""
    joint, unit = body.joint_names.index("head"), body.bones["head"]
    origin = rest[joint]

    def at(x: float, y: float, z: float) -> np.ndarray:
        return origin + unit * np.array([x, y, z])

    def ball(x: float, y: float, z: float, radius: float, flat: tuple[float, float, float]) -> Limb:
        return Limb(joint, at(x, y, z), at(x, y, z), unit * radius, unit * radius, flat)

    features = [
        ball(0, 0.42, 0.06, 0.50, (0.86, 1.10, 1.04)),
        ball(0, -0.02, 0.20, 0.36, (0.92, 1.05, 0.95)),
        Limb(joint, at(-0.06, -0.28, 0.36), at(0.06, -0.28, 0.36), unit * 0.13, unit * 0.13),
        Limb(joint, at(0, 0.26, 0.52), at(0, 0.10, 0.60), unit * 0.05, unit * 0.095),
    ]
    features += [ball(0.47 * x, 0.18, 0.02, 0.15, (0.35, 1.15, 0.75)) for x in (1.0, -1.0)]
    face = Flesh(tuple(features), 0.06 * unit, SPACING).skin(rest)
    shell = Flesh(
        (
            ball(0, 0.46, 0.00, 0.54, (0.90, 1.10, 1.06)),
            ball(0, 0.10, -0.18, 0.36, (1.05, 1.0, 0.9)),
        ),
        0.06 * unit,
        SPACING * 1.5,
        (
            (at(0, 0.62, 0.42), _unit(0, -0.55, 0.83)),
            (at(0, -0.10, 0), _unit(0, -1, 0.0)),
            (at(0, 0.45, 0.06), _unit(0, -0.75, 0.66)),
        ),
    ).skin(rest)
    shell.mesh.colours[:] = hair
    _paint(face, (face.mesh.vertices - origin) / unit, np.array(skin))
    return [face, shell]


def _paint(face: SkinnedMesh, p: Float[np.ndarray, "V 3"], skin: np.ndarray) -> None:
    """Colour the face; `p` are its vertices in head units."""
    colours = face.mesh.colours
    colours[:] = skin
    front = p[:, 2] > 0.3
    cheeks = front & (np.hypot(np.abs(p[:, 0]) - 0.22, p[:, 1] - 0.05) < 0.13)
    colours[cheeks] = skin * [1.12, 0.95, 0.92]
    x, y = np.abs(p[:, 0]) - 0.20, p[:, 1] - 0.29
    colours[front & (np.hypot(x / 0.125, y / 0.075) < 1)] = 0.75 * skin
    colours[front & (np.hypot(x / 0.10, y / 0.05) < 1)] = EYE_WHITE
    colours[front & (np.hypot(x, y) < 0.05)] = IRIS
    colours[front & (np.abs(x) < 0.13) & (np.abs(y - 0.13 + 0.8 * x**2 * 4) < 0.028)] = 0.25 * skin
    colours[front & (np.hypot(p[:, 0] / 0.17, (p[:, 1] + 0.15) / 0.055) < 1)] = LIPS
    colours[front & (np.abs(p[:, 0]) < 0.15) & (np.abs(p[:, 1] + 0.15) < 0.012)] = 0.3 * np.array(LIPS)
    nostrils = front & (np.hypot(np.abs(p[:, 0]) - 0.05, p[:, 1] - 0.03) < 0.03)
    colours[nostrils] = 0.4 * skin


def _unit(x: float, y: float, z: float) -> np.ndarray:
    return np.array([x, y, z]) / np.sqrt(x * x + y * y + z * z)
