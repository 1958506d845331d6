"""Whitening by layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from hear_fusion.errors import InvalidError
from hear_fusion.fusion.compression import Whitening

DIMS, LAYERS = (30, 7), (5, 13)


def _vectors(n_rows: int = 200) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    parts = [rng.normal(3, 2, (n_rows, 5)) @ rng.normal(0, 9, (5, 30)), rng.random((n_rows, 7))]
    noise = rng.normal(0, 0.1, (n_rows, 37))
    return (np.hstack(parts) + noise).astype(np.float32)


def _fit(vectors: NDArray[np.float32], k: int = 4) -> Whitening:
    return Whitening.fit(vectors, DIMS, k, LAYERS, "0" * 64)


@pytest.mark.parametrize("n_rows", [64, 2000])
def test_it_is_scikit_learns_of_each_layer(n_rows: int) -> None:
    vectors = _vectors(n_rows)
    got = _fit(vectors).apply(vectors)
    parts = np.split(vectors.astype(np.float64), [30], axis=1)
    expected = np.hstack([PCA(4, whiten=True, svd_solver="full").fit_transform(p) for p in parts])
    expected *= np.sqrt(n_rows / (n_rows - 1))
    expected *= np.sign((expected * got).sum(axis=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3)


def test_fewer_rows_than_features_give_the_same() -> None:
    vectors = _vectors(60)
    wide = np.hstack([vectors[:, :30], np.zeros((60, 50), np.float32), vectors[:, 30:]])
    whitening = Whitening.fit(wide, (80, 7), 4, LAYERS, "")
    np.testing.assert_allclose(whitening.apply(wide), _fit(vectors).apply(vectors), atol=1e-3)


def test_components_are_at_most_a_quarter_of_the_rows_and_no_more_than_there_are() -> None:
    assert _fit(_vectors(80), 64).dims == (20, 7)
    flat = np.zeros((80, 37), np.float32)
    flat[:, 0] = np.arange(80)
    whitening = _fit(flat, 64)
    assert whitening.dims == (1, 1)
    assert np.isfinite(whitening.apply(flat)).all()


def test_few_rows_are_refused() -> None:
    with pytest.raises(InvalidError, match="must be at least 50, got 49"):
        _fit(_vectors(49))
    with pytest.raises(InvalidError, match="must be at least 1, got 0"):
        _fit(_vectors(), 0)


def test_it_is_kept_under_its_hash(tmp_path: Path) -> None:
    whitening = _fit(_vectors())
    path = whitening.write(tmp_path / "a.npz")
    read = Whitening.read(path, whitening.sha256)
    np.testing.assert_array_equal(read.apply(_vectors()), whitening.apply(_vectors()))
    other = replace(whitening, layers=(5, 14))
    assert other.sha256 != whitening.sha256
    for file, sha256 in ((path, other.sha256), (tmp_path / "b.npz", whitening.sha256)):
        with pytest.raises(InvalidError, match=r"must be the whitening .* got (another|.*No such)"):
            Whitening.read(file, sha256)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InvalidError, match="must be the whitening"):
        Whitening.read(path, whitening.sha256)


def test_vectors_of_another_network_are_refused() -> None:
    whitening = _fit(_vectors())
    whitening.check(LAYERS, "0" * 64)
    for layers, weights in (((5, 14), "0" * 64), (LAYERS, "1" * 64)):
        with pytest.raises(InvalidError, match="whitening must be that of layers"):
            whitening.check(layers, weights)
    with pytest.raises(InvalidError, match=r"must have 37 features, .* got 36"):
        whitening.apply(_vectors()[:, 1:])


def test_many_rows_are_sampled_and_whitened_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hear_fusion.fusion.compression._FIT_ROWS", 100)
    monkeypatch.setattr("hear_fusion.fusion.compression._BLOCK_ROWS", 7)
    vectors = _vectors()
    whitening = _fit(vectors)
    assert whitening.sha256 == _fit(vectors[::2]).sha256
    expected = np.vstack([whitening.apply(vector[None]) for vector in vectors])
    np.testing.assert_allclose(whitening.apply(vectors), expected, atol=1e-5)
