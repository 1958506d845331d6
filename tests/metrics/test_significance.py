"""Intervals and paired tests of accuracies, by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test

from hear_fusion.metrics.significance import (
    accuracy,
    accuracy_interval,
    deviation,
    difference_interval,
    paired_p,
)

Correct = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def drawn(share: float, n: int, seed: int) -> Correct:
    return np.random.default_rng(seed).random((2, n)) < share


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


def peer_p(first: Correct, second: Correct, *, n_resamples: int) -> float:
    """SciPy's two-sided p; exact if there are no more flips than resamples."""
    peer = permutation_test(
        (first.mean(0), second.mean(0)),
        lambda a, b, axis: (b - a).mean(axis=axis),
        permutation_type="samples",
        n_resamples=n_resamples,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(peer.pvalue)


@pytest.mark.parametrize("n_differing", [2, 3, 7, 13, 16])
def test_exact_p_as_scipy(n_differing: int) -> None:
    first, second = drawn(0.4, 400, n_differing), drawn(0.6, 400, 99)
    places = np.flatnonzero(first.mean(0) != second.mean(0))[:n_differing]
    first, second = first[:, places], second[:, places]
    expected = peer_p(first, second, n_resamples=2**n_differing)
    # Clips that do not differ change no flip.
    first, second = (np.hstack([part, np.ones((2, 5), bool)]) for part in (first, second))
    assert paired_p([first], [second]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "share"), [(100, 0.5), (100, 0.54), (300, 0.5), (300, 0.53)])
def test_random_p_as_scipy(n: int, share: float) -> None:
    first, second = drawn(0.5, n, 0), drawn(share, n, 1)
    expected = peer_p(first, second, n_resamples=20_000)
    assert 0.001 < expected < 0.5
    # Four deviations of the share of our 10,000 flips and of twice the share at one end of theirs.
    error = 4 * np.sqrt(expected * (1 - expected) / 10_000 + expected * (2 - expected) / 20_000)
    assert paired_p([first], [second]) == pytest.approx(expected, abs=error)


def test_paired_interval_as_scipy() -> None:
    first, second = drawn(0.5, 400, 0), drawn(0.6, 400, 1)
    values = first.mean(0), second.mean(0)
    peer = bootstrap(
        values,
        lambda a, b, axis: b.mean(axis=axis) - a.mean(axis=axis),
        method="percentile",
        paired=True,
        n_resamples=4000,
        rng=np.random.default_rng(0),
    )
    low, high = difference_interval([first], [second], n_resamples=4000)
    # Of a 2.5 % point of a normal distribution, 2.67 deviations a root of the resamples; twice.
    error = 4 * np.sqrt(2) * 2.67 * (values[1] - values[0]).std() / np.sqrt(400) / np.sqrt(4000)
    assert error < 0.2 * (high - low)
    assert (low, high) == pytest.approx(tuple(peer.confidence_interval), abs=error)


def test_deviations() -> None:
    accuracies = np.array([[0.5, 0.7], [0.7, 0.9]])
    assert deviation(accuracies) == pytest.approx(np.sqrt(0.08 / 3))
    assert deviation(accuracies[:1, :1]) == 0.0


def test_other_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="same clips"):
        paired_p([drawn(0.5, 4, 0)], [drawn(0.5, 5, 0)])
