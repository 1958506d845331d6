"""Near-identical rows of a table: copies, and what leaks from one split into another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.metrics.neighbours import Numbers, Pairs, Rows, near_pairs


def near_identical(
    matrix: Rows,
    segments: Sequence[Segment],
    threshold: float,
    n: int,
    splits: Sequence[str | None] | None = None,
) -> Pairs:
    """Find the pairs of rows that are nearest to each other.

    Parts of one recording that overlap are no pair: they share sound.

    Args:
        matrix: Unit vectors, shape (row, dim).
        segments: What each row is of.
        threshold: The least cosine.
        n: How many pairs to find.
        splits: If given, pairs are only those of different splits; None belongs to no split.

    >>> rows = np.ones((3, 1), np.float32)
    >>> parts = [Segment("a.wav", 0, 5), Segment("a.wav", 4, 9), Segment("a.wav", 5, 10)]
    >>> pairs = near_identical(rows, parts, 0.9, 10)
    >>> pairs.first.tolist(), pairs.second.tolist()
    ([0], [2])
    """
    paths = _codes([segment.path for segment in segments])
    starts = np.array([segment.start or 0.0 for segment in segments])
    stops = np.array([np.inf if one.stop is None else one.stop for one in segments])
    split = None if splits is None else _codes(splits)

    def counts(i: Numbers, j: Numbers) -> NDArray[np.bool_]:
        is_pair: NDArray[np.bool_] = paths[i] != paths[j]
        is_pair |= (starts[i] >= stops[j]) | (starts[j] >= stops[i])
        if split is not None:
            is_pair &= (split[i] != split[j]) & (split[i] >= 0) & (split[j] >= 0)
        return is_pair

    return near_pairs(matrix, threshold, n, counts)


def _codes(names: Sequence[str | None]) -> Numbers:
    """Number names; None is -1."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names)) if name is not None}
    return np.array([-1 if name is None else numbers[name] for name in names], np.intp)
