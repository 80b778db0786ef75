"""From what users have to a reward: which episodes are demonstrations, how they are described, what is refused.

Episodes that are known to fail are what is not to be done; true rewards play no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from policies.rewards.describers import DESCRIBERS, Describer, Encoded, Observed, make_describer, observed_names
from policies.rewards.evaluation.canonical.pearson import refuse_constant
from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.film import Looks
from policies.rewards.learned import Learned, learn
from policies.rewards.reward import RewardError, Shown, Watched, judge

SINGLE = ("text_similarity", "force_profile")
"""Rewards that one demonstration is enough for: a video that others are compared with, a course of forces. The others
tell what belongs to the task from what belongs to the day, which one demonstration does not show."""
UNDESCRIBED = {"force_profile": frozenset({"forces"})}
"""Rewards that look at no descriptions, and what they look at."""


def shown_by(datasets: Sequence[Dataset], others: Sequence[Dataset] = ()) -> Shown:
    """Demonstrations and other episodes.

    Args:
        datasets: of one environment. Episodes that are known to succeed are demonstrations, those that are known to
            fail are others; where no success is known at all, all are demonstrations.
        others: all of their episodes are others.

    Raises:
        RewardError: data of different environments, or none of the episodes succeeds.
    """
    one_environment([*datasets, *others])
    episodes = [episode for data in datasets for episode in data.episodes]
    good = [episode for episode in episodes if episode.success]
    known = any(episode.success is not None for episode in episodes)
    if known and not good:
        raise RewardError(
            f"none of {len(episodes)} episodes is known to succeed: there is nothing to learn from;"
            " give demonstrations of the task"
        )
    bad = [episode for episode in episodes if episode.success is False]
    return Shown(good if known else episodes, [*bad, *(episode for data in others for episode in data.episodes)])


def one_environment(datasets: Sequence[Dataset]) -> None:
    """Refuse data of different environments: they tell other tasks, observe something else, or act otherwise.

    Raises:
        RewardError: it names two files and what differs.
    """
    for other in datasets[1:]:
        for what, (one, two) in _told(datasets[0], other).items():
            if one != two:
                raise RewardError(
                    f"{datasets[0].path} and {other.path} are of different environments ({what}: {one}, {two});"
                    " a reward is learned in one"
                )


def _told(one: Dataset, two: Dataset) -> dict[str, tuple[Any, Any]]:
    told: dict[str, tuple[Any, Any]] = {}
    tasks = one.environment.get("task"), two.environment.get("task")
    if None not in tasks:
        told["task"] = tasks
    first, second = one.episodes[0], two.episodes[0]
    told["observations"] = first.obs.shape[1], second.obs.shape[1]
    told["names of observations"] = ", ".join(first.obs_names), ", ".join(second.obs_names)
    told["actions"] = first.action.shape[1], second.action.shape[1]
    return told


def describer_for(
    name: str,
    like: Watched | None,
    kind: str | None = None,
    *,
    model: str | None = None,
    observations: Sequence[str] = (),
) -> Describer | None:
    """How moments are described to a reward.

    Args:
        name: of the reward, or of an ensemble's members.
        like: an episode of those that it is learned from.
        kind: name in `DESCRIBERS`; by default by the trained encoder, if one is given, else by what was observed, else
            by pixels.
        model: folder of a trained encoder.
        observations: which are looked at; all but the clock by default.

    Raises:
        RewardError: the reward, the kind and what is given with it do not go together.
        UnknownName: no such description.
        ModelError: the folder holds no model.
    """
    if name in UNDESCRIBED:
        if kind is not None or model is not None or observations:
            raise RewardError(f"the reward {name!r} looks at forces alone: leave descriptions out")
        return None
    observed = like is not None and like.obs.shape[1] > 0
    kind = kind or ("pretrained" if model is not None else "obs" if observed or observations else "pixels")
    DESCRIBERS[kind]
    if (kind == "pretrained") != (model is not None) or (observations and kind != "obs"):
        raise RewardError(
            f"moments are described by {kind!r}: a trained encoder goes with 'pretrained', observations with 'obs'"
        )
    if kind == "pretrained":
        return Encoded(str(model))
    if kind != "obs":
        return make_describer(kind, {})
    if not observed:
        raise RewardError("clips tell no observations: describe them by 'pixels', or by a trained encoder")
    assert like is not None
    return Observed(tuple(observations) or observed_names(like))


def looks_of(name: str, describer: Describer | None) -> Looks:
    """What a reward that is yet to be learned will look at.

    Args:
        name: of the reward, or of an ensemble's members.
        describer: as `describer_for` gives it.
    """
    return Looks(describer.needs, describer) if describer is not None else Looks(UNDESCRIBED[name])


def train_reward(
    name: str, shown: Shown, describer: Describer | None, *, settings: Any = None, seed: int = 0
) -> Learned:
    """Learn a reward of the table, and refuse it if it says nothing of what it was learned from.

    Raises:
        UnknownName: no such reward.
        ConstantRewardError: it is the same in all steps of all episodes.
        RewardError: a single demonstration, or what the reward needs is missing; see `learn`.
    """
    if len(shown.demonstrations) == 1 and name not in SINGLE:
        raise RewardError(
            f"one demonstration only: the reward {name!r} needs at least two, to tell what belongs to the task from"
            f" what belongs to that one; one is enough for {' and '.join(SINGLE)}"
        )
    reward = learn(name, shown, describer, settings=settings, seed=seed)
    episodes = [*shown.demonstrations, *shown.others]
    if name not in SINGLE or shown.others:  # the distance of a demonstration from itself is nothing, rightly
        refuse_constant(name, np.concatenate([judge(reward, episode) for episode in episodes]))
    return reward
