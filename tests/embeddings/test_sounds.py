"""Sounds that were replaced are noticed by size and time; what copies do to times is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hear_fusion.embeddings.sounds import Sounds, read_sounds, replaced_sound
from tests.tasks.hear_tasks import write_scene_task
from tests.tasks.strays import add_strays

SECOND = 10**9
SOUNDS = {"train": {"a.wav": (100, 5 * SECOND + 7), "b.wav": (90, 6 * SECOND)}, "test": {}}


def test_size_and_time_of_every_named_clip(tmp_path: Path) -> None:
    task = write_scene_task(tmp_path / "task", n_clips=2)
    add_strays(task)
    clip = task / "16000" / "valid" / "task_valid_1.wav"
    os.utime(clip, ns=(0, 12345))
    sounds = read_sounds(task, 16000)
    assert {split: len(clips) for split, clips in sounds.items()} == dict.fromkeys(sounds, 2)
    assert sounds["valid"][clip.name] == (clip.stat().st_size, 12345)
    clip.unlink()
    assert list(read_sounds(task, 16000)["valid"]) == ["task_valid_0.wav"]
    assert read_sounds(task, 48000) == {"train": {}, "valid": {}, "test": {}}


@pytest.mark.parametrize(
    ("now", "replaced"),
    [
        (SOUNDS, None),
        ({"train": {"a.wav": (101, 5 * SECOND + 7)}}, "train/a.wav"),
        ({"train": {"a.wav": (100, 5 * SECOND + 8)}}, "train/a.wav"),
        ({"train": {"a.wav": (100, 4 * SECOND)}}, "train/a.wav"),  # older, but another
        ({"train": {"a.wav": (100, 5 * SECOND)}}, None),  # as unpacked by tar
        ({"train": {"b.wav": (90, 6 * SECOND + 5)}}, None),
        ({"train": {"b.wav": (90, 7 * SECOND)}}, "train/b.wav"),
        ({"train": {}}, None),  # removed, to save room
        ({}, None),
        ({"test": {"c.wav": (1, 20 * SECOND)}}, "test/c.wav"),  # not recorded, and newer
        ({"test": {"c.wav": (1, 2 * SECOND)}}, None),
    ],
)
def test_which_sounds_count_as_replaced(now: Sounds, replaced: str | None) -> None:
    assert replaced_sound(now, SOUNDS, 10 * SECOND) == replaced


def test_without_a_record_what_is_newer_than_the_work_was_replaced() -> None:
    assert replaced_sound(SOUNDS, {}, 6 * SECOND) is None
    assert replaced_sound(SOUNDS, {}, 6 * SECOND - 1) == "train/b.wav"
