"""What simulation and learning hand on: a `Demonstration` placed in a scene, and the `Episodes` of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from records.motion import Motion
from records.observation import check_names
from records.record import Record, RecordError, array


@dataclass(frozen=True, kw_only=True, eq=False)
class Demonstration(Record):
    """A tool stroke in the frame of a simulated scene, and the robot motion that follows it, if there is one."""

    task: str
    """Name in the table of tasks."""
    scene: Mapping[str, float] = field(default_factory=dict)
    """Scene parameters of the task, by name: `nail_x` [m], ..."""
    tool: Motion
    robot: Motion | None = None
    score: float = 0.0
    """Fraction of perturbed replays that solve the task, in [0, 1]; 0 when not evaluated."""
    spread: float = 0.0
    """Standard error of `score`."""
    replays: int = 0
    """Number of replays that `score` was counted over."""

    def validate(self) -> None:
        """Tool and robot move together; a score is a fraction."""
        if self.robot is not None and (self.robot.num_frames, self.robot.fps) != (self.tool.num_frames, self.tool.fps):
            raise RecordError(
                f"Demonstration: tool has {self.tool.num_frames} frames at {self.tool.fps} fps,"
                f" robot {self.robot.num_frames} at {self.robot.fps}"
            )
        if not 0 <= self.score <= 1 or self.spread < 0 or self.replays < 0:
            raise RecordError(f"Demonstration: score {self.score}, spread {self.spread}, replays {self.replays}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Episodes(Record):
    """Episodes of an agent, one after the other. Episode e has `length[e]` steps and `length[e] + 1` observations.

    S = total steps, O = S + E observations.
    """

    task: str
    agent: str
    """`policy`, `shifted`, `replay`, `zero`, `random`, ..."""
    fps: float
    """Control rate [1/s]."""
    obs_names: tuple[str, ...]
    action_names: tuple[str, ...]
    term_names: tuple[str, ...]
    length: Int[np.ndarray, "E"] = array("steps")
    obs: Float[np.ndarray, "O D"] = array("as named")
    action: Float[np.ndarray, "S A"] = array("1")
    reward: Float[np.ndarray, "S"] = array("1")
    reward_terms: Float[np.ndarray, "S R"] = array("1")
    terminated: Bool[np.ndarray, "E"] = array("1")
    success: Bool[np.ndarray, "E"] = array("1")
    seed: Int[np.ndarray, "E"] = array("1")
    """Seed that each episode was reset with."""

    def validate(self) -> None:
        """Check names and lengths against the arrays."""
        check_names(self, self.obs_names, self.obs.shape[1])
        check_names(self, self.action_names, self.action.shape[1])
        check_names(self, self.term_names, self.reward_terms.shape[1])
        steps = int(self.length.sum())
        if self.length.size and self.length.min() < 1:
            raise RecordError("Episodes.length: an episode has at least one step")
        if len(self.action) != steps or len(self.obs) != steps + len(self.length):
            raise RecordError(
                f"Episodes: lengths add up to {steps} steps in {len(self.length)} episodes, but there are"
                f" {len(self.action)} actions and {len(self.obs)} observations (one more per episode)"
            )
