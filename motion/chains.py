"""Derivatives of points along their kinematic chains, one block of columns per limb.

A point of the left leg depends on the pelvis and the left leg alone: points are grouped by limb, and only the columns
of their chains are kept. This is the sparsity that branches induce (Featherstone 2008, "Rigid Body Dynamics
Algorithms", section 6.5).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.body import ANCESTORS, Body, bone_chains
from motion.rotation import skew
from motion.skeleton import SITES, Offset
from motion.state import SHARED_NAMES, TOOL_POINTS, State


class Limb(NamedTuple):
    """Points that share a chain of joints, and what moves them."""

    points: Int[np.ndarray, "N"]
    """Indices of the points among all names."""
    columns: Int[np.ndarray, "C"]
    """Tangent columns of the chain, ascending."""
    shared: Int[np.ndarray, "B"]
    """Shared parameters that move the points, or the root."""
    runs: list[tuple[slice, slice]]
    """Runs of consecutive columns: where they lie among `columns`, and where in the tangent space."""
    J: Mapping[tuple[str, ...], Float[np.ndarray, "T N 3 M"]]
    """Derivative with respect to `columns`, then `shared` (M = C + B), relative to each root; to none under ()."""


class _Layout(NamedTuple):
    """What is the same in every state."""

    points: np.ndarray
    columns: np.ndarray
    moved: np.ndarray
    """Boolean (N, C): whether a column moves a point."""
    bones: np.ndarray
    lengthened: np.ndarray
    """(72, N B): how joint offsets along the chain of each point grow with the bones."""
    runs: list[tuple[slice, slice]]


def limbs(
    state: State, names: tuple[str, ...], roots: Collection[tuple[str, ...]] = (), frames: slice = slice(None)
) -> list[Limb]:
    """Derivatives of named points of the person and of the tool, by limb.

    Args:
        state: where to differentiate.
        names: points.
        roots: sites of the person whose middle the points are relative to, too.
        frames: for which derivatives are wanted (T of them).
    """
    K, omega = (part[frames] for part in state.twists)
    p = state.positions(names)[frames]
    turned = state.poses[0][frames].transpose(0, 2, 1, 3).reshape(3 * len(p), -1)
    lengths = np.array([state.body.bones[b] for b in Body.bone_names])
    middles = {root: state.points(root) for root in roots if root}
    result = []
    for layout in _layouts(names, tuple(middles)):
        count, chain, bones = len(layout.points), len(layout.columns), len(layout.bones)
        J = np.empty((len(p), count, 3, chain + bones))
        arm = skew(p[:, layout.points]).reshape(len(p), 3 * count, 3) @ omega[..., layout.columns]
        np.subtract(K[:, None, :, layout.columns], arm.reshape(len(p), count, 3, chain), out=J[..., :chain])
        J[..., :chain] *= layout.moved[:, None, :]
        by_bone = (turned @ layout.lengthened).reshape(len(p), 3, count, bones)
        np.multiply(by_bone.swapaxes(1, 2), lengths[layout.bones], out=J[..., chain:])
        relative: dict[tuple[str, ...], np.ndarray] = {(): J}
        for root, middle in middles.items():
            by = [middle.J[frames][..., layout.columns], middle.J_shared[frames][..., layout.bones]]
            relative[root] = J - np.concatenate(by, axis=-1).mean(axis=1, keepdims=True)
        result.append(Limb(layout.points, layout.columns, layout.bones, layout.runs, relative))
    held = [n for n, name in enumerate(names) if name in TOOL_POINTS]
    if held:
        points = state.points([names[n] for n in held])
        length = np.array([SHARED_NAMES.index("log_tool_length")])
        J = np.concatenate([points.J[frames][..., Body.nv :], points.J_shared[frames][..., length]], axis=-1)
        columns = np.arange(Body.nv, state.nv)
        result.append(Limb(np.array(held), columns, length, _runs(columns), {(): J}))
    return result


def _runs(columns: Int[np.ndarray, "C"]) -> list[tuple[slice, slice]]:
    starts = np.flatnonzero(np.diff(columns, prepend=-2) != 1)
    ends = [*starts[1:], len(columns)]
    return [(slice(a, b), slice(columns[a], columns[b - 1] + 1)) for a, b in zip(starts, ends, strict=True)]


@cache
def _layouts(names: tuple[str, ...], roots: tuple[tuple[str, ...], ...]) -> tuple[_Layout, ...]:
    by_limb: dict[int, list[int]] = {}
    for n, name in enumerate(names):
        if name in SITES:
            by_limb.setdefault(_tip(_joint(name)), []).append(n)
    of_root = np.zeros(len(Body.bone_names), bool)
    for root in roots:
        of_root |= bone_chains(*_placed(root)).any(axis=(0, 1, 2))
    result = []
    for points in by_limb.values():
        joints, offsets = _placed([names[n] for n in points])
        chain = ANCESTORS[joints]
        columns = np.flatnonzero(_by_column(np.any(chain, axis=0, keepdims=True)[0]))
        chains = bone_chains(joints, offsets)
        bones = np.flatnonzero(chains.any(axis=(0, 1, 2)) | of_root)
        lengthened = chains[..., bones].transpose(1, 2, 0, 3).reshape(72, -1)
        result.append(
            _Layout(np.array(points), columns, _by_column(chain)[:, columns], bones, lengthened, _runs(columns))
        )
    return tuple(result)


def _joint(name: str) -> int:
    return Body.joint_names.index(SITES[name].joint)


def _placed(names: Sequence[str]) -> tuple[list[int], list[Offset]]:
    return [_joint(name) for name in names], [SITES[name].offset for name in names]


def _tip(joint: int) -> int:
    """The first end of the tree beyond a joint: it stands for the limb."""
    beyond = ANCESTORS[:, joint]
    ends = beyond & (ANCESTORS.sum(axis=0) == 1)
    return int(np.flatnonzero(ends)[0])


def _by_column(joints: np.ndarray) -> np.ndarray:
    """Repeat what is true of a joint for its columns: six of the pelvis, three of the others."""
    return np.concatenate([np.repeat(joints[..., :1], 6, axis=-1), np.repeat(joints[..., 1:], 3, axis=-1)], axis=-1)
