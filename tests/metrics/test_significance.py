"""Intervals and paired tests of accuracies, by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from hear_fusion.metrics.significance import (
    accuracy,
    accuracy_interval,
    deviation,
    difference_interval,
    paired_p,
)


def drawn(rate: float, n: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.random.default_rng(seed).random((2, n)) < rate


def test_intervals_hold_the_value() -> None:
    first, second = (
        [drawn(0.5, 200, 0), drawn(0.5, 100, 1)],
        [drawn(0.8, 200, 2), drawn(0.8, 100, 3)],
    )
    low, high = accuracy_interval(first)
    assert low < accuracy(first) < high
    low, high = difference_interval(first, second)
    assert 0 < low < accuracy(second) - accuracy(first) < high
    assert difference_interval(first, first) == (0, 0)


def test_p_by_hand() -> None:
    one, other = np.array([[False] * 5 + [True]]), np.array([[True] * 5 + [False]])
    # 4 of 6 in favour: of 64 flips, those with 0, 1, 5 or 6 of one sign are as extreme.
    assert paired_p([one], [other]) == 14 / 64
    assert paired_p([one], [one]) == 1


@pytest.mark.parametrize("n", [30, 300])
def test_p_as_scipy(n: int) -> None:
    first, second = drawn(0.5, n, 0), drawn(0.62, n, 1)
    peer = permutation_test(
        (first.mean(0), second.mean(0)),
        lambda a, b, axis: (b - a).mean(axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    assert paired_p([first], [second]) == pytest.approx(peer.pvalue, abs=0.02)


def test_deviations() -> None:
    accuracies = np.array([[0.5, 0.7], [0.7, 0.9]])
    assert deviation(accuracies) == pytest.approx(np.sqrt(0.08 / 3))
    assert deviation(accuracies[:1, :1]) == 0.0


def test_other_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="same clips"):
        paired_p([drawn(0.5, 4, 0)], [drawn(0.5, 5, 0)])
