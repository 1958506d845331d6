"""A standardised linear head on scene embeddings, beside heareval's own head.

heareval's predictor takes features as they are, so that layers of large variance dominate a
fusion. Here every feature is standardised on the training clips, then multinomial logistic
regression is fitted; its strength of regularisation is chosen on validation accuracy.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hear_fusion.evaluate.folders import read_metadata
from hear_fusion.evaluate.scores import Fold, Indices, Score, bootstrap_interval, score_folds
from hear_fusion.evaluate.stored import read_labels

# Inverse strengths of regularisation, in scikit-learn's sense.
STRENGTHS = (1e-3, 1e-2, 1e-1)
METRIC = "linear top1_acc"


@dataclass(frozen=True)
class Split:
    """Clips of a split.

    Attributes:
        features: Scene embeddings, shape (clip, dim), float32.
        labels: One label a clip.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.str_]


def is_linear_task(task_folder: Path) -> bool:
    """Tell whether the head applies: scenes with one label a clip."""
    metadata = read_metadata(task_folder)
    return (metadata["embedding_type"], metadata["prediction_type"]) == ("scene", "multiclass")


def read_split(task_folder: Path, split: str) -> Split:
    """Read what heareval's embeddings runner wrote for a split."""
    dimensions = json.loads((task_folder / f"{split}.embedding-dimensions.json").read_text())
    features = np.memmap(
        task_folder / f"{split}.embeddings.npy", np.float32, "r", shape=tuple(dimensions)
    )
    labels = [str(label) for (label,) in read_labels(task_folder / f"{split}.target-labels.pkl")]
    return Split(np.asarray(features), np.array(labels))


def linear_folds(task_folder: Path) -> list[Fold]:
    """Fit the head on a folder of embeddings; test it on each test split.

    k-fold tasks rotate as in heareval: test on one fold, validate on the next, train on the rest.

    Args:
        task_folder: ``<embeddings dir>/<module>/<task>`` of a task with one label a clip.
    """
    metadata = read_metadata(task_folder)
    names = sorted(metadata["splits"])
    splits = {name: read_split(task_folder, name) for name in names}
    if metadata["split_mode"] == "trainvaltest":
        rotations = [(["train"], "valid", "test")]
    else:
        rotations = [
            ([other for other in names if other not in (test, valid)], valid, test)
            for test, valid in zip(names, [*names[1:], names[0]], strict=True)
        ]
    folds = []
    for train_names, valid, test in rotations:
        train = Split(
            np.concatenate([splits[name].features for name in train_names]),
            np.concatenate([splits[name].labels for name in train_names]),
        )
        correct = fit_and_test(train, splits[valid], splits[test])
        folds.append(Fold(len(correct), partial(_accuracy, correct)))
    return folds


def _accuracy(correct: NDArray[np.bool_], drawn: Indices) -> float:
    return float(correct[drawn].mean())


def fit_and_test(train: Split, valid: Split, test: Split) -> NDArray[np.bool_]:
    """Tell for each test clip whether the head that is best on validation gets it right."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    scaler = StandardScaler().fit(train.features)
    # With fewer clips than features, a head with an L2 penalty lives in the span of the training
    # clips: turned into that span, the problem is the same and many times smaller.
    standardised = scaler.transform(train.features)
    basis = np.linalg.svd(standardised, full_matrices=False)[2].T  # (dim, at most clip)
    best: Any = None
    best_accuracy = -1.0
    with warnings.catch_warnings(), threadpool_limits(1):  # small matrices: threads only wait
        # A head that has not settled in 300 steps is as good a candidate as any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        inputs, held_out = standardised @ basis, scaler.transform(valid.features) @ basis
        for strength in STRENGTHS:
            head = LogisticRegression(C=strength, max_iter=300).fit(inputs, train.labels)
            accuracy = head.score(held_out, valid.labels)
            if accuracy > best_accuracy:
                best, best_accuracy = head, accuracy
    found = best.predict(scaler.transform(test.features) @ basis)
    correct: NDArray[np.bool_] = found == test.labels
    return correct


def linear_score(task_folder: Path, folds: list[Fold]) -> Score:
    """Accuracy of the linear head over all folds, with its interval."""
    low, high = bootstrap_interval(folds)
    return Score(
        module=task_folder.parent.name,
        task=task_folder.name,
        metric=METRIC,
        value=score_folds(folds, [np.arange(fold.n) for fold in folds]),
        low=low,
        high=high,
        n=sum(fold.n for fold in folds),
        unit="clips",
    )
