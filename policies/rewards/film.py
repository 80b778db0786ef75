"""Small pictures of the work from close by, as they are taken while an agent acts, and their description.

The camera is turned to where the objects are seen to stand, from the side and from above, so that they lie in the
middle of every picture: what changes there is their state, whatever their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from policies.rewards.describers import Describer, Pixels, frames_of
from policies.rewards.reward import RewardError, Watched
from records import digest
from sim.env import ToolEnv
from sim.view import View

SIDE = (0.9, 2.2, 0.9)
"""From the work to the camera, in radii of what is seen. A field of view of 45 degrees shows a sphere of one radius at
2.5 of them."""


class Film(NamedTuple):
    """How pictures are taken."""

    size: int = 64
    """Height and width [px]; small ones are drawn in a millisecond."""
    radius: float = 0.3
    """Of what is seen around the work [m]."""

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            RewardError: no pixels, or nothing to be seen.
        """
        if self.size < 1 or not 0 < self.radius < np.inf:
            raise RewardError(f"pictures of {self.size} px of {self.radius:g} m: both must be positive")

    @property
    def how(self) -> dict[str, Any]:
        """What an environment is made with, so that such pictures can be taken in it."""
        return {"render_mode": "rgb_array", "size_hw": (self.size, self.size)}

    def picture(self, env: ToolEnv, obs: Float[np.ndarray, "D"]) -> UInt8[np.ndarray, "H W 3"]:
        """The scene as it stands.

        Args:
            env: made with `how`.
            obs: its last observation, which says where the objects are seen to stand.
        """
        seen = [obs[env.obs_names.index(f"offset_{axis}")] for axis in "xy"]
        work = env.task.work(env.demonstration.scene) + np.append(seen, 0.0)
        return env.render(View(tuple((work + self.radius * np.array(SIDE)).tolist()), tuple(work.tolist())))


class CloseUp(Pixels):
    """Pixels of such pictures, and of no others."""

    def __init__(self, kind: str = "thumbnail", size: int = Film().size, radius: float = Film().radius) -> None:
        """Choose what is computed, and how pictures are taken.

        Raises:
            RewardError: no such kind, or pictures of nothing.
        """
        super().__init__(kind)
        self.film = Film(size, radius)
        self.film.check()

    def describe(self, episode: Watched) -> Float[np.ndarray, "O D"]:
        """One description a frame.

        Raises:
            RewardError: pictures of another size.
        """
        return np.stack([self._of(frame) for frame in self._checked(episode)]).astype(float)

    def plain(self) -> dict[str, Any]:
        """Kind, size and radius."""
        return {"kind": self.kind, **self.film._asdict()}

    def fingerprint(self) -> str:
        """Of all that."""
        return digest(super().fingerprint(), self.film._asdict())

    def _checked(self, episode: Watched) -> Iterator[np.ndarray]:
        size = self.film.size
        for frame in frames_of(episode):
            if frame.shape != (size, size, 3):
                raise RewardError(
                    f"pictures of {frame.shape[0]} x {frame.shape[1]} px, but the reward was learned from close-ups of"
                    f" {size} x {size} px: film with `policies.rewards.film.Film`"
                )
            yield frame


@runtime_checkable
class Looking(Protocol):
    """A reward, or what is to become one."""

    @property
    def needs(self) -> frozenset[str]:
        """See `Reward.needs`."""


class Looks(NamedTuple):
    """What a reward that is yet to be learned will look at."""

    needs: frozenset[str]
    describer: Describer | None = None


def film_for(reward: Looking) -> Film | None:
    """How pictures are taken for a reward: as it was learned from, if it says so; None if it looks at none."""
    if "frames" not in reward.needs:
        return None
    film = getattr(getattr(reward, "describer", None), "film", None)
    return film if isinstance(film, Film) else Film()


def asked_of_env(reward: Looking) -> dict[str, Any]:
    """What an environment is made with, so that the reward can judge its episodes."""
    film = film_for(reward)
    return {**(film.how if film is not None else {}), "feel": "forces" in reward.needs}
