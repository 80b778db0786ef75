"""Rewards written by hand for tasks whose work is done once: what a learned one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from policies.rewards.reward import Watched


class Written:
    """A function of observations by name, after each step."""

    needs, stepwise = frozenset({"obs"}), True

    def __init__(self, name: str, of: Callable[[Mapping[str, np.ndarray]], np.ndarray]) -> None:
        self.name, self._of = name, of

    def per_step(self, episode: Watched) -> np.ndarray:
        """Of the moment after each step."""
        return self._of(dict(zip(episode.obs_names, episode.obs[1:].T, strict=True)))


def _apart(seen: Mapping[str, np.ndarray]) -> np.ndarray:
    work = "nail" if "nail_x" in seen else "patch"
    return np.linalg.norm([seen[f"head_{axis}"] - seen[f"{work}_{axis}"] for axis in "xyz"], axis=0)


done = Written("done", lambda seen: seen["driven"] if "driven" in seen else seen["cut"])
near_work = Written("near_work", lambda seen: -_apart(seen))
clock = Written("clock", lambda seen: seen["phase"])
height = Written("height", lambda seen: seen["head_z"])
WRITTEN = {reward.name: reward for reward in (done, near_work, clock, height)}
"""By name; each is also this module's, so that `SPECS` name them."""
SPECS = {name: f"{__name__}:{name}" for name in WRITTEN}
