"""Near-identical rows of a table."""

from __future__ import annotations

import numpy as np
import pytest

from hear_fusion.embeddings.tables.pairs import near_identical
from hear_fusion.embeddings.tables.segments import Segment


@pytest.mark.parametrize(
    ("one", "other", "is_pair"),
    [
        (Segment("a"), Segment("b"), True),
        (Segment("a"), Segment("a"), False),
        (Segment("a", 0, 2), Segment("a", 2, 4), True),
        (Segment("a", 0, 2.5), Segment("a", 2, 4), False),
        (Segment("a", 3, 5), Segment("a", 1, 3.5), False),
        (Segment("a", 3), Segment("a", 9, 10), False),
        (Segment("a", stop=3), Segment("a", 3), True),
        (Segment("a", 0, 2), Segment("b", 0, 2), True),
    ],
)
def test_what_shares_sound_is_no_pair(one: Segment, other: Segment, is_pair: bool) -> None:
    for segments in ([one, other], [other, one]):
        pairs = near_identical(np.ones((2, 1), np.float32), segments, 0.9, 9)
        assert len(pairs.first) == pairs.n_all == is_pair


def test_pairs_of_one_split_are_no_leak() -> None:
    segments = [Segment(name) for name in "abcd"]
    splits = ["train", "train", "test", None]
    pairs = near_identical(np.ones((4, 1), np.float32), segments, 0.9, 9, splits)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 1], [2, 2])
