"""How a policy is trained: what is asked for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from policies.residual import BASES, REPEAT
from policies.rewards.online import Paying
from sim.env import PERFECT
from sim.sensing import Sensing


class Training(NamedTuple):
    """How a policy is trained."""

    steps: int = 20_000
    """Control steps of experience at most, rounded up to whole rounds."""
    learner: str = "ppo"
    """Name in the table of learners."""
    base: str = "shifted"
    """What the residual is added to: `shifted`, the demonstration moved along with its objects; `replay`, as it was
    recorded; or `scratch`, none: the tool is moved and turned freely from rest."""
    turning: bool | None = None
    """Whether the residual turns the tool, too; by default where objects turn, or the policy to start from does it."""
    sensing: Sensing = PERFECT
    """How sensors and actions err while learning."""
    repeat: int = REPEAT
    """Control steps that a decision lasts. Fewer decisions explore more calmly, and are credited more easily with what
    comes of them; more of them answer sooner to what happens."""
    averaged: bool = False
    """Whether objects are seen where they have seemed to be on average over the episode, by the base and the policy:
    what jitters in what sensors tell averages out."""
    paying: Paying | None = None
    """A learned reward that is paid instead of the task's own. Set `validation` to 0 with it, if the true one shall
    have no part in what is learned."""
    explore: float = 0.0
    """First standard deviation of exploration [m]; 0 leaves it to the learner's settings."""
    settings: Any = None
    """Settings of the learner; its own by default."""
    start_from: Path | None = None
    """Folder of a policy to start from, such as a cloned one."""
    curriculum: float = 0.0
    """Share of the rounds over which conditions widen to their spread: from a quarter, or at once if 0."""
    environments: int = 2
    """Side by side."""
    processes: int = 0
    """For them; 0 takes as many as there are processors. What is learned does not depend on it."""
    tensorboard: bool = False
    """Whether to write the curve for TensorBoard, too."""
    validation: int = 100
    """Episodes in which the learned residual must solve more than none, or it is set to zero; 0 keeps it untried."""

    def settings_of(self, kind: Any) -> Any:
        """Settings of a learner of this kind, with what is asked for here.

        Raises:
            ValueError: exploration is asked of a learner that does not explore.
        """
        settings = self.settings or kind.Settings()
        if not self.explore:
            return settings
        if not hasattr(settings, "explore"):
            raise ValueError(f"{self.learner} does not explore: leave that out, or learn with ppo or sac")
        return settings._replace(explore=self.explore)

    def check(self) -> None:
        """Refuse numbers that make no sense.

        Raises:
            ValueError: it names what is allowed.
        """
        if self.steps < 1 or self.validation < 0 or not 0 <= self.curriculum <= 1 or self.base not in BASES:
            raise ValueError(
                f"steps {self.steps}, validation {self.validation}, curriculum {self.curriculum}, base {self.base!r}:"
                f" at least 1, at least 0, from 0 to 1, one of {BASES}"
            )
        if self.repeat < 1 or not 0 <= self.explore < math.inf:
            raise ValueError(f"repeat {self.repeat}, explore {self.explore}: at least 1, at least 0")
        self.sensing.check()
        if self.base == "scratch" and self.learner in ("clone", "dagger"):
            raise ValueError(
                f"{self.learner} imitates a demonstration: from scratch there is none; learn with ppo or sac"
            )
        if self.base == "shifted" and self.learner in ("clone", "dagger") and self.sensing == PERFECT:
            raise ValueError(
                f"{self.learner} imitates the shifted demonstration: on that base there is nothing to learn"
                " where sensors do not err"
            )
