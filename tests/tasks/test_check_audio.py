"""Sound files of a task in every container: whole, cut, streamed; and what heareval reads of each.

What `check` says must be what heareval does, which reads clips as `heard` below.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hear_fusion.tasks.check import check_task
from hear_fusion.tasks.findings import Finding
from tests.audio.test_lengths import CONTAINERS, RATE, N, streamed, whole
from tests.tasks.hear_tasks import write_scene_task

ALSO_MISREAD = "tells its length wrongly: heareval reads"


def task_with(tmp_path: Path, *files: bytes) -> Path:
    """A task without errors but for files in place of its first training clips."""
    task = write_scene_task(tmp_path / "tones-v1-full", n_clips=max(3, len(files)))
    metadata = json.loads((task / "task_metadata.json").read_text())
    changes = {"sample_duration": None, "evaluation": ["top1_acc"]}
    (task / "task_metadata.json").write_text(json.dumps({**metadata, **changes}))
    for i, data in enumerate(files):
        (task / "16000" / "train" / f"tones-v1-full_train_{i}.wav").write_bytes(data)
    return task


def findings(tmp_path: Path, *files: bytes) -> list[Finding]:
    found = check_task(task_with(tmp_path, *files)).findings
    return [finding for finding in found if finding.rule not in ("copy", "leak")]


def heard(path: Path) -> int:
    """Samples of a clip as heareval reads it; 0 if it fails."""
    try:
        return len(soundfile.read(str(path), dtype="float32")[0])
    except Exception:
        return 0


@pytest.mark.parametrize("name", CONTAINERS)
def test_whole_and_cut_files(tmp_path: Path, name: str) -> None:
    assert findings(tmp_path / "whole", whole(name)) == []
    for share in (0.5, 0.25):
        data = whole(name)
        (found,) = findings(tmp_path / f"{share}", data[: int(len(data) * share)])
        assert (found.severity, found.rule) == ("error", "unreadable")
        assert found.where == "16000/train/tones-v1-full_train_0.wav"
        assert "is cut short" in found.what


@pytest.mark.parametrize("name", [name for name in CONTAINERS if streamed(name)])
def test_streamed_files_are_noted_and_accused_only_if_heareval_misreads_them(
    tmp_path: Path, name: str
) -> None:
    files = streamed(name)
    task = task_with(tmp_path, *files)
    told = (finding for finding in check_task(task).findings if finding.rule == "streamed")
    found = {finding.where: finding for finding in told}
    for i in range(len(files)):
        where = f"16000/train/tones-v1-full_train_{i}.wav"
        n_heard = heard(task / where)
        if n_heard < N:
            assert found[where].severity == "error"
            assert f"{ALSO_MISREAD} {n_heard} of its" in found[where].what
        else:
            assert found[where].severity == "note"
            assert "does not tell its length" in found[where].what


def test_a_folder_of_mp3_files_without_counts_is_one_note(tmp_path: Path) -> None:
    file = io.BytesIO()
    tone = 0.3 * np.sin(np.arange(N) / 5)
    with soundfile.SoundFile(
        file, "w", RATE, 1, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT",
        compression_level=0.5,
    ) as mp3:  # fmt: skip
        mp3.write(tone)
    data = file.getvalue()
    bare = data[data.index(data[:2], 4) :]
    (found,) = findings(tmp_path, *(bare for _ in range(5)))
    assert (found.severity, found.where) == ("note", "16000/train")
    assert "5 MP3 files: each does not tell its length" in found.what


def test_junk_that_heareval_takes_for_sound_is_an_error(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, whole("w64") + bytes(5000))
    assert found.severity == "error"
    assert f"{ALSO_MISREAD} {N + 2500} of its {N} samples" in found.what
