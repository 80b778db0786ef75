"""How the moments of an episode are described to a reward: by what was observed, by pixels, or by a trained encoder.

A description is causal: that of a moment depends on nothing after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from policies.rewards.reward import RewardError, Watched
from records import Entry, Registry, digest

DESCRIBERS = Registry(
    "description",
    {
        "obs": Entry("policies.rewards.describers:Observed", "observations by name; the clock is left out"),
        "pixels": Entry("policies.rewards.describers:Pixels", "colours and oriented gradients of each frame"),
        "close_up": Entry("policies.rewards.film:CloseUp", "the same of small pictures of the work from close by"),
        "pretrained": Entry("policies.rewards.describers:Encoded", "features of a trained video encoder"),
    },
)

CLOCK = "phase"
"""The observation that tells the share of the demonstration that has passed. It grows whatever is done: a reward that
saw it would be paid for waiting."""


@runtime_checkable
class Describer(Protocol):
    """Describes the T + 1 moments of an episode."""

    needs: frozenset[str]
    """What it looks at, see `Reward.needs`."""
    momentary: bool
    """Whether the description of a moment depends on that moment alone."""

    def describe(self, episode: Watched) -> Float[np.ndarray, "O D"]:
        """One vector a moment.

        Raises:
            RewardError: the episode has not what is described.
        """

    def plain(self) -> dict[str, Any]:
        """Its arguments, as JSON holds them."""

    def fingerprint(self) -> str:
        """Equal where descriptions are comparable."""


class Observed:
    """Chosen observations, as they are."""

    needs, momentary = frozenset({"obs"}), True

    def __init__(self, names: tuple[str, ...]) -> None:
        """Choose them.

        Args:
            names: of observations; see `observed_names` for all but the clock.

        Raises:
            RewardError: none, or one twice.
        """
        if not names or len(set(names)) < len(names):
            raise RewardError(f"observations {list(names)}: name at least one, and none twice")
        self.names = tuple(names)

    def describe(self, episode: Watched) -> Float[np.ndarray, "O D"]:
        """The chosen columns."""
        places = {name: k for k, name in enumerate(episode.obs_names)}
        lacking = [name for name in self.names if name not in places]
        if lacking:
            raise RewardError(
                f"the reward looks at the observation {lacking[0]!r}, which this environment has not"
                f" (it has: {', '.join(episode.obs_names) or 'none'})"
            )
        return np.asarray(episode.obs, float)[:, [places[name] for name in self.names]]

    def plain(self) -> dict[str, Any]:
        """The names."""
        return {"names": list(self.names)}

    def fingerprint(self) -> str:
        """Of the names."""
        return digest("obs", list(self.names))


def observed_names(episode: Watched) -> tuple[str, ...]:
    """All that an episode observes but the clock."""
    return tuple(name for name in episode.obs_names if name != CLOCK)


class Pixels:
    """Each frame by itself, by one of `perception.states.pixels.PIXELS`: nothing is learned."""

    needs, momentary = frozenset({"frames"}), True

    def __init__(self, kind: str = "colour_hog") -> None:
        """Choose the kind.

        Raises:
            RewardError: no such kind.
        """
        from perception.states.pixels import PIXELS

        if kind not in PIXELS:
            raise RewardError(f"unknown pixel features {kind!r}; choose from: {', '.join(PIXELS)}")
        self.kind, self._of = kind, PIXELS[kind]

    def describe(self, episode: Watched) -> Float[np.ndarray, "O D"]:
        """One description a frame."""
        return np.stack([self._of(frame) for frame in frames_of(episode)]).astype(float)

    def plain(self) -> dict[str, Any]:
        """The kind."""
        return {"kind": self.kind}

    def fingerprint(self) -> str:
        """Of the kind, and the version of what it computes."""
        from perception.states.pixels import VERSION

        return digest("pixels", self.kind, VERSION)


class Encoded:
    """Features of the encoder's window that ends with each moment; before the first frame, that one is shown."""

    needs, momentary = frozenset({"frames"}), False

    def __init__(self, folder: str, every: float = 0.2) -> None:
        """Load the encoder.

        Args:
            folder: of a `pretrain.pretrained.Pretrained`.
            every: from one encoded moment to the next [s]; those between have the description of the last one.

        Raises:
            ModelError: the folder holds no model.
            RewardError: `every` is not positive.
        """
        from pretrain.pretrained import Pretrained

        if not every > 0:
            raise RewardError(f"features every {every:g} s: a positive time is needed")
        self.folder, self.every = str(folder), every
        self.model = Pretrained.load(Path(folder))
        self._hash = self.model.fingerprint()

    def describe(self, episode: Watched) -> Float[np.ndarray, "O D"]:
        """One description a moment."""
        sampling, frames = self.model.sampling, squares(episode, self.model.sampling.size)
        step = max(1, round(self.every * episode.fps))
        ends = np.arange(0, len(frames), step)
        back = np.arange(sampling.frames - 1, -1, -1) / sampling.fps * episode.fps
        places = np.clip(np.floor(ends[:, None] - back + 1e-9), 0, None).astype(int)
        codes = self.model.encode_clips(frames[places]).features
        return np.repeat(codes.astype(float), step, axis=0)[: len(frames)]

    def plain(self) -> dict[str, Any]:
        """The folder and the time between descriptions."""
        return {"folder": self.folder, "every": self.every}

    def fingerprint(self) -> str:
        """Of the encoder's weights and windows."""
        return digest("pretrained", self._hash, self.every)


def frames_of(episode: Watched) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The T + 1 frames of an episode.

    Raises:
        RewardError: there are none, or not as many as observations.
    """
    if episode.frames is None:
        raise RewardError("the reward looks at frames, which the episode has not")
    count = 0
    for frame in episode.frames():
        count += 1
        yield frame
    if count != len(episode) + 1:
        raise RewardError(f"{count} frames of an episode of {len(episode)} steps; expected one more than steps")


def squares(episode: Watched, size: int) -> UInt8[np.ndarray, "O S S 3"]:
    """The central square of each frame, scaled to `size` [px]."""
    import cv2

    found = []
    for frame in frames_of(episode):
        side = min(frame.shape[:2])
        top, left = ((length - side) // 2 for length in frame.shape[:2])
        square = np.ascontiguousarray(frame[top : top + side, left : left + side])
        found.append(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA))
    return np.stack(found)


def make_describer(kind: str, plain: Mapping[str, Any]) -> Describer:
    """Make one from its name in the table and its arguments as `plain` gives them.

    Raises:
        UnknownName: no such description.
        RewardError: arguments that it does not take.
    """
    maker = DESCRIBERS.load(kind)
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    try:
        made: Describer = maker(**values)
    except TypeError as error:
        raise RewardError(f"the description {kind!r} cannot be made from {dict(plain)}: {error}") from error
    return made


def kind_of(describer: Describer) -> str:
    """Name of a description in the table.

    Raises:
        RewardError: it is none of the table's, so that it cannot be saved.
    """
    for name in DESCRIBERS:
        if type(describer) is DESCRIBERS.load(name):
            return name
    raise RewardError(f"{type(describer).__name__} is no description of the table ({', '.join(DESCRIBERS)})")
