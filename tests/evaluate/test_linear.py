"""The linear evaluation, on forged folders of embeddings and on arrays."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hear_fusion.evaluate.linear import linear_evaluation
from hear_fusion.evaluate.linear_folders import (
    METRIC,
    is_linear_task,
    linear_folds,
    linear_score,
    read_split,
)
from hear_fusion.evaluate.protocol import Protocol

QUICK = Protocol(learning_rates=(1e-4, 1e-2), seeds=(42, 43), max_epochs=60)
DIM = 40
LABELS = ("one", "two", "three")
SCENES: dict[str, Any] = {
    "embedding_type": "scene",
    "prediction_type": "multiclass",
    "split_mode": "trainvaltest",
    "splits": ["train", "valid", "test"],
}


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
        tmp_path / "module" / "task", ["train", "valid", "test"], "trainvaltest", n_clips=150
    )
    # One step an epoch: the paper's 200 epochs are needed.
    folds = linear_folds(folder, Protocol(learning_rates=(1e-2,)))
    score = linear_score(folder, folds)
    assert [fold.n for fold in folds] == [150]
    assert (score.module, score.task, score.metric, score.n) == ("module", "task", METRIC, 150)
    assert score.value > 0.7, "loud features drown the telling ones"
    assert score.low < score.value < score.high


def test_folds_are_those_of_the_evaluation(tmp_path: Path) -> None:
    names = ["fold00", "fold01", "fold02", "fold03"]
    folder = write_embeddings(tmp_path / "module" / "task", names, "presplit_kfold")
    folds = linear_folds(folder, QUICK)
    assert [fold.n for fold in folds] == [30] * 4
    splits = {name: read_split(folder, name) for name in names}
    assert isinstance(splits["fold00"][0], np.memmap)
    steps: list[tuple[int, int]] = []
    result = linear_evaluation(
        {"whole": {name: [features] for name, (features, _) in splits.items()},
         "layers": {name: [f[:, :7], f[:, 7:]] for name, (f, _) in splits.items()}},
        {name: labels for name, (_, labels) in splits.items()},
        json.loads((folder / "task_metadata.json").read_text()),
        QUICK,
        on_step=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps == [(done, 16) for done in range(1, 17)]
    whole, layers = result["whole"], result["layers"]
    assert whole.test_accuracy.shape == whole.valid_accuracy.shape == (2, 4)
    assert whole.learning_rate == max(whole.valid_by_rate, key=whole.valid_by_rate.__getitem__)
    assert whole.valid_accuracy.mean() == pytest.approx(max(whole.valid_by_rate.values()))
    for fold, correct, again in zip(folds, whole.correct, layers.correct, strict=True):
        assert fold.score(np.arange(30)) == correct.mean()
        np.testing.assert_array_equal(correct, again)


def test_each_rate_is_chosen_on_validation_alone() -> None:
    """Test clips carry the wrong labels: the rate that learns must still win."""
    rng = np.random.default_rng(0)
    labels = [str(i % 2) for i in range(60)]
    features = rng.normal(size=(60, 4)).astype(np.float32)
    features[:, 0] += 6 * np.array([float(label) for label in labels])
    result = linear_evaluation(
        {"one": {split: [features] for split in ("train", "valid", "test")}},
        {"train": labels, "valid": labels, "test": [str(1 - int(label)) for label in labels]},
        SCENES,
        Protocol(learning_rates=(1e-6, 1e-2), seeds=(42,), max_epochs=100),
    )["one"]
    assert result.learning_rate == 1e-2
    assert result.test_accuracy.item() < 0.1
    assert result.valid_accuracy.item() > 0.9


def test_classes_missing_in_valid_or_train() -> None:
    rng = np.random.default_rng(0)
    split = {name: [rng.normal(size=(6, 3)).astype(np.float32)] for name in SCENES["splits"]}
    labels = {"train": list("aabbcc"), "valid": list("aaaaaa"), "test": list("abcddd")}
    (correct,) = linear_evaluation({"one": split}, labels, SCENES, QUICK)["one"].correct
    assert not correct[:, 3:].any(), "training knows no d"


def test_errors_say_what_to_do() -> None:
    split = {name: [np.zeros((4, 3), np.float32)] for name in SCENES["splits"]}
    labels = {name: list("abab") for name in SCENES["splits"]}
    with pytest.raises(ValueError, match=r"one label each .* got scene, multilabel"):
        linear_evaluation({"one": split}, labels, {**SCENES, "prediction_type": "multilabel"})
    with pytest.raises(ValueError, match=r"labels of valid must be .* got 3 for"):
        linear_evaluation({"one": split}, {**labels, "valid": list("aba")}, SCENES)
    broken = np.zeros((4, 3), np.float32)
    broken[2, 1] = np.nan
    with pytest.raises(ValueError, match="features must be finite"):
        linear_evaluation({"one": {**split, "test": [broken]}}, labels, SCENES, QUICK)


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
