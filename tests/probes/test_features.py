"""Features as heads take them: beside scikit-learn's scaler, held or gathered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from hear_fusion.probes.features import Features, bytes_of
from hear_fusion.probes.heads import Clips, Trained, train_heads
from hear_fusion.probes.protocol import Protocol

N_FIT, N_CLIPS, DIM = 230, 350, 20
Array = NDArray[np.float32]


def raw_clips() -> tuple[Array, torch.Tensor]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(N_CLIPS, DIM)) * rng.uniform(0.1, 10, DIM)
    return features.astype(np.float32), torch.from_numpy(rng.integers(4, size=N_CLIPS))


def all_rows(features: Features, index: torch.Tensor | None = None) -> torch.Tensor:
    index = torch.arange(features.n_clips) if index is None else index
    return features.rows(torch.tensor([0]), index[None])[0]


def trained_on(features: Features, classes: torch.Tensor) -> Trained:
    train, rest = torch.arange(N_CLIPS).split([N_FIT, N_CLIPS - N_FIT])
    clips = Clips(features, classes, 4, train[None], rest[None], rest)
    ((trained,),) = train_heads(clips, Protocol((1e-3,), (42,), max_epochs=2, batch_size=40))
    return trained


def test_layers_and_splits_gathered_from_files_are_the_array(tmp_path: Path) -> None:
    raw, classes = raw_clips()
    raw.tofile(tmp_path / "raw")
    mapped = np.memmap(tmp_path / "raw", np.float32, "r", shape=raw.shape)
    parts = [[p[:, :3], p[:, 3:]] for p in (mapped[:100], mapped[100:])]
    gathered = Features([parts], n_fit=N_FIT, held_bytes=0)
    held = Features([[[raw]]], n_fit=N_FIT)
    index = torch.tensor([250, 3, 99, 100, 3])
    torch.testing.assert_close(all_rows(gathered, index), all_rows(held, index), rtol=0, atol=1e-6)
    expected = StandardScaler().fit(raw[:N_FIT]).transform(raw[index.numpy()])
    np.testing.assert_allclose(all_rows(held, index)[:, :DIM].numpy(), expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(
        trained_on(gathered, classes).correct, trained_on(held, classes).correct
    )


class Watched(np.ndarray):
    largest = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        Watched.largest = max(Watched.largest, len(found))
        return found


def test_files_are_never_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("features", "heads"):
        monkeypatch.setattr(f"hear_fusion.probes.{module}.CHUNK_BYTES", 4 * 32 * 50)
    raw, classes = raw_clips()
    features = Features([[[raw.view(Watched)]]], n_fit=N_FIT, held_bytes=0)
    trained_on(features, classes)
    assert 0 < Watched.largest <= 50


def test_a_constant_feature_is_zero() -> None:
    raw, _ = raw_clips()
    raw[:, 5] = 0.1
    rows = all_rows(Features([[[raw]]], n_fit=N_FIT))
    assert (rows[:, 5] == 0).all()
    assert (rows[:, DIM] == 1).all()
    assert (rows[:, DIM + 1 :] == 0).all()


def test_a_large_offset_is_taken_off_exactly() -> None:
    raw, _ = raw_clips()
    raw[:, 3] = 4096 + np.linspace(-1, 1, N_CLIPS, dtype=np.float32)
    expected = StandardScaler().fit(raw[:N_FIT].astype(np.float64)).transform(raw)
    rows = all_rows(Features([[[raw]]], n_fit=N_FIT))
    np.testing.assert_allclose(rows[:, 3], expected[:, 3], rtol=0, atol=2e-3)
    assert abs(float(rows[:N_FIT, 3].double().mean())) < 1e-3


@pytest.mark.parametrize("held_bytes", [0, 1 << 30])
def test_each_run_has_its_clips_of_its_representation(held_bytes: int) -> None:
    raw, _ = raw_clips()
    other = raw[::-1].copy() ** 3
    both = Features([[[raw]], [[other]]], n_fit=N_FIT, held_bytes=held_bytes)
    assert len(both) == 2
    index = torch.tensor([[5, 300], [349, 5], [0, 1]])
    found = both.rows(torch.tensor([1, 0, 1]), index)
    for array, run in ((other, 0), (raw, 1), (other, 2)):
        alone = Features([[[array]]], n_fit=N_FIT)
        torch.testing.assert_close(found[run], all_rows(alone, index[run]), rtol=0, atol=1e-6)


def test_rows_of_all_representations_are_held_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    whole = Features._raw

    def watched(self: Features, *args: Any) -> Array:
        read.append(args)
        return whole(self, *args)

    monkeypatch.setattr(Features, "_raw", watched)
    raw, _ = raw_clips()
    size = 2 * bytes_of(N_CLIPS, DIM)
    for held_bytes, n_read in ((size, 0), (size - 1, 1)):
        features = Features([[[raw]], [[raw]]], n_fit=N_FIT, held_bytes=held_bytes)
        read.clear()
        all_rows(features)
        assert len(read) == n_read


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("representations", "rule"),
    [
        ([], "representations must be one or more"),
        ([[]], "layers must be arrays"),
        ([[[]]], "layers must be arrays"),
        ([[[zeros(4, 3)], [zeros(4, 2)]]], "of the same dims in all splits"),
        ([[[zeros(4)]]], r"layers must be arrays \(clip, dim\)"),
        ([[[zeros(4, 3), zeros(5, 3)]]], "the same number of clips"),
        ([[[zeros(4, 3)]], [[zeros(4, 2)]]], "alike in clips and dimension"),
        ([[[zeros(4, 3)]], [[zeros(5, 3)]]], "alike in clips and dimension"),
        ([[[zeros(4, 3)], [zeros(2, 3)]], [[zeros(2, 3)], [zeros(4, 3)]]], "alike in clips"),
    ],
)
def test_shapes_must_fit(representations: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Features(representations, n_fit=2)
