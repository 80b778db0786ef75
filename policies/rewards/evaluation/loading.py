"""A reward by what names it: a folder of a saved one, or a Python function."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from policies.rewards.evaluation.transitions import FunctionReward
from policies.rewards.reward import Reward, RewardError
from policies.rewards.saved import load_reward


def named_reward(spec: str) -> Reward:
    """The reward that is meant.

    Args:
        spec: folder of a saved reward; or `module:name` (installed, or in the working folder) or `path/file.py:name` of
            a function of s (N, D), a (N, A) and s_next (N, D) that gives (N,), of a reward (an object with `needs` and
            `per_step`), or of a class of them.
            The code is run as it stands: name only what you trust.

    Raises:
        RewardError: nothing of that kind.
    """
    place, colon, name = spec.rpartition(":")
    if Path(spec).is_dir():
        return load_reward(spec)
    if not colon or not place:
        raise RewardError(
            f"{spec}: no reward; give the folder of a saved one, or a function as module:name or file.py:name"
        )
    found = getattr(_module(place), name, None)
    if found is None:
        raise RewardError(f"{spec}: {place} has no {name!r}")
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:  # the user's code may raise anything
            raise RewardError(f"{spec}: cannot be made without arguments ({type(error).__name__}: {error})") from error
    if isinstance(found, Reward):
        return found
    if not callable(found):
        raise RewardError(f"{spec}: {name} is neither a function of (s, a, s_next) nor a reward")
    return FunctionReward(found, spec)


def title_of(spec: str) -> str:
    """What a reward is called in tables: the end of what names it."""
    _, colon, name = spec.rpartition(":")
    return name if colon and not Path(spec).is_dir() else Path(spec).name


def _module(place: str) -> ModuleType:
    path = Path(place)
    try:
        if path.suffix != ".py":
            here = str(Path.cwd())
            if here not in sys.path:  # a console script does not look there; last, so that nothing installed is hidden
                sys.path.append(here)
            return importlib.import_module(place)
        if not path.is_file():
            raise RewardError(f"{place}: no such file")
        described = importlib.util.spec_from_file_location(f"_reward_{path.stem}", path)
        assert described is not None
        assert described.loader is not None
        module: Any = importlib.util.module_from_spec(described)
        described.loader.exec_module(module)
        return module
    except RewardError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise RewardError(f"{place}: cannot be imported ({type(error).__name__}: {error})") from error
