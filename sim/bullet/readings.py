"""Where links and joints are, for every step: functions that are made once.

They name their arguments to PyBullet by place: by name, it takes twice as long.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.bullet.client import Bullet
from sim.bullet.engine import STILL, UPRIGHT, Pose, Triple, pb


def quick_pose(bullet: Bullet, body: int, link: int) -> Callable[[], Pose]:
    """What tells where the engine has a link: its centre of mass for a base, see `quick_frame`."""
    base, state, client = pb.getBasePositionAndOrientation, pb.getLinkState, bullet.client

    def of_base() -> Pose:
        return base(body, client)

    def of_link() -> Pose:
        return state(body, link, 0, 1, client)[4:6]

    return of_base if link < 0 else of_link


def quick_frame(bullet: Bullet, body: int, link: int) -> Pose:
    """The frame of `quick_pose` in the link's URDF frame."""
    return bullet.inertial(body) if link < 0 else (STILL, UPRIGHT)


def joint_position(bullet: Bullet, body: int, joint: int) -> Callable[[], float]:
    """What tells the position of one joint [m, rad]."""
    state, client = pb.getJointState, bullet.client

    def position() -> float:
        return state(body, joint, client)[0]

    return position


def bounds(bullet: Bullet, body: int, link: int) -> Callable[[], tuple[Triple, Triple]]:
    """What tells the lower and the upper corner of the bounding box of a link [m]."""
    box, client = pb.getAABB, bullet.client

    def corners() -> tuple[Triple, Triple]:
        return box(body, link, client)

    return corners
