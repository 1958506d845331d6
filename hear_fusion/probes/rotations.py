"""Which splits a head trains, validates and is tested on, by the paper's rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.tasks.schema import TaskMetadata


@dataclass(frozen=True)
class Rotation:
    """Names of the splits of one run.

    Attributes:
        train: Splits trained on; in k-fold tasks a part of their clips is held out.
        valid: Split to validate on; None: the part held out.
        test: Split tested on.
    """

    train: tuple[str, ...]
    valid: str | None
    test: str


def rotations(metadata: TaskMetadata) -> list[Rotation]:
    """List the runs of a task: one, or with folds one for each as test fold.

    >>> task = TaskMetadata("dogs", "v1", "full", "scene", "multiclass", ("fold01", "fold00",
    ...                     "fold02"), None, ("top1_acc",), "presplit_kfold")
    >>> rotations(task)[0]
    Rotation(train=('fold01', 'fold02'), valid=None, test='fold00')
    """
    if not metadata.is_kfold:
        return [Rotation(("train",), "valid", "test")]
    folds = metadata.test_splits
    return [Rotation(tuple(n for n in folds if n != test), None, test) for test in folds]


def hold_out(
    classes: NDArray[np.int64], share: float, seed: int, max_draws: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw clips for validation, not stratified, anew until every class is among them.

    Args:
        classes: Class of each clip, shape (clip,).
        share: Share to hold out, rounded up.
        seed: Seed of the draws.
        max_draws: Most draws; the last one stands even if it lacks a class.

    Returns:
        Clips left for training and clips for validation, both in the order drawn.

    Raises:
        ValueError: If there are fewer than two clips.
    """
    n_clips = len(classes)
    if n_clips < 2:
        raise InvalidError(
            f"training folds must hold two clips or more, got {n_clips}; use a larger task"
        )
    n_valid = min(int(np.ceil(share * n_clips)), n_clips - 1)
    n_classes = len(np.unique(classes))
    rng = np.random.default_rng(seed)
    for _ in range(max_draws):
        order = rng.permutation(n_clips)
        if len(np.unique(classes[order[:n_valid]])) == n_classes:
            break
    return order[n_valid:], order[:n_valid]
