"""Derivatives of many points of a tree of joints at once, by what each joint carries.

The derivative of a point p by a turn of a joint is that of a twist, K + Omega x p. So what errors at points add to the
equations of two joints is a 6 x 6 matrix between their twists, and points beyond both add up to one matrix before any
joint is looked at: the composite rigid body algorithm, with weights of errors for inertias (Featherstone 2008, "Rigid
Body Dynamics Algorithms", section 6.2). Twists are about the pelvis of each frame: far origins cost digits.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.body import ANCESTORS, Body, bone_chains, rotations
from motion.skeleton import SITES
from motion.state import BONE_COLUMNS, SHARED_NAMES, TOOL_POINTS, State

TOOL_LENGTH = SHARED_NAMES.index("log_tool_length")


class Segment(NamedTuple):
    """Columns of joints that follow each other without a branch, and of what they carry."""

    own: slice
    """Columns of the stretch."""
    beyond: slice
    """Columns of all that it carries."""
    whole: slice
    """Both: joints come depth first."""
    below: Float[np.ndarray, "C C"]
    """1 where the row's joint carries the column's, or is it; 0 where the column's carries the row's."""


class Tree(NamedTuple):
    """What is the same in every state: joints of the person and, after them, the tool."""

    carried: Float[np.ndarray, "M N"]
    """1 where a point lies beyond the joint that three columns of the tangent space move: the root's position and turn,
    then the turns of the others."""
    segments: tuple[Segment, ...]
    """Columns of the tangent space by unbranched stretches of the tree."""
    lengthened: Float[np.ndarray, "72 NB"]
    """How points move with the bones, in the frames of the joints."""
    lengths: Int[np.ndarray, "B"]
    """Shared parameters that are lengths: bones, and the tool's where there is one."""


class Kinematics(NamedTuple):
    """Twists and points of a state; two frames are appended that are nowhere."""

    twists: Float[np.ndarray, "T2 6 V"]
    """Linear part, then angular part, of every tangent column."""
    p: Float[np.ndarray, "T2 N 3"]
    """Points, from the pelvis [m]."""
    by_length: Float[np.ndarray, "T N 3 B"]
    """Derivative of the points by logarithms of lengths."""


@cache
def tree(names: tuple[str, ...], tool: bool) -> Tree:
    """Tree that carries the named points.

    Args:
        names: sites of the person, and points of the tool.
        tool: whether there is one.
    """
    count = len(Body.joint_names) + tool
    carries = np.zeros((count, count))
    carries[: len(ANCESTORS), : len(ANCESTORS)] = ANCESTORS.T
    carries[-1, -1] = 1
    joint_of = [Body.joint_names.index(SITES[n].joint) if n in SITES else count - 1 for n in names]
    joints = np.concatenate([[0], np.arange(len(Body.joint_names)), *([[count - 1] * 2] if tool else [])]).astype(int)
    bones = len(Body.bone_names)
    lengthened = np.zeros((72, len(names), bones + tool))
    sites = [n for n, name in enumerate(names) if name in SITES]
    chains = bone_chains([joint_of[n] for n in sites], [SITES[names[n]].offset for n in sites])
    lengthened[:, sites, :bones] = chains.transpose(1, 2, 0, 3).reshape(72, len(sites), bones)
    lengths = np.arange(len(SHARED_NAMES))[BONE_COLUMNS]
    return Tree(
        carries[joints][:, joint_of],
        _segments(carries, joints),
        lengthened.reshape(72, -1),
        np.append(lengths, TOOL_LENGTH) if tool else lengths,
    )


def _segments(carries: np.ndarray, joints: np.ndarray) -> tuple[Segment, ...]:
    """Stretches of a tree whose joints come depth first, given which joint carries which."""
    ends = np.arange(len(carries)) + carries.sum(axis=1).astype(int)
    # A joint goes on with the stretch of the one before it where that carries nothing else.
    starts = [j for j in range(len(carries)) if j == 0 or ends[j - 1] != ends[j] or not carries[j - 1, j]]
    segments = []
    for first, last in zip(starts, [*starts[1:], len(carries)], strict=True):
        low, high, end = (3 * int(np.searchsorted(joints, j)) for j in (first, last, ends[first]))
        own = joints[low // 3 : high // 3]
        below = np.repeat(np.repeat(carries[np.ix_(own, own)], 3, axis=0), 3, axis=1)
        segments.append(Segment(slice(low, high), slice(high, end), slice(low, end), below))
    return tuple(segments)


def kinematics(state: State, names: tuple[str, ...]) -> Kinematics:
    """Twists of a state, and its named points."""
    layout = tree(names, state.tool_q is not None)
    R, joints = state.poses
    frames, origin = len(R), joints[:, :1]
    twists = np.zeros((frames + 2, 6, state.nv))
    by_joint = np.swapaxes(twists[:frames].reshape(frames, 6, -1, 3), 1, 2)
    by_joint[:, 0, :3] = R[:, 0]
    by_joint[:, 1:25, 3:] = R
    by_joint[:, 1:25, :3] = _cross(joints - origin, R)
    p = np.zeros((frames + 2, len(names), 3))
    p[:frames] = state.positions(names) - origin
    turned = R.transpose(0, 2, 1, 3).reshape(3 * frames, -1)
    by_length = (turned @ layout.lengthened).reshape(frames, 3, len(names), len(layout.lengths)).swapaxes(1, 2)
    lengths = np.array([state.body.bones[b] for b in Body.bone_names])
    if state.tool_q is not None:
        R_tool = rotations(state.tool_q[:, 3:])
        by_joint[:, 25, :3] = by_joint[:, 26, 3:] = R_tool
        by_joint[:, 26, :3] = _cross((state.tool_q[:, :3] - origin[:, 0])[:, None], R_tool[:, None])[:, 0]
        lengths = np.append(lengths, state.length)
        for n, name in enumerate(names):
            if name == TOOL_POINTS[0]:
                by_length[:, n, :, -1] = R_tool[..., 0]
    return Kinematics(twists, p, by_length * lengths)


def add_moments(p: Float[np.ndarray, "T N 3"], wrench: Float[np.ndarray, "T N 6 C"]) -> None:
    """Write moments p x force of columns at points below their forces."""
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(p[..., j, None], wrench[:, :, k], out=wrench[:, :, 3 + i])
        wrench[:, :, 3 + i] -= p[..., k, None] * wrench[:, :, j]


def turned_about(p: Float[np.ndarray, "T N 3"], W: Float[np.ndarray, "T N 3 3"]) -> Float[np.ndarray, "T N 3 3"]:
    """Rows of `W` times the derivative of the points by a turn, -skew(p)."""
    turned = np.empty_like(W)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(p[..., j, None], W[..., k], out=turned[..., i])
        turned[..., i] -= p[..., k, None] * W[..., j]
    return turned


def between_twists(
    layout: Tree, c: Float[np.ndarray, "*B N"], p: Float[np.ndarray, "*B N 3"], q: Float[np.ndarray, "*B N 3"]
) -> Float[np.ndarray, "*B M 6 6"]:
    """Matrix between twists of each three columns, of points that count c times the identity.

    A point adds [1; skew(p)] c [1, -skew(q)].

    Args:
        layout: which joint carries which point.
        c: weights.
        p: points on the side of the rows.
        q: the same points on the side of the columns, at another time.
    """
    terms = np.empty((*c.shape, 16))
    terms[..., 0] = c
    np.multiply(p, c[..., None], out=terms[..., 1:4])
    np.multiply(q, c[..., None], out=terms[..., 4:7])
    np.multiply(terms[..., 4:7, None], p[..., None, :], out=terms[..., 7:].reshape(*c.shape, 3, 3))
    sums = layout.carried @ terms
    return (sums.reshape(-1, 16) @ _SPREAD).reshape(*sums.shape[:-1], 6, 6)


def _spread() -> np.ndarray:
    """How the sums of c, c p, c q and c q p' make a matrix between twists."""
    spread = np.zeros((16, 6, 6))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        spread[0, i, i] = 1
        # Minus skew(q) on the right, skew(p) below.
        spread[4 + k, i, 3 + j], spread[4 + k, j, 3 + i] = 1, -1
        spread[1 + k, 3 + i, j], spread[1 + k, 3 + j, i] = -1, 1
        # -skew(p) skew(q) = (p . q) 1 - q p'.
        for n in range(3):
            spread[7 + 4 * n, 3 + i, 3 + i] += 1
    for m in range(3):
        for n in range(3):
            spread[7 + 3 * m + n, 3 + m, 3 + n] -= 1
    return spread.reshape(16, 36)


_SPREAD = _spread()


def _cross(a: Float[np.ndarray, "T N 3"], B: Float[np.ndarray, "T N 3 3"]) -> Float[np.ndarray, "T N 3 3"]:
    """Cross product of a vector with each column."""
    crossed = np.empty_like(B)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[..., j, None], B[..., k, :], out=crossed[..., i, :])
        crossed[..., i, :] -= a[..., k, None] * B[..., j, :]
    return crossed
