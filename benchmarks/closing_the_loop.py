"""From unlabelled clips to a policy: does what was discovered teach, and does the evaluation of rewards foresee it?

    python -m benchmarks.closing_the_loop [--tasks hammer scythe] [--out runs/closing] [--steps 20000]

For each task, on its scripted stroke, the tool alone:

1. Clips. Episodes of the demonstration, half of them as recorded and half moved along with the objects, all displaced
   at random as an untrained policy explores; filmed from close by, 36 px. Some succeed, some do not; nobody says which.
   Of the hammer, clips of the studio (a person strikes a nail) lie among them.
2. The end state that they share is discovered, and a reward is learned for it (`policies.rewards.from_clips`).
3. Policies of three seeds learn from it with PPO, as they do from the sparse truth and from the other rewards; the
   truth decides nothing in between. What they correct is the demonstration as recorded: without learning it misses.
4. Each reward is given a figure beforehand (`policies.rewards.evaluation.worth`), from other episodes with known
   success, near misses and a hacking probe; Spearman's correlation with the success of policies says what the figure
   foretells.

Rewards beside: the same clips with their last tenth for the end state, without discovery (`by_time`); learned from
observations of the moved demonstration (`goal_distance`, `progress`, `state_classifier`); written by hand: the share of
the work that is done, minus the distance from the work, a clock, and the height of the head.

What is finished is left as it is when the command is given again.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.foretelling import foretells
from benchmarks.studio_close_ups import studio_close_ups
from benchmarks.written_rewards import SPECS, WRITTEN
from policies.agents import Replay, Shifted
from policies.evaluate import Outcome, fresh_seeds
from policies.learners.ppo import PPOSettings
from policies.rewards.describers import Observed, observed_names
from policies.rewards.evaluation.hacking import hack
from policies.rewards.evaluation.loading import named_reward
from policies.rewards.evaluation.near_misses import strayed
from policies.rewards.evaluation.separation import auc
from policies.rewards.evaluation.trained import TRUTH, scale_of, train_on
from policies.rewards.evaluation.worth import Worth, worth
from policies.rewards.exploring import Exploring
from policies.rewards.film import CloseUp, Film
from policies.rewards.from_clips import learn_from_clips, stays
from policies.rewards.learned import learn
from policies.rewards.online import Paying, paid_in
from policies.rewards.reward import Reward, Shown, Watched
from policies.rewards.saved import NOTE, save_reward
from policies.rewards.state_classifier import StateClassifierSettings
from policies.rewards.watching import watch
from policies.training import Training
from policies.trials import Trial
from records import Demonstration
from records.atomic import write_json
from sim.conditions import Spread
from sim.tasks.task import TASKS

SPREADS = {"hammer": 0.08, "scythe": 0.1}
"""Standard deviation of the objects' place [m]: the demonstration as recorded misses most of them."""
EXPLORE = PPOSettings().explore
FILM = Film(size=36)
OBSERVED = ("goal_distance", "progress", "state_classifier")
FILMED = ("discovered", "by_time")
REWARDS = (*FILMED, *OBSERVED, *WRITTEN)
REQUIRED_SHARE, REQUIRED_RANKS = 0.7, 0.6


Told = tuple[str, tuple[np.ndarray, np.ndarray]]
"""Share of the truth's success, in words; figure and success of each reward."""


class Row(NamedTuple):
    """What a reward was foretold to be worth, and what it bought."""

    worth: Worth
    policies: Outcome
    seeds: Sequence[float]


def main() -> None:
    """Print a table for each task, and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(SPREADS), choices=list(SPREADS))
    parser.add_argument("--rewards", nargs="+", default=list(REWARDS), choices=REWARDS, help="that are compared")
    parser.add_argument("--out", type=Path, default=Path("runs/closing"), help="where all is kept")
    parser.add_argument("--clips", type=int, default=200, help="unlabelled episodes of each task")
    parser.add_argument("--studio", type=int, default=20, help="clips of the studio among those of the hammer")
    parser.add_argument("--judged", type=int, default=100, help="episodes that rewards are judged by")
    parser.add_argument("--hack", type=int, default=3, help="episodes in which each reward is optimised")
    parser.add_argument("--steps", type=int, default=20_000, help="control steps of training")
    parser.add_argument("--episodes", type=int, default=100, help="fresh episodes for each seed")
    parser.add_argument("--seeds", type=int, default=3, help="of training")
    options = parser.parse_args()
    told, compared = zip(*(_task(name, options) for name in options.tasks), strict=True)
    shares = f"at least {REQUIRED_SHARE} asked: {', '.join(told)}"
    print(f"closing the loop, {shares}; figure and success of policies: {_foreseen(*compared)}")


def _task(name: str, options: argparse.Namespace) -> Told:
    folder, demonstration = options.out / name, TASKS.load(name).scripted()
    under = Trial(Spread(SPREADS[name]))
    specs = {**_learned(demonstration, under, folder, options), **SPECS}
    specs = {key: spec for key, spec in specs.items() if key in options.rewards}
    foretold = _foretold(specs, demonstration, under, folder, options)
    judged = _episodes(demonstration, under, options.judged, 3)
    trained = train_on(
        {key: Paying(spec, scale_of(named_reward(spec), judged)) for key, spec in specs.items()},
        demonstration,
        folder / "policies",
        training=Training(steps=options.steps, base="replay", processes=1),
        spread=under.spread,
        seeds=range(options.seeds),
        episodes=options.episodes,
    )
    truth = trained.found[TRUTH].total
    rows = {
        key: Row(foretold[key], found.total, [one.success for one in found.seeds.values()])
        for key, found in trained.found.items()
        if key != TRUTH
    }
    return _told(name, rows, truth, trained.free, options)


def _learned(demonstration: Demonstration, under: Trial, folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """Folders of the rewards that learn, without any true reward; those that are there are left as they are."""
    places = {name: folder / "rewards" / name for name in (*FILMED, *OBSERVED)}
    specs = {name: str(place) for name, place in places.items()}
    if all((place / NOTE).is_file() for place in places.values()):
        return specs
    clips = _episodes(demonstration, under, options.clips, 2)
    extra = studio_close_ups(options.studio, FILM) if demonstration.task == "hammer" and options.studio else []
    describer = CloseUp(size=FILM.size, radius=FILM.radius)
    found = learn_from_clips([*clips, *extra], describer)
    success = np.array([bool(clip.success) for clip in clips])
    relevance, shows = found.discovery.relevance, found.shows
    note = {
        "clips": len(clips),
        "succeed": float(success.mean()),
        "taken to show the change": float(shows[: len(clips)].mean()),
        "of those succeed": float(success[shows[: len(clips)]].mean()),
        "relevance tells success, area under the curve": auc(relevance[: len(clips)], success),
        "studio clips taken to show it": float(shows[len(clips) :].mean()) if extra else None,
    }
    write_json(folder / "discovery.json", note)
    print(f"{demonstration.task}: {note}", flush=True)
    save_reward(found.reward, places["discovered"])
    longest = max(map(len, clips))
    tails = StateClassifierSettings()
    by_time = learn("state_classifier", Shown([stays(clip, longest) for clip in clips]), describer, settings=tails)
    save_reward(by_time, places["by_time"])
    env = under.environment(demonstration)
    try:
        moved, random = (watch(env, agent, fresh_seeds(4, 30)) for agent in (Shifted(), Exploring(Replay(), EXPLORE)))
    finally:
        env.close()
    for name in OBSERVED:
        save_reward(learn(name, Shown(moved, random), Observed(observed_names(moved[0]))), places[name])
    return specs


def _episodes(demonstration: Demonstration, under: Trial, count: int, seed: int) -> list[Watched]:
    """Episodes that stray from the demonstration as recorded, and as many that stray from it moved along; filmed."""
    env = under.environment(demonstration, **FILM.how)
    try:
        seeds = fresh_seeds(seed, count)
        agents = [Exploring(agent, EXPLORE) for agent in (Replay(), Shifted())]
        halves = seeds[: count // 2], seeds[count // 2 :]
        return [e for agent, own in zip(agents, halves, strict=True) for e in watch(env, agent, own, film=FILM)]
    finally:
        env.close()


def _foretold(
    specs: Mapping[str, str], demonstration: Demonstration, under: Trial, folder: Path, options: argparse.Namespace
) -> dict[str, Worth]:
    """What each reward is worth by the evaluation, read where it is known."""
    made = functools.cache(lambda: _judged(demonstration, under, options))
    found = {}
    for name, spec in specs.items():
        path = folder / "worth" / f"{name}.json"
        if not path.is_file():
            reward: Reward = named_reward(spec)
            good, bad, near, horizon = made()
            paid = [np.array([paid_in(reward, episode, horizon) for episode in some]) for some in (good, bad, near)]
            probed = hack(reward, demonstration, under=under, episodes=options.hack, seed=5)
            one = worth(*paid, probed)
            write_json(path, {"returns": [some.tolist() for some in paid], "hacking": probed.plain()} | one.plain())
            print(f"{demonstration.task}: {name} {one.plain()}", flush=True)
        told = json.loads(path.read_text())
        paid = [np.array(some) for some in told["returns"]]
        found[name] = worth(*paid)._replace(optimised=told["optimised"])
    return found


def _judged(
    demonstration: Demonstration, under: Trial, options: argparse.Namespace
) -> tuple[list[Watched], list[Watched], list[Watched], int]:
    """Successes, failures and near misses with known success, and the horizon."""
    episodes = _episodes(demonstration, under, options.judged, 3)
    env = under.environment(demonstration, **FILM.how)
    try:
        _, near = strayed(env, Shifted(), fresh_seeds(6, options.judged // 2), film=FILM)
        good, bad = ([e for e in episodes if bool(e.success) is which] for which in (True, False))
        return good, bad, near, env.horizon
    finally:
        env.close()


def _told(name: str, rows: Mapping[str, Row], truth: Outcome, free: Outcome, options: argparse.Namespace) -> Told:
    print(
        f"\n{name}: objects displaced by {100 * SPREADS[name]:.0f} cm, {options.steps} steps, {options.seeds} seeds of"
    )
    print(f"{options.episodes} fresh episodes; sparse truth {_share(truth)}, demonstration as recorded {_share(free)}")
    print(
        f"{'reward':<18}{'figure':>7}  {'failures':>8} {'near':>6} {'optimised':>9}   success of policies, of each seed"
    )
    for key, row in sorted(rows.items(), key=lambda pair: -pair[1].worth.together()):
        parts = f"{row.worth.failures.value:8.2f} {row.worth.near.value:6.2f} {row.worth.optimised:9.2f}"
        seeds = " ".join(f"{share:.2f}" for share in row.seeds)
        print(f"{key:<18}{row.worth.together():7.2f}  {parts}   {_share(row.policies)}  {seeds}")
    compared = _compared(rows)
    share = rows["discovered"].policies.success / truth.success if "discovered" in rows else math.nan
    met = "met" if share >= REQUIRED_SHARE else "missed"
    print(f"{name}: {_foreseen(compared)}", flush=True)
    return f"{name} {share:.2f} of the truth's success from what was discovered ({met})", compared


def _compared(rows: Mapping[str, Row]) -> tuple[np.ndarray, np.ndarray]:
    """Figure and success of each reward."""
    figure, success = zip(*((row.worth.together(), row.policies.success) for row in rows.values()), strict=True)
    return np.array(figure), np.array(success)


def _foreseen(*tasks: tuple[np.ndarray, np.ndarray]) -> str:
    rho, low, high, chance = foretells(*tasks)
    met = "met" if rho >= REQUIRED_RANKS else "missed"
    count = sum(len(figure) for figure, _ in tasks)
    told = f"Spearman {rho:.2f} ({low:.2f} to {high:.2f}, {count} rewards, p {chance:.3f})"
    return f"{told}, at least {REQUIRED_RANKS}: {met}"


def _share(one: Outcome) -> str:
    return f"{one.success:.2f} ({one.low:.2f} to {one.high:.2f})"


if __name__ == "__main__":
    main()
