"""Clips of a fold: who trains, who validates, who is tested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hear_fusion.probes.fold import Labels, Representation, clips_of_fold
from hear_fusion.probes.heads import Clips
from hear_fusion.probes.protocol import Protocol
from hear_fusion.probes.rotations import Rotation, hold_out

SIZES = {"train": 40, "valid": 10, "test": 7}
ONE = Rotation(("train",), "valid", "test")
FOLDS = Rotation(("train", "valid"), None, "test")
PROTOCOL = Protocol(seeds=(42, 43))


def a_task() -> tuple[dict[str, list[NDArray[np.float32]]], dict[str, list[str]]]:
    rng = np.random.default_rng(0)
    layers = {
        split: [rng.normal(n, 1, size=(n, 3)).astype(np.float32)] for split, n in SIZES.items()
    }
    return layers, {split: ["ab"[i % 2] for i in range(n)] for split, n in SIZES.items()}


def take(rotation: Rotation, protocol: Protocol = PROTOCOL) -> Clips:
    layers, labels = a_task()
    labels["test"][0] = "unknown"
    return clips_of_fold({"one": layers}, labels, rotation, protocol, "cpu")


def test_three_splits() -> None:
    clips = take(ONE)
    assert clips.train.tolist() == [list(range(40))] * 2
    assert clips.valid.tolist() == [list(range(40, 50))] * 2
    assert clips.test.tolist() == list(range(50, 57))
    assert clips.n_classes == 2
    assert clips.classes[:3].tolist() == [0, 1, 0]
    assert clips.classes[50:53].tolist() == [-1, 1, 0]
    rows = clips.features.rows(torch.tensor([0]), torch.arange(57)[None])[0, :, :3]
    # Standardised on the training clips alone.
    np.testing.assert_allclose(rows[:40].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(rows[:40].std(0, correction=0), 1, atol=1e-5)
    assert (rows[40:50].mean(0) < -10).all()


def test_each_seed_holds_out_its_own() -> None:
    clips = take(FOLDS, replace(PROTOCOL, held_out=0.3))
    classes = clips.classes[:50].numpy()
    for place, seed in enumerate(PROTOCOL.seeds):
        train, valid = hold_out(classes, 0.3, seed, 100)
        assert len(valid) == 15
        assert clips.train[place].tolist() == train.tolist()
        assert clips.valid[place].tolist() == valid.tolist()
    assert clips.valid[0].tolist() != clips.valid[1].tolist()
    assert clips.test.tolist() == list(range(50, 57))


def test_draws_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def watched(*args: Any) -> Any:
        asked.append(args[1:])
        return hold_out(*args)

    monkeypatch.setattr("hear_fusion.probes.fold.hold_out", watched)
    take(FOLDS, replace(PROTOCOL, max_draws=7))
    assert asked == [(0.1, 42, 7), (0.1, 43, 7)]


def test_clips_are_held_out_until_every_class_occurs() -> None:
    classes = np.arange(100) % 5
    draws = [hold_out(classes, 0.1, seed, 100) for seed in range(20)]
    for train, valid in draws:
        assert len(valid) == 10
        assert len(set(classes[valid])) == 5
        assert sorted([*train, *valid]) == list(range(100))
    assert any(len(set(classes[hold_out(classes, 0.1, s, 1)[1]])) < 5 for s in range(20))
    assert len(hold_out(np.arange(30), 0.1, 0, 5)[1]) == 3, "the last draw stands"


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize("n", [0, 3])
def test_a_label_a_clip(split: str, n: int) -> None:
    layers, labels = a_task()
    wrong: Labels = {**labels, split: labels[split][:n]}
    with pytest.raises(ValueError, match=rf"labels of {split} must be .* got {n} for .* of one"):
        clips_of_fold({"one": layers}, wrong, ONE, PROTOCOL, "cpu")


def test_labels_fit_every_layer_and_there_are_some() -> None:
    layers, labels = a_task()
    uneven: Representation = {**layers, "valid": [layers["valid"][0], layers["test"][0]]}
    with pytest.raises(ValueError, match=r"labels of valid must be .* for \[7, 10\] clips"):
        clips_of_fold({"one": uneven}, labels, ONE, PROTOCOL, "cpu")
    empty: Representation = {**layers, "test": [np.zeros((0, 3), np.float32)]}
    with pytest.raises(ValueError, match="labels of test must be one or more"):
        clips_of_fold({"one": empty}, {**labels, "test": []}, ONE, PROTOCOL, "cpu")
