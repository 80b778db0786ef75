"""Scythe task: standing grass is cut by the edge of the blade, swept over it low, level and fast enough.

Stalks do not resist the blade; `sim.tasks.scythe_cut` says which are cut. The ground does: a blade that is pressed into
it harder than `PRESSED` has dug itself in, and the episode is spoilt. Reward is the share of the stalks cut in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
from jaxtyping import Float

from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.conditions import Conditions
from sim.tasks.grass import CUT_HEIGHT, HEIGHT, PRESSED, RADIUS, SOLVED, grass_scene, stalk_places
from sim.tasks.scythe_cut import sweep
from sim.tasks.scythe_placement import ScythePlacer
from sim.tasks.scythe_stroke import scythe_stroke
from sim.tasks.task import Box
from sim.tool_shape import scythe_blade
from sim.urdf import stalk_urdf, write_urdf

_LYING = np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])
"""Quaternion xyzw of a stalk that has fallen along +x."""


class ScytheTask:
    """Cut the grass."""

    tool = "scythe"
    obs_names = ("patch_x", "patch_y", "patch_z", "cut")
    term_names = ("cut", "dug")
    working = 0.7

    @staticmethod
    def placer(stroke: Motion, tool: Tool) -> ScythePlacer:
        """Sweeps over the grass."""
        return ScythePlacer(stroke, tool)

    @staticmethod
    def scripted() -> Demonstration:
        """An arc about the mower."""
        return scythe_stroke()

    @staticmethod
    def work(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
        """Centre of the patch, at half the height that stalks are cut at [m]."""
        place = grass_scene(scene)
        return np.array([place["patch_x"], place["patch_y"], CUT_HEIGHT / 2])

    @staticmethod
    def obstacles(scene: Mapping[str, float]) -> tuple[Box, ...]:
        """None: grass gives way."""
        grass_scene(scene)
        return ()

    def build(
        self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool, ground: int, *, drawn: bool
    ) -> None:
        """Let the grass grow; physics needs no bodies for it."""
        self._bullet, self._ground, self._size = bullet, ground, tool.head_size
        self._blade, self._rate = scythe_blade(tool), 1 / bullet.time_step
        self._middle, self._rooted = self.work(scene), stalk_places(scene)
        self._bodies = []
        if drawn:
            path = write_urdf(folder, "stalk", stalk_urdf(height=HEIGHT, radius=RADIUS))
            self._bodies = [bullet.load_urdf(path, position=place) for place in self._rooted]
        self.reset(Conditions())

    def reset(self, conditions: Conditions) -> None:
        """All stalks stand again, where they belong."""
        self._stand(conditions)
        self._standing = np.ones(len(self._stalks), bool)
        self._dug = self._told = False
        self._pressure: list[float] = []
        self._poses: list[tuple[np.ndarray, np.ndarray]] = []
        self._draw()

    def watch(self, body: int, link: int) -> None:
        """Remember where the tool is, and whether it is pressed into the ground."""
        self._poses.append(self._bullet.link_pose(body, link))
        self._pressure.append(self._bullet.pressure(body, self._ground))

    def observe(self) -> Float[np.ndarray, "4"]:
        """Centre of the patch [m] and the share that is cut."""
        return np.append(self.target(), self.share)

    def terms(self) -> dict[str, float]:
        """Share of the stalks that this step has cut; -1, once, for a blade in the ground."""
        before, told = self.share, self._told
        self._dug |= bool(np.mean(self._pressure) > PRESSED)
        self._pressure.clear()
        if not self._dug:
            self._mow()
        self._told = self._dug
        return {"cut": self.share - before, "dug": -float(self._dug and not told)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Centre of the patch, at half the height that stalks are cut at [m]."""
        return self._conditions.moved(self._middle, self._middle)

    @property
    def share(self) -> float:
        """Share of the stalks that is cut."""
        return float(1 - self._standing.mean())

    @property
    def solved(self) -> bool:
        """Enough is cut, and the blade has not dug itself in."""
        return not self._dug and self.share >= SOLVED - 1e-9

    @property
    def spoilt(self) -> bool:
        """The blade has dug itself into the ground."""
        return self._dug

    @property
    def over(self) -> bool:
        """Nothing stands any more, or the blade has dug itself in."""
        return self._dug or not self._standing.any()

    def state(self) -> dict[str, Any]:
        """Which stalks stand, the blade's last pose, and what has happened."""
        return {
            "standing": self._standing.copy(),
            "poses": [(p.copy(), q.copy()) for p, q in self._poses],
            "dug": self._dug,
            "told": self._told,
        }

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._stand(conditions)
        self._standing, self._poses = state["standing"].copy(), list(state["poses"])
        self._dug, self._told, self._pressure = state["dug"], state["told"], []
        self._draw()

    def _stand(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._stalks = conditions.moved(self._rooted, self._middle)

    def _mow(self) -> None:
        """Cut what the blade has swept over since the last step, whose last pose is the first one now."""
        if len(self._poses) > 1:
            p, q = (np.array(column) for column in zip(*self._poses, strict=True))
            R = np.stack([pin.Quaternion(row).toRotationMatrix() for row in q])
            centre = p + R @ self._blade.translation
            swept = sweep(R @ self._blade.rotation, centre, self._stalks[self._standing], self._size, self._rate)
            fallen = np.flatnonzero(self._standing)[swept.cut()]
            self._standing[fallen] = False
            if len(fallen):
                self._draw()
        self._poses = self._poses[-1:]

    def _draw(self) -> None:
        """Stalks that are cut lie on the ground."""
        for k, body in enumerate(self._bodies):
            if self._standing[k]:
                self._bullet.place(body, self._stalks[k])
            else:
                self._bullet.place(body, self._stalks[k] + np.array([0.0, 0.0, RADIUS]), _LYING)
