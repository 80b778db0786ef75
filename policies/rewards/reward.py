"""What a learned reward is: it watches an episode, and tells how good each of its steps was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from records import Entry, Registry, Timeline

REWARDS = Registry(
    "reward",
    {
        "state_classifier": Entry(
            "policies.rewards.state_classifier:StateClassifier", "probability that the end state has been reached"
        ),
        "goal_distance": Entry("policies.rewards.goal_distance:GoalDistance", "distance of features from the goal's"),
        "progress": Entry("policies.rewards.progress:Progress", "gain in a value learned from the order of time"),
        "text_similarity": Entry(
            "policies.rewards.text_similarity:TextSimilarity", "how well the whole episode fits a sentence"
        ),
        "force_profile": Entry(
            "policies.rewards.force_profile:ForceProfile", "distance from the demonstrated contact forces"
        ),
        "adversarial": Entry("policies.rewards.adversarial:Adversarial", "log ratio of demonstrations to others"),
        "ensemble": Entry("policies.rewards.ensemble:Ensemble", "mean of several, less what they disagree by"),
    },
)


class RewardError(ValueError):
    """Data that no reward can be learned from, or an episode that a reward cannot judge."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """What a reward can see of one episode of T steps, of an agent, of a person, or of a video."""

    obs: Float[np.ndarray, "O D"]
    """T + 1 observations: before each step, and after the last; of a video none is known (D = 0)."""
    obs_names: tuple[str, ...] = ()
    action: Float[np.ndarray, "T A"]
    """As carried out; of a video none is known (A = 0)."""
    frames: Callable[[], Iterator[np.ndarray]] | None = None
    """Makes the T + 1 pictures (H, W, 3) uint8 that belong to the observations, anew in each call."""
    fps: float
    """Steps a second [1/s]."""
    forces: Float[np.ndarray, "T C 3"] | None = None
    """Mean force on the tool in each step, by what touches it, world axes [N]."""
    force_names: tuple[str, ...] = ()
    success: bool | None = None
    """Whether the task was solved, where that is known; rewards do not look at it."""
    reward: Float[np.ndarray, "T"] | None = None
    """True reward of each step, where it is known; rewards do not look at it."""

    def __post_init__(self) -> None:
        """Check lengths and names.

        Raises:
            RewardError: they do not fit, there is no step, or a value is not finite.
        """
        steps = len(self.action)
        if steps < 1 or len(self.obs) != steps + 1 or not self.fps > 0:
            raise RewardError(
                f"an episode of {steps} actions and {len(self.obs)} observations at {self.fps:g} fps: at least one"
                " action is needed, one more observation than actions, and a positive rate"
            )
        if len(self.obs_names) != self.obs.shape[1]:
            raise RewardError(f"{self.obs.shape[1]} observations with {len(self.obs_names)} names")
        if self.forces is not None and self.forces.shape[:2] != (steps, len(self.force_names)):
            raise RewardError(
                f"forces of {len(self.forces)} steps and {self.forces.shape[1]} contacts in an episode of {steps} steps"
                f" and {len(self.force_names)} named contacts"
            )
        for name in ("obs", "action", "forces", "reward"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value).all():
                step = int(np.argwhere(~np.isfinite(value))[0][0])
                raise RewardError(f"an episode has {name} that are not finite, first in step {step}")

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.action)


class Shown(NamedTuple):
    """What a reward is learned from. True rewards and successes are not part of it."""

    demonstrations: Sequence[Watched]
    """The task as it is to be done."""
    others: Sequence[Watched] = ()
    """Episodes of an agent: unlabelled, most of them failures or not."""
    timelines: Sequence[Timeline] | None = None
    """Initial state, action and final state of each demonstration, as `perception.states` finds them."""
    sentence: str = ""
    """What is done, in words."""


@runtime_checkable
class Reward(Protocol):
    """Judges the steps of episodes; the same episode is always judged in the same way.

    One that pays for change, rather than for where things stand, says so by an attribute `gains` that is true; one
    whose reward of a step depends on that step alone, by a `stepwise` that is true.
    """

    name: str
    """In the table of rewards."""

    @property
    def needs(self) -> frozenset[str]:
        """What it looks at of an episode: some of `obs`, `action`, `frames`, `forces`."""

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Reward of each step, known once the step is done.

        Raises:
            RewardError: the episode lacks what the reward needs, or is of another environment.
        """


def pays_gains(reward: Reward) -> bool:
    """Whether it pays for change: where things stand is then the sum of what it has paid."""
    return bool(getattr(reward, "gains", False))


def judges_steps_alone(reward: Reward) -> bool:
    """Whether the reward of a step depends on that step alone, so that the steps of an episode can be judged apart."""
    return bool(getattr(reward, "stepwise", False))


def levels(reward: Reward, steps: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """Where things stand after each step, by the rewards of an episode's steps."""
    return np.cumsum(steps) if pays_gains(reward) else steps


def paid_on(reward: Reward, steps: Float[np.ndarray, "T"], left: int) -> float:
    """What is paid in `left` steps after an episode's end, in which nothing changes any more."""
    return 0.0 if pays_gains(reward) else left * float(steps[-1])


def check_needs(reward: Reward, episode: Watched) -> None:
    """Refuse an episode without what a reward looks at.

    Raises:
        RewardError: it names what is missing.
    """
    there = {
        "obs": episode.obs.shape[1] > 0,
        "action": episode.action.shape[1] > 0,
        "frames": episode.frames is not None,
        "forces": episode.forces is not None,
    }
    lacking = sorted(name for name in reward.needs if not there[name])
    if lacking:
        raise RewardError(f"the reward {reward.name!r} looks at {' and '.join(lacking)}, which the episode has not")


def judge(reward: Reward, episode: Watched) -> Float[np.ndarray, "T"]:
    """Reward of each step, checked.

    Raises:
        RewardError: the episode lacks what is needed, or the reward is not one finite number a step.
    """
    check_needs(reward, episode)
    found = np.asarray(reward.per_step(episode), float)
    if found.shape != (len(episode),):
        raise RewardError(f"the reward {reward.name!r} gave {found.shape} numbers for {len(episode)} steps")
    if not np.isfinite(found).all():
        step = int(np.flatnonzero(~np.isfinite(found))[0])
        raise RewardError(f"the reward {reward.name!r} is {found[step]} in step {step}; expected finite numbers")
    return found
