"""Scythe task: standing grass is cut by the edge of the blade, swept over it low, level and fast enough.

Stalks do not resist the blade; `sim.tasks.scythe_cut` says which are cut. The ground does: a blade that is pressed into
it harder than `PRESSED` has dug itself in, and the episode is spoilt. Reward is the share of the stalks cut in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.carried import Carried, Glance
from sim.conditions import Conditions
from sim.tasks.grass import CUT_HEIGHT, HEIGHT, PRESSED, RADIUS, SOLVED, grass_scene, stalk_places
from sim.tasks.scythe_cut import sweep
from sim.tasks.scythe_placement import ScythePlacer
from sim.tasks.scythe_stroke import scythe_stroke
from sim.tasks.task import Box
from sim.tool_shape import scythe_blade
from sim.urdf import stalk_urdf, write_urdf

NEAR = 0.42
"""A blade whose centre is farther than this from that of the patch along an axis, and twice its last step, does not cut
in the next control step [m]: its way is not followed."""

EVERY = 2
"""One physics step in so many is looked at: the blade moves straight enough in between."""

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
        self._edge: Carried | None = None
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
        self._near, self._steps = True, 0
        self._count()
        self._dug = self._told = False
        self._pressure: list[float] = []
        self._poses: list[Glance] = []
        self._draw()

    def watch(self, body: int, link: int) -> None:
        """Remember where the tool is, if it is near the grass, and how it is pressed into the ground."""
        self._steps += 1
        if self._steps % EVERY:
            return
        if self._edge is None:
            self._edge = Carried(self._bullet, body, link, self._blade)
        if self._near:
            self._poses.append(self._edge.glance())
        self._pressure.append(self._bullet.pressure(body, self._ground))

    def observe(self) -> Float[np.ndarray, "4"]:
        """Centre of the patch [m] and the share that is cut."""
        return np.array([*self._target.tolist(), self._share])

    def terms(self) -> dict[str, float]:
        """Share of the stalks that this step has cut; -1, once, for a blade in the ground."""
        before, told = self._share, self._told
        self._dug = self._dug or sum(self._pressure) > PRESSED * len(self._pressure)
        self._pressure.clear()
        self._mow()
        self._told = self._dug
        return {"cut": self._share - before, "dug": -float(self._dug and not told)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Centre of the patch, at half the height that stalks are cut at [m]."""
        return self._target

    @property
    def share(self) -> float:
        """Share of the stalks that is cut."""
        return self._share

    @property
    def solved(self) -> bool:
        """Enough is cut, and the blade has not dug itself in."""
        return not self._dug and self._share >= SOLVED - 1e-9

    @property
    def spoilt(self) -> bool:
        """The blade has dug itself into the ground."""
        return self._dug

    @property
    def over(self) -> bool:
        """Nothing stands any more, or the blade has dug itself in."""
        return self._dug or self._share == 1

    def state(self) -> dict[str, Any]:
        """Which stalks stand, the blade's last pose, and what has happened."""
        return {
            "standing": self._standing.copy(),
            "poses": list(self._poses),
            "near": self._near,
            "steps": self._steps,
            "dug": self._dug,
            "told": self._told,
        }

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._stand(conditions)
        self._standing, self._poses = state["standing"].copy(), list(state["poses"])
        self._near, self._steps = state["near"], state["steps"]
        self._count()
        self._dug, self._told, self._pressure = state["dug"], state["told"], []
        self._draw()

    def _stand(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._stalks = conditions.moved(self._rooted, self._middle)
        self._target = conditions.moved(self._middle, self._middle)

    def _count(self) -> None:
        """See what stands, and the share that does not."""
        self._upright = self._stalks[self._standing]
        self._share = 1 - len(self._upright) / len(self._stalks)

    def _mow(self) -> None:
        """Cut what the blade has swept over since the last step, whose last pose is the first one now."""
        if self._edge is None:
            return
        if not self._near:
            self._poses.append(self._edge.glance())
        if not self._poses:
            return
        R, centre = self._edge.poses(self._poses)
        if self._near and not self._dug and len(centre) > 1:
            swept = sweep(R, centre, self._upright, self._size, self._rate)
            if len(swept.stalk):
                self._standing[self._standing] = ~swept.cut()
                self._count()
                self._draw()
        self._poses = self._poses[-1:]
        ways = zip(centre[0].tolist(), centre[-1].tolist(), self._target.tolist(), strict=True)
        self._near = all(abs(now - target) < NEAR + 2 * abs(now - before) for before, now, target in ways)

    def _draw(self) -> None:
        """Stalks that are cut lie on the ground."""
        for k, body in enumerate(self._bodies):
            if self._standing[k]:
                self._bullet.place(body, self._stalks[k])
            else:
                self._bullet.place(body, self._stalks[k] + np.array([0.0, 0.0, RADIUS]), _LYING)
