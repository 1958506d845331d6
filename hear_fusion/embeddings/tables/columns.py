"""The cells of a feature table, whatever file they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEY = "hear_fusion"  # under which Parquet and NPZ keep where the features come from
LABELS = ("path", "start", "stop", "id")
_BLOCK_BYTES = 64 << 20  # of vectors in memory at a time


@dataclass(frozen=True)
class Columns:
    """The cells of a table.

    Attributes:
        paths: The sound file of each row.
        starts, stops: The part of it that the row is about, in s; NaN: from its start, to its end.
        ids: What a list of segments called it.
        vectors: Features, shape (row, dim), float32; perhaps mapped into memory.
    """

    paths: list[str]
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    ids: list[str]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.paths)

    def blocks(self) -> Iterator[slice]:
        """Cut the rows into runs that memory holds at once."""
        n_rows = max(1, _BLOCK_BYTES // max(1, 4 * self.vectors.shape[1]))
        for first in range(0, len(self), n_rows):
            yield slice(first, min(first + n_rows, len(self)))
