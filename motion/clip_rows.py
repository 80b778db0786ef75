"""Rows of the normal equations of a piece of a clip, written some frames at a time from sums at points and joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from motion.accumulate import PointSums, TurnSums, WholeRows
from motion.body import ANCESTORS, Body
from motion.composite import add_moments, between_twists, kinematics, tree, turned_about
from motion.elimination import COUPLED
from motion.rotation import skew
from motion.skeleton import SITES
from motion.state import SHARED_NAMES, State


class _Middle(NamedTuple):
    """The middle of some sites, which points are relative to."""

    sums: PointSums
    columns: slice
    """Tangent columns among which are all that move it."""
    J: Float[np.ndarray, "T 3 M"]
    """Derivative by these columns, then by lengths."""
    weight: Float[np.ndarray, "T 3 3"]
    """Sum of the weights of all points."""
    beside: Float[np.ndarray, "T 3 D"]
    """Sum of `sums.beside`."""


class ClipRows:
    """Rows of the frames of a piece: those that errors look at together with others outside it are not complete."""

    def __init__(
        self,
        state: State,
        points: Mapping[tuple[str, ...], PointSums],
        turns: TurnSums,
        whole: WholeRows,
        corner: Float[np.ndarray, "S1 S1"],
        *,
        shared: bool = True,
    ) -> None:
        """Prepare kinematics and sums over the roots.

        Args:
            state: where residuals were linearised.
            points: sums by the sites whose middle points are relative to; () for none. All of the same points.
            turns: sums at joints.
            whole: residuals with all columns.
            corner: what residuals tell of what all frames share directly; gradient last.
            shared: whether what all frames share is unknown, too; else it stays.
        """
        self._state, self._turns, self._whole = state, turns, whole
        first = points[()]
        names = tuple(first.index)
        self._tree = tree(names, state.tool_q is not None)
        self._kinematics = kinematics(state, names)
        self._weight = np.sum([sums.weight for sums in points.values()], axis=0)
        for axis in range(3):
            self._weight[..., axis, axis] += first.coupling[0]
        self._beside = np.sum([sums.beside for sums in points.values()], axis=0)
        self._coupled = np.flatnonzero(first.coupling[1:].any(axis=(0, 1)))
        self._coupling = first.coupling[1:][..., self._coupled]
        self._coupled_points = self._kinematics.p[:, self._coupled]
        self._coupled_by = self._tree._replace(carried=self._tree.carried[:, self._coupled])
        self._width = len(SHARED_NAMES) if shared else 0
        self._lengths = self._tree.lengths[: None if shared else 0]
        direct = [SHARED_NAMES.index(name) for name in first.direct if shared]
        self._direct = np.array([*direct, self._width])
        """Columns beside of parameters that errors depend on directly, and of the gradient."""
        self._by_length = self._kinematics.by_length[..., : None if shared else 0]
        if not shared:
            self._beside = self._beside[..., -1:]
        self._middles = [self._middle(root, sums) for root, sums in points.items() if root]
        self.corner: np.ndarray = corner if shared else corner[-1:, -1:]

    def write(self, frames: slice, own: np.ndarray, over: np.ndarray, beside: np.ndarray) -> np.ndarray:
        """Write rows of some frames, as `motion.elimination.Rows` does; what they add to `corner` is returned."""
        count, lengths, direct = frames.stop - frames.start, len(self._lengths), len(self._direct)
        corner = self._write_whole(frames, own, over, beside)
        S = self._kinematics.twists[frames]
        W, p = self._weight[frames], self._kinematics.p[frames]
        parts = (W, turned_about(p, W), self._stretched(frames), self._beside[frames])
        parts = (*parts, *(middle.sums.weight[frames] for middle in self._middles))
        width = sum(part.shape[-1] for part in parts)
        wrench = np.empty((*p.shape[:2], 6, width))
        right = np.concatenate(parts, axis=-1, out=wrench[:, :, :3])
        add_moments(p, wrench)
        at_columns = self._tree.carried @ wrench.reshape(*p.shape[:2], 6 * width)
        at_columns = at_columns.reshape(count, len(self._tree.carried), 6, width)
        products = _per_column(at_columns[..., :6], S)
        for segment in self._tree.segments:
            own[:, segment.own, segment.whole] += _transposed(S[..., segment.own]) @ products[..., segment.whole]
        towards = (_transposed(_columns(S)) @ at_columns[..., 6:]).reshape(count, S.shape[-1], width - 6)
        beside[..., _as_slice(self._lengths)] += towards[..., :lengths]
        beside[..., self._direct] += towards[..., lengths : lengths + direct]
        if lengths:
            by_length, others = self._by_length[frames].reshape(-1, lengths), right[..., 6 : 6 + lengths + direct]
            corner += self._placed(by_length.T @ others.reshape(-1, lengths + direct))
        for n, middle in enumerate(self._middles):
            first = lengths + direct + 3 * n
            corner += self._relative(middle, frames, towards[..., first : first + 3], own, beside)
        if len(self._coupled):
            self._couple(frames, S, over)
        _joint_blocks(own)[:] += self._turns.blocks[0, frames]
        _joint_blocks(over[:, 0])[:] += self._turns.blocks[1, frames]
        beside[:, 3 : Body.nv, -1] += self._turns.g[frames].reshape(count, -1)
        return corner

    def _write_whole(self, frames: slice, own: np.ndarray, over: np.ndarray, beside: np.ndarray) -> np.ndarray:
        """Write what residuals with all columns add, or zeros."""
        corner = np.zeros((self._width + 1, self._width + 1))
        if self._whole.active(frames):
            for k, block in enumerate((own, *(over[:, n] for n in range(COUPLED)))):
                left, right = self._whole.coupling(frames, k)
                np.matmul(_transposed(left), right, out=block)
            left, _ = self._whole.coupling(frames, 0)
            np.matmul(_transposed(left), self._whole.beside(frames)[..., -self._width - 1 :], out=beside)
        else:
            for block in (own, over, beside):
                block.fill(0.0)
        for beginning in self._whole.first(frames):
            rows = beginning[..., -self._width - 1 :].reshape(-1, self._width + 1)
            corner += rows.T @ rows
        return corner

    def _stretched(self, frames: slice) -> np.ndarray:
        """Weight of each point, over all frames, times its derivative by lengths."""
        stretched: np.ndarray = self._weight[frames] @ self._by_length[frames]
        if not len(self._lengths):
            return stretched
        total = len(self._by_length)
        for k in range(1, COUPLED + 1):
            for low, high, away in (
                (frames.start, min(frames.stop, total - k), k),
                (max(frames.start, k), frames.stop, -k),
            ):
                if high > low:
                    c = self._coupling[k - 1, min(low, low + away) : min(low, low + away) + high - low]
                    moved = c[..., None, None] * self._by_length[low + away : high + away, self._coupled]
                    stretched[low - frames.start : high - frames.start, self._coupled] += moved
        return stretched

    def _couple(self, frames: slice, S: np.ndarray, over: np.ndarray) -> None:
        """Add what couples frames with those after them."""
        S_after, p_after = _following(self._kinematics.twists, frames), _following(self._coupled_points, frames)
        c, p = self._coupling[:, frames], self._coupled_points[None, frames]
        X = between_twists(self._coupled_by, c, np.broadcast_to(p, p_after.shape), p_after)
        ahead, back = _per_column(X, S_after), _per_column(_transposed(X), S[None])
        over = over.swapaxes(0, 1)
        for segment in self._tree.segments:
            own, beyond = segment.own, segment.beyond
            inner = _transposed(S[..., own]) @ ahead[..., segment.whole]
            outer = _transposed(back[..., segment.whole]) @ S_after[..., own]
            size = own.stop - own.start
            inner[..., :size] = np.where(segment.below, inner[..., :size], outer[..., :size, :])
            over[:, :, own, segment.whole] += inner
            if beyond.stop > beyond.start:
                over[:, :, beyond, own] += outer[..., size:, :]

    def _placed(self, both: Float[np.ndarray, "B R"]) -> np.ndarray:
        """Corner with products of lengths with lengths, then with direct parameters and the error."""
        corner = np.zeros((self._width + 1, self._width + 1))
        inner, across = np.split(both, [len(self._lengths)], axis=1)
        corner[self._lengths[:, None], self._lengths] = inner
        corner[self._lengths[:, None], self._direct] += across
        corner[self._direct[:, None], self._lengths] += across.T
        return corner

    def _middle(self, root: tuple[str, ...], sums: PointSums) -> _Middle:
        points = [sums.index[name] for name in root]
        moves = np.zeros((len(root), self._state.nv), bool)
        for n, name in enumerate(root):
            joint = Body.joint_names.index(SITES[name].joint)
            carriers = ANCESTORS[joint].copy()
            # A joint does not move what lies at its centre.
            carriers[joint] &= bool(SITES[name].offset)
            moves[n, : Body.nv] = np.repeat([carriers[0], *carriers], 3)
        moved = np.flatnonzero(moves.any(axis=0))
        columns = slice(int(moved[0]), int(moved[-1]) + 1)
        twists = self._kinematics.twists[: self._state.num_frames, :, columns]
        arm = skew(self._kinematics.p[: self._state.num_frames, points])
        J = (twists[:, None, :3] - arm @ twists[:, None, 3:]) * moves[:, None, columns]
        by_length = self._by_length[:, points].mean(axis=1)
        beside = sums.beside[..., -len(self._direct) :].sum(axis=1)
        return _Middle(
            sums, columns, np.concatenate([J.mean(axis=1), by_length], axis=-1), sums.weight.sum(axis=1), beside
        )

    def _relative(
        self, middle: _Middle, frames: slice, A: np.ndarray, own: np.ndarray, beside: np.ndarray
    ) -> np.ndarray:
        """Take what the middle moves from points that are relative to it; `A` is the sum of J' W over them."""
        J, columns, count = middle.J[frames], middle.columns, frames.stop - frames.start
        W, right = middle.weight[frames], middle.beside[frames]
        size, lengths = columns.stop - columns.start, len(self._lengths)
        crossed = A @ J
        own[:, columns] -= _transposed(crossed[..., :size])
        own[:, : columns.stop, columns] -= crossed[:, : columns.stop, :size]
        by_length = self._by_length[frames].reshape(count, 3 * self._by_length.shape[1], lengths)
        A_lengths = _transposed(by_length) @ middle.sums.weight[frames].reshape(count, -1, 3)
        total = W @ J
        total[..., size:] -= _transposed(A_lengths)
        both = _transposed(J) @ np.concatenate([total, right], axis=-1)
        own[:, columns, columns] += both[:, :size, :size]
        beside[..., _as_slice(self._lengths)] -= crossed[..., size:]
        beside[:, columns, _as_slice(self._lengths)] += both[:, :size, size : size + lengths]
        beside[:, columns, self._direct] -= both[:, :size, size + lengths :]
        inner, across = both[:, size:, size : size + lengths].sum(axis=0), both[:, size:, size + lengths :].sum(axis=0)
        inner -= np.tensordot(A_lengths, J[..., size:], ([0, 2], [0, 1]))
        return self._placed(np.concatenate([inner, -across], axis=-1))


def _per_column(matrix: Float[np.ndarray, "*B M 6 6"], S: Float[np.ndarray, "*C 6 V"]) -> Float[np.ndarray, "*B 6 V"]:
    """Twists of each three columns times their own matrix."""
    product = np.empty((*matrix.shape[:-3], *S.shape[-2:]))
    np.matmul(matrix, _columns(S), out=_columns(product))
    return product


def _columns(S: Float[np.ndarray, "*B 6 V"]) -> Float[np.ndarray, "*B M 6 3"]:
    return S.reshape(*S.shape[:-1], -1, 3).swapaxes(-2, -3)


def _following(x: np.ndarray, frames: slice) -> np.ndarray:
    """View (2, N, ...) of what comes one and two frames after some frames."""
    later = x[frames.start + 1 :]
    shape = (COUPLED, frames.stop - frames.start, *x.shape[1:])
    return np.lib.stride_tricks.as_strided(later, shape, (x.strides[0], *x.strides))


def _transposed(x: np.ndarray) -> np.ndarray:
    return x.swapaxes(-1, -2)


def _as_slice(index: Int[np.ndarray, "C"]) -> slice | Int[np.ndarray, "C"]:
    """Indices as a slice where they are consecutive: adding to a view needs no copies."""
    return slice(0, len(index)) if (index == np.arange(len(index))).all() else index


def _joint_blocks(blocks: Float[np.ndarray, "T V V"]) -> Float[np.ndarray, "T 24 3 3"]:
    """Writable view of the diagonal 3 x 3 blocks of the joints' turns."""
    corner = blocks[:, 3 : Body.nv, 3 : Body.nv]
    frame, row, column = corner.strides
    joints = len(Body.joint_names)
    return np.lib.stride_tricks.as_strided(
        corner, (len(blocks), joints, 3, 3), (frame, 3 * (row + column), row, column)
    )
