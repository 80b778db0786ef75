"""What moves bodies: motors of joints, brakes, and constraints that pull."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sim.bullet.client import Bullet
from sim.bullet.engine import pb

Order = tuple[Any, ...]
"""Arguments of a function of the engine, by place: by name, it takes twice as long."""
_UNCHANGED = (0.0, -1, 1e32, -1.0)
"""Gear ratio and link, relative position and error reduction of a constraint: values that PyBullet passes over."""


class Drive(NamedTuple):
    """What drives a body through every physics step; a function of ours in between would cost as much again."""

    carry_out: Callable[..., None]
    """The engine's own function, to call with an order's numbers."""
    order: Callable[[Sequence[float], Sequence[float]], Order]
    """Make an order of lists: converting arrays takes longer than the engine does."""


def motors(bullet: Bullet, body: int, joints: Sequence[int], force: Sequence[float], *, gain: float) -> Drive:
    """What drives joints towards positions and velocities with limited force or torque [N, N m]."""
    client, mode, gains, damping = bullet.client, pb.POSITION_CONTROL, [gain] * len(joints), [1.0] * len(joints)

    def towards(position: Sequence[float], velocity: Sequence[float]) -> Order:
        return body, joints, mode, position, velocity, force, gains, damping, client

    return Drive(pb.setJointMotorControlArray, towards)


def brake(bullet: Bullet, body: int, joint: int, force: float) -> None:
    """Hold a joint at rest with a limited force [N]: dry friction."""
    pb.setJointMotorControl2(
        body, joint, pb.VELOCITY_CONTROL, targetVelocity=0.0, force=force, physicsClientId=bullet.client
    )


def hold(bullet: Bullet, body: int, force: float) -> Drive:
    """Attach a body to a point of the world by a fixed constraint of limited force [N].

    Returns what moves the point to a position and quaternion.
    """
    p, q = bullet.pose(body)
    offset, turn = bullet.inertial(body)
    back_p, back_q = pb.invertTransform(offset, turn)
    constraint = pb.createConstraint(
        body,
        -1,
        -1,
        -1,
        pb.JOINT_FIXED,
        [0, 0, 0],
        back_p,
        p.tolist(),
        back_q,
        q.tolist(),
        physicsClientId=bullet.client,
    )
    rest = force, *_UNCHANGED, bullet.client

    def at(position: Sequence[float], quaternion: Sequence[float]) -> Order:
        return constraint, position, quaternion, *rest

    pb.changeConstraint(*at(p.tolist(), q.tolist()))
    return Drive(pb.changeConstraint, at)
