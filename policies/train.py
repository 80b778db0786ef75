"""Residual reinforcement learning around a demonstration: PPO (Schulman et al., arXiv 1707.06347) of stable-baselines3.

The reward is the task's own, sparse. Every round of experience starts with a fresh episode and its own seed, so that a
training that was stopped goes on from its last checkpoint and ends with the same policy, bit for bit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from policies.checkpoint import Curve, resume, save_checkpoint
from policies.policy import SETTINGS, Policy, PolicySettings, load_policy, read_settings, save_policy
from policies.residual import BASES, REPEAT, ResidualEnv, seen_names, spread_in_actions
from policies.weights import PolicyError
from records import Demonstration
from records.atomic import write_json
from records.progress import tell_progress

if TYPE_CHECKING:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

CHECKPOINT, CURVE = "checkpoint.safetensors", "curve.json"

_log = logging.getLogger(__name__)


class Learning(NamedTuple):
    """How PPO learns."""

    decisions: int = 256
    """Decisions in a round of experience: about 60 swings, enough to tell better from worse."""
    minibatch: int = 64
    epochs: int = 10
    """Passes over a round."""
    rate: float = 5e-4
    """Learning rate of Adam."""
    hidden: tuple[int, ...] = (128, 128)
    """Widths of the tanh layers of policy and value."""
    explore: float = 0.035
    """First standard deviation of exploration [m]: about the nail's head, so that a fair share of tries still hits."""
    gamma: float = 1.0
    """Discount: an episode is short and ends with its only reward."""
    trace: float = 0.95
    """Lambda of generalised advantage estimation."""


def train(
    demonstration: Demonstration,
    folder: Path | str,
    *,
    steps: int = 20_000,
    noise: float = 0.05,
    seed: int = 0,
    base: str = "shifted",
    learning: Learning | None = None,
) -> Policy:
    """Learn a policy and leave it in a folder: `policy.json`, `policy.safetensors` and `curve.json`.

    A folder that holds a checkpoint of the same training is continued; one that holds its result is left as it is.
    Progress is told through `records.progress`.

    Args:
        demonstration: aligned, and with a robot's motion if a robot shall act.
        folder: made if it is not there.
        steps: control steps of experience at most, rounded up to whole rounds.
        noise: standard deviation of the object's displacement along x and y [m].
        seed: of everything random.
        base: what the residual is added to: `shifted`, the demonstration moved along with its object, or `replay`.
        learning: how PPO learns.

    Raises:
        PolicyError: learning diverged.
        ValueError: a number that makes no sense.
    """
    if steps < 1 or not noise >= 0 or base not in BASES:
        raise ValueError(f"steps {steps}, noise {noise}, base {base!r}: at least 1, not negative, one of {BASES}")
    folder, learning = Path(folder), learning or Learning()
    folder.mkdir(parents=True, exist_ok=True)
    env = ResidualEnv(demonstration, base=base, noise=noise)
    try:
        settings = _settings(demonstration, env, learning, steps, noise, seed)
        done = _finished(folder, settings)
        if done is not None:
            _log.info("the policy in %s is already trained", folder)
            return done
        with _one_thread():
            return _learn(env, folder, settings, learning)
    finally:
        env.close()


def _settings(
    demonstration: Demonstration, env: ResidualEnv, learning: Learning, steps: int, noise: float, seed: int
) -> PolicySettings:
    robot = demonstration.robot
    return PolicySettings(
        task=demonstration.task,
        tool=demonstration.tool.model,
        robot=robot.model if robot is not None else None,
        demonstration=demonstration.fingerprint(),
        base=env.base,
        repeat=REPEAT,
        sees=seen_names(env.tool_env),
        hidden=learning.hidden,
        steps=steps,
        noise=noise,
        seed=seed,
    )


def _finished(folder: Path, settings: PolicySettings) -> Policy | None:
    """The policy in the folder, if it is the one that is asked for."""
    try:
        return load_policy(folder) if (folder / SETTINGS).is_file() and read_settings(folder) == settings else None
    except PolicyError as error:
        _log.warning("trained again: %s", error)
        return None


def _learn(env: ResidualEnv, folder: Path, settings: PolicySettings, learning: Learning) -> Policy:
    key = {"settings": asdict(settings), "learning": learning._asdict()}
    rounds = math.ceil(settings.steps / (learning.decisions * REPEAT))
    learner = _learner(env, learning, settings.seed)
    curve = resume(folder / CHECKPOINT, learner.policy, key)
    begun = curve.rounds
    if begun:
        _log.info("learning goes on after %d of %d rounds", begun, rounds)
        env.steps = curve.steps[-1]
        learner.num_timesteps = begun * learning.decisions
    if begun < rounds:
        callback = _rounds(env, folder / CHECKPOINT, key, curve, settings.seed, rounds)
        left = (rounds - begun) * learning.decisions
        learner.learn(left, callback=callback, reset_num_timesteps=False)
    policy = Policy(settings, _layers(learner))
    write_json(folder / CURVE, asdict(curve))
    save_policy(policy, folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    if not any(curve.success):
        _log.warning("no episode was solved while learning, so nothing was learned; align again, or move objects less")
    _log.info(
        "learned from %d control steps in %d episodes; %.0f %% of the last round's succeeded while exploring",
        curve.steps[-1],
        sum(curve.episodes),
        100 * curve.success[-1],
    )
    return policy


def _learner(env: ResidualEnv, learning: Learning, seed: int) -> PPO:
    """PPO whose policy outputs zero: it begins as the base."""
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    learner = PPO(
        "MlpPolicy",
        env,
        learning_rate=learning.rate,
        n_steps=learning.decisions,
        batch_size=learning.minibatch,
        n_epochs=learning.epochs,
        gamma=learning.gamma,
        gae_lambda=learning.trace,
        policy_kwargs={
            "net_arch": list(learning.hidden),
            "log_std_init": math.log(spread_in_actions(learning.explore)),
        },
        seed=_seed_of(seed, 0),
        device="cpu",
    )
    learner.set_logger(Logger(folder=None, output_formats=[]))
    with torch.no_grad():
        for value in learner.policy.action_net.parameters():
            value.zero_()
    return learner


def _rounds(
    env: ResidualEnv, checkpoint: Path, key: dict[str, Any], curve: Curve, seed: int, rounds: int
) -> BaseCallback:
    """Between rounds: a checkpoint, a fresh seed, a fresh episode; within one: what its episodes achieve."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    class Rounds(BaseCallback):
        def _on_rollout_start(self) -> None:
            learner, envs = self.model, self.training_env
            assert isinstance(learner, PPO)
            if curve.rounds:
                save_checkpoint(checkpoint, learner.policy, key, curve)
            learner.set_random_seed(_seed_of(seed, curve.rounds + 1))
            learner._last_obs = envs.reset()  # type: ignore[assignment]
            learner._last_episode_starts = np.ones(envs.num_envs, bool)
            self._ended: list[tuple[bool, float]] = []

        def _on_step(self) -> bool:
            infos = self.locals["infos"]
            self._ended += [(bool(i["success"]), float(i["episode"]["r"])) for i in infos if "episode" in i]
            return True

        def _on_rollout_end(self) -> None:
            success, reward = np.mean(self._ended or [(False, 0.0)], axis=0)
            curve.steps.append(env.steps)
            curve.episodes.append(len(self._ended))
            curve.success.append(float(success))
            curve.reward.append(float(reward))
            tell_progress("learning", curve.rounds, rounds)

    return Rounds()


def _layers(learner: PPO) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The policy's linear layers, from what it sees to the mean of its actions."""
    import torch

    network = [*learner.policy.mlp_extractor.policy_net, learner.policy.action_net]
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    return tuple((layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()) for layer in linear)


def _seed_of(seed: int, number: int) -> int:
    """Seed of a round. It is even; those of evaluation are odd."""
    return int(np.random.SeedSequence([seed, 2, number]).generate_state(1)[0]) & ~1


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small networks are faster on one thread, and sums keep their order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
