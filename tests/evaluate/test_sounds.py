"""Folders of embeddings know their sounds; those of other sounds are made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hear_fusion.evaluate.sounds import EmbeddedSounds, misfit
from hear_fusion.files.records import NewerFormatError
from tests.files.damaged import DAMAGES, NEWER_WORDS, changed, newer
from tests.tasks.hear_tasks import write_scene_task

SOUNDS = EmbeddedSounds(16000, {"train": {"a.wav": (3, 4)}})


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_scene_task(tmp_path / "task", n_clips=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "embeddings").mkdir()
    (tmp_path / "embeddings" / ".done.embeddings").touch()
    return tmp_path / "embeddings"


def replace_one(task: Path) -> None:
    clip = task / "16000" / "test" / "task_test_1.wav"
    os.utime(clip, ns=(0, clip.stat().st_mtime_ns + 10**12))


def test_they_are_read_as_they_were_written(folder: Path) -> None:
    assert EmbeddedSounds.read(folder) is None
    SOUNDS.write(folder)
    assert EmbeddedSounds.read(folder) == SOUNDS
    newer(folder / "sounds.json")
    with pytest.raises(NewerFormatError, match=NEWER_WORDS):
        EmbeddedSounds.read(folder)


@pytest.mark.parametrize(
    "damage",
    [
        *DAMAGES.values(),
        changed(sample_rate="16000"),
        changed(sounds=None),
        changed(sounds={"train": {"a.wav": [1]}}),
    ],
)
def test_what_is_damaged_was_not_recorded(folder: Path, damage: object) -> None:
    SOUNDS.write(folder)
    assert callable(damage)
    damage(folder / "sounds.json")
    assert EmbeddedSounds.read(folder) is None


def test_where_nothing_was_recorded_it_is_compared_once_and_recorded(
    task: Path, folder: Path
) -> None:
    assert misfit(task, folder) is None
    assert EmbeddedSounds.read(folder) is None, "at which rate?"
    assert misfit(task, folder, 16000) is None
    recorded = EmbeddedSounds.read(folder)
    assert recorded is not None
    assert {split: len(clips) for split, clips in recorded.sounds.items()} == {
        "train": 2, "valid": 2, "test": 2,
    }  # fmt: skip
    replace_one(task)
    assert misfit(task, folder) == "test/task_test_1.wav was replaced"
    (folder / "sounds.json").unlink()
    assert misfit(task, folder, 16000) == "test/task_test_1.wav was replaced"
    (folder / ".done.embeddings").unlink()
    assert misfit(task, folder, 16000) is None, "not finished: made anew in any case"
