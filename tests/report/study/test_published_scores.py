"""Published numbers agree with themselves, and only the same tasks are set beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hear_fusion.backbones import REGISTRY
from hear_fusion.report.study.published_scores import (
    PAPER_TASK_NAMES,
    PAPER_TASKS,
    SYSTEMS,
    TABLE_III,
    find_paper_task,
    reproduced,
)
from tests.report.studies import DEMO, NINE, Kind, task_study


@pytest.mark.parametrize("backbone", TABLE_III)
def test_rows_of_table_iii_add_up(backbone: str) -> None:
    """Printed to 0.1 from unrounded numbers: a difference may be 0.1 off, an average 0.05."""
    row = TABLE_III[backbone]
    assert len(row.original) == len(row.fused) == len(row.difference) == len(PAPER_TASKS) == 9
    for before, after, gained in zip(row.original, row.fused, row.difference, strict=True):
        assert after - before == pytest.approx(gained, abs=0.11)
    for scores, average in zip(
        (row.original, row.fused, row.difference), row.averages, strict=True
    ):
        assert math.fsum(scores) / 9 == pytest.approx(average, abs=0.051)
    assert row.layers == REGISTRY[backbone].published_layers


def test_averages_of_the_systems_are_those_of_their_scores() -> None:
    whole = [system for system in SYSTEMS if None not in system.scores]
    assert len(whole) == 17
    for system in whole:
        if system.average is not None:
            scores = [score for score in system.scores if score is not None]
            assert math.fsum(scores) / 9 == pytest.approx(system.average, abs=0.051), system.name
    assert all(len(system.scores) == 9 and system.source for system in SYSTEMS)
    assert len({system.name for system in SYSTEMS}) == len(SYSTEMS)


def test_numbers_read_again_from_the_paper() -> None:
    vggish = dict(zip(PAPER_TASK_NAMES, TABLE_III["vggish"].fused, strict=True))
    assert (vggish["SPCV2"], vggish["GTZAN"], vggish["Surge"]) == (91.4, 70.8, 33.3)
    openl3 = next(system for system in SYSTEMS if system.name == "OpenL3")
    assert dict(zip(PAPER_TASK_NAMES, openl3.scores, strict=True))["VC1"] == 40.7


def test_our_folders_are_the_papers_tasks() -> None:
    found = [find_paper_task(task_study(kind, "cnn14")) for kind in NINE]
    assert [task.name for task in found if task] == list(PAPER_TASK_NAMES)
    assert [task.family for task in found if task] == [
        *["SER"] * 2, *["NOSS"] * 4, *["music"] * 3
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        replace(NINE[0], n_clips=400),
        replace(NINE[0], n_classes=10),
        replace(NINE[6], task="tfds_gtzan-1.0.0-full"),
        replace(NINE[8], task="surge-v1.0.0-by_preset"),
        replace(NINE[2], task="speech_commands-v0.0.2-full"),
        replace(NINE[0], task="esc50x-v2.0.0-full"),
        *DEMO,
    ],
    ids=lambda kind: f"{kind.task}, {kind.n_clips} clips, {kind.n_classes} classes",
)
def test_subsets_and_other_tasks_are_not(kind: Kind) -> None:
    assert find_paper_task(task_study(kind, "cnn14")) is None


def test_a_few_clips_may_be_missing() -> None:
    assert find_paper_task(task_study(replace(NINE[6], n_clips=929), "cnn14")) == PAPER_TASKS[6]


@pytest.mark.parametrize(
    ("measured", "is_reproduced"),
    [(93.0, True), (91.5, True), (91.46, True), (91.44, False), (94.5, True), (94.6, False)],
)
def test_the_edge_of_the_tolerance(measured: float, is_reproduced: bool) -> None:
    assert reproduced(measured, 93.0, 1.5) is is_reproduced
