"""From the correctness of test clips to the numbers of a report."""

from __future__ import annotations

import logging
from pathlib import Path

from hear_fusion.embeddings.sounds import Sounds, replaced_sound
from hear_fusion.evaluate.identity import recorded_weights
from hear_fusion.evaluate.layout import SCORES_FILE
from hear_fusion.evaluate.predictions import read_official_score
from hear_fusion.evaluate.sounds import EmbeddedSounds
from hear_fusion.metrics.significance import (
    accuracy,
    accuracy_interval,
    deviation,
    difference_interval,
    paired_p,
)
from hear_fusion.probes.linear import LinearResult
from hear_fusion.study.results import Estimate, Gain
from hear_fusion.tasks.schema import TaskMetadata

_LOGGER = logging.getLogger(__name__)
# heareval's scores that are the accuracy of a clip's one label.
SAME_AS_ACCURACY = ("top1_acc", "pitch_acc")


def to_estimate(result: LinearResult, official: float | None = None) -> Estimate:
    """Sum up a representation's result on a task; ``official`` is heareval's score beside it."""
    low, high = accuracy_interval(result.correct)
    n_seeds, n_folds = result.test_accuracy.shape
    return Estimate(
        value=accuracy(result.correct),
        deviation=deviation(result.test_accuracy),
        low=low,
        high=high,
        n=sum(fold.shape[1] for fold in result.correct),
        n_seeds=n_seeds,
        n_folds=n_folds,
        valid=float(result.valid_accuracy.mean()),
        learning_rate=result.learning_rate,
        official=official,
    )


def to_gain(original: LinearResult, fused: LinearResult, official: float | None = None) -> Gain:
    """Compare two representations on the same test clips, clip by clip."""
    low, high = difference_interval(original.correct, fused.correct)
    return Gain(
        value=accuracy(fused.correct) - accuracy(original.correct),
        low=low,
        high=high,
        p=paired_p(original.correct, fused.correct),
        n=sum(fold.shape[1] for fold in fused.correct),
        official=official,
    )


def official_accuracy(
    task_folder: Path, weights_sha256: str, sounds: Sounds | None = None
) -> float | None:
    """Read heareval's accuracy of a module on a task, if made with the same weights and sounds.

    Args:
        task_folder: ``<embeddings dir>/<module>/<task>``; may not exist.
        weights_sha256: The weights of the study.
        sounds: Its sounds; None to take any.
    """
    if not (task_folder / SCORES_FILE).is_file():
        return None
    if recorded_weights(task_folder) != weights_sha256:
        _LOGGER.warning("leaving out the scores of %s: made with other weights", task_folder)
        return None
    recorded = EmbeddedSounds.read(task_folder)
    if recorded is not None and replaced_sound(sounds or {}, recorded.sounds, 0) is not None:
        _LOGGER.warning("leaving out the scores of %s: made of other sounds", task_folder)
        return None
    try:
        metric = TaskMetadata.read(task_folder).metric
        return read_official_score(task_folder, metric) if metric in SAME_AS_ACCURACY else None
    except ValueError as err:
        _LOGGER.warning("leaving out the scores of %s: %s", task_folder, err)
        return None
