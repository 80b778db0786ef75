"""What a tool task is: objects in a scene, sparse reward terms by name, and when it is solved or spoilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from motion.tool import Tool
from records import Demonstration, Entry, Motion, Registry
from sim.bullet import Bullet
from sim.carried import Carrier
from sim.conditions import Conditions
from sim.placement import Placer

TASKS = Registry(
    "task",
    {
        "hammer": Entry("sim.tasks.hammer:HammerTask", "drive a nail 8 cm with the hammer's face only"),
        "scythe": Entry("sim.tasks.scythe:ScytheTask", "cut 80 % of the grass on a patch of 40 x 10 cm"),
        "spade": Entry("sim.tasks.spade:SpadeTask", "carry 5 of 60 grains of sand into a box 0.7 m away"),
        "pour": Entry("sim.tasks.pour:PourTask", "pour 80 % of the grains in a jug into a cup"),
    },
)


class TaskError(ValueError):
    """A scene that lacks a parameter, or has one that the task does not know."""


class Box(NamedTuple):
    """An obstacle with its sides along the world's axes."""

    centre: tuple[float, float, float]
    """[m]."""
    half: tuple[float, float, float]
    """Half its sides [m]."""


@runtime_checkable
class Task(Protocol):
    """A task in a running simulation. One instance serves one environment; the static part knows scenes and strokes."""

    tool: str
    """Name of the tool that it is done with."""
    obs_names: tuple[str, ...]
    """Names of what `observe` returns; those that end in `_x` or `_y` are places in the world, which sensors may
    misjudge."""
    term_names: tuple[str, ...]
    """Names of the reward terms."""
    working: float
    """Distance of the tool's head from its work within which its orientation matters [m]; an arm may turn the tool
    elsewhere."""

    @staticmethod
    def placer(stroke: Motion, tool: Tool) -> Placer[Any]:
        """How a stroke can be placed in the task's scene."""

    @staticmethod
    def scripted() -> Demonstration:
        """A stroke of the tool alone that solves the task in its usual scene, with the objects where they belong."""

    @staticmethod
    def work(scene: Mapping[str, float]) -> Float[np.ndarray, "3"]:
        """Where the tool's head has its work to do in a scene whose objects have not been touched [m].

        The vertical through it is the axis that objects are turned about, see `Conditions.yaw`.
        """

    @staticmethod
    def obstacles(scene: Mapping[str, float]) -> tuple[Box, ...]:
        """What an arm must stay clear of in a scene, besides the ground z = 0."""

    def build(
        self, bullet: Bullet, folder: Path, scene: Mapping[str, float], tool: Tool, ground: int, *, drawn: bool
    ) -> None:
        """Create the objects; called once, then `equip`.

        Args:
            bullet: the physics.
            folder: for files that the engine reads.
            scene: parameters of the scene, by name; what is missing takes the task's default.
            tool: what the task is done with.
            ground: the ground's body.
            drawn: whether pictures will be taken; what physics does not need can be left out otherwise.
        """

    def equip(self, carrier: Carrier, *, substeps: int, reach: float) -> None:
        """Be told what the tool is in the simulation, and how it moves; called once, after `build`.

        Args:
            carrier: the tool. It has been looked at when `reset`, `quiet`, `terms` and `restore` are called.
            substeps: physics steps in a control step.
            reach: no point of the tool moves farther in a physics step [m]: something this many times away can only
                be touched after so many steps.
        """

    def reset(self, conditions: Conditions) -> None:
        """Put the objects in their initial state under these conditions. The engine has been restored to `build`'s.

        Masses and friction are not part of the engine's state: they are set here, each time.
        """

    def quiet(self) -> int:
        """How many physics steps need not be looked at, counted from the first of the coming control step.

        Asked once before each control step. With 3, the first three steps pass and `watch` is called after the fourth;
        with as many as `equip` was told there are, or more, it is not called in this control step at all.
        """

    def watch(self) -> int:
        """Look at the physics step that has just passed, for what would be gone at the end of the control step.

        Returns how many of the coming steps need not be looked at, counted as for `quiet`. Asking the engine for
        contacts takes as long as an eighth of a physics step of a tool alone: tasks look where it can matter.
        """

    def observe(self) -> Sequence[float]:
        """State of the objects, in the order of `obs_names`."""

    def terms(self) -> dict[str, float]:
        """Reward terms of the control step that has just ended, by name; their sum is the reward.

        Called once a step, before `solved`, `over` and `observe`.
        """

    def target(self) -> Float[np.ndarray, "3"]:
        """Where the tool's head has its work to do now [m]."""

    @property
    def solved(self) -> bool:
        """Whether the task has been achieved as it stands now; what counts is the last step of an episode."""

    @property
    def spoilt(self) -> bool:
        """Whether it can no longer be achieved fairly."""

    @property
    def over(self) -> bool:
        """Whether nothing more can be gained: the episode ends."""

    def state(self) -> dict[str, Any]:
        """What the task remembers beside the engine's state and the conditions; copies, not views."""

    def restore(self, state: Mapping[str, Any], conditions: Conditions) -> None:
        """Return to a remembered state; the engine has been restored already, masses and friction have not."""


def checked_scene(scene: Mapping[str, float], defaults: Mapping[str, float]) -> dict[str, float]:
    """Complete a scene with the task's defaults.

    Raises:
        TaskError: a parameter that the task does not have.
    """
    unknown = set(scene) - set(defaults)
    if unknown:
        raise TaskError(f"unknown scene parameter {sorted(unknown)[0]!r}; there are: {', '.join(defaults)}")
    return {**defaults, **scene}
