"""A tool task as a gymnasium environment: the agent displaces the head of a tool that follows a demonstration."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float

from motion.tool import Tool, head_positions, tool_of
from records import Demonstration
from sim.bullet import Bullet, View
from sim.holder import build_holder
from sim.tasks.task import TASKS, Task
from sim.urdf import box_urdf, write_urdf

PHYSICS_RATE = 240.0
"""Physics steps per second, rounded to a whole number in each control step."""
REACH = 0.20
"""Largest displacement of the head along each axis [m]."""
RATE = 0.05
"""Largest change of the displacement in a control step [m]."""
PATIENCE = 6
"""Control steps that the tool stays at the last frame before an episode is cut off."""
LARGEST = 100.0
"""Bound of every observation [m, m/s, 1]."""

_AXES = ("x", "y", "z")


class EnvState(NamedTuple):
    """A moment of an environment; valid as long as the environment lives."""

    physics: int
    task: dict[str, float]
    frame: int
    residual: np.ndarray
    offset: np.ndarray
    seen: tuple[np.ndarray, np.ndarray]
    follows: bool
    done: bool


class ToolEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A tool, alone or in a robot's hand, follows a demonstration at the demonstration's rate.

    Action (3,) in [-1, 1]: where the head shall be displaced to from the demonstration, in units of `REACH` metres and
    world axes; the displacement follows at `RATE` metres a step at most. Zero is a replay. Observation: `obs_names`.

    Reset option `object_offset` (x, y) [m] moves the objects; by default it is drawn from a normal distribution of
    standard deviation `object_noise` [m]. With the reset option `follow` False the demonstration is not followed: the
    tool is held at its first frame, displaced as the actions say.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 24}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(
        self,
        demonstration: Demonstration,
        *,
        object_noise: float = 0.05,
        render_mode: str | None = None,
        size_hw: tuple[int, int] = (240, 320),
    ) -> None:
        """Build the scene once; `reset` returns to it."""
        self.demonstration = demonstration
        self.object_noise = object_noise
        self.render_mode = render_mode
        self.tool: Tool = tool_of(demonstration.tool)
        self.task: Task = TASKS.load(demonstration.task)()
        self.fps = demonstration.tool.fps
        self.horizon = demonstration.tool.num_frames - 1 + PATIENCE
        self._size = size_hw
        self._substeps = max(1, round(PHYSICS_RATE / self.fps))
        self._bullet = Bullet(time_step=1 / (self.fps * self._substeps))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ground = box_urdf("ground", (6.0, 6.0, 0.5), "0.72 0.7 0.66 1")
            self._ground = self._bullet.load_urdf(write_urdf(folder, "ground", ground))
            self.task.build(self._bullet, folder, demonstration.scene, self.tool, self._ground)
            self._holder = build_holder(self._bullet, folder, demonstration, self.tool, meshes=render_mode is not None)
        self._holder.reset()
        self._initial = self._bullet.save()
        head = (*(f"head_{a}" for a in _AXES), *(f"head_v{a}" for a in _AXES), "face_up")
        residual = tuple(f"residual_{a}" for a in _AXES)
        self.obs_names = ("phase", "offset_x", "offset_y", *residual, *head, *self.task.obs_names)
        self.action_names = tuple(f"displace_{a}" for a in _AXES)
        self.term_names = self.task.term_names
        count = len(self.obs_names)
        self.observation_space = spaces.Box(-LARGEST, LARGEST, (count,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
        self._frame, self._follows, self._done = 0, True, False
        self._residual, self._offset = np.zeros(3), np.zeros(2)
        self._seen = np.zeros(3), np.zeros(3)

    @property
    def object_offset(self) -> Float[np.ndarray, "2"]:
        """How far the objects stand from where they were demonstrated [m]."""
        return self._offset

    def shift_action(self, offset: Float[np.ndarray, "2"]) -> Float[np.ndarray, "3"]:
        """The action that moves the demonstration along with its object: the costless answer to an offset [m]."""
        return np.clip(np.append(offset, 0.0) / REACH, -1, 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        drawn = self.np_random.normal(0.0, self.object_noise, 2) if self.object_noise > 0 else np.zeros(2)
        options = options or {}
        given = options.get("object_offset")
        self._bullet.restore(self._initial)
        self._frame, self._done, self._residual = 0, False, np.zeros(3)
        self._follows = bool(options.get("follow", True))
        self._offset = drawn if given is None else np.asarray(given, float)
        self._holder.reset()
        self.task.reset(self._offset)
        return self._observe(self._holder.head()[1]), self._info(dict.fromkeys(self.term_names, 0.0))

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance by one frame of the demonstration."""
        if self._done:
            raise gymnasium.error.ResetNeeded("the episode is over; call reset")
        wanted = REACH * np.clip(np.asarray(action, float), -1, 1)
        start, self._residual = self._residual, self._residual + np.clip(wanted - self._residual, -RATE, RATE)
        last = self.demonstration.tool.num_frames - 1
        before, after = (min(frame, last) if self._follows else 0 for frame in (self._frame, self._frame + 1))
        self._holder.aim(before, after, start, self._residual)
        for k in range(1, self._substeps + 1):
            self._holder.drive(k / self._substeps)
            self._bullet.step()
            self.task.watch(self._holder.body, self._holder.link)
        self._frame += 1
        terms = self.task.terms()
        terminated = self.task.solved or self.task.spoilt
        truncated = not terminated and self._frame >= self.horizon
        self._done = terminated or truncated
        return self._observe(self._seen[1]), sum(terms.values()), terminated, truncated, self._info(terms)

    def save_state(self) -> EnvState:
        """Remember this moment exactly."""
        return EnvState(
            self._bullet.save(),
            self.task.state(),
            self._frame,
            self._residual.copy(),
            self._offset.copy(),
            self._seen,
            self._follows,
            self._done,
        )

    def restore_state(self, state: EnvState) -> np.ndarray:
        """Return to a remembered moment; the following steps repeat exactly. Returns the observation."""
        self._bullet.restore(state.physics)
        self.task.restore(state.task)
        self._frame, self._follows, self._done = state.frame, state.follows, state.done
        self._residual, self._offset = state.residual.copy(), state.offset.copy()
        return self._observe(state.seen[0])

    def render(self) -> np.ndarray:
        """Picture (H, W, 3) uint8 of the scene from the side of the stroke that the robot does not stand on."""
        path = head_positions(self.tool, self.demonstration.tool)
        robot = self.demonstration.robot
        base = [robot.parameters[f"base_{axis}"] for axis in _AXES] if robot is not None else path[0]
        seen = np.vstack([path, self.task.work(self.demonstration.scene), base])
        middle, size = (seen.max(axis=0) + seen.min(axis=0)) / 2, float(np.linalg.norm(np.ptp(seen, axis=0)))
        side = 1.0 if base[1] < self.task.target()[1] else -1.0
        eye = middle + size * np.array([0.5, 1.2 * side, 0.5])
        return self._bullet.render(View(tuple(eye.tolist()), tuple(middle.tolist())), self._size)

    def close(self) -> None:
        """Free the physics client; a second call does nothing."""
        self._bullet.close()

    def _observe(self, before: np.ndarray) -> np.ndarray:
        """Observation of the present, with the head's place one control step before [m] for its velocity."""
        R, head = self._holder.head()
        self._seen = before, head
        phase = min(self._frame / (self.demonstration.tool.num_frames - 1), 1.0)
        velocity = (head - before) * self.fps
        return np.concatenate([[phase], self._offset, self._residual, head, velocity, [R[2, 2]], self.task.observe()])

    def _info(self, terms: dict[str, float]) -> dict[str, Any]:
        return {
            "success": self.task.solved,
            "spoilt": self.task.spoilt,
            "terms": terms,
            "object_offset": self._offset.copy(),
        }
