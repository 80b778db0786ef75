"""Settings of rewards as users say them, `name=value`: of the right kind, and within what makes sense."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from policies.rewards.in_task import ADVERSARIES
from policies.rewards.reward import REWARDS, RewardError
from policies.rewards.saved import settings_of

_BETWEEN = {"tail": (0.0, 0.5), "discount": (0.0, 1.0)}
"""Shares: least and greatest value."""
_MAY_BE_NONE = frozenset({"directions"})
"""Numbers of something that may be 0; of everything else that is counted there is at least one."""


def settings_for(name: str, said: Sequence[str]) -> Any:
    """Settings of a reward from texts as `name=value`, values as in JSON or plain words.

    Raises:
        UnknownName: no such reward.
        RewardError: no such setting, or a value of another kind than its default, or beyond what makes sense.
    """
    kind, plain = ADVERSARIES.get(name) or REWARDS.load(name), {}
    for text in said:
        key, equals, value = text.partition("=")
        if not equals:
            raise RewardError(f"setting {text!r}: say name=value")
        try:
            plain[key] = json.loads(value)
        except ValueError:
            plain[key] = value
    if name in ADVERSARIES and "form" in plain:
        raise RewardError(f"setting form={plain['form']!r} of {name!r}: the kind of reward says it")
    found = _checked(name, kind, plain)
    if "options" in plain:
        _checked(found.member, REWARDS.load(found.member), found.options)
    return found


def _checked(name: str, kind: Any, plain: Mapping[str, Any]) -> Any:
    """Settings of a reward, those that are said checked."""
    found, usual = settings_of(kind, plain), kind.Settings()
    for key in plain:
        _check(name, key, getattr(found, key), getattr(usual, key))
    return found


def _check(name: str, key: str, value: Any, usual: Any) -> None:
    """Refuse a value of another kind than the usual one, or beyond what makes sense."""

    def refuse(expected: str) -> RewardError:
        return RewardError(f"setting {key}={_said(value)} of {name!r}: expected {expected}")

    number = isinstance(usual, float) and type(value) is int
    if not number and type(value) is not type(usual):
        raise refuse(f"such as {json.dumps(usual)}")
    if isinstance(usual, tuple):
        kind = str if key == "contacts" else int
        if any(type(one) is not kind for one in value) or (kind is int and min(value, default=1) < 1):
            raise refuse("names" if kind is str else "whole numbers above 0")
    elif key in _BETWEEN:
        low, high = _BETWEEN[key]
        if not low < value <= high:
            raise refuse(f"more than {low:g}, at most {high:g}")
    elif isinstance(usual, (int, float)) and not isinstance(usual, bool):
        least = 1 if isinstance(usual, int) and key not in _MAY_BE_NONE else 0
        if not least <= value < math.inf:
            raise refuse(f"at least {least}")


def _said(value: Any) -> str:
    return json.dumps(value) if isinstance(value, tuple) else repr(value)
