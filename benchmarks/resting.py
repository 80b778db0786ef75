"""Knees and hips that bear, on people of the studio who kneel, crawl and sit: python -m benchmarks.resting [--drawn].

Seeds that no network was trained on, seen as a detector sees them (with --drawn: drawn, and detected), and estimated as
any clip. F1 of knees and of hips over all frames, beside always and never saying contact; error of the vertical force
[N], mean over frames and contacts, of feet and hands and of knees and hips, beside the same motion whose knees and hips
are not asked for, and beside no force at all; how many of the true forces lie within their intervals. Movements on feet
and hands tell how often knees and hips are invented.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.contact_training import FIRST_VIEW, HELD_OUT, SECONDS, SIZE_HW, f1
from motion.body import body_of
from motion.contact_posterior import refine_contacts
from motion.contact_prior import probabilities
from motion.estimate import EstimateOptions, estimate
from motion.forces import solve_forces
from motion.skeleton import CONTACT_SITES, RESTING_SITES
from perception.track import Observations, observe_keypoints, track
from records import ContactForces, Interaction
from sim.studio_film import centred, film, seen_from, true_performance
from sim.studio_moves import MOVES, index_of, perform
from sim.studio_seen import detected

LOW = ("kneel", "crawl", "sit_down", "sit_box")
SITES = (*CONTACT_SITES, *RESTING_SITES)
PAIRS = {"knees": (4, 5), "hips": (6, 7)}
GROUPS = {"feet, hands": slice(0, 4), "knees, hips": slice(4, 8)}


class Score(NamedTuple):
    """What is measured on a clip."""

    move: str
    said: np.ndarray
    touch: np.ndarray
    """(T, 8) in the order of `SITES`."""
    force: np.ndarray
    """(3, 2) error of the vertical force [N]: ours, without knees and hips, none; over each of `GROUPS`."""
    covered: float
    """Share of the vertical forces of listed contacts that lie within their 68 % intervals."""


def main() -> None:
    """Print one row per movement, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="number of held-out seeds, each with every movement")
    parser.add_argument("--drawn", action="store_true", help="draw the clips and run the detector (slow)")
    parser.add_argument("--moves", nargs="+", default=list(MOVES), choices=list(MOVES))
    options = parser.parse_args()
    scores = []
    print(f"{'':<29}{'vertical force error of feet, hands | knees, hips [N]':>55}")
    print(f"{'movement':<12}{'F1 knees':>10}{'hips':>7}{'ours':>20}{'without':>16}{'no force':>16}")
    for move in options.moves:
        scores += [scored(move, seed, drawn=options.drawn) for seed in HELD_OUT[: options.seeds]]
        print(row(move, [s for s in scores if s.move == move]), flush=True)
    print(row("all", scores))
    low = [s for s in scores if s.move in LOW] or scores
    print(row("low", low))
    others = [s for s in scores if s.move not in LOW]
    invented = f"; invented in {np.mean([s.said[:, 4:].any() for s in others]):.0%} of other clips" if others else ""
    ours, without, none = np.mean([s.force for s in low], axis=0)
    f1s = ", ".join(
        f"{name} {of(low, cols):.3f} (always {of(low, cols, always=True):.3f})" for name, cols in PAIRS.items()
    )
    print(
        f"resting: F1 {f1s}, never 0; vertical force {ours.mean():.1f} N (without knees and hips {without.mean():.1f},"
        f" none {none.mean():.1f}); 68 % intervals cover"
        f" {np.nanmean([s.covered for s in low]):.0%}{invented}"
    )


def row(name: str, scores: list[Score]) -> str:
    """Figures of some clips."""
    force = np.mean([s.force for s in scores], axis=0)
    cells = "".join(f"{a:>{width}.1f} |{b:>6.1f}" for (a, b), width in zip(force, (12, 8, 8), strict=True))
    return f"{name:<12}{of(scores, PAIRS['knees']):>10.3f}{of(scores, PAIRS['hips']):>7.3f}{cells}"


def of(scores: list[Score], columns: tuple[int, ...], *, always: bool = False) -> float:
    """F1 of some contacts."""
    said, touch = (
        np.concatenate([part[:, columns] for part in parts]) for parts in zip(*[s[1:3] for s in scores], strict=True)
    )
    return f1(np.ones_like(touch) if always else said, touch)


def scored(move: str, seed: int, *, drawn: bool) -> Score:
    """Estimate a clip, with and without knees and hips."""
    seen, truth = clip_of(move, seed, drawn=drawn)
    found = estimate(seen.person, seen.camera, seen.contacts)
    frames = min(len(truth.contacts.probability), len(found.contacts.probability))
    body, q = body_of(found.person), np.asarray(found.person.q)
    trust = EstimateOptions().trust(body, q, found.person.fps)
    known = {"camera": found.camera, "options": trust}
    limbs = refine_contacts(body, q, seen.contacts, observed=found.observed, **known)
    without = solve_forces(body, found.person, limbs, **known)
    true = vertical(truth.forces)[:frames]
    errors = [np.abs(vertical(f)[:frames] - true) for f in (found.forces, without)]
    errors.append(np.abs(true))
    force = np.array([[error[:, group].mean() for group in GROUPS.values()] for error in errors])
    said, touch = (
        probabilities(states, tuple(RESTING_SITES))[:frames] >= 0.5 for states in (found.contacts, truth.contacts)
    )
    return Score(move, said, touch, force, covered(found, true))


def covered(found: Interaction, true: np.ndarray) -> float:
    """Share of true vertical forces (T, 8) within the intervals of an estimate, over its contacts."""
    known = found.uncertainty
    if known is None or known.forces is None:
        return float("nan")
    columns = [SITES.index(name) for name in known.contact_names]
    sigma = np.sqrt(known.forces[: len(true), :, 2, 2])
    return float((np.abs(vertical(found.forces)[: len(true), columns] - true[:, columns]) < sigma).mean())


def clip_of(move: str, seed: int, *, drawn: bool) -> tuple[Observations, Interaction]:
    """What is seen of a performance, and what is true."""
    if drawn:
        with tempfile.TemporaryDirectory() as work:
            shot = film(Path(work) / "clip.mp4", move, seed=seed, seconds=SECONDS, size_hw=SIZE_HW)
            return track(shot.clip), shot.truth
    done = centred(perform(move, seed=seed, seconds=SECONDS))
    rng = np.random.default_rng([seed, index_of(move), FIRST_VIEW])
    camera = seen_from(done, rng, SIZE_HW)
    return observe_keypoints(detected(done, camera, rng)), true_performance(done, camera)


def vertical(forces: ContactForces) -> np.ndarray:
    """Vertical forces (T, 8) [N] in the order of `SITES`; 0 where a site is not listed."""
    total = np.zeros((len(forces.wrench), len(SITES)))
    for c, name in enumerate(forces.names):
        total[:, SITES.index(name)] = forces.wrench[:, c, 2]
    return total


if __name__ == "__main__":
    main()
