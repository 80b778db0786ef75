"""Triangle mesh of the zero level of a sampled field, by surface nets.

One vertex in every cell that the surface passes through, at the mean of its edges' crossings; two triangles around
every edge whose ends differ in sign (Gibson 1998, "Constrained elastic surface nets").
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float, Int


def surface_nets(
    field: Float[np.ndarray, "X Y Z"], origin: Float[np.ndarray, "3"], spacing: float
) -> tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]:
    """Vertices [m] and outward-facing triangles (counter-clockwise from outside) of a field that is negative inside.

    Args:
        field: values at the grid points `origin + spacing * (i, j, k)`; the surface must not reach the border.
        origin: first grid point [m].
        spacing: of the grid [m].
    """
    total = np.zeros((*(n - 1 for n in field.shape), 3))
    count = np.zeros(total.shape[:3])
    corners = list(itertools.product((0, 1), repeat=3))
    for a in corners:
        for axis in range(3):
            if a[axis]:
                continue
            b = tuple(1 if k == axis else a[k] for k in range(3))
            start, stop = _corner(field, a), _corner(field, b)
            crosses = (start < 0) != (stop < 0)
            share = start / np.where(crosses, start - stop, 1)
            for k in range(3):
                total[..., k] += crosses * (share if k == axis else a[k])
            count += crosses
    active = count > 0
    number = np.full(active.shape, -1)
    number[active] = np.arange(np.count_nonzero(active))
    vertices = origin + spacing * (np.argwhere(active) + total[active] / count[active][:, None])
    return vertices, np.concatenate([_around_edges(field, number, axis) for axis in range(3)])


def _corner(field: np.ndarray, corner: tuple[int, ...]) -> np.ndarray:
    """Value at one corner of every cell."""
    return field[tuple(slice(c, n - 1 + c) for c, n in zip(corner, field.shape, strict=True))]


def _around_edges(field: np.ndarray, number: np.ndarray, axis: int) -> np.ndarray:
    """Two triangles for each grid edge along `axis` that crosses the surface, over the four cells around it."""
    u, v = (axis + 1) % 3, (axis + 2) % 3
    ahead = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
    behind = tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))
    edges = np.argwhere((field[behind] < 0) != (field[ahead] < 0))
    step_u, step_v = np.eye(3, dtype=int)[u], np.eye(3, dtype=int)[v]
    around = [edges - step_u - step_v, edges - step_v, edges, edges - step_u]
    quads = np.stack([number[tuple(cells.T)] for cells in around], axis=1)
    leaving = field[tuple(edges.T)] < 0
    quads = np.where(leaving[:, None], quads, quads[:, ::-1])
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
