"""Where bodies touch, and how hard: contacts of the last physics step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.bullet.client import Bullet
from sim.bullet.engine import ANY, Triple, pb


class Contact(NamedTuple):
    """Where two bodies touch."""

    point: Triple
    """On the first body, in the world [m]."""
    normal: Triple
    """Pointing from the second body to the first, in the world."""
    force: float
    """Along the normal [N]."""


def contacts(
    bullet: Bullet, body: int, other: int, *, other_link: int = ANY, above: float = -1.0
) -> Callable[[], Sequence[Contact]]:
    """What tells contacts of a body with another one, or with a link of it, of more than a force [N], last step."""
    points, client = pb.getContactPoints, bullet.client

    def touching() -> Sequence[Contact]:
        found = points(body, other, ANY, other_link, client)
        return [Contact(c[5], c[7], c[9]) for c in found if c[9] > above] if found else ()

    return touching


def pressure(bullet: Bullet, body: int, other: int) -> Callable[[], float]:
    """What tells the normal force between two bodies in the last step [N]."""
    points, client = pb.getContactPoints, bullet.client

    def pressed() -> float:
        found = points(body, other, ANY, ANY, client)
        return sum([contact[9] for contact in found]) if found else 0.0

    return pressed


def touch(bullet: Bullet, body: int, link: int) -> tuple[float, float, float]:
    """Force on a link by all that is not of its body, normal and friction, in the last step, world axes [N].

    All contacts are asked for: with a body named, the engine turns the normals to it, but not the friction.
    """
    x = y = z = 0.0
    if not pb.getContactPoints(body, ANY, link, ANY, bullet.client):
        return x, y, z
    for c in pb.getContactPoints(physicsClientId=bullet.client):
        first, second = (c[1], c[3]) == (body, link), (c[2], c[4]) == (body, link)
        if first == second or c[1] == c[2]:
            continue
        sign = 1 if first else -1
        for force, (a, b, d) in ((c[9], c[7]), (c[10], c[11]), (c[12], c[13])):
            x, y, z = x + sign * force * a, y + sign * force * b, z + sign * force * d
    return x, y, z
