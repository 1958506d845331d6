"""Neighbours by cosine: nearest rows, pairs that are almost one, rows far from all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 2048

Rows = NDArray[np.float32]
"""Unit vectors, shape (row, dim); perhaps mapped into memory."""


def unit(vectors: Rows) -> Rows:
    """Divide vectors by their lengths; zeros stay zeros.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.square(vectors, dtype=np.float32).sum(axis=1, keepdims=True))
    lengths[lengths == 0] = 1.0
    divided: Rows = (vectors / lengths).astype(np.float32, copy=False)
    return divided


def nearest(rows: Rows, query: NDArray[np.float32], n: int) -> tuple[NDArray[np.intp], Rows]:
    """Find the rows nearest to a query, exactly.

    Args:
        rows: Unit vectors.
        query: Another one, shape (dim,).
        n: How many rows to find.

    Returns:
        Their numbers, nearest first, and their cosines; of equal ones the first comes first.

    >>> nearest(np.eye(3, dtype=np.float32), np.array([0, 1, 0], np.float32), 1)[0].tolist()
    [1]
    """
    cosines = np.asarray(rows) @ query
    n = min(n, len(cosines))
    if not n:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    best = np.argpartition(-cosines, n - 1)[:n]
    best = np.flatnonzero(cosines >= cosines[best].min())
    best = best[np.argsort(-cosines[best], kind="stable")][:n]
    return best, cosines[best]


def near_pairs(rows: Rows, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Find all pairs whose cosine is at least a threshold.

    Yields:
        Numbers of two rows, the smaller first, and their cosine.

    >>> list(near_pairs(np.ones((2, 1), np.float32), 0.9))
    [(0, 1, 1.0)]
    """
    for first in range(0, len(rows), _BLOCK_ROWS):
        block = np.asarray(rows[first : first + _BLOCK_ROWS])
        for second in range(first, len(rows), _BLOCK_ROWS):
            cosines = block @ np.asarray(rows[second : second + _BLOCK_ROWS]).T
            for i, j in np.argwhere(cosines >= threshold).tolist():
                if first + i < second + j:
                    yield first + i, second + j, float(cosines[i, j])


def farthest_first(rows: Rows, n: int, known: Sequence[int] = ()) -> list[int]:
    """Choose rows that cover all others: each is the one farthest from those before it.

    Args:
        rows: Unit vectors.
        n: How many to choose; fewer, if nothing new is left.
        known: Rows that count as chosen before. Without any, the row nearest to the mean is first.

    >>> farthest_first(np.array([[1, 0], [1, 0], [0, 1], [-1, 0]], np.float32), 3, [0])
    [3, 2]
    """
    closest = np.full(len(rows), -np.inf, np.float32)
    chosen: list[int] = []
    for row in known:
        np.maximum(closest, np.asarray(rows) @ rows[row], out=closest)
    while len(chosen) < min(n, len(rows)):
        if chosen or known:
            row = int(closest.argmin())
            if closest[row] >= 1 - 1e-6:
                break
        else:
            row = int(nearest(rows, np.asarray(rows).mean(axis=0), 1)[0][0])
        chosen.append(row)
        np.maximum(closest, np.asarray(rows) @ rows[row], out=closest)
    return chosen
