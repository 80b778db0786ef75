"""Spade task: sand is carried from a deposit into a box, which may not be pushed about.

The tool touches the ground, the walls and the sand like everything else. Reward is sparse: what more of the sand lies
in the box, and 1 when it is enough; the task is spoilt when the box or the deposit is pushed away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.conditions import Conditions
from sim.grains import GrainKind, Grains
from sim.tasks.grain_task import GrainTask
from sim.tasks.spade_path import about_z
from sim.tasks.spade_placement import SpadePlacer
from sim.tasks.spade_scene import (
    BOX,
    BOX_MOVED,
    DEPOSIT,
    DEPOSIT_MOVED,
    HEIGHT,
    NEEDED,
    SAND,
    WALL,
    Slider,
    deposit,
    goal_box,
    heap,
    places,
)
from sim.tasks.spade_stroke import spade_stroke
from sim.tasks.task import Box
from sim.tool_shape import BACK, blade_frame

REST = 0.25
"""The tool's head waits about this high above the box [m] when it tips."""


class SpadeTask(GrainTask):
    """Carry sand into the box."""

    tool = "spade"
    obs_names = ("sand_x", "sand_y", "box_x", "box_y", "carried", "moved")
    working = np.inf
    grains: GrainKind = SAND
    needed = NEEDED

    def __init__(self) -> None:
        super().__init__()
        self._on_blade = np.zeros(self.grains.count, bool)

    @staticmethod
    def placer(stroke: Motion, tool: Tool) -> SpadePlacer:
        """Scoops through the deposit that end over the box."""
        return SpadePlacer(stroke, tool)

    @staticmethod
    def scripted() -> Demonstration:
        """Scoop, lift, carry, tip."""
        return spade_stroke()

    @staticmethod
    def work(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
        """Middle of the deposit [m]."""
        return places(scene)[0]

    @staticmethod
    def obstacles(scene: Mapping[str, float]) -> tuple[Box, ...]:
        """The box, and the deposit in whatever direction it is open."""
        sand, yaw, box = places(scene)
        turned = (abs(np.cos(yaw)) + abs(np.sin(yaw))) * (DEPOSIT / 2 + WALL)
        return tuple(
            Box((float(at[0]), float(at[1]), HEIGHT / 2), (float(half), float(half), HEIGHT / 2))
            for at, half in ((sand, turned), (box, BOX / 2 + WALL))
        )

    def build(
        self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool, ground: int, *, drawn: bool
    ) -> None:
        """Create deposit, box and grains."""
        self._bullet, self._tool, self._blade = bullet, tool, blade_frame(tool)
        self._sand, self._yaw, self._box = places(scene)
        self._deposit, self._goal = deposit(bullet, folder), goal_box(bullet, folder)
        self._grains = Grains(bullet, self.grains)
        self._heap = heap(self.grains) @ about_z(self._yaw).T + self._sand
        self._grains.place(self._heap)

    def reset(self, conditions: Conditions) -> None:
        """Put deposit, box and heap where these conditions have them."""
        for slider, (position, yaw) in self._homes(conditions):
            slider.reset(position, yaw, conditions)
        self._grains.weigh(conditions)
        self._grains.place(conditions.moved(self._heap, self._sand))
        self._bullet.anew()
        self._begin()
        self._look()

    def observe(self) -> Sequence[float]:
        """Where deposit and box stand now [m], and the shares of the grains on the blade and in the box."""
        (x, y, _), (box_x, box_y, _) = (slider.pose()[0].tolist() for slider in (self._deposit, self._goal))
        return x, y, box_x, box_y, self.carried, self.moved

    def target(self) -> Float[np.ndarray, "3"]:
        """The deposit, until the blade carries enough; then a place above the box [m]."""
        if max(self.carried, self.moved) < NEEDED:
            return self._deposit.pose()[0]
        return self._goal.pose()[0] + [0.0, 0.0, REST]

    @property
    def carried(self) -> float:
        """Share of the grains that lie on the blade."""
        return float(self._on_blade.mean())

    def _weigh(self, conditions: Conditions) -> None:
        for slider, (position, yaw) in self._homes(conditions):
            slider.belong(position, yaw, conditions)
        self._grains.weigh(conditions)

    def _homes(self, conditions: Conditions) -> tuple[tuple[Slider, tuple[np.ndarray, float]], ...]:
        """Deposit and box, and where they belong [m, rad]."""
        sand, box = (conditions.moved(at, self._sand) for at in (self._sand, self._box))
        return (self._deposit, (sand, self._yaw + conditions.yaw)), (self._goal, (box, conditions.yaw))

    def _look(self) -> None:
        """See where everything is; once a control step."""
        points = self._grains.positions()
        self._deposit.look()
        self._goal.look()
        self._spoilt |= self._deposit.pushed > DEPOSIT_MOVED or self._goal.pushed > BOX_MOVED
        self._arrived = in_box(points, *self._goal.pose(), self.grains.radius)
        blade = self._tool_pose() * self._blade
        self._on_blade = on_blade((points - blade.translation) @ blade.rotation, self._tool, self.grains.radius)


def in_box(
    points: Float[np.ndarray, "N 3"], middle: Float[np.ndarray, "3"], yaw: float, radius: float
) -> Bool[np.ndarray, "N"]:
    """Which grains lie in a box: their centres within its walls, and not above them by more than a radius [m]."""
    local = (points - middle) @ about_z(yaw)
    return np.asarray((np.abs(local[:, :2]) < BOX / 2).all(axis=1) & (local[:, 2] < HEIGHT + radius))


def on_blade(points: Float[np.ndarray, "N 3"], tool: Tool, radius: float) -> Bool[np.ndarray, "N"]:
    """Which grains lie on the blade: above its plate, no further than the rim of its back and a grain are high.

    Args:
        points: centres of grains in the frame of the blade [m].
        tool: the spade.
        radius: of a grain [m].
    """
    half = np.array(tool.head_size[:2]) / 2
    return np.asarray(
        (np.abs(points[:, :2]) < half).all(axis=1) & (points[:, 2] > 0) & (points[:, 2] < BACK + 2 * radius)
    )
