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
from sim.tasks.scythe_cut import Edge, beyond, edge_of, edge_on, passing, swept
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
        self._bullet, self._ground, self._length = bullet, ground, tool.head_size[1]
        self._mounted = edge_on(scythe_blade(tool), tool.head_size)
        self._middle, self._rooted = self.work(scene), stalk_places(scene)
        self._bodies = []
        if drawn:
            path = write_urdf(folder, "stalk", stalk_urdf(height=HEIGHT, radius=RADIUS))
            self._bodies = [bullet.load_urdf(path, position=place) for place in self._rooted]
        self._stand(Conditions())
        self._leave(range(len(self._stalks)))

    def equip(self, carrier: Carrier, *, substeps: int, reach: float) -> None:
        """See where the blade's edge is, and how the tool is pressed into the ground."""
        self._blade = Carried(carrier, self._mounted)
        self._presses = pressure(self._bullet, carrier.body, self._ground)
        self._first, self._rate = (substeps - 1) % EVERY, 1 / (substeps * self._bullet.time_step)
        self._most = PRESSED * len(range(self._first, substeps, EVERY))
        self._begin()

    def reset(self, conditions: Conditions) -> None:
        """All stalks stand again, where they belong."""
        self._stand(conditions)
        self._leave(range(len(self._stalks)))
        self._begin()

    def _begin(self) -> None:
        """The blade is where it begins, and has not dug itself in."""
        self._see(edge_of(self._blade.posture()))
        self._dug = False
        self._pressed = 0.0

    def quiet(self) -> int:
        """All but some and the last one."""
        return self._first

    def watch(self) -> int:
        """Add how the tool is pressed into the ground."""
        self._pressed += self._presses()
        return EVERY - 1

    def observe(self) -> Sequence[float]:
        """Centre of the patch [m] and the share that is cut."""
        return *self._at, self._share

    def terms(self) -> dict[str, float]:
        """Share of the stalks that this step has cut; -1, once, for a blade in the ground."""
        before, dug = self._share, self._dug
        if not dug:
            self._dug = self._pressed > self._most
        self._pressed = 0.0
        if not self._dug:
            self._mow()
        return {"cut": self._share - before, "dug": -float(self._dug and not dug)}

    def target(self) -> Float[np.ndarray, "3"]:
        """Centre of the patch, at half the height that stalks are cut at [m]."""
        return np.array(self._at)

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
        return self._dug or not self._standing

    def state(self) -> dict[str, Any]:
        """Which stalks stand, where the blade's edge is, and what has happened."""
        return {"standing": list(self._standing), "edge": self._edge, "dug": self._dug}

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state."""
        self._stand(conditions)
        self._leave(state["standing"])
        self._see(state["edge"])
        self._dug, self._pressed = state["dug"], 0.0

    def _stand(self, conditions: Conditions) -> None:
        """Where the stalks and the middle of the patch are."""
        self._at: list[float] = conditions.moved(self._middle, self._middle).tolist()
        self._stalks: list[list[float]] = conditions.moved(self._rooted, self._middle).tolist()

    def _see(self, edge: Edge) -> None:
        """Where the blade's edge is now, and how far the standing stalks are beyond it."""
        self._edge, self._beyond = edge, beyond(edge, self._places)

    def _mow(self) -> None:
        """Cut what the blade has swept over in the last control step."""
        edge, before = self._edge, self._beyond
        self._see(edge_of(self._blade.posture()))
        passed = passing(before, self._beyond)
        if passed:
            cut = swept((edge, self._edge), self._places, passed, self._length, self._rate).cut()
            self._leave([stalk for k, stalk in enumerate(self._standing) if k not in cut])
            self._see(self._edge)

    def _leave(self, standing: Iterable[int]) -> None:
        """Let these stalks stand; those that are cut lie on the ground, in pictures."""
        self._standing = list(standing)
        self._share = 1 - len(self._standing) / len(self._stalks)
        self._places = [self._stalks[k] for k in self._standing]
        for k, body in enumerate(self._bodies):
            if k in self._standing:
                self._bullet.place(body, self._stalks[k])
            else:
                self._bullet.place(body, np.add(self._stalks[k], [0.0, 0.0, RADIUS]), _LYING)
