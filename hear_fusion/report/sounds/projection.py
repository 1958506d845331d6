"""Vectors of many sounds as points of a plane, and which of them are neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError, MissingModuleError
from hear_fusion.progress import progress_bar

Method = Literal["pca", "umap"]
METHODS: tuple[Method, ...] = ("pca", "umap")
_BEFORE_UMAP = 50  # principal components
_BLOCK = 1024  # sounds that are compared with all at once
_MANY = 10_000  # sounds, from which on that takes a while


@dataclass(frozen=True)
class Plane:
    """Sounds as points.

    Attributes:
        points: Shape (n_sounds, 2), float64.
        words: How they were found, such as "PCA, 31 % of the variance".
    """

    points: NDArray[np.float64]
    words: str


def standardised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give every feature mean 0 and deviation 1 over the sounds; a constant one becomes 0.

    Layers of large features would drown the others.

    Args:
        vectors: Shape (n_sounds, dim).

    Raises:
        ValueError: If a value is not finite; names the first row, counted from 0.
    """
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise InvalidError(
            f"vectors must be finite, got NaN or infinity in row {int(np.argmin(finite))} (counted "
            f"from 0) and {int((~finite).sum())} in all; compute these sounds anew"
        )
    mean = vectors.mean(axis=0, dtype=np.float64)
    deviation = vectors.std(axis=0, dtype=np.float64)
    varies = deviation > 1e-6 * np.abs(mean)
    scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
    scaled: NDArray[np.float32] = vectors - mean.astype(np.float32)
    scaled *= scale.astype(np.float32)
    return scaled


def project(vectors: NDArray[np.float32], method: Method = "pca") -> Plane:
    """Find a plane for vectors, the same each time.

    Args:
        vectors: Standardised, shape (n_sounds, dim).
        method: ``pca``: the plane of the largest variance; ``umap``: neighbours stay neighbours,
            distances between groups mean little.

    Raises:
        ModuleNotFoundError: If UMAP is asked for and not installed.
    """
    from sklearn.decomposition import PCA

    n = 2 if method == "pca" else _BEFORE_UMAP
    n = min(n, len(vectors) - 1, vectors.shape[1])
    if n < 1 or not vectors.any():
        return Plane(np.zeros((len(vectors), 2)), "all sounds are alike")
    pca = PCA(n, svd_solver="randomized", random_state=0)
    components = pca.fit_transform(vectors).astype(np.float64)
    if method == "umap" and len(vectors) > 3:
        return Plane(_umap(components), "UMAP")
    points = np.pad(components, ((0, 0), (0, max(0, 2 - n))))[:, :2]
    share = 100 * float(pca.explained_variance_ratio_[:2].sum())
    return Plane(points, f"PCA, {share:.0f} % of the variance")


def _umap(components: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        import umap
    except ImportError as err:
        raise MissingModuleError(
            "the method umap must be installed, got no module umap; run 'pip install umap-learn'",
            name="umap",
        ) from err
    n_neighbors = min(15, len(components) - 1)
    reducer = umap.UMAP(n_neighbors=n_neighbors, min_dist=0.1, random_state=0, n_jobs=1)
    points: NDArray[np.float64] = reducer.fit_transform(components).astype(np.float64)
    return points


def neighbours(
    vectors: NDArray[np.float32], n_neighbours: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Find the nearest sounds of every sound by cosine, itself left out.

    Args:
        vectors: Standardised, shape (n_sounds, dim).
        n_neighbours: How many; fewer where there are no more sounds.

    Returns:
        Their indices and their cosine distances, near ones first, (n_sounds, n_neighbours).

    >>> indices, distances = neighbours(np.array([[1, 0], [0, 1], [2, 0.1]], np.float32), 1)
    >>> indices[:, 0].tolist()
    [2, 2, 0]
    """
    n = len(vectors)
    n_neighbours = min(n_neighbours, n - 1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-12)
    indices = np.empty((n, n_neighbours), np.intp)
    distances = np.empty((n, n_neighbours), np.float32)
    if n_neighbours < 1:
        return indices, distances
    with progress_bar("neighbours", n, "sound", quiet=n < _MANY) as bar:
        for start in range(0, n, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, n))
            far = 1 - unit[rows] @ unit.T
            far[rows - start, rows] = np.inf
            near = np.argpartition(far, n_neighbours - 1, axis=1)[:, :n_neighbours]
            order = np.argsort(np.take_along_axis(far, near, axis=1), axis=1, kind="stable")
            indices[rows] = np.take_along_axis(near, order, axis=1)
            distances[rows] = np.take_along_axis(far, indices[rows], axis=1).clip(min=0)
            bar.update(len(rows))
    return indices, distances
