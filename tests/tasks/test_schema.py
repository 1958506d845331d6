"""One record of a task, for whoever writes, reads or checks its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hear_fusion.tasks.schema import METADATA_FILE, TRAIN_VALID_TEST, TaskMetadata, read_labels

TASK = TaskMetadata(
    "dogs",
    "v1.0.0",
    "full",
    "scene",
    "multiclass",
    TRAIN_VALID_TEST,
    5.0,
    ("top1_acc", "mAP"),
    evaluation_params={"task_specific_param_grid": {"lr": [1e-3]}},
    extras={"citation": "somebody"},
)
# As the official tools write it; what ours lacks is kept.
OFFICIAL = {
    "task_name": "dcase2016_task2",
    "version": "hear2021",
    "embedding_type": "event",
    "prediction_type": "multilabel",
    "split_mode": "trainvaltest",
    "sample_duration": 120.0,
    "evaluation": ["event_onset_200ms_fms", "segment_1s_er"],
    "evaluation_params": {"event_postprocessing_grid": {"median_filter_ms": [250]}},
    "mode": "full",
    "download_urls": [{"split": "train", "url": "https://example.org"}],
    "splits": ["train", "valid", "test"],
    "max_task_duration_by_split": {"train": None},
}


def written(folder: Path, content: object) -> Path:
    (folder / "task_metadata.json").write_text(
        content if isinstance(content, str) else json.dumps(content)
    )
    return folder


@pytest.mark.parametrize(
    "task",
    [
        TASK,
        replace(TASK, split_mode="new_split_kfold", splits=("fold01", "fold00", "fold02")),
        replace(TASK, embedding_type="event", prediction_type="multilabel", sample_duration=None),
    ],
)
def test_a_task_is_read_as_it_was_written(tmp_path: Path, task: TaskMetadata) -> None:
    assert TaskMetadata.read(written(tmp_path, task.as_json())) == task


def test_official_folders_are_read_and_what_is_theirs_is_kept(tmp_path: Path) -> None:
    task = TaskMetadata.read(written(tmp_path, OFFICIAL))
    assert (task.is_event, task.is_kfold, task.is_single_label) == (True, False, False)
    assert (task.metric, task.test_splits) == ("event_onset_200ms_fms", ["test"])
    assert set(task.extras) == {"download_urls", "max_task_duration_by_split"}
    assert task.as_json() == OFFICIAL


def test_heareval_goes_through_the_folds_by_name(tmp_path: Path) -> None:
    folds = {"split_mode": "presplit_kfold", "splits": ["fold02", "fold00", "fold01"], "nfolds": 3}
    task = TaskMetadata.read(written(tmp_path, OFFICIAL | folds))
    assert task.is_kfold
    assert task.splits == ("fold02", "fold00", "fold01"), "clips are drawn in this order"
    assert task.test_splits == ["fold00", "fold01", "fold02"]


@pytest.mark.parametrize(
    ("embedding_type", "prediction_type", "expected"),
    [("scene", "multiclass", True), ("scene", "multilabel", False), ("event", "multilabel", False)],
)
def test_one_label_a_clip(embedding_type: Any, prediction_type: Any, expected: bool) -> None:
    task = replace(TASK, embedding_type=embedding_type, prediction_type=prediction_type)
    assert task.is_single_label is expected


def test_what_heareval_can_do_without_may_be_absent(tmp_path: Path) -> None:
    needed = ("task_name", "embedding_type", "prediction_type", "split_mode")
    few = {key: OFFICIAL[key] for key in needed} | {"splits": ["train", "dev"]}
    task = TaskMetadata.read(written(tmp_path, few))
    assert (task.version, task.mode, task.sample_duration) == ("v0", "full", None)
    assert task.splits == ("train", "dev"), "names are for the checker to judge"
    with pytest.raises(ValueError, match="evaluation of dcase2016_task2 must name a score"):
        _ = task.metric


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " must be readable JSON, got: .*; make the task anew"),
        ('{"splits": ["train"', " must be readable JSON, got: "),
        ("[]", r" must hold a JSON object, got \[\]; make the task anew"),
        ({}, ": must have the keys task_name, embedding_type, .*; make the task anew"),
        (OFFICIAL | {"splits": "train"}, ": splits must be a list of names, got 'train'"),
        (OFFICIAL | {"splits": [["train"]]}, ": splits must be a list of names"),
        (OFFICIAL | {"evaluation": [1]}, ": evaluation must be a list of names"),
        (OFFICIAL | {"embedding_type": "clip"}, ": embedding_type must be one of scene, event"),
        (OFFICIAL | {"embedding_type": ["event"]}, ": embedding_type must be one of scene"),
        (OFFICIAL | {"sample_duration": "5"}, ": sample_duration must be a number of seconds"),
        (OFFICIAL | {"task_name": 1}, ": task_name must be text, got 1"),
        (OFFICIAL | {"evaluation_params": []}, ": evaluation_params must be an object"),
        (
            OFFICIAL | {"task_name": 1, "split_mode": 2},
            ": split_mode must be one of .*, got 2; task_name must be text, got 1; make",
        ),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: object, message: str) -> None:
    written(tmp_path, content)
    with pytest.raises(ValueError, match=f"^{tmp_path}/task_metadata.json{message}"):
        TaskMetadata.read(tmp_path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"/task_metadata.json must be readable JSON, got: "):
        TaskMetadata.read(tmp_path)
    (tmp_path / METADATA_FILE).write_text(json.dumps(TASK.as_json()))
    with pytest.raises(ValueError, match=r"/train.json must be readable JSON, got: .*; make the"):
        read_labels(tmp_path, "train")


def test_labels_are_read_by_split(tmp_path: Path) -> None:
    task = replace(TASK, prediction_type="multilabel")
    (tmp_path / METADATA_FILE).write_text(json.dumps(task.as_json()))
    (tmp_path / "train.json").write_text('{"a.wav": ["x"], "b.wav": []}')
    assert read_labels(tmp_path, "train") == {"a.wav": ["x"], "b.wav": []}
    (tmp_path / "test.json").write_text('["a.wav"]')
    with pytest.raises(ValueError, match=r"/test.json must hold a JSON object, got \['a.wav'\]"):
        read_labels(tmp_path, "test")
