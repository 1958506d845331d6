"""The record of what the store holds of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.store import RECORD_FILE, StoredTask
from hear_fusion.files.records import NewerFormatError
from tests.files.damaged import DAMAGES, NEWER_WORDS, changed, newer, with_more


@pytest.fixture
def stored(tmp_path: Path) -> StoredTask:
    paces = {SCENES: [0, 1], Pace("hop", 40): [1], Pace("original"): [0]}
    task = StoredTask(tmp_path, "ab", {"chunk_seconds": 3.0}, {"train": ["a.wav"]}, paces, 1.5)
    task.write()
    return task


def test_it_is_read_as_it_was_written(stored: StoredTask) -> None:
    assert StoredTask.read(stored.folder) == stored
    with_more(stored.folder / RECORD_FILE)
    assert StoredTask.read(stored.folder) == stored


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_or_from_before_is_not_done(stored: StoredTask, damage: str) -> None:
    DAMAGES[damage](stored.folder / RECORD_FILE)
    assert StoredTask.read(stored.folder) is None


@pytest.mark.parametrize(
    "change",
    [
        {"paces": ...},
        {"paces": ["scenes"]},
        {"paces": {"fast": [1]}},
        {"paces": {"scenes": ["1"]}},
        {"filenames": {"train": "a.wav"}},
        {"options": None},
        {"weights_sha256": 3},
        {"wall_s": "1"},
    ],
)
def test_fields_of_other_types_are_not_done(stored: StoredTask, change: dict[str, Any]) -> None:
    changed(**change)(stored.folder / RECORD_FILE)
    assert StoredTask.read(stored.folder) is None


def test_a_newer_one_is_refused(stored: StoredTask) -> None:
    newer(stored.folder / RECORD_FILE)
    with pytest.raises(NewerFormatError, match=f"{stored.folder}/{RECORD_FILE} {NEWER_WORDS}"):
        StoredTask.read(stored.folder)
