"""What each stage leaves unexplained, in units that can be judged: pixels, centimetres, newtons."""

from __future__ import annotations

import numpy as np

from apprentice.findings import Findings
from motion.body import body_of
from motion.skeleton import SITES
from motion.state import TOOL_POINTS
from motion.tool import head_positions, tool_of
from motion.touch import LIKELY, TOUCH_SITES
from records import Interaction, Keypoints

MOST = 95.0
"""Percentile that stands for the largest residual: single mistakes of a detector are no residual."""


def residual_rows(findings: Findings) -> list[list[str]]:
    """Stage, what is compared, mean, and what 95 % are below; only of stages that the run holds."""
    interaction = findings.interaction
    if interaction is None:
        return []
    rows = []
    if findings.person is not None and findings.person.num_frames == interaction.person.num_frames:
        rows.append(["person", "seen and estimated points", *_told(person_pixels(interaction, findings.person), "px")])
    tool = findings.tool
    if tool is not None and interaction.tool is not None and tool.num_frames == interaction.tool.num_frames:
        rows.append(["tool", "seen and estimated ends", *_told(tool_pixels(interaction, tool), "px")])
    if interaction.tool is not None:
        rows.append(["grasp", "hands from the handle's axis", *_told(100 * grasp_distance(interaction), "cm")])
    rows.append(["contact", "points in touch, speed", *_told(100 * sliding_speed(interaction), "cm/s")])
    residual = interaction.forces.residual
    rows.append(["forces", "force that no contact explains", *_told(np.linalg.norm(residual[:, :3], axis=1), "N")])
    rows.append(["forces", "moment that none explains", *_told(np.linalg.norm(residual[:, 3:], axis=1), "N m")])
    return [row for row in rows if row[2]]


def person_pixels(interaction: Interaction, person: Keypoints) -> np.ndarray:
    """Distances of estimated points from the seen ones [px] (N,)."""
    columns = [k for k, name in enumerate(person.names) if name in SITES]
    p = body_of(interaction.person).site_positions(interaction.person.q, [person.names[k] for k in columns])
    away = np.linalg.norm(interaction.camera.project(p) - person.uv[:, columns], axis=-1)
    return np.asarray(away[person.seen[:, columns]])


def tool_pixels(interaction: Interaction, seen: Keypoints) -> np.ndarray:
    """The same of the tool's ends."""
    if interaction.tool is None:
        return np.zeros(0)
    head = head_positions(tool_of(interaction.tool), interaction.tool)
    ends = interaction.camera.project(np.stack([head, interaction.tool.q[:, :3]], axis=1))
    columns = [seen.index(name) for name in TOOL_POINTS]
    return np.asarray(np.linalg.norm(ends - seen.uv[:, columns], axis=-1)[seen.seen[:, columns]])


def grasp_distance(interaction: Interaction) -> np.ndarray:
    """Distance of hands that hold the tool from the axis of its handle [m] (N,)."""
    if interaction.tool is None:
        return np.zeros(0)
    names = ("l_fingers", "r_fingers")
    hands = body_of(interaction.person).site_positions(interaction.person.q, names)
    start = interaction.tool.q[:, None, :3]
    axis = head_positions(tool_of(interaction.tool), interaction.tool)[:, None] - start
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    away = np.linalg.norm(np.cross(hands - start, axis), axis=-1)
    # A free hand is nowhere near the tool: the nearer hand holds it, the other one where it is as near.
    holding = away.mean(axis=0) < HOLDING
    holding[away.mean(axis=0).argmin()] = True
    return np.asarray(away[:, holding].ravel())


HOLDING = 0.1
"""Mean distance below which a hand counts as holding [m]: the breadth of a hand."""


def sliding_speed(interaction: Interaction) -> np.ndarray:
    """Speed of points of the person between frames in which both are in contact with what does not move [m/s] (N,)."""
    contacts = interaction.contacts
    held = interaction.tool is not None
    columns = [
        c for c, name in enumerate(contacts.names) if name in TOUCH_SITES and not (held and name.endswith("fingers"))
    ]
    if not columns or len(contacts.probability) < 2:
        return np.zeros(0)
    sites = [TOUCH_SITES[contacts.names[c]] for c in columns]
    p = body_of(interaction.person).site_positions(interaction.person.q, sites)
    touching = contacts.probability[:, columns] >= LIKELY
    speed = np.linalg.norm(np.diff(p, axis=0), axis=-1) * contacts.fps
    return np.asarray(speed[touching[1:] & touching[:-1]])


def _told(values: np.ndarray, unit: str) -> tuple[str, str]:
    if not values.size:
        return "", ""
    return f"{values.mean():.1f} {unit}", f"{np.percentile(values, MOST):.1f} {unit}"
