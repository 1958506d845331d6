"""Task folders and memory: what is decided before anything runs."""

import json
import logging
import shutil
from pathlib import Path

import pytest

from hear_fusion.evaluate import memory
from hear_fusion.evaluate.memory import PROCESS_BYTES, fits_in_memory
from hear_fusion.tasks.folders import (
    find_tasks,
    rate_folders,
    read_texts,
    refuse_other_task,
    require_audio,
    text_files,
)
from tests.files.damaged import Damage, changed
from tests.tasks.hear_tasks import write_scene_task
from tests.tasks.strays import add_strays


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


CHANGES: dict[str, Damage] = {
    "task_metadata.json": changed(sample_duration=0.25),
    "labelvocabulary.csv": lambda path: path.write_text(path.read_text().replace("low", "deep")),
    "valid.json": lambda path: path.write_text(path.read_text().replace("low", "high")),
    "test.json": lambda path: path.write_text(in_other_order(path.read_text())),
}
LAYOUTS: dict[str, Damage] = {
    "task_metadata.json": lambda path: path.write_text(in_other_order(path.read_text(), indent=3)),
    "labelvocabulary.csv": lambda path: path.write_bytes(
        b'\xef\xbb\xbf"idx","label"\r\n' + path.read_bytes().split(b"\n", 1)[1] + b"\n\n"
    ),
    "valid.json": lambda path: path.write_text(
        json.dumps(json.loads(path.read_text()), indent=1).replace("high", "h\\u0069gh")
    ),
}


def in_other_order(text: str, indent: int | None = None) -> str:
    return json.dumps(dict(reversed(json.loads(text).items())), indent=indent)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_scene_task(tmp_path / "tasks" / "scene-v1", n_clips=3)


@pytest.fixture
def finished(task: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "embeddings" / "scene-v1"
    folder.mkdir(parents=True)
    for file in text_files(task):
        shutil.copy(file, folder)
    (folder / ".done.embeddings").touch()
    return folder


@pytest.mark.parametrize("name", CHANGES)
def test_folders_of_a_task_made_anew_are_refused(task: Path, finished: Path, name: str) -> None:
    CHANGES[name](task / name)
    with pytest.raises(ValueError, match=rf"task as it is now, got another {name} than in"):
        refuse_other_task(task, finished, done=".done.embeddings")
    (finished / ".done.embeddings").unlink()  # will be made anew in any case
    refuse_other_task(task, finished, done=".done.embeddings")
    (finished / ".done.embeddings").touch()
    shutil.copy(task / name, finished)
    refuse_other_task(task, finished, done=".done.embeddings")


@pytest.mark.parametrize("name", LAYOUTS)
def test_another_layout_of_a_text_says_the_same(task: Path, finished: Path, name: str) -> None:
    before = (task / name).read_bytes()
    LAYOUTS[name](task / name)
    assert (task / name).read_bytes() != before
    refuse_other_task(task, finished, done=".done.embeddings")


@pytest.mark.parametrize("name", [path for path in CHANGES if path != "task_metadata.json"])
def test_a_text_of_the_task_that_cannot_be_read_is_named(
    task: Path, finished: Path, name: str
) -> None:
    (task / name).write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=rf"{task / name} must be readable"):
        refuse_other_task(task, finished, done=".done.embeddings")


def test_what_else_lies_in_a_task_changes_nothing(task: Path, finished: Path) -> None:
    texts = read_texts(task)
    add_strays(task)
    add_strays(finished)
    assert find_tasks(task.parent) == [task]
    assert read_texts(task) == texts
    assert rate_folders(task) == [task / "16000"]
    refuse_other_task(task, finished, done=".done.embeddings")


def test_rates_and_texts_of_a_task(task: Path) -> None:
    for name in ("8000", "48000", ".48000-from-16000", "notes"):
        (task / name).mkdir()
    (task / "96000").touch()
    assert [folder.name for folder in rate_folders(task)] == ["8000", "16000", "48000"]
    names = ["task_metadata.json", "labelvocabulary.csv", "train.json", "valid.json", "test.json"]
    assert [path.name for path in text_files(task)] == names
