"""Planes and neighbours of vectors."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from hear_fusion.errors import InvalidError, MissingModuleError
from hear_fusion.report.sounds.projection import neighbours, project, standardised


def vectors(n: int = 60, dim: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def test_every_feature_weighs_the_same() -> None:
    given = vectors() * np.linspace(1e-3, 1e3, 20, dtype=np.float32) + 7
    scaled = standardised(given)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(scaled.std(axis=0)[1:], 1, rtol=1e-2)


def test_a_constant_feature_becomes_zero_and_the_table_stays_as_it_is() -> None:
    given = vectors()
    given[:, 3] = 1234.5
    given[7, 3] = np.nextafter(given[7, 3], np.float32(2000))  # which is no difference
    before = given.copy()
    assert not standardised(given)[:, 3].any()
    np.testing.assert_array_equal(given, before)


def test_a_vector_that_is_not_finite_is_named() -> None:
    given = vectors()
    given[4, 2], given[9, 0] = np.nan, np.inf
    with pytest.raises(InvalidError, match=r"NaN or infinity in row 4 .* and 2 in all"):
        standardised(given)


def test_pca_is_the_plane_of_the_largest_variance() -> None:
    given = vectors(dim=30) * np.r_[9, 5, np.full(28, 0.1)].astype(np.float32)
    plane = project(given - given.mean(axis=0))
    centred = given - given.mean(axis=0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(
        np.abs(plane.points), np.abs(centred @ rows[:2].T), rtol=1e-3, atol=1e-3
    )
    share = 100 * (values[:2] ** 2).sum() / (values**2).sum()
    assert plane.words == f"PCA, {share:.0f} % of the variance"
    np.testing.assert_array_equal(project(centred).points, plane.points)


@pytest.mark.parametrize(("n", "dim"), [(1, 5), (2, 5), (3, 1), (4, 2)])
def test_few_sounds_or_features_have_a_plane_too(n: int, dim: int) -> None:
    plane = project(standardised(vectors(n, dim)))
    assert plane.points.shape == (n, 2)
    assert np.isfinite(plane.points).all()


def test_sounds_that_are_all_alike_lie_on_one_point() -> None:
    plane = project(standardised(np.ones((5, 4), np.float32)))
    assert plane.words == "all sounds are alike"
    assert not plane.points.any()


def test_umap_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingModuleError, match="pip install umap-learn"):
        project(vectors(), "umap")


def test_umap_takes_principal_components(monkeypatch: pytest.MonkeyPatch) -> None:
    class Umap:
        """As umap-learn shows itself."""

        class UMAP:
            def __init__(self, n_neighbors: int, **options: object) -> None:
                assert n_neighbors == 15
                assert options["random_state"] == 0

            def fit_transform(self, components: np.ndarray) -> np.ndarray:
                assert components.shape == (60, 50)
                return components[:, :2].astype(np.float32)

    monkeypatch.setitem(sys.modules, "umap", Umap)
    assert project(vectors(dim=80), "umap").words == "UMAP"


def test_neighbours_are_those_of_all_cosines() -> None:
    given = vectors(n=2100, dim=6)  # more than are compared at once
    indices, distances = neighbours(given, 40)
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    far = 1 - unit @ unit.T
    np.fill_diagonal(far, np.inf)
    np.testing.assert_allclose(distances, np.sort(far, axis=1)[:, :40].clip(0), atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(far, indices, 1), distances, atol=1e-5)


@pytest.mark.parametrize(("n", "expected"), [(1, 0), (3, 2)])
def test_no_more_neighbours_than_sounds(n: int, expected: int) -> None:
    indices, distances = neighbours(vectors(n), 5)
    assert indices.shape == distances.shape == (n, expected)
