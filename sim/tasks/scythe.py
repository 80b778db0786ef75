"""Scythe task: standing grass is cut by the edge of the blade, swept over it low, level and fast enough.

Stalks do not resist the blade; `sim.tasks.scythe_cut` says which are cut. The ground does: a blade that is pressed into
it harder than `PRESSED` has dug itself in, and the episode is spoilt. Reward is the share of the stalks cut in a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from motion.tool import Tool
from records import Demonstration, Motion
from sim.bullet import Bullet
from sim.bullet.contacts import pressure
from sim.carried import Carried, Carrier
from sim.conditions import Conditions
from sim.tasks.grass import CUT_HEIGHT, HEIGHT, PRESSED, RADIUS, SOLVED, grass_scene, stalk_places
from sim.tasks.scythe_cut import Edge, edge_of, swept
from sim.tasks.scythe_placement import ScythePlacer
from sim.tasks.scythe_stroke import scythe_stroke
from sim.tasks.task import Box
from sim.tool_shape import scythe_blade
from sim.urdf import stalk_urdf, write_urdf

EVERY = 2
"""One physics step in so many is looked at for how the tool is pressed into the ground."""

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
        self._mounted = scythe_blade(tool)
        self._middle, self._rooted = self.work(scene), stalk_places(scene)
        self._bodies = []
        if drawn:
            path = write_urdf(folder, "stalk", stalk_urdf(height=HEIGHT, radius=RADIUS))
            self._bodies = [bullet.load_urdf(path, position=place) for place in self._rooted]
        self._stand(Conditions())
        self._leave(range(len(self._stalks)))

    def equip(self, carrier: Carrier, *, substeps: int, reach: float) -> None:
        """See where the blade is, and how it is pressed into the ground."""
        self._blade = Carried(carrier, self._mounted)
        self._presses = pressure(self._bullet, carrier.body, self._ground)
        self._substeps, self._rate = substeps, 1 / (substeps * self._bullet.time_step)
        self._begin()

    def reset(self, conditions: Conditions) -> None:
        """All stalks stand again, where they belong."""
        self._stand(conditions)
        self._leave(range(len(self._stalks)))
        self._begin()

    def _begin(self) -> None:
        """The blade is where it begins, and has not dug itself in."""
        self._edge: Edge = edge_of(self._blade.posture(), self._size)
        self._dug = self._told = False
        self._pressure: list[float] = []

    def quiet(self) -> int:
        """All but some and the last one."""
        return (self._substeps - 1) % EVERY

    def watch(self) -> int:
        """Remember how the tool is pressed into the ground."""
        self._pressure.append(self._presses())
        return EVERY - 1

    def observe(self) -> Sequence[float]:
        """Centre of the patch [m] and the share that is cut."""
        return *self._at, self.share

    def terms(self) -> dict[str, float]:
        """Share of the stalks that this step has cut; -1, once, for a blade in the ground."""
        before, told = self.share, self._told
        self._dug = self._dug or sum(self._pressure) > PRESSED * len(self._pressure)
        self._pressure.clear()
        if not self._dug:
            self._mow()
        self._told = self._dug
        return {"cut": self.share - before, "dug": -float(self._dug and not told)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Centre of the patch, at half the height that stalks are cut at [m]."""
        return self._target

    @property
    def share(self) -> float:
        """Share of the stalks that is cut."""
        return 1 - len(self._standing) / len(self._stalks)

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
        return self._dug or not self._standing

    def state(self) -> dict[str, Any]:
        """Which stalks stand, where the blade's edge is, and what has happened."""
        return {"standing": list(self._standing), "edge": self._edge, "dug": self._dug, "told": self._told}

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._stand(conditions)
        self._leave(state["standing"])
        self._edge, self._dug, self._told, self._pressure = state["edge"], state["dug"], state["told"], []

    def _stand(self, conditions: Conditions) -> None:
        self._stalks = conditions.moved(self._rooted, self._middle)
        self._target = conditions.moved(self._middle, self._middle)
        self._at = self._target.tolist()

    def _mow(self) -> None:
        """Cut what the blade has swept over in the last control step."""
        before, self._edge = self._edge, edge_of(self._blade.posture(), self._size)
        cut = swept(before, self._edge, self._places, self._size, self._rate).cut()
        if cut:
            self._leave([stalk for k, stalk in enumerate(self._standing) if k not in cut])

    def _leave(self, standing: Iterable[int]) -> None:
        """Let these stalks stand; those that are cut lie on the ground, in pictures."""
        self._standing = list(standing)
        self._places: list[list[float]] = self._stalks[self._standing, :2].tolist()
        for k, body in enumerate(self._bodies):
            if k in self._standing:
                self._bullet.place(body, self._stalks[k])
            else:
                self._bullet.place(body, self._stalks[k] + np.array([0.0, 0.0, RADIUS]), _LYING)
