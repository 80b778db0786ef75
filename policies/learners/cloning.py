"""Learning by imitation: the decisions of an expert as a regression from what the policy sees.

The expert is the demonstration moved along with its objects, which knows exactly where they stand, whatever the policy
is told: where sensors err, the regression finds where objects are on average, given what is told of them. Cloning sees
the states that the expert brings about; DAgger (Ross, Gordon and Bagnell, AISTATS 2011) those that the policy itself
does. Where sensors err it is the one to take: what is seen of the expert's own motion tells what only it knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policies.learners.algorithm import linear_layers, set_layers
from policies.learners.learner import Layers, Round, Tally, decisions_of

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.vec_env import VecEnv


class CloningSettings(NamedTuple):
    """How an expert is imitated."""

    decisions: int = 256
    """Decisions in a round, each labelled by the expert."""
    batch: int = 64
    epochs: int = 20
    """Passes over everything seen so far, after a round."""
    rate: float = 1e-3
    """Learning rate of Adam."""
    hidden: tuple[int, ...] = (128, 128)
    """Widths of the tanh layers."""


class Cloner:
    """The expert acts."""

    Settings = CloningSettings
    squashed = False
    own_states = False
    """Whether the policy acts, from the second round on."""

    def __init__(self, envs: VecEnv, settings: CloningSettings, seed: int, start: Layers | None = None) -> None:
        """Set up a network that outputs zero, or the policy to start from.

        Raises:
            ValueError: the policy to start from has other layers.
        """
        import torch

        torch.manual_seed(seed)
        assert envs.observation_space.shape is not None
        assert envs.action_space.shape is not None
        sizes = [envs.observation_space.shape[0], *settings.hidden]
        modules: list[torch.nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            modules += [torch.nn.Linear(inputs, outputs), torch.nn.Tanh()]
        last = torch.nn.Linear(sizes[-1], envs.action_space.shape[0])
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
        self._network = torch.nn.Sequential(*modules, last)
        if start is not None:
            set_layers(list(self._network), start)
        self._optimiser = torch.optim.Adam(self._network.parameters(), lr=settings.rate)
        self._envs, self._settings = envs, settings
        self.decisions = decisions_of(envs, settings.decisions)
        self._seen = np.zeros((0, sizes[0]), np.float32)
        self._wanted = np.zeros((0, last.out_features), np.float32)

    def round(self, seed: int) -> Round:
        """Let expert or policy act, note what the expert would do, and fit it."""
        import torch

        torch.manual_seed(seed)
        self._envs.seed(seed)
        acts = self.own_states and len(self._seen) > 0
        obs, tally = np.asarray(self._envs.reset()), Tally()
        seen, wanted = [], []
        for _ in range(self.decisions // self._envs.num_envs):
            expert = np.stack(self._envs.env_method("expert")).astype(np.float32)
            seen.append(obs)
            wanted.append(expert)
            after, _, _, infos = self._envs.step(self._decide(obs) if acts else expert)
            obs = np.asarray(after)
            tally.add(infos)
        self._seen = np.concatenate([self._seen, *seen])
        self._wanted = np.concatenate([self._wanted, *wanted])
        self._fit()
        return tally.total()

    def tensors(self) -> dict[str, np.ndarray]:
        """Network, moments, and everything seen."""
        found = {f"network/{name}": value.numpy() for name, value in self._network.state_dict().items()}
        for k, moments in self._optimiser.state_dict()["state"].items():
            found |= {f"optimiser/{k}/{name}": value.numpy() for name, value in moments.items()}
        return found | {"seen": self._seen, "wanted": self._wanted}

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Return to network, moments and what has been seen."""
        import torch

        weights: dict[str, torch.Tensor] = {}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            kind, *rest = name.split("/")
            if kind == "network":
                weights[rest[0]] = torch.from_numpy(value.copy())
            elif kind == "optimiser":
                moments.setdefault(int(rest[0]), {})[rest[1]] = torch.from_numpy(value.copy())
        self._network.load_state_dict(weights)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self._seen, self._wanted = tensors["seen"], tensors["wanted"]

    def layers(self) -> Layers:
        """The network."""
        return linear_layers(list(self._network))

    def _decide(self, obs: np.ndarray) -> np.ndarray:
        import torch

        with torch.no_grad():
            return np.clip(self._network(torch.from_numpy(obs)).numpy(), -1, 1)

    def _fit(self) -> None:
        """Least squares over everything seen, in random order."""
        import torch

        seen, wanted = torch.from_numpy(self._seen), torch.from_numpy(self._wanted)
        for _ in range(self._settings.epochs):
            for chosen in torch.randperm(len(seen)).split(self._settings.batch):
                self._optimiser.zero_grad()
                torch.nn.functional.mse_loss(self._network(seen[chosen]), wanted[chosen]).backward()
                self._optimiser.step()


class Dagger(Cloner):
    """The policy acts, from the second round on; the expert says what it should have done."""

    own_states = True
