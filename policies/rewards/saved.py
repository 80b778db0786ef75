"""A learned reward as a folder: `reward.json` says what it is and looks at, `reward.safetensors` holds what it learned.

Nothing that such a folder says is run: a reward, its description and its settings are looked up in tables by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from policies.rewards.describers import DESCRIBERS, Describer, kind_of, make_describer
from policies.rewards.learned import Learned
from policies.rewards.reward import REWARDS, RewardError
from policies.weights import PolicyError, load_weights, save_weights
from records import UnknownName, digest
from records.atomic import write_json

VERSION = 1
"""Of the folder's layout."""
NOTE, WEIGHTS = "reward.json", "reward.safetensors"
_FIELDS = {"version", "reward", "settings", "seed", "describer", "fingerprint", "weights"}


def save_reward(reward: Learned, folder: Path | str) -> None:
    """Write a reward's two files; the note comes last: where it is, the reward is whole.

    Raises:
        RewardError: the reward is none of the table, or something that it learned is not finite.
    """
    folder, tensors = Path(folder), reward.tensors()
    if reward.name not in REWARDS:
        raise RewardError(f"the reward {reward.name!r} is not in the table ({', '.join(REWARDS)}): it cannot be saved")
    weights = digest({name: [value.shape, value.tolist()] for name, value in tensors.items()})
    describer, told = reward.describer, None
    if describer is not None:
        told = {"kind": kind_of(describer), "arguments": describer.plain()}
    note = {
        "version": VERSION,
        "reward": reward.name,
        "settings": reward.settings._asdict(),
        "seed": reward.seed,
        "describer": told,
        "fingerprint": None if describer is None else describer.fingerprint(),
        "weights": weights,
    }
    try:
        save_weights(folder / WEIGHTS, tensors, weights)
    except PolicyError as error:
        raise RewardError(str(error)) from error
    write_json(folder / NOTE, note)


def load_reward(folder: Path | str, describer: Describer | None = None) -> Learned:
    """Read a reward.

    Args:
        folder: where it was saved.
        describer: of moments, where it shall not be made anew: an encoder may have been moved.

    Raises:
        RewardError: a file is missing or damaged, the two do not belong together, or the description is another one
            than the reward was learned with.
    """
    folder = Path(folder)
    note = _read(folder / NOTE)
    try:
        tensors, weights = load_weights(folder / WEIGHTS)
    except PolicyError as error:
        raise RewardError(str(error)) from error
    if weights != note["weights"]:
        raise RewardError(f"{folder}: {WEIGHTS} and {NOTE} are of different rewards; train it again")
    if describer is None and note["describer"] is not None:
        describer = make_describer(note["describer"]["kind"], note["describer"]["arguments"])
    if (None if describer is None else describer.fingerprint()) != note["fingerprint"]:
        raise RewardError(
            f"{folder}: the reward was learned with another encoder or other observations than are here:"
            " use the same, or train it again"
        )
    kind = REWARDS.load(note["reward"])
    try:
        settings = settings_of(kind, note["settings"])
        return cast(Learned, kind.restored(describer, settings, int(note["seed"]), tensors))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, RewardError):
            raise
        raise RewardError(f"{folder}: damaged ({error}); delete it and train the reward again") from error


def settings_of(kind: Any, plain: Mapping[str, Any]) -> Any:
    """Settings of a reward from what JSON holds: lists are tuples.

    Raises:
        RewardError: one that it does not have.
    """
    unknown = sorted(set(plain) - set(kind.Settings._fields))
    if unknown:
        raise RewardError(
            f"the reward {kind.name!r} has no setting {unknown[0]!r}; it has: {', '.join(kind.Settings._fields)}"
        )
    return kind.Settings(**{name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()})


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise RewardError(f"{path.parent}: no reward here ({NOTE} is missing); `learn` one and `save_reward` it")
    try:
        note = dict(json.loads(path.read_text(encoding="utf-8")))
        if note.get("version") != VERSION:
            raise RewardError(
                f"{path}: version {note.get('version')}, not {VERSION}; update apprentice, or train it again"
            )
        if set(note) != _FIELDS:
            raise KeyError(f"fields {sorted(set(note) ^ _FIELDS)}")
        REWARDS[note["reward"]]
        if note["describer"] is not None:
            DESCRIBERS[note["describer"]["kind"]]
            dict(note["describer"]["arguments"])
        return note
    except UnknownName as error:
        raise RewardError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, RewardError):
            raise
        raise RewardError(f"{path}: damaged ({error}); delete it and train the reward again") from error
