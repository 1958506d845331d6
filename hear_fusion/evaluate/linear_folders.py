"""The linear evaluation on folders of embeddings that heareval's runner wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hear_fusion.evaluate.folders import read_metadata
from hear_fusion.evaluate.inference import as_folds
from hear_fusion.evaluate.linear import is_single_label, linear_evaluation
from hear_fusion.evaluate.protocol import Protocol
from hear_fusion.evaluate.scores import Fold, Score, bootstrap_interval, score_folds
from hear_fusion.evaluate.stored import read_labels

METRIC = "linear top1_acc"


def is_linear_task(task_folder: Path) -> bool:
    """Tell whether the head applies: scenes with one label a clip."""
    return is_single_label(read_metadata(task_folder))


def read_split(task_folder: Path, split: str) -> tuple[NDArray[np.float32], list[str]]:
    """Open what heareval's embeddings runner wrote for a split.

    Returns:
        Scenes, shape (clip, dim), memory-mapped, and one label a clip.
    """
    dimensions = json.loads((task_folder / f"{split}.embedding-dimensions.json").read_text())
    features = np.memmap(
        task_folder / f"{split}.embeddings.npy", np.float32, "r", shape=tuple(dimensions)
    )
    labels = [label for (label,) in read_labels(task_folder / f"{split}.target-labels.pkl")]
    return features, labels


def linear_folds(task_folder: Path, protocol: Protocol | None = None) -> list[Fold]:
    """Evaluate a folder of embeddings; a clip of a fold counts as often as seeds get it right.

    Args:
        task_folder: ``<embeddings dir>/<module>/<task>`` of a task with one label a clip.
        protocol: Settings; None: the paper's.
    """
    metadata = read_metadata(task_folder)
    splits = {name: read_split(task_folder, name) for name in metadata["splits"]}
    result = linear_evaluation(
        {"scenes": {name: [features] for name, (features, _) in splits.items()}},
        {name: labels for name, (_, labels) in splits.items()},
        metadata,
        protocol,
    )
    return as_folds(result["scenes"].correct)


def linear_score(task_folder: Path, folds: Sequence[Fold]) -> Score:
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
