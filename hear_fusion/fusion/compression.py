"""Whitening by layer: few uncorrelated features of equal weight in the place of many.

Fused layers differ in scale and are correlated within: their cosine is a poor measure of likeness.
Principal components of each layer, divided by their deviations and fitted on a user's own vectors
without labels, mend both.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import unfinished
from hear_fusion.files.space import writing

MIN_ROWS = 50
_ROWS_A_COMPONENT = 4
_FIT_ROWS = 20_000
_BLOCK_ROWS = 4096
_SMALLEST = 1e-9  # of the largest variance of a layer; what is below is rounding

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Whitening:
    """Principal components of each layer, divided by their deviations.

    Attributes:
        weights_sha256: Weights of the network whose vectors it is for.
        layers: Its layers, in the order of the features.
        means: One a layer, shape (dim,).
        projections: One a layer, shape (dim, component).
    """

    weights_sha256: str
    layers: tuple[int, ...]
    means: tuple[Vectors, ...]
    projections: tuple[Vectors, ...]

    @classmethod
    def fit(
        cls, vectors: Vectors, dims: Sequence[int], k: int, layers: Sequence[int], weights: str
    ) -> Self:
        """Find the components of vectors; the more rows, the more can be told from chance.

        Args:
            vectors: Shape (row, sum of dims), at least 50 rows; 20,000 of more are used.
            dims: Features of each layer.
            k: Components of each layer; at most a quarter of the rows, and no more than there are.
            layers: Numbers of the layers.
            weights: SHA-256 of the network's weights.

        Raises:
            ValueError: If there are too few rows, or the number of components is not positive.

        >>> vectors = np.random.default_rng(0).normal(5, 3, (200, 6)).astype(np.float32)
        >>> whitening = Whitening.fit(vectors, (4, 2), 3, (5, 13), "")
        >>> whitening.dims, whitening.apply(vectors).std(axis=0).round(2).tolist()
        ((3, 2), [1.0, 1.0, 1.0, 1.0, 1.0])
        """
        if k < 1:
            raise InvalidError(f"components of a layer must be at least 1, got {k}")
        if len(vectors) < MIN_ROWS:
            raise InvalidError(
                f"vectors to whiten must be at least {MIN_ROWS}, got {len(vectors)}; go without"
            )
        k = min(k, len(vectors) // _ROWS_A_COMPONENT)
        step = -(-len(vectors) // _FIT_ROWS)
        rows = vectors[::step]
        parts = [_components(part, k) for part in _split(rows, dims)]
        means, projections = zip(*parts, strict=True)
        return cls(weights, tuple(layers), means, projections)

    @property
    def dims(self) -> tuple[int, ...]:
        """Components of each layer."""
        return tuple(projection.shape[1] for projection in self.projections)

    @property
    def sha256(self) -> str:
        """Hash of what it does, and of what it is for."""
        digest = sha256(f"{self.weights_sha256} {self.layers}".encode())
        for array in (*self.means, *self.projections):
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, "<f4").data)
        return digest.hexdigest()

    def check(self, layers: Sequence[int], weights_sha256: str) -> None:
        """Refuse vectors of another network.

        Raises:
            ValueError: If weights or layers differ.
        """
        if (tuple(layers), weights_sha256) != (self.layers, self.weights_sha256):
            raise InvalidError(
                f"whitening must be that of layers {list(layers)} and weights "
                f"{weights_sha256[:16]}, got {list(self.layers)} and {self.weights_sha256[:16]}; "
                "fit it anew"
            )

    def apply(self, vectors: Vectors, out: Vectors | None = None) -> Vectors:
        """Whiten vectors.

        Args:
            vectors: Shape (row, sum of the layers' dims).
            out: Where to put them, shape (row, sum of `dims`); by default a new array.

        Raises:
            ValueError: If the vectors are not of that size.
        """
        sizes = [len(mean) for mean in self.means]
        if vectors.shape[1] != sum(sizes):
            raise InvalidError(
                f"vectors must have {sum(sizes)} features, as those that the whitening was fitted "
                f"on, got {vectors.shape[1]}"
            )
        out = np.empty((len(vectors), sum(self.dims)), np.float32) if out is None else out
        for first in range(0, len(vectors), _BLOCK_ROWS):
            block = vectors[first : first + _BLOCK_ROWS]
            parts = zip(_split(block, sizes), self.means, self.projections, strict=True)
            whitened = [(part - mean) @ projection for part, mean, projection in parts]
            out[first : first + len(block)] = np.hstack(whitened)
        return out

    def write(self, path: Path) -> Path:
        """Write it as .npz, whole or not at all.

        Raises:
            UnwritableError: If the disk does not take it.
        """
        arrays = {f"mean_{i}": mean for i, mean in enumerate(self.means)}
        arrays |= {f"projection_{i}": array for i, array in enumerate(self.projections)}
        part = unfinished(path)
        with writing(path):
            try:
                with part.open("wb") as file:
                    np.savez(
                        file,
                        layers=np.array(self.layers),
                        weights=np.array(self.weights_sha256),
                        **arrays,  # type: ignore[arg-type]
                    )
                return part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path, sha256: str) -> Self:
        """Read it from a file.

        Args:
            path: The file.
            sha256: Which one it must be.

        Raises:
            ValueError: If it is another one, damaged, or not there.
        """
        why = "another one"
        try:
            with np.load(path) as arrays:
                layers = tuple(arrays["layers"].tolist())
                means = tuple(arrays[f"mean_{i}"] for i in range(len(layers)))
                projections = tuple(arrays[f"projection_{i}"] for i in range(len(layers)))
                read = cls(str(arrays["weights"]), layers, means, projections)
            if read.sha256 == sha256:
                return read
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
            why = str(err) or type(err).__name__
        raise InvalidError(
            f"{path} must be the whitening {sha256[:16]} that the vectors went through, got {why}; "
            "make the table anew"
        )


def _split(vectors: Vectors, dims: Sequence[int]) -> list[Vectors]:
    return np.split(vectors, np.cumsum(dims)[:-1], axis=1)


def _components(vectors: Vectors, k: int) -> tuple[Vectors, Vectors]:
    """Find mean and projection of a layer; what all rows share has no component."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    if len(vectors) < vectors.shape[1]:  # the same from the smaller of the two products
        squares, rows = np.linalg.eigh(centred @ centred.T)
        squares = np.maximum(squares, 0.0)
        axes = centred.T @ rows / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
    else:
        squares, axes = np.linalg.eigh(centred.T @ centred)
    squares, axes = squares[::-1][:k], axes[:, ::-1][:, :k]
    n_kept = max(1, int((squares > _SMALLEST * squares[0]).sum()))
    deviations = np.sqrt(np.maximum(squares[:n_kept], np.finfo(np.float32).tiny) / len(vectors))
    axes = axes[:, :n_kept] * np.sign(axes[np.abs(axes[:, :n_kept]).argmax(axis=0), range(n_kept)])
    return mean.astype(np.float32), (axes / deviations).astype(np.float32)
