"""Neighbours by cosine, against all pairs computed at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hear_fusion.metrics.neighbours import farthest_first, near_pairs, nearest, unit


@pytest.fixture
def rows() -> NDArray[np.float32]:
    return unit(np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32))


def test_the_nearest_are_the_nearest(rows: NDArray[np.float32]) -> None:
    found, cosines = nearest(rows, rows[7], 5)
    every = rows @ rows[7]
    assert found.tolist() == np.argsort(-every, kind="stable")[:5].tolist()
    assert found[0] == 7
    np.testing.assert_array_equal(cosines, every[found])
    assert len(nearest(rows, rows[0], 99)[0]) == 50
    assert len(nearest(rows[:0], rows[0], 3)[0]) == 0


def test_of_equal_rows_the_first_is_first() -> None:
    rows = np.ones((9, 1), np.float32)
    assert nearest(rows, rows[0], 3)[0].tolist() == [0, 1, 2]


def test_pairs_are_all_pairs(rows: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hear_fusion.metrics.neighbours._BLOCK_ROWS", 7)
    got = near_pairs(rows, 0.9, 9999)
    product = rows @ rows.T
    every = np.argwhere(np.triu(product >= 0.9, 1)).tolist()
    assert sorted(zip(got.first.tolist(), got.second.tolist(), strict=True)) == list(
        map(tuple, every)
    )
    np.testing.assert_allclose(got.cosines, product[got.first, got.second], rtol=0, atol=1e-6)
    assert (np.diff(got.cosines) <= 0).all()
    few = near_pairs(rows, 0.9, 5)
    assert few.n_all == got.n_all == len(every) > 5
    assert few.first.tolist() == got.first[:5].tolist()
    odd = near_pairs(rows, 0.9, 9999, lambda i, j: (i + j) % 2 == 1)
    assert odd.n_all == len(odd.first) == sum((i + j) % 2 for i, j in every) > 0


def test_of_equal_pairs_the_first_are_first() -> None:
    pairs = near_pairs(np.ones((100, 1), np.float32), 0.9, 3)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 0, 0], [1, 2, 3])
    assert pairs.n_all == 4950


def test_the_farthest_is_chosen_each_time(rows: NDArray[np.float32]) -> None:
    chosen = farthest_first(rows, 6, [3])
    before = [3]
    for row in chosen:
        closest = (rows @ rows[before].T).max(axis=1)
        assert closest[row] == closest.min()
        before.append(row)
    assert len(set(before)) == 7


def test_the_first_is_in_the_middle_and_equal_rows_are_left_out() -> None:
    rows = unit(np.array([[1, 0], [1, 1], [0, 1], [1, 0]], np.float32))
    assert farthest_first(rows, 9) == [1, 0, 2]


def test_zeros_have_no_neighbours() -> None:
    assert unit(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]
