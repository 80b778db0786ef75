"""All that recorded episodes say about a reward, in one place: what the report shows, and what JSON holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from policies.rewards.evaluation.canonical.dard import Dynamics
from policies.rewards.evaluation.canonical.epic import TransitionReward
from policies.rewards.evaluation.canonical.pearson import ConstantRewardError, refuse_constant
from policies.rewards.evaluation.coverage import coverage
from policies.rewards.evaluation.data.reading import Dataset
from policies.rewards.evaluation.distance import Distance, Kind, distance
from policies.rewards.evaluation.hacking import Hacking
from policies.rewards.evaluation.near_misses import stopped
from policies.rewards.evaluation.separation import Figures, Scores, Separation, return_order, separation
from policies.rewards.evaluation.transitions import of_transitions
from policies.rewards.evaluation.truths import true_reward
from policies.rewards.evaluation.value_order import ValueOrder, value_order
from policies.rewards.evaluation.worth import Worth, optimised, worth
from policies.rewards.reward import Reward, RewardError, Watched, judge, paid_on

KINDS: tuple[Kind, ...] = ("epic", "dard")
FEW = 10
"""Episodes of a kind below which the bootstrap's intervals are noticeably too narrow: in simulation those of EPIC hold
its true value in 82 % of cases with 5 episodes, in 93 % with 10."""
ASSUMED = (
    "True rewards are not known: of a success that comes before the last fifth, what is taken for a near miss is none."
)
"""What is to be said of near misses where the moment of success is not known."""
COMPARED = ("random", "expert", "mixed", "independent")


class Asked(NamedTuple):
    """How rewards are judged."""

    truth: TransitionReward | None = None
    """True reward as a function of transitions; that of the task by default, where observations tell it."""
    gamma: float = 0.99
    """Discount of EPIC and DARD."""
    transitions: int = 1024
    """That they are compared on, at most."""
    seed: int = 0
    dynamics: Dynamics | None = None
    """Where actions lead to, for DARD; by default what was seen nearby."""


class Judgement(NamedTuple):
    """What a reward is worth by recorded episodes. A part that is not defined says why instead."""

    name: str
    episodes: int
    order: ValueOrder | str
    separation: Separation | str
    near: Separation | str
    """Successes against near misses."""
    returns: Figures | str
    distances: tuple[Distance | str, ...]
    worth: Worth
    """By what a policy would be paid for successes, failures and near misses; without a hacking probe."""
    cautions: tuple[str, ...]
    strayed: Separation | str | None = None
    """Successes against near misses of the simulator, where it was asked (`evaluation.astray`)."""

    def with_strayed(self, found: Separation | str) -> Judgement:
        """The same with near misses of the simulator, and what is to be said of them."""
        more: tuple[str, ...] = ()
        if isinstance(found, Separation) and found.auc.last.low <= 0.5:
            more = ("It does not tell a success from one that is led astray in its last fifth.",)
        return self._replace(strayed=found, cautions=(*self.cautions, *more))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        parts: dict[str, Any] = {
            "value_order": self.order,
            "separation": self.separation,
            "near_misses": self.near,
            "return_order": self.returns,
        }
        if self.strayed is not None:
            parts["strayed"] = self.strayed
        told = {key: {"undefined": part} if isinstance(part, str) else part.plain() for key, part in parts.items()}
        far = [{"undefined": d} if isinstance(d, str) else d.plain() for d in self.distances]
        told |= {"distances": far, "worth": self.worth.plain(), "cautions": list(self.cautions)}
        return {"name": self.name, "episodes": self.episodes, **told}


def judge_reward(name: str, reward: Reward, data: Dataset, asked: Asked | None = None) -> Judgement:
    """Judge a reward by recorded episodes.

    Raises:
        ConstantRewardError: it is the same in all steps of all episodes.
        RewardError: it cannot judge an episode, or is not finite.
    """
    asked, episodes = asked or Asked(), list(data.episodes)
    each = [judge(reward, episode) for episode in episodes]
    refuse_constant(name, np.concatenate(each))
    known = [k for k, episode in enumerate(episodes) if episode.success is not None]
    good = [k for k in known if episodes[k].success]
    scores = Scores.of(reward, each)
    order: ValueOrder | str = "no episode is known to succeed"
    near: Separation | str = "no episode is known to succeed"
    missed: list[np.ndarray] = []
    apart: Separation | str = "success and failure are not both known in these episodes"
    if good:
        order = value_order(reward, [episodes[k] for k in good], seed=asked.seed)
        misses = stopped([episodes[k] for k in good])
        near = "every success is earned before its last fifth"
        if misses:
            missed = [judge(reward, miss) for miss in misses]
            both = Scores.of(reward, [each[k] for k in good] + missed)
            near = separation(both, np.arange(len(good) + len(misses)) < len(good), seed=asked.seed)
    if 0 < len(good) < len(known):
        picked = Scores(*(score[known] for score in scores))
        apart = separation(picked, np.isin(known, good), seed=asked.seed)
    returns: Figures | str = return_order(scores, episodes, seed=asked.seed)
    if not cast(Figures, returns).mean.defined:
        returns = "true returns are not known, or all the same"
    horizon = max(map(len, episodes))

    def paid(some: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([float(steps.sum()) + paid_on(reward, steps, horizon - len(steps)) for steps in some])

    bad = [k for k in known if not episodes[k].success]
    worthy = worth(paid([each[k] for k in good]), paid([each[k] for k in bad]), paid(missed), seed=asked.seed)
    far = _distances(name, reward, data, asked)
    found = Judgement(name, len(episodes), order, apart, near, returns, far, worthy, ())
    assumed = (ASSUMED,) if missed and any(episodes[k].reward is None for k in good) else ()
    return found._replace(cautions=(*_cautions(found), *assumed))


def _distances(name: str, reward: Reward, data: Dataset, asked: Asked) -> tuple[Distance | str, ...]:
    episodes = list(data.episodes)
    truth = asked.truth or true_reward(data.environment, episodes[0].obs_names)
    if truth is None:
        return ("EPIC and DARD need the true reward as a function of (s, a, s'): give it with --truth",)
    try:
        own = of_transitions(reward, episodes)
    except ConstantRewardError:
        raise
    except RewardError as error:
        return (str(error),)
    found: list[Distance | str] = []
    for covered in COMPARED:
        for kind in KINDS:
            if (kind, covered) == ("dard", "independent"):
                continue  # DARD is made for transitions that can happen
            found.append(_one(name, own, truth, episodes, covered, kind, asked))
    return tuple(found)


def _one(
    name: str,
    own: TransitionReward,
    truth: TransitionReward,
    episodes: Sequence[Watched],
    covered: str,
    kind: Kind,
    asked: Asked,
) -> Distance | str:
    try:
        on = coverage(episodes, covered, count=asked.transitions, seed=asked.seed)
        pair = (("truth", truth), (name, own))
        return distance(pair, on, kind, gamma=asked.gamma, dynamics=asked.dynamics, seed=asked.seed)
    except RewardError as error:
        return f"{kind.upper()}, {covered}: {error}"


def _cautions(found: Judgement) -> tuple[str, ...]:
    told = []
    kinds = {"episodes": found.episodes}
    if isinstance(found.separation, Separation):
        kinds = {"successes": found.separation.successes, "failures": found.separation.failures}
    if min(kinds.values()) < FEW:
        counted = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        told.append(f"Judged by few ({counted}): with fewer than {FEW}, intervals are narrower than they should be.")
    if isinstance(found.order, ValueOrder):
        if found.order.tells_time:
            told.append("It also rises when the demonstration is shown backwards: it tells the time, not progress.")
        elif found.order.forward.defined and found.order.forward.high < 0:
            told.append("It falls while successful episodes go on.")
    if isinstance(found.separation, Separation):
        auc = found.separation.auc
        if auc.mean.high < 0.5 and auc.last.high < 0.5:
            told.append("It pays failures more than successes.")
        elif auc.total.value < 0.5 < auc.mean.value:
            told.append(
                "Its sum pays failures more than successes, for they last longer: learned with, it teaches to delay"
                " success, unless what is paid at the end is paid on."
            )
    if isinstance(found.near, Separation) and found.near.auc.last.defined and found.near.auc.last.low <= 0.5:
        told.append("It does not tell a success from one that stops short in its last fifth.")
    return tuple(told)


def ranked(
    found: Sequence[Judgement], hacked: Mapping[str, Hacking] | None = None
) -> list[tuple[Judgement, Mapping[str, float]]]:
    """Rewards from the best to the worst, by the parts of their worth that are defined for all of them.

    Where success is not known, by how well they order the moments of episodes; where nothing is known, as they come.
    Distances are not among the figures: their reference, the truth, is not always there.

    Args:
        found: what episodes say.
        hacked: what optimising each of them bought, by its name.
    """
    worths = [
        one.worth._replace(optimised=optimised(hacked[one.name])) if hacked and one.name in hacked else one.worth
        for one in found
    ]
    shared = sorted(set.intersection(*(set(one.parts()) for one in worths))) if worths else []
    scored = []
    for one, known in zip(found, worths, strict=True):
        beside = _beside(one)
        together = known.together(shared) if shared else beside.get("order", 0.5)
        scored.append((one, {**known.parts(), **beside, "together": together}))
    return sorted(scored, key=lambda pair: -pair[1]["together"])


def _beside(one: Judgement) -> dict[str, float]:
    """Figures that are told, but have no part in the order, brought to [0, 1], 0.5 by chance."""
    found = {}
    if isinstance(one.order, ValueOrder) and one.order.forward.defined and one.order.reversed.defined:
        found["order"] = (1 + (one.order.forward.value - one.order.reversed.value) / 2) / 2
    if isinstance(one.returns, Figures) and one.returns.last.defined:
        found["returns"] = (1 + one.returns.last.value) / 2
    return found
