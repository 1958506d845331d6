"""Bootstrap intervals, by hand and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap

from hear_fusion.metrics.bootstrap import (
    Fold,
    bootstrap_interval,
    paired_interval,
    percentile_interval,
    score_folds,
)

RNG = np.random.default_rng(0)
VALUES = [RNG.gamma(2.0, size=n) for n in (120, 60, 200)]


def mean_of(values: NDArray[np.float64]) -> Fold:
    return Fold(len(values), lambda drawn: float(values[drawn].mean()))


FOLDS = [mean_of(values) for values in VALUES]


def test_folds_are_averaged_however_many_clips_they_have() -> None:
    everything = [np.arange(fold.n) for fold in FOLDS]
    assert score_folds(FOLDS, everything) == pytest.approx(np.mean([v.mean() for v in VALUES]))


@pytest.mark.parametrize("n_folds", [1, 3])
def test_interval_as_scipy(n_folds: int) -> None:
    values = VALUES[:n_folds]
    peer = bootstrap(
        values,
        lambda *folds, axis: np.mean([fold.mean(axis=axis) for fold in folds], axis=0),
        method="percentile",
        n_resamples=4000,
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    interval = bootstrap_interval(FOLDS[:n_folds], n_resamples=4000)
    # A 2.5 % point of a normal distribution is sure to 2.67 deviations by the root of the
    # resamples; four times that, for the difference of two.
    error = 4 * np.sqrt(2) * 2.67 * peer.standard_error / np.sqrt(4000)
    assert error < 0.2 * (interval[1] - interval[0])
    assert interval == pytest.approx(tuple(peer.confidence_interval), abs=error)


def test_both_are_scored_on_the_same_draws() -> None:
    shifted = [mean_of(values + 0.25) for values in VALUES]
    assert paired_interval(FOLDS, shifted, n_resamples=50) == pytest.approx((0.25, 0.25))


def test_the_middle_of_values_without_a_score_and_without_bounds() -> None:
    values = np.arange(101.0)
    assert percentile_interval(values) == (2.0, 98.0)
    assert percentile_interval(np.append(values, [np.nan] * 50)) == (2.0, 98.0)
    values[-3:] = math.inf
    assert percentile_interval(values) == (2.0, math.inf)
    assert all(map(math.isnan, percentile_interval(np.full(3, np.nan))))
