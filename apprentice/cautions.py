"""What a reader must know before believing a run, in whole sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from apprentice.figures import GRAVITY, spoken
from apprentice.findings import Findings
from apprentice.page import percent
from motion.score import Score
from records import Interaction

UNCERTAIN = (0.3, 0.7)
"""Between these probabilities nobody can tell whether there is contact."""
MANY = 0.1
"""Share of the frames from which on something is worth a sentence."""
LISTED = 6
"""Stretches of time that a sentence names; more are counted."""
UNEXPLAINED = 0.1
"""Share of the weight from which on forces that the contacts do not explain are worth a sentence."""
FRAGILE = 0.9
"""A placement that solves less than this share of its perturbed replays is fragile."""
GOOD_POLICY = 0.9
"""Success that a policy ought to reach."""


def cautions(findings: Findings, score: Score | None = None) -> list[str]:
    """Sentences on everything that weakens what the report says; empty when nothing does."""
    found = list(findings.damaged)
    if findings.interaction is not None:
        found += _of_estimate(findings.interaction)
    elif findings.person is not None:
        unseen = int((~findings.person.seen.any(axis=1)).sum())
        if unseen:
            found.append(f"The person is not seen in {unseen} of {findings.person.num_frames} frames.")
    if score is not None:
        found += _of_score(score)
    for stage, sentences in (("align", _of_alignment), ("retarget", _of_retargeting), ("evaluate", _of_policy)):
        if stage in findings.metrics:
            found += sentences(findings.metrics[stage])
    return found


def stretches(frames: np.ndarray, fps: float, most: int = LISTED) -> str:
    """Where a boolean (T,) is true, in words: `frames 12 to 15 (0.48 to 0.60 s), frame 30 (1.20 s)`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames, [False]]).astype(int)))
    spans = [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
    told = [
        f"frame {a} ({a / fps:.2f} s)" if a == b else f"frames {a} to {b} ({a / fps:.2f} to {b / fps:.2f} s)"
        for a, b in spans[:most]
    ]
    if len(spans) > most:
        told.append(f"and {len(spans) - most} more times")
    return ", ".join(told)


def unexplained(interaction: Interaction) -> tuple[float, float, float]:
    """What contacts leave unexplained of the free-flyer rows: mean force [N], moment [N m], share of the weight."""
    residual = interaction.forces.residual
    force, moment = (float(np.linalg.norm(residual[:, part], axis=1).mean()) for part in (slice(0, 3), slice(3, 6)))
    weight = GRAVITY * interaction.person.parameters.get("mass", 0.0)
    return force, moment, force / weight if weight > 0 else 0.0


def _of_estimate(interaction: Interaction) -> Iterator[str]:
    frames = len(interaction.observed)
    bridged = int((~interaction.observed).sum())
    if bridged:
        yield (
            f"{bridged} of {frames} frames show nothing usable of the person; the motion was bridged across them:"
            f" {stretches(~interaction.observed, interaction.person.fps)}."
        )
    if interaction.status != "converged":
        yield f"The solver did not converge ({interaction.status}): the motion may still change with more iterations."
    low, high = UNCERTAIN
    shares = ((interaction.contacts.probability > low) & (interaction.contacts.probability < high)).mean(axis=0)
    doubtful = [
        f"the {spoken(name)} ({percent(share)} of the frames)"
        for name, share in zip(interaction.contacts.names, shares, strict=True)
        if share >= MANY
    ]
    if doubtful:
        yield (
            f"Contact is uncertain (probability {low} to {high}) of {', '.join(doubtful)}: the force there may as well"
            " be none."
        )
    force, _, share = unexplained(interaction)
    if share >= UNEXPLAINED:
        yield (
            f"Contacts leave {force:.0f} N of the person's motion unexplained on average, {percent(share)} of the"
            " weight."
        )


def _of_score(score: Score) -> Iterator[str]:
    for name, contact in score.contacts.items():
        if contact.force > max(contact.zero_force, 1.0):
            yield (
                f"The force on the {spoken(name)} is further from the truth ({contact.force:.0f} N) than no force at"
                f" all would be ({contact.zero_force:.0f} N)."
            )


def _of_alignment(metrics: Mapping[str, Any]) -> Iterator[str]:
    share = metrics.get("robust_share", 1.0)
    if share < FRAGILE:
        yield f"The placement is fragile: {percent(1 - share)} of replays with the objects slightly displaced fail."
    yield from metrics.get("remarks", ())


def _of_retargeting(metrics: Mapping[str, Any]) -> Iterator[str]:
    slowdown = metrics.get("slowdown", 1.0)
    if slowdown > 1.0:
        yield f"The stroke is {slowdown:.2f} times slower than the person's: the robot's joints are no faster."


def _of_policy(metrics: Mapping[str, Any]) -> Iterator[str]:
    agents = metrics.get("agents", {})
    policy, shifted = agents.get("policy"), agents.get("shifted")
    if policy is None:
        return
    if policy["success"] < GOOD_POLICY:
        yield (
            f"The policy succeeds in {percent(policy['success'])} of fresh episodes; {percent(GOOD_POLICY)} are wanted."
        )
    if shifted is None:
        return
    if policy["success"] <= shifted["success"]:
        yield (
            f"Learning has not paid: the policy ({percent(policy['success'])}) is not better than the demonstration"
            f" moved along with its object ({percent(shifted['success'])})."
        )
    elif policy["low"] <= shifted["high"]:
        yield (
            "The policy is better than the demonstration moved along with its object only within the uncertainty of"
            " the evaluation (their 95 % intervals overlap)."
        )
