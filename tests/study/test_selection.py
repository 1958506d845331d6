"""The choice of M and L, with the paper's own case."""

from __future__ import annotations

import pytest

from hear_fusion.study.selection import found_group, group_average, select_layers

LAYERS = (1, 2, 3, 4, 5, 6)


def curve(peak: int, height: float = 0.9) -> dict[int, float]:
    """A curve over six layers with one peak."""
    return {n: height - 0.1 * abs(n - peak) for n in LAYERS}


def test_groups_from_the_configuration_decide_over_where_a_task_peaks() -> None:
    scores = {"esc": curve(6), "us8k": curve(5), "words": curve(3), "voices": curve(4)}
    given = {"esc": "late", "us8k": "late", "words": "middle", "voices": "middle"}
    chosen = select_layers(scores, given)  # type: ignore[arg-type]
    # late: 0.85 at 5 and at 6, the earlier one; middle: 0.85 at 3 and at 4, the earlier one
    assert (chosen.middle, chosen.late, chosen.grouping) == (3, 5, "config")
    swapped = select_layers(
        {"esc": curve(2), "words": curve(6)}, {"esc": "late", "words": "middle"}
    )
    assert (swapped.middle, swapped.late) == (6, 2)


def test_groups_are_found_from_the_scores() -> None:
    chosen = select_layers({"a": curve(6), "b": curve(4), "c": curve(3), "d": curve(1)}, {})
    assert chosen.groups == {"a": "late", "b": "late", "c": "middle", "d": "middle"}
    assert chosen.grouping == "data"
    mixed = select_layers({"a": curve(6), "c": curve(5)}, {"c": "middle"})
    assert (mixed.groups, mixed.grouping) == ({"a": "late", "c": "middle"}, "mixed")


def test_an_average_peaks_where_no_single_task_does() -> None:
    a, b = {1: 0.9, 2: 0.8, 3: 0.1, 4: 0.0}, {1: 0.1, 2: 0.8, 3: 0.9, 4: 0.0}
    late = {1: 0.0, 2: 0.0, 3: 0.1, 4: 1.0}
    chosen = select_layers(
        {"a": a, "b": b, "late": late}, {"a": "middle", "b": "middle", "late": "late"}
    )
    assert (chosen.middle, chosen.late) == (2, 4)
    assert group_average({"a": a, "b": b}, ["a", "b"], [1, 2]) == pytest.approx({1: 0.5, 2: 0.8})


def test_a_group_without_tasks_is_spoken_for_by_all_on_its_half() -> None:
    all_late = select_layers({"a": curve(6), "b": curve(5)}, {})
    # below layer 4 both curves rise to layer 3
    assert (all_late.middle, all_late.late) == (3, 5)
    all_middle = select_layers({"a": curve(1)}, {})
    assert (all_middle.middle, all_middle.late) == (1, 4)


def test_both_groups_may_peak_at_one_layer() -> None:
    chosen = select_layers({"a": curve(4), "b": curve(4)}, {"a": "late", "b": "middle"})
    assert (chosen.middle, chosen.late) == (4, 4)


def test_halves_of_an_odd_number_of_layers() -> None:
    assert found_group({1: 0, 2: 1, 3: 0}) == "late"
    assert found_group({1: 1, 2: 1, 3: 1}) == "middle"
    assert found_group({7: 1}) == "middle"


@pytest.mark.parametrize("scores", [{}, {"a": {1: 0.5}, "b": {2: 0.5}}, {"a": {}}])
def test_layers_must_be_the_same_on_every_task(scores: dict[str, dict[int, float]]) -> None:
    with pytest.raises(ValueError, match="scores must be"):
        select_layers(scores, {})
