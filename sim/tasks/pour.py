"""Pour task: grains go from a jug into a cup, which may not be pushed about or knocked over.

The jug is full when an episode begins. Reward is sparse: what more of the grains lies in the cup, and 1 when it is
enough.
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
from sim.tasks.pour_placement import PourPlacer
from sim.tasks.pour_scene import CUP, GRAINS, HEIGHT, MOVED, NEEDED, THICK, UPRIGHT, Cup, filling, place_of
from sim.tasks.pour_stroke import pour_stroke
from sim.tasks.task import Box


class PourTask(GrainTask):
    """Pour the jug into the cup."""

    tool = "jug"
    working = 2.0
    obs_names = ("cup_x", "cup_y", "cup_up", "left", "moved")
    grains: GrainKind = GRAINS
    """What is poured."""
    needed = NEEDED

    def __init__(self) -> None:
        super().__init__()
        self._in_jug = np.zeros(self.grains.count, bool)
        self._home = np.zeros(3)

    @staticmethod
    def placer(stroke: Motion, tool: Tool) -> PourPlacer:
        """Tilts of the jug over the cup."""
        return PourPlacer(stroke, tool)

    @staticmethod
    def scripted() -> Demonstration:
        """Lift, carry, tilt, return."""
        return pour_stroke()

    @staticmethod
    def work(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
        """Middle of the cup's rim [m]."""
        return place_of(scene) + np.array([0.0, 0.0, HEIGHT + THICK])

    @staticmethod
    def obstacles(scene: Mapping[str, float]) -> tuple[Box, ...]:
        """The cup."""
        x, y, _ = place_of(scene).tolist()
        half = CUP / 2 + THICK
        return (Box((x, y, (HEIGHT + THICK) / 2), (half, half, (HEIGHT + THICK) / 2)),)

    def build(
        self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool, ground: int, *, drawn: bool
    ) -> None:
        """Create cup and grains."""
        self._bullet, self._tool = bullet, tool
        self._place = place_of(scene)
        self._work = self.work(scene)
        self._cup = Cup(bullet, folder)
        self._cup.place(self._place, Conditions().quaternion)
        self._grains = Grains(bullet, self.grains)
        self._filling = filling(self.grains, tool)
        self._grains.place(self._filling + np.array([0.0, 0.0, 1.0]))

    def reset(self, conditions: Conditions) -> None:
        """Put the cup where these conditions have it, and fill the jug."""
        self._weigh(conditions)
        self._cup.place(self._home, conditions.quaternion)
        jug = self._tool_pose()
        self._grains.place(self._filling @ jug.rotation.T + jug.translation)
        self._bullet.anew()
        self._begin()
        self._look()

    def observe(self) -> Sequence[float]:
        """Where the cup stands now [m], how upright it is, and the shares of the grains in the jug and in the cup."""
        cup = self._cup.pose()
        return *cup.translation[:2].tolist(), float(cup.rotation[2, 2]), self.left, self.moved

    def target(self) -> Float[np.ndarray, "3"]:
        """Middle of the cup's rim [m]."""
        return np.asarray(self._cup.pose().act(np.array([0.0, 0.0, HEIGHT + THICK])))

    @property
    def left(self) -> float:
        """Share of the grains that are in the jug."""
        return float(self._in_jug.mean())

    def _weigh(self, conditions: Conditions) -> None:
        self._home = conditions.moved(self._place, self._work)
        self._cup.weigh(conditions)
        self._grains.weigh(conditions)

    def _look(self) -> None:
        """See where everything is; once a control step."""
        points, cup, jug = self._grains.positions(), self._cup.pose(), self._tool_pose()
        pushed = float(np.linalg.norm(cup.translation[:2] - self._home[:2]))
        self._spoilt |= bool(pushed > MOVED or cup.rotation[2, 2] < UPRIGHT)
        self._arrived = in_cup((points - cup.translation) @ cup.rotation, self.grains.radius)
        local = (points - jug.translation) @ jug.rotation - self._tool.p_head
        self._in_jug = (np.abs(local) < np.array(self._tool.head_size) / 2).all(axis=1)


def in_cup(points: Float[np.ndarray, "N 3"], radius: float) -> Bool[np.ndarray, "N"]:
    """Which grains are in the cup: centres, in its frame [m], within its walls and at most a radius above its rim."""
    inside = (np.abs(points[:, :2]) < CUP / 2).all(axis=1)
    return np.asarray(inside & (points[:, 2] > 0) & (points[:, 2] < THICK + HEIGHT + radius))
