"""Two modules on the same clips: the difference of their scores, with a paired interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.scores import Score, affordable_resamples
from hear_fusion.metrics.bootstrap import Fold, paired_interval


@dataclass(frozen=True)
class Difference:
    """What a second module gains over a first one on a task.

    Attributes:
        first, second: Their scores.
        value: Second minus first.
        low, high: 95 % interval over the test clips, both modules scored on the same draws.
    """

    first: Score
    second: Score
    value: float
    low: float
    high: float


def difference(
    first: Score,
    second: Score,
    first_folds: Sequence[Fold],
    second_folds: Sequence[Fold],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """Compare two scores of the same task and metric.

    Args:
        first: Score of the one module.
        second: Score of the other.
        first_folds: Test clips of the one.
        second_folds: Test clips of the other, in the same order.
        n_resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If the scores are not of the same task, metric and clips.
    """
    sizes = [fold.n for fold in first_folds]
    if (first.task, first.metric, sizes) != (
        second.task,
        second.metric,
        [fold.n for fold in second_folds],
    ):
        raise InvalidError(
            f"scores must be of the same task, metric and clips, got {first} and {second}; "
            "evaluate both on the same task folder"
        )
    low, high = paired_interval(
        first_folds,
        second_folds,
        n_resamples=affordable_resamples(first.metric, n_resamples),
        seed=seed,
    )
    return Difference(first, second, second.value - first.value, low, high)
