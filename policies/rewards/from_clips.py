"""A reward out of clips that nobody has labelled: the end state that is discovered in them, and what tells it apart.

Of some clips the task is done, of others it is not, and which is which is not known. What they share is discovered
(`perception.states`): an initial state, an action, a final state. The half of the clips that shows it best teaches what
the final state looks like, and what is not it; the other half is taken for episodes without it, as in VICE (Fu et al.,
NeurIPS 2018). Some of those are successes: they blur the reward, and do not change what it orders above what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from perception.states.discovery import Discovery, discover, timelines
from policies.rewards.describers import Describer
from policies.rewards.learned import Learned, described, learn
from policies.rewards.reward import RewardError, Shown, Watched
from policies.rewards.state_classifier import FINAL, StateClassifierSettings
from records import Features, Timeline


class FromClips(NamedTuple):
    """A reward, and what it was learned from."""

    reward: Learned
    """Probability of the final state, to be saved by `policies.rewards.saved.save_reward`."""
    discovery: Discovery
    timelines: tuple[Timeline, ...]
    shows: Bool[np.ndarray, "C"]
    """Which clips were taken to show the change as a whole: of the more relevant half, those with a final state."""


def learn_from_clips(
    clips: Sequence[Watched],
    describer: Describer,
    *,
    method: str = "pseudo_labels",
    settings: StateClassifierSettings | None = None,
    seed: int = 0,
    significance: float | None = 0.1,
) -> FromClips:
    """Discover the end state that clips share, and learn a reward for it.

    Whether a clip succeeds and what it was truly rewarded with is not looked at. Nor is how long it lasts, for an
    episode may end early because it succeeds: the last moment of each stays until the longest one ends.

    Args:
        clips: unlabelled, of one task; episodes of an agent, of a person, or of a video.
        describer: of their moments.
        method: name in the table of discoverers.
        settings: of the classifier.
        seed: of all that is random.
        significance: of the test whether the clips share a change, see `discover`.

    Raises:
        RewardError: no clip shows a final state.
        DiscoveryError: a single clip, or no change that they share.
        UnknownName: no such discoverer.
    """
    longest = max((len(clip) for clip in clips), default=0)
    lasting = [stays(clip, longest) for clip in clips]
    features = [features_of(clip, describer) for clip in lasting]
    # Clips that do not show it are told by their relevance; the last moment of each stays, so that none is cut off.
    found = discover(features, method, seed=seed, significance=significance, doubt=None)
    lines = timelines(features, found)
    shows = (found.relevance >= np.median(found.relevance)) & np.array([FINAL in line.labels for line in lines])
    if not shows.any():
        raise RewardError(f"none of the {len(clips)} clips shows a final state: give some in which the task is done")
    chosen = np.flatnonzero(shows)
    shown = Shown(
        [lasting[k] for k in chosen],
        [lasting[k] for k in np.flatnonzero(~shows)],
        [lines[k] for k in chosen],
    )
    reward = learn("state_classifier", shown, describer, settings=settings, seed=seed)
    return FromClips(reward, found, lines, shows)


def features_of(clip: Watched, describer: Describer) -> Features:
    """Descriptions of a clip's moments as features of windows about them."""
    value = described(clip, describer)
    middle = np.arange(len(value)) / clip.fps
    half = 0.5 / clip.fps
    return Features(
        value=value,
        time=np.stack([np.maximum(middle - half, 0.0), middle + half], axis=1),
        encoder=type(describer).__name__,
        encoder_hash=describer.fingerprint(),
    )


def stays(clip: Watched, steps: int) -> Watched:
    """A clip whose last moment stays until so many steps have been made; as it is, if it lasts as long.

    True reward and success are left out.
    """
    moments = np.minimum(np.arange(max(steps, len(clip)) + 1), len(clip))
    left = len(moments) - 1 - len(clip)
    frames, forces = clip.frames, clip.forces

    def shown() -> Iterator[np.ndarray]:
        assert frames is not None
        picture = None
        for picture in frames():
            yield picture
        assert picture is not None
        for _ in range(left):
            yield picture

    return Watched(
        obs=clip.obs[moments],
        obs_names=clip.obs_names,
        action=np.concatenate([clip.action, np.zeros((left, clip.action.shape[1]))]),
        frames=None if frames is None else shown,
        fps=clip.fps,
        forces=None if forces is None else np.concatenate([forces, np.repeat(forces[-1:], left, axis=0)]),
        force_names=clip.force_names,
    )
