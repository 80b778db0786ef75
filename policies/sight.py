"""Where objects seem to stand to whoever acts: as sensors tell now, or on average over what they have told so far."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from motion.tool import head_positions
from sim.conditions import Conditions
from sim.env import ToolEnv


class Sight:
    """What an agent makes of the places that it is told, over one episode.

    Errors that are drawn anew in every step (`Sensing.jitter`) average out: over n control steps since the objects
    were first seen, their standard deviation is that of one, divided by the root of n. Errors that last
    (`Sensing.place`) do not.
    """

    def __init__(self, env: ToolEnv, *, averaged: bool = False) -> None:
        """Begin an episode of `env`, which has just been reset.

        Args:
            env: whose objects are seen.
            averaged: whether the mean of the places seen so far counts, or the last one.
        """
        self._env, self._averaged = env, averaged
        self._path = head_positions(env.tool, env.demonstration.tool)
        self._work = env.task.work(env.demonstration.scene)
        names, own = env.obs_names, env.task.obs_names
        self._place = [names.index(f"offset_{axis}") for axis in "xy"]
        self._yaw = names.index("yaw")
        first = len(names) - len(own)
        told = [[first + k for k, name in enumerate(own) if name.endswith(f"_{axis}")] for axis in "xy"]
        self._columns = [[place, *columns] for place, columns in zip(self._place, told, strict=True)]
        self.begin()

    def begin(self) -> None:
        """Begin the next episode: nothing has been seen."""
        self._frame, self._count, self._sum = 0, 0, np.zeros(2)
        self._seems = Conditions()

    def look(self, obs: Float[np.ndarray, "D"]) -> Float[np.ndarray, "D"]:
        """The observation with every place of the objects as it seems to be; once for each observation, in order."""
        if self._averaged and self._frame >= self._env.sensing.delay * self._env.fps:
            now = obs[self._place]
            self._count, self._sum = self._count + 1, self._sum + now
            obs = obs.copy()
            for columns, error in zip(self._columns, self._sum / self._count - now, strict=True):
                obs[columns] += error
        x, y = obs[self._place].tolist()
        self._seems = Conditions(x=x, y=y, yaw=float(obs[self._yaw]))
        self._frame += 1
        return obs

    def shift(self) -> Float[np.ndarray, "A"]:
        """The action that moves the demonstration along with its objects, to where they seem to be."""
        return self._along(self._seems)

    def true_shift(self) -> Float[np.ndarray, "A"]:
        """The same to where they are: what nobody knows who acts, and an expert who teaches may."""
        return self._along(self._env.conditions)

    def _along(self, conditions: Conditions) -> Float[np.ndarray, "A"]:
        coming = min(self._frame, len(self._path) - 1)
        return self._env.action.along(conditions, self._path[coming], self._work)
