"""Features of clips as linear heads take them: layers side by side, standardised, bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.errors import InvalidError

# Arrays of one split, layer by layer, each of shape (clip, dim of the layer).
LayerArrays = Sequence[NDArray[np.float32]]
HELD_BYTES = 2 << 30
CHUNK_BYTES = 64 << 20
_ALIGNMENT = 16


class Features:
    """Clips of one or more splits in one or more representations, standardised by the first clips.

    Rows are gathered from the arrays batch by batch. Where all standardised rows fit into
    ``held_bytes`` they are kept instead; the result is the same.

    Attributes:
        dim: Number of features D, of each representation.
        width: Columns of a row: D features, a one for the bias, zeros up to a multiple of 16.
        n_clips: Number of clips.
    """

    def __init__(
        self,
        representations: Sequence[Sequence[LayerArrays]],
        *,
        n_fit: int,
        device: torch.device | str = "cpu",
        held_bytes: int = HELD_BYTES,
    ) -> None:
        """Fit the scalers.

        Args:
            representations: Of each, the layers of each split, of the same dimensions.
            n_fit: Clips, from the first on, on which mean and deviation are taken.
            device: Where rows are wanted.
            held_bytes: Most memory for rows that are kept.

        Raises:
            ValueError: If shapes do not fit or a feature is not finite.
        """
        _check_shapes(representations)
        self._representations = representations
        self._starts = np.cumsum([0, *(len(layers[0]) for layers in representations[0])])
        self.n_clips = int(self._starts[-1])
        self.dim = sum(array.shape[1] for array in representations[0][0])
        self.width = _width(self.dim)
        self._device = torch.device(device)
        self._held: Tensor | None = None
        self._scalers = [self._fit(which, n_fit) for which in range(len(representations))]
        if len(self) * bytes_of(self.n_clips, self.dim) <= held_bytes:
            held = torch.empty(len(self), self.n_clips, self.width, device=self._device)
            for which, rows in enumerate(held):
                for begin, end in self._chunks(self.n_clips):
                    self._standardise(which, np.arange(begin, end), rows[begin:end])
            self._held = held.flatten(0, 1)

    def __len__(self) -> int:
        """Number of representations."""
        return len(self._representations)

    def rows(self, which: Tensor, index: Tensor, out: Tensor | None = None) -> Tensor:
        """Gather clips.

        Args:
            which: A representation for each run, shape (run,), int64.
            index: Its clips, counted over all splits in order, shape (run, clip), int64.
            out: Where to put the rows; None for new memory.

        Returns:
            Standardised rows, shape (run, clip, width), float32, on the device.
        """
        if out is None:
            out = torch.empty(*index.shape, self.width, device=self._device)
        if self._held is not None:
            at = index.to(self._device) + self.n_clips * which.to(self._device)[:, None]
            # A view, or an error: a copy would be filled in place of ``out``.
            torch.index_select(self._held, 0, at.flatten(), out=out.view(-1, self.width))
            return out
        for number, clips, rows in zip(which.tolist(), index.cpu().numpy(), out, strict=True):
            self._standardise(number, clips, rows)
        return out

    def _standardise(self, which: int, index: NDArray[np.int64], out: Tensor) -> None:
        mean, scale = self._scalers[which]
        raw = torch.from_numpy(self._raw(which, index)).to(self._device)
        torch.sub(raw, mean, out=out[:, : self.dim]).div_(scale)
        out[:, self.dim] = 1
        out[:, self.dim + 1 :] = 0

    def _raw(self, which: int, index: NDArray[np.int64]) -> NDArray[np.float32]:
        raw = np.empty((len(index), self.dim), np.float32)
        split_of = np.searchsorted(self._starts, index, side="right") - 1
        for split in np.unique(split_of):
            places = np.flatnonzero(split_of == split)
            within, column = index[places] - self._starts[split], 0
            for array in self._representations[which][split]:
                raw[places, column : column + array.shape[1]] = array[within]
                column += array.shape[1]
        if not np.isfinite(raw).all():
            raise InvalidError("features must be finite, got NaN or infinity; embed the task again")
        return raw

    def _fit(self, which: int, n_fit: int) -> tuple[Tensor, Tensor]:
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        for begin, end in self._chunks(n_fit):
            scaler.partial_fit(self._raw(which, np.arange(begin, end)))
        mean, scale = (
            torch.from_numpy(values.astype(np.float32)).to(self._device)
            for values in (scaler.mean_, scaler.scale_)
        )
        return mean, scale

    def _chunks(self, n_clips: int) -> Iterator[tuple[int, int]]:
        """Cut the first clips into ranges of bounded memory."""
        step = max(1, CHUNK_BYTES // (4 * self.width))
        for start in range(0, n_clips, step):
            yield start, min(n_clips, start + step)


def bytes_of(n_clips: int, dim: int) -> int:
    """Count the bytes of all rows.

    >>> bytes_of(1000, 2047)
    8192000
    """
    return 4 * n_clips * _width(dim)


def _width(dim: int) -> int:
    return -(-(dim + 1) // _ALIGNMENT) * _ALIGNMENT


def _check_shapes(representations: Sequence[Sequence[LayerArrays]]) -> None:
    sizes = set()
    for splits in representations:
        dims = [[array.shape[1:] for array in layers] for layers in splits]
        if (
            not dims
            or not dims[0]
            or any(d != dims[0] for d in dims)
            or any(len(shape) != 1 for shape in dims[0])
        ):
            raise InvalidError(
                "layers must be arrays (clip, dim) of the same dims in all splits, got "
                f"{dims}; embed all splits with the same module"
            )
        n_clips = [{len(array) for array in layers} for layers in splits]
        if any(len(numbers) > 1 for numbers in n_clips):
            raise InvalidError(
                "layers of a split must have the same number of clips, got "
                f"{[sorted(numbers) for numbers in n_clips]}; embed the task again"
            )
        sizes.add((*(numbers.pop() for numbers in n_clips), sum(dim for (dim,) in dims[0])))
    if len(sizes) != 1:
        raise InvalidError(
            "representations must be one or more, alike in clips and dimension, got (clips of "
            f"each split, dimension) {sorted(sizes)}; take those of one dimension together"
        )
