"""What the verb `rewards train` does: the user's episodes or clips to a saved reward."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from apprentice.reward_data import demonstration_of, seen_by, under_of
from apprentice.showing import console, name_skipped
from apprentice.stages import UsageError
from records import Interaction, Timeline
from records.atomic import write_json

if TYPE_CHECKING:
    from apprentice import commands
    from policies.rewards.evaluation.data.reading import Dataset
    from policies.rewards.film import Looks
    from policies.rewards.learned import Learned
    from policies.rewards.reward import Shown

LEARNED_FROM = "learned_from.json"
"""Beside a saved reward: the data that it has seen."""


def train(verb: commands.RewardsTrain) -> None:
    """A folder with the reward, and a note of what it was learned from."""
    from policies.rewards.in_task import ADVERSARIES
    from policies.rewards.saved import save_reward

    reward, shown, told = _in_turns(verb) if verb.reward in ADVERSARIES else _once(verb)
    save_reward(reward, verb.out)
    about = {
        "data": [str(path.resolve()) for path in (*verb.data, *verb.others)],
        "part": verb.part,
        "demonstrations": len(shown.demonstrations),
        "others": len(shown.others),
    }
    write_json(verb.out / LEARNED_FROM, about)
    beside = f" and {len(shown.others)} others" if shown.others else ""
    console.print(
        f"{verb.out}: {verb.reward}, learned from {len(shown.demonstrations)} demonstrations{beside}, {told}",
        soft_wrap=True,
    )
    console.print(f"judge it: apprentice rewards evaluate EPISODES --reward {verb.out} --out FOLDER", soft_wrap=True)


def _once(verb: commands.RewardsTrain) -> tuple[Learned, Shown, str]:
    """A reward of the table, what it was learned from, and how that was looked at."""
    from policies.rewards.describers import kind_of
    from policies.rewards.settings import settings_for
    from policies.rewards.train import describer_for, looks_of, shown_by, train_reward

    settings = settings_for(verb.reward, verb.set)
    clips: list[str] = []
    data, others = _read(verb.data, verb, clips), _read(verb.others, verb, [])
    described = settings.member if verb.reward == "ensemble" else verb.reward
    describer = describer_for(
        described,
        next((episode for one in data for episode in one.episodes), None),
        verb.describe,
        model=str(verb.model) if verb.model is not None else None,
        observations=verb.observations,
    )
    looks = looks_of(described, describer)
    data, others = ([_seen(looks, one, verb) for one in some] for some in (data, others))
    shown = shown_by(data, others)
    if verb.timelines is not None:
        shown = shown._replace(timelines=_timelines(verb.timelines, clips, len(shown.demonstrations)))
    shown = shown._replace(sentence=verb.sentence)
    reward = train_reward(verb.reward, shown, describer, settings=settings, seed=verb.common.seed)
    return reward, shown, f"described by {kind_of(describer)}" if describer is not None else "by forces"


def _in_turns(verb: commands.RewardsTrain) -> tuple[Learned, Shown, str]:
    """A reward that was learned in turns with a policy, from what, and whether the two could be told at the end.

    Raises:
        UsageError: the environment is not named, or something is given that such a reward has no use for.
    """
    from policies.rewards.in_task import learn_in_task
    from policies.rewards.settings import settings_for
    from policies.rewards.train import shown_by

    unused = [
        f"--{name}"
        for name in ("others", "describe", "model", "timelines", "sentence")
        if getattr(verb, name) not in (None, (), "", "obs")
    ]
    if unused:
        raise UsageError(
            f"{verb.reward} tells demonstrations from its own policy's episodes, by observations and actions: leave"
            f" {' and '.join(unused)} out"
        )
    if not verb.data:
        raise UsageError(f"nothing to learn from: {verb.reward} needs episodes of the task")
    if verb.demonstration is None:
        raise UsageError(
            f"{verb.reward} is learned in turns with a policy that acts: name the --demonstration of the environment"
            " that the episodes come from (record or run folder)"
        )
    settings = settings_for(verb.reward, verb.set)
    data = _read(verb.data, verb, [])
    shown = shown_by(data)
    demonstration = demonstration_of(verb.demonstration, data[0])
    found = learn_in_task(
        data[0],
        shown.demonstrations,
        demonstration,
        form=verb.reward,
        names=verb.observations,
        settings=settings,
        under=under_of(data[0]),
        seed=verb.common.seed,
    )
    told = f"{found.told[-1]:.0%} of their steps told from the policy's at the end (50% by chance)"
    return cast("Learned", found.reward), shown._replace(others=()), told


def has_seen(reward: Path, data: Path, part: str) -> bool:
    """Whether a saved reward is noted to have learned from some of these episodes."""
    try:
        note = json.loads((reward / LEARNED_FROM).read_text(encoding="utf-8"))
        return str(data.resolve()) in note["data"] and {note["part"], part} != {"even", "odd"}
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _seen(looks: Looks, data: Dataset, verb: commands.RewardsTrain) -> Dataset:
    """Data with what the reward will look at; what does not hold it must tell how it can be repeated."""
    from policies.rewards.evaluation.repeated import lacks

    repeatable = verb.demonstration is not None and lacks(looks, data.episodes)
    if not data.seeds and not repeatable:
        return data
    demonstration = demonstration_of(verb.demonstration, data) if verb.demonstration is not None else None
    return seen_by(looks, verb.reward, data, demonstration)


def _read(paths: Sequence[Path], verb: commands.RewardsTrain, clips: list[str]) -> list[Dataset]:
    """Data of each path, all clips as one of them; names of clips are added to `clips`."""
    from policies.rewards.evaluation.data.reading import Dataset, holds_episodes, read_episodes
    from policies.rewards.force_profile import held_forces

    found, films = [], []
    for path in paths:
        motion = path / "interaction.npz"
        if motion.is_file():
            episodes = [held_forces(Interaction.load(motion))]
            found.append(Dataset(path=path, format="motion", episodes=episodes))
        elif verb.format is not None or holds_episodes(path):
            found.append(read_episodes(path, format=verb.format, fps=verb.fps).part(verb.part))
        else:
            films.append(path)
    return [*found, *([_films(films, verb, clips)] if films else [])]


def _films(paths: Sequence[Path], verb: commands.RewardsTrain, names: list[str]) -> Dataset:
    from policies.rewards.evaluation.data.reading import Dataset
    from policies.rewards.watching import watched_video
    from pretrain.clip_files import find_clips

    clips, skipped = find_clips(paths)
    name_skipped(skipped)
    clips = sorted(clips)[verb.part == "odd" :: 1 if verb.part == "all" else 2]
    if not clips:
        raise UsageError(f"{paths[0]}: a single clip, none of the {verb.part} ones")
    names += [clip.name for clip in clips]
    return Dataset(path=paths[0], format="clips", episodes=[watched_video(clip.path, fps=verb.fps) for clip in clips])


def _timelines(folder: Path, clips: Sequence[str], demonstrations: int) -> list[Timeline]:
    """Timelines of the clips, from the run folder of `apprentice states` or its folder of them."""
    if len(clips) != demonstrations:
        raise UsageError("--timelines are of clips: episodes and motion have none")
    found = []
    for name in clips:
        places = [place / f"{name}.timeline.npz" for place in (folder / "timelines", folder)]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise UsageError(f"{folder}: no timeline of {name}; make them: apprentice states CLIPS --task WORDS")
        found.append(Timeline.load(file))
    return found
