"""The score of a finished task, as heareval reports it, with its uncertainty.

The value is heareval's own. The interval is a 95 % percentile bootstrap: the test clips are drawn
anew with replacement (within each fold), scored by heareval's definition, and averaged over folds
as heareval does. It tells how much the score owes to the choice of test clips, taken as
independent; not how much it owes to the training clips or to the seed of the head.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.predictions import read_official_score, read_predictions
from hear_fusion.metrics.bootstrap import Fold, Indices, bootstrap_interval, score_folds
from hear_fusion.tasks.schema import VOCABULARY_FILE, TaskMetadata

ACCURACIES = ("top1_acc", "pitch_acc", "chroma_acc")
LOWER_IS_BETTER = ("segment_1s_er",)
# heareval's ranking metrics cost up to seconds a call on large tasks.
_RANKING_RESAMPLES = 200
# heareval stores scores in float32.
_STORED_PRECISION = 1e-5


@dataclass(frozen=True)
class Score:
    """The first metric of a task, on its test clips.

    Attributes:
        module: Folder of the module's embeddings: its import name and options.
        task: Name of the task folder.
        metric: heareval's name of the metric.
        value: What heareval reports; over folds their mean.
        low: Lower end of the 95 % interval; NaN if it cannot be told.
        high: Upper end of it.
        n: Number of test clips, over all folds.
        unit: What n counts and the bootstrap draws: ``clips``, or ``files`` with events.
    """

    module: str
    task: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    unit: str

    @property
    def lower_is_better(self) -> bool:
        """Whether the metric counts errors."""
        return self.metric in LOWER_IS_BETTER


def read_score(task_folder: Path, *, n_resamples: int = 1000, seed: int = 0) -> Score:
    """Read the score of a folder of embeddings that heareval has made predictions for.

    Args:
        task_folder: ``<embeddings dir>/<module>/<task>``.
        n_resamples: Bootstrap resamples; at most 200 are made of mAP, d_prime and aucroc.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If scores or predictions are missing or do not belong together.
    """
    task_folder = task_folder.absolute()
    metadata = TaskMetadata.read(task_folder)
    metric = metadata.metric
    value = read_official_score(task_folder, metric)
    folds = read_folds(task_folder)
    again = score_folds(folds, [np.arange(fold.n) for fold in folds])
    if not np.isclose(again, value, rtol=0, atol=_STORED_PRECISION, equal_nan=True):
        raise InvalidError(
            f"stored scores and predictions of {task_folder} must agree on {metric}, got {value} "
            f"and {again}; delete prediction-done.json there and evaluate again"
        )
    n_resamples = affordable_resamples(metric, n_resamples)
    low, high = bootstrap_interval(folds, n_resamples=n_resamples, seed=seed)
    n = sum(fold.n for fold in folds)
    unit = "files" if metadata.is_event else "clips"
    return Score(task_folder.parent.name, task_folder.name, metric, value, low, high, n, unit)


def affordable_resamples(metric: str, n_resamples: int) -> int:
    """Count the resamples to make of a metric, fewer where a call is costly."""
    costly = metric in ("mAP", "d_prime", "aucroc")
    return min(n_resamples, _RANKING_RESAMPLES) if costly else n_resamples


def read_folds(task_folder: Path) -> list[Fold]:
    """Read the test clips of every fold that heareval has made predictions for.

    Raises:
        ValueError: If predictions are missing.
    """
    metadata, labels = TaskMetadata.read(task_folder), _labels(task_folder)
    return [
        make_fold(
            metadata.metric, read_predictions(task_folder / f"{split}.predictions.pkl"), labels
        )
        for split in metadata.test_splits
    ]


def make_fold(metric: str, predictions: Mapping[str, Any], labels: Sequence[str]) -> Fold:
    """Turn stored predictions into a fold whose clips can be drawn.

    Args:
        metric: heareval's name of a metric.
        predictions: What heareval stored: ``target`` and ``prediction`` of shape (clip, label),
            or ``target_events`` and ``predicted_events`` by file.
        labels: The vocabulary in the order of its indices.
    """
    if "predicted_events" in predictions:
        return _event_fold(metric, predictions, labels)
    target, prediction = predictions["target"].numpy(), predictions["prediction"].numpy()
    if metric in ACCURACIES:
        return _accuracy_fold(metric, target, prediction)
    return _ranking_fold(metric, target, prediction, labels)


def _accuracy_fold(metric: str, target: NDArray[Any], prediction: NDArray[Any]) -> Fold:
    expected, predicted = target.argmax(axis=1), prediction.argmax(axis=1)
    if metric == "chroma_acc":
        expected, predicted = expected % 12, predicted % 12
    correct = expected == predicted
    return Fold(len(correct), lambda drawn: float(correct[drawn].mean()))


def _ranking_fold(
    metric: str, target: NDArray[Any], prediction: NDArray[Any], labels: Sequence[str]
) -> Fold:
    scorer = _official_scorer(metric, labels)

    def has_both(targets: NDArray[Any]) -> NDArray[np.bool_]:
        return np.asarray((targets > 0).any(axis=0) & (targets == 0).any(axis=0))

    scorable = has_both(target)

    def score(drawn: Indices) -> float:
        # A resample may lose a rare class, which these metrics count as 0 or not at all; only
        # classes that the test set itself lacks shall count that way.
        columns = has_both(target[drawn]) | ~scorable
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(scorer(prediction[drawn][:, columns], target[drawn][:, columns]))

    return Fold(len(target), score)


def _event_fold(metric: str, predictions: Mapping[str, Any], labels: Sequence[str]) -> Fold:
    scorer = _official_scorer(metric, labels)
    is_segment = metric == "segment_1s_er"
    names = ("S", "D", "I", "Nref") if is_segment else ("Ntp", "Nsys", "Nref")
    counts = []
    for file, events in predictions["predicted_events"].items():
        # A fresh instance a file, since sed_eval only shows sums.
        sed_eval = scorer.score_class(event_label_list=list(labels), **scorer.params)
        sed_eval.evaluate(
            reference_event_list=scorer.sed_eval_event_container(
                {file: predictions["target_events"][file]}
            ),
            estimated_event_list=scorer.sed_eval_event_container({file: events}),
        )
        counts.append([sed_eval.overall[name] for name in names])
    by_file = np.array(counts, dtype=np.float64)  # (file, count)

    def score(drawn: Indices) -> float:
        sums = by_file[drawn].sum(axis=0)
        if is_segment:
            return float(sums[:3].sum() / sums[3]) if sums[3] else math.nan
        hits, n_found, n_expected = sums
        return float(2 * hits / (n_found + n_expected)) if n_found and n_expected else math.nan

    return Fold(len(by_file), score)


def _official_scorer(metric: str, labels: Sequence[str]) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
        from heareval.score import available_scores

    return available_scores[metric](label_to_idx={name: i for i, name in enumerate(labels)})


def _labels(task_folder: Path) -> list[str]:
    import pandas as pd

    vocabulary = pd.read_csv(task_folder / VOCABULARY_FILE).sort_values("idx")
    return [str(label) for label in vocabulary["label"]]
