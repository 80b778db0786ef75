"""A tool task as a gymnasium environment: the agent displaces the head of a tool that follows a demonstration."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float

from motion.tool import Tool, head_positions, tool_of
from records import Demonstration, Motion
from sim.actions import RESIDUAL, UNMOVED, ActionModel, Displacement
from sim.bullet import Bullet, Triple
from sim.bullet.pictures import render
from sim.conditions import USUAL, Conditions, Spread, given
from sim.felt import Felt
from sim.holder import build_holder
from sim.rest import at_rest
from sim.sensing import Sensing, Sensor
from sim.tasks.task import TASKS, Task
from sim.urdf import box_urdf, write_urdf
from sim.view import View

PHYSICS_RATE = 240.0
"""Physics steps per second, rounded to a whole number in each control step."""
SOLVER_ITERATIONS = 20
"""Of the contact solver in a physics step. With PyBullet's 50 as many replays succeed and heads are as far off their
targets (`benchmarks.contact_solver`); tasks with grains need fewer still."""
HASTE = 2.0
"""No part of a tool moves faster than this many times the greatest speed that can be asked of it. Under random actions,
hammers that follow a demonstration reach 1.4 times; without one, arms go beyond 2 in at most 1 physics step of 75."""
PATIENCE = 6
"""Control steps that the tool stays at the last frame before an episode is cut off."""
LARGEST = 100.0
"""Bound of every observation [m, m/s, 1]."""

GROUND_FRICTION = 0.5
"""Coulomb friction of the ground."""

PERFECT = Sensing()
"""Sensors and actions without errors."""

_AXES = ("x", "y", "z")
_OWN_NAMES = (
    "phase",
    "offset_x",
    "offset_y",
    "yaw",
    *(f"{name}{axis}" for name in ("residual_", "head_", "head_v", "handle_", "up_") for axis in _AXES),
)


class EnvState(NamedTuple):
    """A moment of an environment; valid as long as the environment lives."""

    physics: int
    task: dict[str, Any]
    conditions: Conditions
    sensor: Sensor
    frame: int
    displacement: Displacement
    seen: tuple[Triple, Triple]
    follows: bool
    done: bool


class ToolEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A tool, alone or in a robot's hand, follows a demonstration at the demonstration's rate.

    Action in [-1, 1]: where the head shall be displaced to, in the world's axes, as `action` says (see `sim.actions`):
    by default (3,) from the demonstration, in units of `REACH` metres, followed at `RATE` metres a step at most. Zero
    is a replay.

    Observation, named by `obs_names`: share of the demonstration that has passed; how far the objects are displaced
    [m] and turned [rad]; displacement of the head [m]; its position [m] and velocity [m/s]; directions of the tool's
    x axis (handle) and z axis (away from the working face) in the world; turns of the tool that actions have brought
    about [rad], where they can; the task's own. For pictures beside it, wrap
    an environment of `render_mode="rgb_array"` in gymnasium's `AddRenderObservation(env, render_only=False)`.

    Every episode draws its `Conditions` from `spread`. Reset options fix them: `object_offset` (x, y) [m], `object_yaw`
    [rad], factors `mass` and `friction`. With the reset option `follow` False the demonstration is not followed: the
    tool is held at its first frame, displaced as the actions say.

    Objects are seen as `sensing` says: the observed displacement and turn, the task's observations whose names end in
    `_x` or `_y` (places in the world), `seen_target` and `shift_action` all have the same error.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 24}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(
        self,
        demonstration: Demonstration,
        *,
        action: ActionModel = RESIDUAL,
        spread: Spread = USUAL,
        sensing: Sensing = PERFECT,
        render_mode: str | None = None,
        size_hw: tuple[int, int] = (240, 320),
        feel: bool = False,
    ) -> None:
        """Build the scene once; `reset` returns to it.

        With `feel`, `felt` tells what forces the tool bears; steps cost more.

        Raises:
            UnknownName: no such task.
            ConditionError: a spread or sensing that makes no sense.
        """
        self.demonstration = demonstration
        self.action = action
        self.spread = spread
        spread.check()
        self.sensing = sensing
        sensing.check()
        self.render_mode = render_mode
        self.tool: Tool = tool_of(demonstration.tool)
        self.task: Task = TASKS.load(demonstration.task)()
        self.fps = demonstration.tool.fps
        self._last = demonstration.tool.num_frames - 1
        self.horizon = self._last + PATIENCE
        self._size = size_hw
        self._substeps = max(1, round(PHYSICS_RATE / self.fps))
        self._bullet = Bullet(time_step=1 / (self.fps * self._substeps), solver_iterations=SOLVER_ITERATIONS)
        drawn = render_mode is not None
        beneath = demonstration if action.follows else at_rest(demonstration)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ground = box_urdf("ground", (6.0, 6.0, 0.5), "0.72 0.7 0.66 1")
            self._ground = self._bullet.load_urdf(write_urdf(folder, "ground", ground))
            self.task.build(self._bullet, folder, demonstration.scene, self.tool, self._ground, drawn=drawn)
            self._holder = build_holder(self._bullet, folder, beneath, self.tool, self._substeps, action, meshes=drawn)
        reach = HASTE * _farthest(self.tool, beneath.tool, action) / self._substeps
        self._carrier = self._holder.carrier
        self.task.equip(self._carrier, substeps=self._substeps, reach=reach)
        self._felt = Felt(self._bullet, self._carrier.body, self._carrier.link) if feel else None
        self._holder.reset()
        self._initial = self._bullet.save()
        self._path = head_positions(self.tool, beneath.tool)
        self._work = self.task.work(demonstration.scene)
        own = (*_OWN_NAMES, *(f"turned_{_AXES[axis - 3]}" for axis in action.turns))
        self._turns = action.turns
        self.obs_names = (*own, *self.task.obs_names)
        self.action_names = action.names
        self.term_names = self.task.term_names
        count = len(self.obs_names)
        self.observation_space = spaces.Box(-LARGEST, LARGEST, (count,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (len(action.names),), np.float32)
        self._places = [
            [len(own) + k for k, name in enumerate(self.task.obs_names) if name.endswith(f"_{axis}")]
            for axis in _AXES[:2]
        ]
        self._frame, self._follows, self._done = 0, True, False
        self._sensor = Sensor(sensing, 0)
        self._displacement = UNMOVED
        self._seen: tuple[Triple, Triple] = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        self._weigh(Conditions())

    @property
    def conditions(self) -> Conditions:
        """What is different from the demonstration in this episode."""
        return self._conditions

    def shift_action(self) -> Float[np.ndarray, "D"]:
        """The action that moves the demonstration along with its objects: the costless answer to where they seem to be.

        Their turn is answered where actions can turn the tool.
        """
        coming = min(self._frame + 1, len(self._path) - 1)
        return self.action.along(self._seems(), self._path[coming], self._work)

    def seen_target(self) -> Float[np.ndarray, "3"]:
        """Where the tool's head seems to have its work to do now [m]."""
        return self.task.target() + np.append(self._seems().offset - self._conditions.offset, 0.0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode.

        Raises:
            ConditionError: an unknown option, or a value that makes no sense.
        """
        super().reset(seed=seed)
        options = options or {}
        conditions = given(options, self.spread.draw(self.np_random))
        self._sensor = Sensor(self.sensing, int(self.np_random.integers(2**32)))
        self._bullet.restore(self._initial)
        self._carrier.look()
        self._frame, self._done, self._displacement = 0, False, UNMOVED
        self._follows = bool(options.get("follow", True))
        self._weigh(conditions)
        self.task.reset(conditions)
        return self._observe(None), self._info(dict.fromkeys(self.term_names, 0.0))

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance by one frame of the demonstration.

        Raises:
            ResetNeeded: the episode is over.
        """
        if self._done:
            raise gymnasium.error.ResetNeeded("the episode is over; call reset")
        acted = self._sensor.acted(np.asarray(action, float), self._frame)
        start, self._displacement = self._displacement, self.action.approach(self._displacement, acted)
        last = self._last if self._follows else 0
        before, after = (self._frame, self._frame + 1) if self._frame < last else (last, last)
        carry_out, step, watch, felt = self._holder.drive.carry_out, self._bullet.step, self.task.watch, self._felt
        if felt is not None:
            felt.begin()
        due = self.task.quiet()
        for k, order in enumerate(self._holder.orders(before, after, start, self._displacement)):
            carry_out(*order)
            step()
            if felt is not None:
                felt.look()
            if k == due:
                due += 1 + watch()
        self._frame += 1
        self._carrier.look()
        terms = self.task.terms()
        terminated = self.task.over
        truncated = not terminated and self._frame >= self.horizon
        self._done = terminated or truncated
        return self._observe(self._seen[1]), sum(terms.values()), terminated, truncated, self._info(terms)

    @property
    def feels(self) -> bool:
        """Whether it tells forces."""
        return self._felt is not None

    def felt(self) -> Float[np.ndarray, "2 3"]:
        """Mean forces on the tool in the last control step, by whom it is held and what it touches: see `sim.felt`.

        Raises:
            RuntimeError: the environment was made without `feel`.
        """
        if self._felt is None:
            raise RuntimeError("this environment does not tell forces; make it with feel=True")
        return self._felt.mean()

    def save_state(self) -> EnvState:
        """Remember this moment exactly."""
        return EnvState(
            self._bullet.save(),
            self.task.state(),
            self._conditions,
            self._sensor,
            self._frame,
            self._displacement,
            self._seen,
            self._follows,
            self._done,
        )

    def restore_state(self, state: EnvState) -> np.ndarray:
        """Return to a remembered moment; the following steps repeat exactly. Returns the observation."""
        self._bullet.restore(state.physics)
        self._carrier.look()
        self._weigh(state.conditions)
        self.task.restore(state.task, state.conditions)
        self._sensor = state.sensor
        self._frame, self._follows, self._done = state.frame, state.follows, state.done
        self._displacement = state.displacement
        return self._observe(state.seen[0])

    def render(self, view: View | None = None) -> np.ndarray:
        """Picture (H, W, 3) uint8 of the scene, by default from the side of the stroke that no robot stands on."""
        if view is not None:
            return render(self._bullet, view, self._size)
        robot = self.demonstration.robot
        base = [robot.parameters[f"base_{axis}"] for axis in _AXES] if robot is not None else self._path[0]
        boxes = [(np.add(c, h), np.subtract(c, h)) for c, h in self.task.obstacles(self.demonstration.scene)]
        seen = np.vstack([self._path, self._work, base, *itertools.chain.from_iterable(boxes)])
        middle, size = (seen.max(axis=0) + seen.min(axis=0)) / 2, float(np.linalg.norm(np.ptp(seen, axis=0)))
        side = 1.0 if base[1] < self._work[1] else -1.0
        eye = middle + size * np.array([0.5, 1.2 * side, 0.5])
        return render(self._bullet, View(tuple(eye.tolist()), tuple(middle.tolist())), self._size)

    def close(self) -> None:
        """Free the physics client; a second call does nothing."""
        self._bullet.close()

    def _weigh(self, conditions: Conditions) -> None:
        """Mass of the tool and friction of the ground."""
        self._conditions = conditions
        self._told = conditions.offset, conditions._asdict()
        self._bullet.set_mass(self._carrier.body, self._carrier.link, conditions.mass)
        self._bullet.set_friction(self._ground, -1, lateral=GROUND_FRICTION * conditions.friction)

    def _observe(self, before: Triple | None) -> np.ndarray:
        """Observation of the present, with the head's place one control step before [m] for its velocity.

        Without one the head is at rest.

        Put together from plain numbers: for so few, arrays take longer.
        """
        head, handle, up = self._holder.head()
        (x, y, z), (x_before, y_before, z_before) = head, before or head
        self._seen = before or head, head
        seems, fps = self._seems(), self.fps
        phase, displacement = min(self._frame / self._last, 1.0), self._displacement
        velocity = (x - x_before) * fps, (y - y_before) * fps, (z - z_before) * fps
        turned = [displacement[axis] for axis in self._turns]
        place = phase, seems.x, seems.y, seems.yaw
        obs = np.array([*place, *displacement[:3], *head, *velocity, *handle, *up, *turned, *self.task.observe()])
        if seems is not self._conditions:
            for columns, error in zip(self._places, seems.offset - self._conditions.offset, strict=True):
                obs[columns] += error
        return obs

    def _seems(self) -> Conditions:
        """The conditions as they are seen."""
        return self._sensor.seen(self._conditions, self._frame, self.fps)

    def _info(self, terms: dict[str, float]) -> dict[str, Any]:
        offset, conditions = self._told
        return {
            "success": self.task.solved,
            "spoilt": self.task.spoilt,
            "terms": terms,
            "object_offset": offset.copy(),
            "conditions": conditions.copy(),
        }


def _farthest(tool: Tool, motion: Motion, action: ActionModel) -> float:
    """How far a point of a tool that follows a motion can be asked to move in a control step [m]."""
    ends = np.stack([motion.q[:, :3], head_positions(tool, motion)])
    demonstrated = np.linalg.norm(np.diff(ends, axis=1), axis=2).max(initial=0.0)
    rates = dict(zip(action.axes, action.rate, strict=True))
    moved, turned = (np.linalg.norm([rates.get(axis, 0.0) for axis in axes]) for axes in ((0, 1, 2), (3, 4, 5)))
    return float(demonstrated + moved + turned * tool.length)
