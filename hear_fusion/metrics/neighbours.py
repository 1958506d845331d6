"""Neighbours by cosine: nearest rows, pairs that are near-identical, rows far from all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 2048

Numbers = NDArray[np.intp]
Rows = NDArray[np.float32]
"""Unit vectors, shape (row, dim); perhaps mapped into memory."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows.

    Attributes:
        first, second: Their numbers, shape (pair,); the smaller is the first.
        cosines: How near they are, shape (pair,), the nearest pair first.
        n_all: How many there are, with those that were not asked for.
    """

    first: Numbers
    second: Numbers
    cosines: Rows
    n_all: int


def unit(vectors: Rows) -> Rows:
    """Divide vectors by their lengths; zeros stay zeros.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.square(vectors, dtype=np.float32).sum(axis=1, keepdims=True))
    lengths[lengths == 0] = 1.0
    divided: Rows = (vectors / lengths).astype(np.float32, copy=False)
    return divided


def nearest(rows: Rows, query: NDArray[np.float32], n: int) -> tuple[Numbers, Rows]:
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


def near_pairs(
    rows: Rows,
    threshold: float,
    n: int,
    counts: Callable[[Numbers, Numbers], NDArray[np.bool_]] | None = None,
) -> Pairs:
    """Find the nearest of all pairs whose cosine is at least a threshold, exactly.

    Args:
        rows: Unit vectors.
        threshold: The least cosine.
        n: How many pairs to find.
        counts: Which pairs of numbers are looked at; by default all.

    Returns:
        The pairs; of equally near ones the first come first.

    >>> near_pairs(np.ones((3, 1), np.float32), 0.9, 1)
    Pairs(first=array([0]), second=array([1]), cosines=array([1.], dtype=float32), n_all=3)
    """
    first, second, cosines = np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32)
    n_all = 0
    for row in range(0, len(rows), _BLOCK_ROWS):
        block = np.asarray(rows[row : row + _BLOCK_ROWS])
        for column in range(row, len(rows), _BLOCK_ROWS):
            product = block @ np.asarray(rows[column : column + _BLOCK_ROWS]).T
            i, j = np.nonzero(product >= threshold)
            is_wanted = i + row < j + column
            if counts is not None:
                is_wanted &= counts(i + row, j + column)
            i, j = i[is_wanted], j[is_wanted]
            n_all += len(i)
            first, second = np.append(first, i + row), np.append(second, j + column)
            cosines = np.append(cosines, product[i, j])
            if len(cosines) > n:
                best = np.lexsort((second, first, -cosines))[:n]
                first, second, cosines = first[best], second[best], cosines[best]
    order = np.lexsort((second, first, -cosines))
    return Pairs(first[order], second[order], cosines[order], n_all)


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
