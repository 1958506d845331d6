"""Paired differences of scores."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from hear_fusion.evaluate.difference import difference
from hear_fusion.evaluate.scores import Score
from hear_fusion.metrics.bootstrap import Fold, Indices, bootstrap_interval


def fold(correct: NDArray[np.bool_]) -> Fold:
    def score(correct: NDArray[np.bool_], drawn: Indices) -> float:
        return float(correct[drawn].mean())

    return Fold(len(correct), partial(score, correct))


def score_of(module: str, folds: list[Fold], task: str = "esc50") -> Score:
    value = float(np.mean([one.score(np.arange(one.n)) for one in folds]))
    n = sum(one.n for one in folds)
    return Score(module, task, "top1_acc", value, *bootstrap_interval(folds), n, "clips")


RNG = np.random.default_rng(0)
FIRST = RNG.random(200) < 0.8


def test_a_module_differs_from_itself_by_nothing() -> None:
    folds = [fold(FIRST[:120]), fold(FIRST[120:])]
    one = difference(score_of("a", folds), score_of("b", folds), folds, folds)
    assert (one.value, one.low, one.high) == (0.0, 0.0, 0.0)


def test_the_interval_is_paired() -> None:
    """The same clips are drawn for both: ten clips gained are certain, whatever the rest does."""
    second = FIRST.copy()
    second[np.flatnonzero(~second)[:10]] = True
    a, b = [fold(FIRST)], [fold(second)]
    one = difference(score_of("a", a), score_of("b", b), a, b)
    assert one.value == pytest.approx(10 / 200)
    assert one.low > 0.01
    unpaired = score_of("b", b).high - score_of("b", b).low
    assert one.high - one.low < unpaired


def test_signs_follow_second_minus_first() -> None:
    worse = [fold(FIRST & (np.arange(200) % 2 == 0))]
    a = [fold(FIRST)]
    one = difference(score_of("a", a), score_of("b", worse), a, worse)
    assert one.high < 0


def test_scores_of_other_tasks_or_clips_are_refused() -> None:
    a, b = [fold(FIRST)], [fold(FIRST[:100])]
    with pytest.raises(ValueError, match="same task, metric and clips"):
        difference(score_of("a", a), score_of("b", b), a, b)
    with pytest.raises(ValueError, match="same task, metric and clips"):
        difference(score_of("a", a), score_of("b", a, task="other"), a, a)
