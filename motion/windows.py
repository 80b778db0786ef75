"""Long clips by windows: which frames are looked at together, parts of states, residuals and records, and their seams.

Windows overlap. Where a result changes smoothly with the motion, two windows are blended over their overlap; where it
is what a filter of short reach makes of a motion that is known already, each window gives its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from motion.residuals.residual import Residual
from motion.rotation import conjugate, exponential, logarithm, product
from motion.state import State

BAND = 2
"""The widest residuals look at this many frames after the first one: their rows are as many fewer than frames."""

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """How a clip is divided."""

    frames: int = 1000
    """Most frames that are looked at together: clips that are not longer are one window. What is held of a frame while
    its window is solved is 0.2 MB."""
    overlap: float = 2.0
    """Time that neighbours have in common [s]: poses and contacts that are further away tell nothing."""
    sample: int = 4
    """Windows, spread over the clip, from which bone lengths, camera and ground are estimated together."""
    sample_frames: int = 150
    """Most frames of each of them that this takes [1]: poses that differ tell of it, and they come within seconds."""


class Window(NamedTuple):
    """Frames that are looked at together."""

    frames: slice
    kept: slice
    """Those of the clip's frames that this window is nearest to; the kept ones of all windows are the clip."""

    @property
    def inside(self) -> slice:
        """The kept frames, counted from the window's first."""
        return slice(self.kept.start - self.frames.start, self.kept.stop - self.frames.start)


def divide(frames: int, fps: float, options: WindowOptions) -> list[Window]:
    """Windows of equal length, no longer than need be, that overlap by `options.overlap` or by half; one if it does."""
    longest = max(options.frames, 8)
    if frames <= longest:
        return [Window(slice(0, frames), slice(0, frames))]
    overlap = min(max(2 * BAND, round(options.overlap * fps)), longest // 2)
    count = int(np.ceil((frames - overlap) / (longest - overlap)))
    length = min(longest, int(np.ceil((frames + (count - 1) * overlap) / count)))
    # Rounded down, so that no two windows are further apart than what they do not have in common.
    starts = [n * (frames - length) // (count - 1) for n in range(count)]
    seams = [0, *((later + earlier + length) // 2 for earlier, later in pairwise(starts)), frames]
    return [Window(slice(s, s + length), slice(*seams[n : n + 2])) for n, s in enumerate(starts)]


def part_of_state(state: State, frames: slice) -> State:
    """The state of some frames; what all frames share is not computed again."""
    tool_q = None if state.tool_q is None else state.tool_q[frames]
    camera = part_of(state.reference_camera, frames, state.num_frames)
    part = replace(state, q=state.q[frames], tool_q=tool_q, reference_camera=camera)
    part.share(state, part_of(state.camera, frames, state.num_frames))
    return part


def part_of(whole: Part, frames: slice, total: int) -> Part:
    """Some frames of a residual or a record: of its arrays with as many rows as the clip has frames, pairs or triples.

    Args:
        whole: a dataclass; what is none is returned as it is.
        frames: wanted, more than `BAND` fewer than `total`.
        total: frames of the clip.
    """
    if not is_dataclass(whole) or isinstance(whole, type):
        return whole
    found: dict[str, Any] = {}
    for field in fields(whole):
        value = getattr(whole, field.name)
        fewer = total - len(value) if isinstance(value, np.ndarray) and value.ndim else -1
        if 0 <= fewer <= BAND:
            found[field.name] = value[frames.start : frames.stop - fewer]
    return replace(whole, **found) if found else whole


def parts_of(residuals: Mapping[str, Residual], frames: slice, total: int) -> dict[str, Residual]:
    """`part_of` of all residuals."""
    return {name: part_of(residual, frames, total) for name, residual in residuals.items()}


def joined(work: Callable[[Window], Part], windows: Sequence[Window]) -> Part:
    """The kept rows of what `work` makes of each window: an array, or a dataclass of arrays, with a row per frame."""
    kept: list[dict[str, np.ndarray]] = []
    for window in windows:
        made: Any = work(window)
        rows = _arrays(made, window.frames.stop - window.frames.start)
        kept.append({name: value[window.inside].copy() for name, value in rows.items()})
    whole = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    result: Any = whole[""] if isinstance(made, np.ndarray) else replace(made, **whole)
    return result


def _arrays(whole: Any, rows: int) -> dict[str, np.ndarray]:
    if isinstance(whole, np.ndarray):
        return {"": whole}
    values = {field.name: getattr(whole, field.name) for field in fields(whole)}
    return {name: v for name, v in values.items() if isinstance(v, np.ndarray) and v.ndim and len(v) == rows}


def blend(
    before: Float[np.ndarray, "N Q"], after: Float[np.ndarray, "N Q"], margin: float = 0.25
) -> Float[np.ndarray, "N Q"]:
    """Go over from one motion to another of the same frames, on the manifold: a free-flyer and spherical joints.

    Args:
        before: motion at the first frames.
        after: motion at the last ones.
        margin: share of the frames at either end where one motion alone counts: windows know their ends least.
    """
    x = np.clip((np.linspace(0, 1, len(before)) - margin) / (1 - 2 * margin), 0, 1)[:, None]
    # Its second derivative has no jumps, so that accelerations have none.
    share = x**3 * (10 + x * (6 * x - 15))
    turns = before[:, 3:].reshape(len(before), -1, 4)
    between = logarithm(product(conjugate(turns), after[:, 3:].reshape(turns.shape)))
    turned = product(turns, exponential(share[..., None] * between))
    moved = (1 - share) * before[:, :3] + share * after[:, :3]
    return np.concatenate([moved, turned.reshape(len(before), -1)], axis=1)
