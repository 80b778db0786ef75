"""Reward by contact forces: how near those of an episode are to the demonstrated course of forces.

A blow, a load, a hand that gives way: what distinguishes uses of a tool that look alike is often how hard it is
pressed. The demonstrated course is what a holder or the work was felt to do in demonstrations: in episodes of
simulation, or in videos of people by the forces on their hands as `motion` estimates them (`held_forces`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from policies.rewards.alignment import warp
from policies.rewards.describers import Describer
from policies.rewards.learned import Tensors
from policies.rewards.reward import RewardError, Shown, Watched
from records import Interaction

Alignment = Literal["phase", "warp"]
ALIGNMENTS: tuple[str, ...] = get_args(Alignment)

HANDS = ("l_fingers", "r_fingers")
"""Contacts of `motion` that hold a tool."""
HOLDER = "holder"
"""What forces of hands on a tool are called."""


class ForceProfileSettings(NamedTuple):
    """What is compared, and how."""

    contacts: tuple[str, ...] = ()
    """Names of the contacts; all that the demonstrations have by default."""
    alignment: str = "warp"
    """Which demonstrated moment a step is compared with: `phase`, that at the same share of the demonstration, which is
    known at once; or `warp`, that which dynamic time warping finds, known at the episode's end."""
    moments: int = 64
    """Of the demonstrated course, equally long."""
    seconds: float = 0.0
    """Duration over which the phase runs [s]; 0 takes the mean of the demonstrations'."""


class ForceProfile:
    """Reward of a step: minus the distance of its forces from the demonstrated ones.

    A force counts by its vertical part and by the length of its horizontal part: which way a stroke faces is free. The
    unit of distance is the demonstrations' root mean square of forces [N], so that doing without any force costs about
    1 a step. With `warp`, a step bears the costs of the best path in it, scaled so that the rewards of an episode of T
    steps add up to -T times the mean cost along the path.
    """

    name, worded, Settings = "force_profile", False, ForceProfileSettings
    needs, describer = frozenset({"forces"}), None

    def __init__(
        self,
        settings: ForceProfileSettings,
        seed: int,
        course: Float[np.ndarray, "M C 2"],
        unit: float,
        seconds: float,
    ) -> None:
        self.settings, self.seed = settings, seed
        self.course, self.unit, self.seconds = course, unit, seconds

    @classmethod
    def learn(
        cls, shown: Shown, describer: Describer | None, settings: ForceProfileSettings, seed: int
    ) -> ForceProfile:
        """Take the mean course of the demonstrations, each stretched to the same number of moments.

        Raises:
            RewardError: a description is given, which forces do not need; a demonstration tells no forces, or others
                than the first; or no force is ever borne.
        """
        if describer is not None:
            raise RewardError("the reward 'force_profile' looks at forces alone: leave the description out")
        if settings.alignment not in ALIGNMENTS:
            raise RewardError(f"unknown alignment {settings.alignment!r}; choose from: {', '.join(ALIGNMENTS)}")
        settings = settings._replace(contacts=settings.contacts or shown.demonstrations[0].force_names)
        if not settings.contacts or settings.moments < 2:
            raise RewardError("the first demonstration tells no forces, or fewer than 2 moments are asked for")
        courses = [profile(episode, settings.contacts) for episode in shown.demonstrations]
        course = np.mean([_stretched(one, settings.moments) for one in courses], axis=0)
        unit = float(np.sqrt(np.mean([np.mean(np.sum(one**2, axis=(1, 2))) for one in courses])))
        if unit <= 1e-6:
            raise RewardError(f"no force of {', '.join(settings.contacts)} is ever borne in the demonstrations")
        seconds = settings.seconds or float(np.mean([len(e) / e.fps for e in shown.demonstrations]))
        return cls(settings, seed, course, unit, seconds)

    def per_step(self, episode: Watched) -> Float[np.ndarray, "T"]:
        """Minus the distance in each step."""
        own = profile(episode, self.settings.contacts)
        cost = self.distances(own)
        if self.settings.alignment == "phase":
            share = (np.arange(len(own)) + 0.5) / (episode.fps * self.seconds)
            at = np.minimum((share * len(self.course)).astype(int), len(self.course) - 1)
            return -cost[np.arange(len(own)), at]
        _, path = warp(cost)
        borne = np.bincount(path[:, 0], cost[path[:, 0], path[:, 1]], minlength=len(own))
        return -borne * len(own) / len(path)

    def distances(self, own: Float[np.ndarray, "T C 2"]) -> Float[np.ndarray, "T M"]:
        """Distance of each step of an episode from each demonstrated moment."""
        apart = own[:, None] - self.course[None]
        return np.sqrt(np.sum(apart**2, axis=(2, 3))) / self.unit

    def tensors(self) -> dict[str, np.ndarray]:
        """The course, its unit and its duration."""
        return {"course": self.course, "unit": np.array(self.unit), "seconds": np.array(self.seconds)}

    @classmethod
    def restored(
        cls, describer: Describer | None, settings: ForceProfileSettings, seed: int, tensors: Tensors
    ) -> ForceProfile:
        """Undo `tensors`."""
        return cls(settings, seed, tensors["course"], float(tensors["unit"]), float(tensors["seconds"]))


def profile(episode: Watched, contacts: tuple[str, ...]) -> Float[np.ndarray, "T C 2"]:
    """Horizontal length and vertical part of the forces of some contacts in each step [N].

    Raises:
        RewardError: the episode does not tell them.
    """
    lacking = [name for name in contacts if name not in episode.force_names]
    if episode.forces is None or lacking:
        told = ", ".join(episode.force_names) or "none"
        raise RewardError(
            f"the reward looks at the force of {(lacking or contacts)[0]!r}, which the episode does not tell ({told})"
        )
    force = episode.forces[:, [episode.force_names.index(name) for name in contacts]]
    return np.stack([np.linalg.norm(force[..., :2], axis=-1), force[..., 2]], axis=-1)


def held_forces(interaction: Interaction) -> Watched:
    """What a person was seen to do with a tool: the force of both hands on it, one step a frame interval.

    It is minus the force on the hands. `motion` lets nothing but the hands, and a load where one is known, bear the
    tool: what its work does to it is not seen in a video, and not part of this.

    Raises:
        RewardError: no tool is held, or the hands' forces are not told.
    """
    forces = interaction.forces
    if interaction.tool is None:
        raise RewardError("no tool is held in this motion: the hands' forces are those of something else")
    held = [forces.names.index(name) for name in HANDS if name in forces.names]
    if not held:
        raise RewardError(f"no force of {' or '.join(HANDS)} is told; there are: {', '.join(forces.names)}")
    total = -np.asarray(forces.wrench, float)[:, held, :3].sum(axis=1, keepdims=True)
    steps = len(total) - 1
    return Watched(
        obs=np.zeros((steps + 1, 0)),
        action=np.zeros((steps, 0)),
        fps=forces.fps,
        forces=(total[:-1] + total[1:]) / 2,
        force_names=(HOLDER,),
    )


def _stretched(course: Float[np.ndarray, "T C 2"], moments: int) -> Float[np.ndarray, "M C 2"]:
    """Another number of equally long moments; where there are fewer, means, so that impulses are kept."""
    edges = np.linspace(0, len(course), moments + 1)
    whole = np.concatenate([np.zeros((1, *course.shape[1:])), np.cumsum(course, axis=0)])
    at = np.arange(len(whole))
    flat = whole.reshape(len(whole), -1)
    passed = np.stack([np.interp(edges, at, column) for column in flat.T], axis=1)
    gained = np.diff(passed, axis=0) / np.diff(edges)[:, None]
    return gained.reshape(moments, *course.shape[1:])
