"""Synthetic episodes of a point that goes to a goal at 1, or stops short; and rewards of which all is known."""

import numpy as np

from policies.rewards.evaluation.transitions import FunctionReward
from policies.rewards.reward import Watched


def walk(seed=0, *, to=1.0, steps=20, noise=0.01):
    """A point goes from 0 to `to`; the true reward is 1 where it arrives at 1."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, to, steps + 1) + noise * rng.standard_normal(steps + 1)
    x[-1] = to
    true = np.zeros(steps)
    true[-1] = float(to >= 1)
    return Watched(
        obs=np.c_[x, rng.standard_normal(steps + 1)],
        obs_names=("x", "other"),
        action=np.diff(x)[:, None],
        fps=10.0,
        success=to >= 1,
        reward=true,
    )


def walks(successes=8, failures=8):
    """Half of the failures are near misses."""
    return [walk(k) for k in range(successes)] + [walk(100 + k, to=0.8 if k % 2 else 0.2) for k in range(failures)]


def near(s, a, s_next):
    """A level: how near the goal is."""
    return -np.abs(1 - s_next[:, 0])


def gain(s, a, s_next):
    """What is gained of it: shaping alone."""
    return s_next[:, 0] - s[:, 0]


def noise_of(s, a, s_next):
    """Nothing to do with the task."""
    return s_next[:, 1]


def arrived(s, a, s_next):
    """The truth."""
    return ((s_next[:, 0] >= 1) & (np.abs(a[:, 0]) < 1)).astype(float)


def named(function):
    return FunctionReward(function, function.__name__)


class Clock:
    """Counts steps, whatever is seen."""

    name = "clock"
    needs = frozenset({"obs"})

    def per_step(self, episode):
        return np.arange(len(episode), dtype=float)


class Ticks(Clock):
    """Pays one for each step: the clock as what is gained on it."""

    name = "ticks"
    gains = True

    def per_step(self, episode):
        return np.ones(len(episode))
