"""Features of clips as a linear head takes them: layers side by side, standardised, bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Arrays of one split, layer by layer, each of shape (clip, dim of the layer).
Layers = Sequence[NDArray[np.float32]]
HELD_BYTES = 2 << 30
_CHUNK_BYTES = 64 << 20
_ALIGNMENT = 16


class Features:
    """Clips of one or more splits, standardised by the first ones.

    Rows are gathered from the arrays batch by batch. Where all standardised rows fit into
    ``held_bytes`` they are kept instead; the result is the same.

    Attributes:
        dim: Number of features D.
        width: Columns of a row: D features, a one for the bias, zeros up to a multiple of 16.
        n: Number of clips.
    """

    def __init__(
        self,
        splits: Sequence[Layers],
        *,
        n_fit: int,
        device: torch.device | str = "cpu",
        held_bytes: int = HELD_BYTES,
    ) -> None:
        """Fit the scaler.

        Args:
            splits: Layers of each split; all have the same dimensions.
            n_fit: Clips, from the first on, on which mean and deviation are taken.
            device: Where rows are wanted.
            held_bytes: Most memory for rows that are kept.

        Raises:
            ValueError: If shapes do not fit or a feature is not finite.
        """
        _check_shapes(splits)
        self._splits = splits
        self._starts = np.cumsum([0, *(len(layers[0]) for layers in splits)])
        self.n = int(self._starts[-1])
        self.dim = sum(array.shape[1] for array in splits[0])
        self.width = -(-(self.dim + 1) // _ALIGNMENT) * _ALIGNMENT
        self._device = torch.device(device)
        self._held: Tensor | None = None
        self._mean, self._scale = self._fit(n_fit)
        if 4 * self.n * self.width <= held_bytes:
            held = torch.empty(self.n, self.width, device=self._device)
            for begin, end in self.chunks(0, self.n):
                held[begin:end] = self.rows(torch.arange(begin, end))
            self._held = held

    def chunks(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut a range of clips into pieces of bounded memory."""
        step = max(1, _CHUNK_BYTES // (4 * self.width))
        for start in range(begin, end, step):
            yield start, min(end, start + step)

    def rows(self, index: Tensor) -> Tensor:
        """Gather clips.

        Args:
            index: Clips, counted over all splits in order, shape (clip,), int64, on the CPU.

        Returns:
            Standardised rows, shape (clip, width), float32, on the device.
        """
        if self._held is not None:
            return self._held.index_select(0, index.to(self._device))
        raw = torch.from_numpy(self._raw(index.numpy())).to(self._device)
        rows = torch.zeros(len(index), self.width, device=self._device)
        rows[:, : self.dim] = (raw - self._mean) / self._scale
        rows[:, self.dim] = 1
        return rows

    def _raw(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        raw = np.empty((len(index), self.dim), np.float32)
        split_of = np.searchsorted(self._starts, index, side="right") - 1
        for split in np.unique(split_of):
            places = np.flatnonzero(split_of == split)
            within, column = index[places] - self._starts[split], 0
            for array in self._splits[split]:
                raw[places, column : column + array.shape[1]] = array[within]
                column += array.shape[1]
        if not np.isfinite(raw).all():
            raise ValueError("features must be finite, got NaN or infinity; embed the task again")
        return raw

    def _fit(self, n_fit: int) -> tuple[Tensor, Tensor]:
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        for begin, end in self.chunks(0, n_fit):
            scaler.partial_fit(self._raw(np.arange(begin, end)).astype(np.float64))
        mean, scale = (
            torch.from_numpy(values.astype(np.float32)).to(self._device)
            for values in (scaler.mean_, scaler.scale_)
        )
        return mean, scale


def _check_shapes(splits: Sequence[Layers]) -> None:
    dims = [[array.shape[1:] for array in layers] for layers in splits]
    if (
        not dims
        or not dims[0]
        or any(d != dims[0] for d in dims)
        or any(len(shape) != 1 for shape in dims[0])
    ):
        raise ValueError(
            f"layers must be arrays (clip, dim) of the same dims in all splits, got {dims}; "
            "embed all splits with the same module"
        )
    for layers in splits:
        if len({len(array) for array in layers}) > 1:
            raise ValueError(
                "layers of a split must have the same number of clips, got "
                f"{[len(array) for array in layers]}; embed the split again"
            )
