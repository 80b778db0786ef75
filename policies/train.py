"""Residual learning around a demonstration: rounds of experience, until the steps that were asked for are made.

Every round starts with fresh episodes and its own seed, so that a training that was stopped goes on from its last
checkpoint and ends with the same policy, bit for bit, on any number of processes.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from policies.checkpoint import Curve, as_json, resume, save_checkpoint
from policies.learners import LEARNERS, Layers, Learner, Round
from policies.policy import SETTINGS, Policy, PolicySettings, load_policy, save_policy
from policies.residual import action_of, seen_names
from policies.training import Training
from policies.trials import Trial
from policies.validation import Validation, silent, validate
from policies.vectorised import side_by_side
from policies.weights import PolicyError
from records import Demonstration
from records.atomic import write_json
from records.processors import usable_processors
from records.progress import tell_progress
from sim.actions import ACTIONS
from sim.conditions import USUAL, Spread
from sim.tasks.task import TASKS

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv
    from torch.utils.tensorboard import SummaryWriter

CHECKPOINT, CURVE, TENSORBOARD = "checkpoint.safetensors", "curve.json", "tensorboard"
ASKED, VALIDATION = "training.json", "validation.json"

NARROWEST = 0.25
"""Share of the spread that a curriculum begins with."""

_log = logging.getLogger(__name__)


def train(
    demonstration: Demonstration,
    folder: Path | str,
    *,
    training: Training | None = None,
    spread: Spread = USUAL,
    seed: int = 0,
) -> Policy:
    """Learn a policy and leave it in a folder, with its curve, what was asked for, and how it did in validation.

    A folder that holds a checkpoint of the same training is continued; one that holds its result is left as it is.
    Progress is told through `records.progress`.

    Args:
        demonstration: aligned, and with a robot's motion if a robot shall act.
        folder: made if it is not there.
        training: how.
        spread: how the conditions of episodes are drawn.
        seed: of everything random.

    Raises:
        PolicyError: learning diverged, or the policy to start from does not belong to the demonstration.
        ConditionError: a spread or sensing that makes no sense.
        UnknownName: no such learner.
        ValueError: a number that makes no sense.
    """
    training = training or Training()
    training.check()
    spread.check()
    kind = LEARNERS.load(training.learner)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start = load_policy(training.start_from, demonstration) if training.start_from is not None else None
    settings = _settings(demonstration, kind, training, spread, seed, start)
    key = _key(settings, kind, training, start)
    asked = {**key, "validation": training.validation}
    done = _finished(folder, asked)
    if done is not None:
        _log.info("the policy in %s is already trained", folder)
        return done
    processes = training.processes or usable_processors()
    envs = side_by_side(
        demonstration,
        training.base,
        spread,
        count=training.environments,
        processes=processes,
        action=settings.action,
        sensing=training.sensing,
        repeat=training.repeat,
        averaged=training.averaged,
        paying=training.paying,
    )
    try:
        with one_thread():
            policy, curve = _learn(envs, kind, folder, settings, key, training, start.layers if start else None)
    finally:
        envs.close()
    for of_another in (SETTINGS, VALIDATION):
        (folder / of_another).unlink(missing_ok=True)
    if training.validation and any(curve.success):
        policy = _validated(policy, demonstration, folder, Trial(spread, training.sensing), training.validation)
    write_json(folder / CURVE, asdict(curve))
    write_json(folder / ASKED, asked)
    save_policy(policy, folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return policy


def _validated(policy: Policy, demonstration: Demonstration, folder: Path, under: Trial, episodes: int) -> Policy:
    """The policy, or its base where the residual adds nothing to that."""
    found = validate(policy, demonstration, under, episodes)
    write_json(folder / VALIDATION, found.plain())
    if found.kept:
        _log.info("%.0f %% of %d validation episodes are solved, %.0f %% without it", *_shares(found))
        return policy
    _log.warning(
        "what was learned solves %.0f %% of %d validation episodes, %.0f %% are solved without it: it is set to zero",
        *_shares(found),
    )
    return silent(policy)


def _shares(found: Validation) -> tuple[float, int, float]:
    return 100 * found.residual, found.episodes, 100 * found.base


def _settings(
    demonstration: Demonstration, kind: Any, training: Training, spread: Spread, seed: int, start: Policy | None
) -> PolicySettings:
    robot = demonstration.robot
    turning = (spread.yaw > 0 or _turns(start)) if training.turning is None else training.turning
    action = action_of(training.base, turning=turning)
    if start is not None and start.settings.action != action:
        raise PolicyError(f"the policy to start from acts by {start.settings.action!r}, this training by {action!r}")
    return PolicySettings(
        task=demonstration.task,
        tool=demonstration.tool.model,
        robot=robot.model if robot is not None else None,
        demonstration=demonstration.fingerprint(),
        base=training.base,
        action=action,
        repeat=training.repeat,
        averaged=training.averaged,
        sees=seen_names(TASKS.load(demonstration.task), ACTIONS.load(action)),
        hidden=training.settings_of(kind).hidden,
        squashed=kind.squashed,
        learner=training.learner,
        steps=training.steps,
        spread=spread._asdict(),
        sensing=training.sensing._asdict(),
        seed=seed,
    )


def _turns(start: Policy | None) -> bool:
    return start is not None and bool(start.acts.turns)


def _key(settings: PolicySettings, kind: Any, training: Training, start: Policy | None) -> dict[str, Any]:
    """All that what is learned depends on: a checkpoint of the same can be continued."""
    return {
        "settings": asdict(settings),
        "learning": training.settings_of(kind)._asdict(),
        "curriculum": training.curriculum,
        "environments": training.environments,
        "start": start and start.fingerprint(),
        **({"paying": training.paying._asdict()} if training.paying is not None else {}),
    }


def _finished(folder: Path, asked: dict[str, Any]) -> Policy | None:
    """The policy in the folder, if it is what the same training has made."""
    try:
        same = json.loads((folder / ASKED).read_text(encoding="utf-8")) == as_json(asked)
        return load_policy(folder) if same and (folder / SETTINGS).is_file() else None
    except FileNotFoundError:
        return None
    except (PolicyError, ValueError) as error:
        _log.warning("trained again: %s", error)
        return None


def _learn(
    envs: VecEnv,
    kind: Any,
    folder: Path,
    settings: PolicySettings,
    key: dict[str, Any],
    training: Training,
    start: Layers | None,
) -> tuple[Policy, Curve]:
    learner: Learner = kind(envs, training.settings_of(kind), _seed_of(settings.seed, 0), start)
    rounds = math.ceil(settings.steps / (learner.decisions * settings.repeat))
    curve = resume(folder / CHECKPOINT, learner, key)
    if curve.rounds:
        _log.info("learning goes on after %d of %d rounds", curve.rounds, rounds)
    with _board(folder, training) as board:
        while curve.rounds < rounds:
            if curve.rounds:
                save_checkpoint(folder / CHECKPOINT, learner, key, curve)
            envs.env_method("widen", _widened(Spread(**settings.spread), training.curriculum, curve.rounds / rounds))
            _enter(curve, learner.round(_seed_of(settings.seed, curve.rounds + 1)), board)
            tell_progress("learning", curve.rounds, rounds)
    if not any(curve.success):
        _log.warning("no episode was solved while learning, so nothing was learned; align again, or move objects less")
    _log.info(
        "learned from %d control steps in %d episodes; %.0f %% of the last round's succeeded while exploring",
        curve.steps[-1],
        sum(curve.episodes),
        100 * curve.success[-1],
    )
    return Policy(settings, learner.layers()), curve


def _enter(curve: Curve, done: Round, board: SummaryWriter | None) -> None:
    """Add a round to the curve."""
    curve.steps.append(done.steps + (curve.steps[-1] if curve.steps else 0))
    curve.episodes.append(len(done.success))
    curve.success.append(float(np.mean(done.success)) if done.success else 0.0)
    curve.reward.append(float(np.mean(done.reward)) if done.reward else 0.0)
    if board is not None:
        for name in ("success", "reward", "episodes"):
            board.add_scalar(f"round/{name}", getattr(curve, name)[-1], curve.steps[-1])
        board.flush()


def _widened(spread: Spread, curriculum: float, done: float) -> Spread:
    """The spread after a share `done` of the rounds."""
    grown = 1.0 if done >= curriculum else NARROWEST + (1 - NARROWEST) * done / curriculum
    return Spread(*(grown * value for value in spread))


def _seed_of(seed: int, number: int) -> int:
    """Seed of a round, below 2^31 with room for a seed of each environment; those of evaluation are above."""
    return int(np.random.SeedSequence([seed, 2, number]).generate_state(1)[0]) & 0x7FFFFF00


@contextmanager
def _board(folder: Path, training: Training) -> Iterator[SummaryWriter | None]:
    if not training.tensorboard:
        yield None
        return
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / TENSORBOARD)) as board:
        yield board


@contextmanager
def one_thread() -> Iterator[None]:
    """Small networks are faster on one thread, and sums keep their order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
