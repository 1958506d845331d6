"""Task folders and memory: what is decided before anything runs."""

import json
import logging
from pathlib import Path

import pytest

from hear_fusion.evaluate import memory
from hear_fusion.evaluate.memory import PROCESS_BYTES, fits_in_memory
from hear_fusion.tasks.folders import (
    find_tasks,
    rate_folders,
    refuse_other_task,
    require_audio,
    text_files,
)
from tests.tasks.hear_tasks import write_scene_task


def test_tasks_are_found_and_strays_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("b-v1", "a-v1"):
        write_scene_task(tmp_path / name, n_clips=1)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "empty").mkdir()
    with caplog.at_level(logging.WARNING):
        assert [task.name for task in find_tasks(tmp_path)] == ["a-v1", "b-v1"]
    assert [record.args for record in caplog.records] == [
        (tmp_path / "empty", "task_metadata.json"),
        (tmp_path / "notes.txt", "task_metadata.json"),
    ]
    assert [task.name for task in find_tasks(tmp_path, ["b-v1"])] == ["b-v1"]


def test_unknown_task_lists_the_tasks(tmp_path: Path) -> None:
    write_scene_task(tmp_path / "a-v1", n_clips=1)
    with pytest.raises(ValueError, match="task must be one of a-v1, got c-v1"):
        find_tasks(tmp_path, ["c-v1"])


def test_a_task_folder_given_as_tasks_dir_is_an_error(tmp_path: Path) -> None:
    task = write_scene_task(tmp_path / "a-v1", n_clips=1)
    with pytest.raises(ValueError, match="give the folder above the task folders"):
        find_tasks(task)
    with pytest.raises(ValueError, match="hear-fusion tasks demo"):
        find_tasks(tmp_path / "none")


@pytest.mark.parametrize("name", ["labelvocabulary.csv", "valid.json"])
def test_missing_task_files_are_named(tmp_path: Path, name: str) -> None:
    task = write_scene_task(tmp_path / "a-v1", n_clips=1)
    (task / name).unlink()
    with pytest.raises(ValueError, match=f"task a-v1 must hold {name}"):
        find_tasks(tmp_path)


def test_missing_audio_lists_the_rates(tmp_path: Path) -> None:
    task = write_scene_task(tmp_path / "a-v1", n_clips=1)
    require_audio(task, 16000)
    (task / "48000").mkdir()
    with pytest.raises(ValueError, match="in 32000/train, got sample rates 16000, 48000"):
        require_audio(task, 32000)
    (task / "16000" / "test").rename(task / "away")
    with pytest.raises(ValueError, match="in 16000/test"):
        require_audio(task, 16000)


def embedded(folder: Path, folds: int = 0) -> Path:
    task = write_scene_task(folder, n_clips=1, folds=folds)
    for split in json.loads((task / "task_metadata.json").read_text())["splits"]:
        (task / f"{split}.embedding-dimensions.json").write_text("[1000000, 100]")
    return task


@pytest.mark.parametrize(
    ("folds", "grid_points", "copies"), [(0, 1, 2.2), (0, 8, 9.2), (3, 8, 11.2)]
)
def test_in_memory_counts_the_copies_of_every_head(
    tmp_path: Path, folds: int, grid_points: int, copies: float
) -> None:
    task = embedded(tmp_path / "t", folds)
    needed = copies * 3 * 4e8 + PROCESS_BYTES
    assert fits_in_memory(task, grid_points=grid_points, budget_bytes=needed * 1.001)
    assert not fits_in_memory(task, grid_points=grid_points, budget_bytes=needed * 0.999)


def test_default_jobs_follow_cores_memory_and_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "n_cores", lambda: 64)
    monkeypatch.setattr(memory, "available_bytes", lambda: 100 * PROCESS_BYTES)
    assert memory.default_jobs(has_gpu=False) == 50
    assert memory.default_jobs(has_gpu=True) == 4
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000 * PROCESS_BYTES)
    assert memory.default_jobs(has_gpu=False) == 64
    monkeypatch.setattr(memory, "available_bytes", lambda: 0)
    assert memory.default_jobs(has_gpu=True) == 1


@pytest.mark.parametrize("name", ["task_metadata.json", "labelvocabulary.csv", "valid.json"])
def test_folders_of_a_task_made_anew_are_refused(tmp_path: Path, name: str) -> None:
    task = write_scene_task(tmp_path / "tasks" / "scene-v1", n_clips=2)
    finished = tmp_path / "embeddings" / "scene-v1"
    finished.mkdir(parents=True)
    for file in (*task.glob("*.json"), *task.glob("*.csv")):
        (finished / file.name).write_bytes(file.read_bytes())
    (task / name).write_text((task / name).read_text() + " ")
    refuse_other_task(
        task, finished, done=".done.embeddings"
    )  # not finished: will be made anew in any case
    (finished / ".done.embeddings").touch()
    with pytest.raises(ValueError, match=rf"task as it is now, got another {name} than in"):
        refuse_other_task(task, finished, done=".done.embeddings")
    (finished / name).write_bytes((task / name).read_bytes())
    refuse_other_task(task, finished, done=".done.embeddings")


def test_rates_and_texts_of_a_task(tmp_path: Path) -> None:
    for name in ("16000", "8000", "48000", ".48000-from-16000", "notes"):
        (tmp_path / name).mkdir()
    for name in ("train.json", "labelvocabulary.csv", "96000", "a.txt"):
        (tmp_path / name).touch()
    assert [folder.name for folder in rate_folders(tmp_path)] == ["8000", "16000", "48000"]
    assert [path.name for path in text_files(tmp_path)] == ["labelvocabulary.csv", "train.json"]
