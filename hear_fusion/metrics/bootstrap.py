"""How sure a score is: test clips are drawn anew, within each fold, and scored again."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Test clips of one fold and the score of any selection of them."""

    n: int
    score: Callable[[Indices], float]


def score_folds(folds: Sequence[Fold], drawn: Sequence[Indices]) -> float:
    """Score a selection of clips of each fold; average over folds."""
    return float(np.mean([fold.score(idx) for fold, idx in zip(folds, drawn, strict=True)]))


def bootstrap_interval(
    folds: Sequence[Fold], *, n_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Estimate a 95 % interval by the percentile bootstrap over the clips of each fold.

    Returns:
        Lower and upper end; NaN if no resample has a score.

    >>> correct = np.array([True] * 90 + [False] * 10)
    >>> fold = Fold(100, lambda drawn: float(correct[drawn].mean()))
    >>> low, high = bootstrap_interval([fold])
    >>> bool(0.80 < low < 0.86 and 0.94 < high < 0.98)
    True
    """
    rng = np.random.default_rng(seed)
    scores = np.array(
        [
            score_folds(folds, [rng.integers(fold.n, size=fold.n) for fold in folds])
            for _ in range(n_resamples)
        ]
    )
    return percentile_interval(scores)


def percentile_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Take the middle 95 % of bootstrap values, NaN left out; NaN if nothing is left."""
    values = values[~np.isnan(values)]
    if not len(values):
        return math.nan, math.nan
    # No interpolation: d_prime can be infinite.
    low = np.percentile(values, 2.5, method="lower")
    high = np.percentile(values, 97.5, method="higher")
    return float(low), float(high)


def paired_interval(
    first: Sequence[Fold], second: Sequence[Fold], *, n_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Estimate a 95 % interval of second minus first, both scored on the same draws of clips."""
    rng = np.random.default_rng(seed)
    gains = []
    for _ in range(n_resamples):
        drawn = [rng.integers(fold.n, size=fold.n) for fold in first]
        gains.append(score_folds(second, drawn) - score_folds(first, drawn))
    return percentile_interval(np.array(gains))
