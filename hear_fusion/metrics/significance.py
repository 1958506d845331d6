"""What the test clips tell about accuracies: intervals, paired tests, deviations.

Everything takes ``correct``: for each fold, whether each test clip is right, shape (seed, clip).
Seeds are averaged first: a clip is the unit that is drawn, not a run on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.metrics.bootstrap import Fold, Indices, bootstrap_interval, paired_interval

Correct = Sequence[NDArray[np.bool_]]
_EXACT = 16  # non-zero differences: 65536 flips
_CHUNK_ELEMENTS = 4_000_000


def as_folds(correct: Correct) -> list[Fold]:
    """Make folds whose clips can be drawn; their score is the accuracy, mean over seeds."""
    return [_fold(values.mean(axis=0)) for values in correct]


def _fold(accuracies: NDArray[np.float64]) -> Fold:
    def score(drawn: Indices) -> float:
        return float(accuracies[drawn].mean())

    return Fold(len(accuracies), score)


def accuracy(correct: Correct) -> float:
    """Accuracy, mean over seeds, then over folds.

    >>> accuracy([np.array([[True, False]]), np.array([[True, True, True]])])
    0.75
    """
    return float(np.mean([values.mean() for values in correct]))


def accuracy_interval(
    correct: Correct, *, n_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of the accuracy over the test clips of each fold."""
    return bootstrap_interval(as_folds(correct), n_resamples=n_resamples, seed=seed)


def difference_interval(
    first: Correct, second: Correct, *, n_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of second minus first, both scored on the same draws.

    Raises:
        ValueError: If they are not of the same clips.
    """
    _require_same_clips(first, second)
    return paired_interval(as_folds(first), as_folds(second), n_resamples=n_resamples, seed=seed)


def paired_p(first: Correct, second: Correct, *, n_flips: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of a sign-flip permutation test of the difference of two accuracies.

    If both were as good, each clip's difference could as well have had the other sign. Up to 16
    clips that differ, all signs are tried; else random ones, with the observed one among them.

    Args:
        first: The one.
        second: The other, on the same clips.
        n_flips: Random flips of all signs.
        seed: Seed of them.

    Raises:
        ValueError: If they are not of the same clips.

    >>> paired_p([np.zeros((1, 3), bool)], [np.ones((1, 3), bool)])
    0.25
    """
    _require_same_clips(first, second)
    differences = np.concatenate(
        [(b.mean(axis=0) - a.mean(axis=0)) / b.shape[1] for a, b in zip(first, second, strict=True)]
    )
    differences = differences[differences != 0]
    n_clips = len(differences)
    observed = abs(differences.sum()) * (1 - 1e-9)  # flips that tie but for rounding count
    if n_clips <= _EXACT:
        bits = np.arange(2**n_clips)[:, None] >> np.arange(n_clips) & 1
        return float((np.abs((1 - 2 * bits) @ differences) >= observed).mean())
    rng = np.random.default_rng(seed)
    n_chunk = max(1, _CHUNK_ELEMENTS // n_clips)
    n_extreme = 0
    for begin in range(0, n_flips, n_chunk):
        bits = rng.integers(2, size=(min(n_chunk, n_flips - begin), n_clips), dtype=np.int8)
        n_extreme += int((np.abs((1 - 2 * bits) @ differences) >= observed).sum())
    return (1 + n_extreme) / (1 + n_flips)


def deviation(accuracies: NDArray[np.float64]) -> float:
    """Sample deviation of accuracies over seeds and folds, shape (seed, fold); 0 for a single one.

    >>> round(deviation(np.array([[0.8], [0.9], [1.0]])), 3)
    0.1
    """
    return float(accuracies.std(ddof=1)) if accuracies.size > 1 else 0.0


def _require_same_clips(first: Correct, second: Correct) -> None:
    sizes = [[values.shape[1] for values in correct] for correct in (first, second)]
    if sizes[0] != sizes[1]:
        raise InvalidError(
            f"both must be of the same clips, got folds of {sizes[0]} and {sizes[1]}; evaluate "
            "both on the same task folder"
        )
