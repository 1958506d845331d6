"""The standardised linear head, on forged folders of embeddings."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hear_fusion.evaluate.linear import (
    METRIC,
    STRENGTHS,
    fit_and_test,
    is_linear_task,
    linear_folds,
    linear_score,
    read_split,
)

DIM = 40
LABELS = ("one", "two", "three")


def write_embeddings(folder: Path, splits: list[str], mode: str, *, n_clips: int = 30) -> Path:
    """Features of which the last three tell the label, hidden behind loud ones that do not."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    metadata = {
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "split_mode": mode,
        "splits": splits,
    }
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    for split in splits:
        labels = rng.integers(len(LABELS), size=n_clips)
        features = rng.normal(size=(n_clips, DIM)) * 100.0
        features[:, -3:] = 0.01 * (np.eye(3)[labels] + 0.3 * rng.normal(size=(n_clips, 3)))
        features.astype(np.float32).tofile(folder / f"{split}.embeddings.npy")
        dimensions = json.dumps([n_clips, DIM])
        (folder / f"{split}.embedding-dimensions.json").write_text(dimensions)
        with (folder / f"{split}.target-labels.pkl").open("wb") as file:
            pickle.dump([[LABELS[label]] for label in labels], file)
    return folder


def test_train_valid_test(tmp_path: Path) -> None:
    folder = write_embeddings(
        tmp_path / "module" / "task", ["train", "valid", "test"], "trainvaltest", n_clips=60
    )
    folds = linear_folds(folder)
    score = linear_score(folder, folds)
    assert [fold.n for fold in folds] == [60]
    assert (score.module, score.task, score.metric, score.n) == ("module", "task", METRIC, 60)
    assert score.value > 0.7, "loud features drown the telling ones"
    assert score.low < score.value < score.high


def test_folds_rotate(tmp_path: Path) -> None:
    names = ["fold00", "fold01", "fold02", "fold03"]
    folder = write_embeddings(tmp_path / "module" / "task", names, "presplit_kfold")
    folds = linear_folds(folder)
    assert [fold.n for fold in folds] == [30] * 4
    train = [read_split(folder, name) for name in names[2:]]
    expected = fit_and_test(
        type(train[0])(
            np.concatenate([part.features for part in train]),
            np.concatenate([part.labels for part in train]),
        ),
        read_split(folder, "fold01"),
        read_split(folder, "fold00"),
    )
    assert folds[0].score(np.arange(30)) == expected.mean()


def test_the_span_of_the_clips_changes_nothing(tmp_path: Path) -> None:
    """The same head fitted on all features, without the shortcut."""
    folder = write_embeddings(
        tmp_path / "module" / "task", ["train", "valid", "test"], "trainvaltest"
    )
    train, valid, test = (read_split(folder, name) for name in ("train", "valid", "test"))
    heads = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300)).fit(
            train.features, train.labels
        )
        for c in STRENGTHS
    ]
    best = max(heads, key=lambda head: float(head.score(valid.features, valid.labels)))
    whole = best.predict(test.features) == test.labels
    assert len(train.labels) < DIM
    np.testing.assert_array_equal(fit_and_test(train, valid, test), whole)


@pytest.mark.parametrize(
    ("embedding_type", "prediction_type", "expected"),
    [("scene", "multiclass", True), ("scene", "multilabel", False), ("event", "multilabel", False)],
)
def test_it_applies_to_scenes_with_one_label(
    tmp_path: Path, embedding_type: str, prediction_type: str, expected: bool
) -> None:
    metadata = {"embedding_type": embedding_type, "prediction_type": prediction_type}
    (tmp_path / "task_metadata.json").write_text(json.dumps(metadata))
    assert is_linear_task(tmp_path) is expected
