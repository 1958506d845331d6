"""The linear evaluation, on arrays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hear_fusion.probes.features import bytes_of
from hear_fusion.probes.fold import Representation, clips_of_fold
from hear_fusion.probes.heads import Clips, train_heads
from hear_fusion.probes.linear import LinearResult, linear_evaluation, require_single_label
from hear_fusion.probes.protocol import PAPER_LEARNING_RATES, Protocol
from hear_fusion.probes.rotations import rotations
from hear_fusion.tasks.schema import TRAIN_VALID_TEST, TaskMetadata

QUICK = Protocol(learning_rates=(1e-4, 1e-2), seeds=(42, 43), max_epochs=60)
DIM = 40
Arrays = dict[str, NDArray[np.float32]]
Labels = dict[str, list[str]]
LABELS = ("one", "two", "three")
SCENES = TaskMetadata(
    "words", "v1", "full", "scene", "multiclass", TRAIN_VALID_TEST, None, ("top1_acc",)
)


def quiet_features(splits: Sequence[str], folder: Path, *, n_clips: int) -> tuple[Arrays, Labels]:
    """Features of which the last three tell the label, hidden behind loud ones that do not."""
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    labels: Labels = {}
    for split in splits:
        classes = rng.integers(len(LABELS), size=n_clips)
        features = rng.normal(size=(n_clips, DIM)) * 100.0
        features[:, -3:] = 0.01 * (np.eye(3)[classes] + 0.3 * rng.normal(size=(n_clips, 3)))
        np.save(folder / f"{split}.npy", features.astype(np.float32))
        arrays[split] = np.load(folder / f"{split}.npy", mmap_mode="r")
        labels[split] = [LABELS[label] for label in classes]
    return arrays, labels


def evaluate(representations: dict[str, Representation], *args: Any) -> dict[str, LinearResult]:
    return dict(linear_evaluation(representations, *args))


def test_train_valid_test(tmp_path: Path) -> None:
    arrays, labels = quiet_features(["train", "valid", "test"], tmp_path, n_clips=150)
    # One step an epoch: the paper's 200 epochs are needed.
    found = evaluate(
        {"quiet": {split: [array] for split, array in arrays.items()}},
        labels,
        SCENES,
        Protocol(learning_rates=(1e-2,)),
    )["quiet"]
    assert [fold.shape for fold in found.correct] == [(3, 150)]
    assert found.test_accuracy.mean() > 0.7, "loud features drown the telling ones"


def test_folds_are_those_of_the_evaluation(tmp_path: Path) -> None:
    names = ["fold00", "fold01", "fold02", "fold03"]
    arrays, labels = quiet_features(names, tmp_path, n_clips=30)
    steps: list[tuple[int, int]] = []
    result = evaluate(
        {"whole": {name: [features] for name, features in arrays.items()},
         "layers": {name: [f[:, :7], f[:, 7:]] for name, f in arrays.items()}},
        labels,
        replace(SCENES, split_mode="presplit_kfold", splits=tuple(names)),
        QUICK,
        "cpu",
        lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps == [(done, 16) for done in range(1, 17)]
    whole, layers = result["whole"], result["layers"]
    assert whole.test_accuracy.shape == whole.valid_accuracy.shape == (2, 4)
    assert whole.learning_rate == max(
        whole.valid_by_learning_rate, key=whole.valid_by_learning_rate.__getitem__
    )
    assert whole.valid_accuracy.mean() == pytest.approx(max(whole.valid_by_learning_rate.values()))
    assert [correct.shape for correct in whole.correct] == [(2, 30)] * 4
    for correct, again in zip(whole.correct, layers.correct, strict=True):
        np.testing.assert_array_equal(correct, again)


KFOLD = replace(SCENES, split_mode="presplit_kfold", splits=("fold00", "fold01", "fold02"))


def differing(tmp_path: Path) -> tuple[dict[str, Representation], Labels]:
    """Three representations of one dimension that tell ever less, and one of another."""
    arrays, labels = quiet_features(KFOLD.splits, tmp_path, n_clips=30)
    rng = np.random.default_rng(1)
    noise = {name: rng.normal(size=array.shape) for name, array in arrays.items()}
    found: dict[str, Representation] = {
        f"noise {size}": {
            name: [(array + size * noise[name]).astype(np.float32)]
            for name, array in arrays.items()
        }
        for size in (0.0, 0.005, 0.02)
    }
    return found | {"short": {name: [array[:, -9:]] for name, array in arrays.items()}}, labels


@pytest.mark.parametrize(
    ("n_held", "expected"),
    [(2, [2, 2, 2, 1, 1, 1, 1, 1, 1]), (0, [1] * 12), (9, [3, 3, 3, 1, 1, 1])],
)
def test_each_representation_has_its_own_result(
    n_held: int, expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if each were alone, with every field from the heads of the learning rate that is chosen."""
    sizes = []

    def watched(group: dict[str, Representation], *args: Any) -> Clips:
        sizes.append(len(group))
        return clips_of_fold(group, *args)

    monkeypatch.setattr("hear_fusion.probes.linear.clips_of_fold", watched)
    monkeypatch.setattr("hear_fusion.probes.linear.HELD_BYTES", n_held * bytes_of(90, DIM))
    representations, labels = differing(tmp_path)
    protocol = replace(QUICK, learning_rates=(1e-4, 1e-2, 1e-7))
    began = time.monotonic()
    together = evaluate(representations, labels, KFOLD, protocol)
    assert sizes == expected, "groups of what can be held, fold by fold"
    assert sum(result.wall_s for result in together.values()) <= time.monotonic() - began
    assert len({result.test_accuracy.mean() for result in together.values()}) == 4
    for name, representation in representations.items():
        found = together[name]
        folds = []
        for rotation in rotations(KFOLD):
            clips = clips_of_fold({name: representation}, labels, rotation, protocol, "cpu")
            folds.extend(train_heads(clips, protocol))
        chosen = protocol.learning_rates.index(found.learning_rate)
        valid = np.mean([[run.valid_accuracy for run in runs] for runs in folds], axis=(0, 1))
        assert chosen == valid.argmax()
        assert list(found.valid_by_learning_rate.values()) == pytest.approx(valid.tolist())
        for fold, runs in enumerate(folds):
            for seed, run in enumerate(runs):
                assert found.valid_accuracy[seed, fold] == run.valid_accuracy[chosen]
                assert found.best_epoch[seed, fold] == run.best_epoch[chosen]
                assert found.test_accuracy[seed, fold] == run.correct[chosen].mean()
                np.testing.assert_array_equal(found.correct[fold][seed], run.correct[chosen])
        assert found.wall_s > 0
    assert {result.learning_rate for result in together.values()} == {1e-2}


def test_the_papers_protocol_unless_another_is_given() -> None:
    rng = np.random.default_rng(0)
    split = {name: [rng.normal(size=(6, 3)).astype(np.float32)] for name in SCENES.splits}
    found = evaluate({"one": split}, {key: list("aabbcc") for key in SCENES.splits}, SCENES)
    assert tuple(found["one"].valid_by_learning_rate) == PAPER_LEARNING_RATES
    assert found["one"].test_accuracy.shape == (3, 1)


def test_each_learning_rate_is_chosen_on_validation_alone() -> None:
    """Test clips carry the wrong labels: the learning rate that learns must still win."""
    rng = np.random.default_rng(0)
    labels = [str(i % 2) for i in range(60)]
    features = rng.normal(size=(60, 4)).astype(np.float32)
    features[:, 0] += 6 * np.array([float(label) for label in labels])
    result = evaluate(
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
    split = {name: [rng.normal(size=(6, 3)).astype(np.float32)] for name in SCENES.splits}
    labels = {"train": list("aabbcc"), "valid": list("aaaaaa"), "test": list("abcddd")}
    (correct,) = evaluate({"one": split}, labels, SCENES, QUICK)["one"].correct
    assert not correct[:, 3:].any(), "training knows no d"


def test_errors_say_what_to_do() -> None:
    split = {name: [np.zeros((4, 3), np.float32)] for name in SCENES.splits}
    labels = {name: list("abab") for name in SCENES.splits}
    with pytest.raises(ValueError, match=r"one label each .* got scene, multilabel"):
        evaluate({"one": split}, labels, replace(SCENES, prediction_type="multilabel"))
    with pytest.raises(ValueError, match=r"labels of valid must be .* got 3 for"):
        evaluate({"one": split}, {**labels, "valid": list("aba")}, SCENES)
    flat = {name: [np.zeros(4, np.float32)] for name in SCENES.splits}
    with pytest.raises(ValueError, match=r"layers must be arrays \(clip, dim\)"):
        evaluate({"one": flat}, labels, SCENES)
    with pytest.raises(ValueError, match="labels of train must be one or more"):
        evaluate({"one": split}, {key: [] for key in labels}, SCENES)
    broken = np.zeros((4, 3), np.float32)
    broken[2, 1] = np.nan
    with pytest.raises(ValueError, match="features must be finite"):
        evaluate({"one": {**split, "test": [broken]}}, labels, SCENES, QUICK)


def test_it_applies_to_scenes_with_one_label() -> None:
    require_single_label(KFOLD)
    for kind in ("scene", "event"):
        other = replace(SCENES, embedding_type=kind, prediction_type="multilabel")
        with pytest.raises(ValueError, match=f"multiclass\\), got {kind}, multilabel; score it by"):
            require_single_label(other)
