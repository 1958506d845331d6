"""What a HEAR task folder says about itself, as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from hear_fusion.errors import InvalidError, shown
from hear_fusion.tasks.content import content_problems, label_problem, read_object

METADATA_FILE = "task_metadata.json"
VOCABULARY_FILE = "labelvocabulary.csv"
SAMPLE_RATES = (16000, 22050, 32000, 44100, 48000)
TRAIN_VALID_TEST = ("train", "valid", "test")


@dataclass(frozen=True)
class Event:
    """A labelled stretch of a clip, in milliseconds from its start."""

    label: str | int
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Clip:
    """One sound file of a task: its name, its split, and its labels or its events."""

    filename: str
    split: str
    labels: tuple[str | int, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class TaskMetadata:
    """What ``task_metadata.json`` holds.

    Attributes:
        task_name: Name without version, in lower case and underscores.
        version: Version of the data set, such as "v1.0.0".
        mode: Size, such as "full" or "5h"; the folder is ``task_name-version-mode``.
        embedding_type: "scene" (one vector a clip) or "event" (one a moment).
        prediction_type: "multiclass" (exactly one label) or "multilabel" (any number).
        splits: Split names, in the order of the data set.
        sample_duration: Length of every clip in seconds, or None where clips differ.
        evaluation: Names of the official scores; the first one selects models.
        split_mode: "trainvaltest", or folds as given ("presplit_kfold") or drawn by us.
        evaluation_params: Passed to heareval as it is, e.g. ``task_specific_param_grid``.
        extras: Keys that heareval does not read: description, sources, licences.
    """

    task_name: str
    version: str
    mode: str
    embedding_type: Literal["scene", "event"]
    prediction_type: Literal["multiclass", "multilabel"]
    splits: tuple[str, ...]
    sample_duration: float | None
    evaluation: tuple[str, ...]
    split_mode: Literal["trainvaltest", "presplit_kfold", "new_split_kfold"] = "trainvaltest"
    evaluation_params: Mapping[str, object] = field(default_factory=dict)
    extras: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder_name(self) -> str:
        """Name of the task's folder, as HEAR joins it."""
        return f"{self.task_name}-{self.version}-{self.mode}"

    @property
    def is_event(self) -> bool:
        """Whether moments are labelled, not whole clips."""
        return self.embedding_type == "event"

    @property
    def is_single_label(self) -> bool:
        """Whether every clip has exactly one label."""
        return (self.embedding_type, self.prediction_type) == ("scene", "multiclass")

    @property
    def is_kfold(self) -> bool:
        """Whether every split is the test split once."""
        return self.split_mode != "trainvaltest"

    @property
    def test_splits(self) -> list[str]:
        """Names of the splits tested on, in heareval's order."""
        return sorted(self.splits) if self.is_kfold else ["test"]

    @property
    def metric(self) -> str:
        """Name of the official score that selects models.

        Raises:
            ValueError: If the task names no score.
        """
        if not self.evaluation:
            raise InvalidError(
                f"evaluation of {self.task_name} must name a score, got none; make the task anew"
            )
        return self.evaluation[0]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the metadata of a task folder or of a folder of its embeddings.

        Keys that heareval can do without may be absent.

        Args:
            folder: Folder with a ``task_metadata.json``.

        Raises:
            ValueError: If the file cannot be read, lacks a key, or a value is of another kind.
        """
        path = folder / METADATA_FILE
        content = read_object(path)
        problems = list(content_problems(content))
        if problems:
            raise InvalidError(f"{path}: {'; '.join(problems)}; make the task anew")
        return cls.of(content)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Take the content of a ``task_metadata.json`` without `content_problems`."""
        own = {"nfolds", *cls.__dataclass_fields__}
        return cls(
            task_name=content["task_name"],
            version=str(content.get("version", "v0")),
            mode=str(content.get("mode", "full")),
            embedding_type=content["embedding_type"],
            prediction_type=content["prediction_type"],
            splits=tuple(content["splits"]),
            sample_duration=content.get("sample_duration"),
            evaluation=tuple(content.get("evaluation", ())),
            split_mode=content["split_mode"],
            evaluation_params=content.get("evaluation_params") or {},
            extras={key: value for key, value in content.items() if key not in own},
        )

    def as_json(self) -> dict[str, object]:
        """Make the content of ``task_metadata.json``; the extras cannot replace an official key."""
        official: dict[str, object] = {
            "task_name": self.task_name,
            "version": self.version,
            "mode": self.mode,
            "embedding_type": self.embedding_type,
            "prediction_type": self.prediction_type,
            "split_mode": self.split_mode,
            "splits": list(self.splits),
            "sample_duration": self.sample_duration,
            "evaluation": list(self.evaluation),
            "evaluation_params": dict(self.evaluation_params),
        }
        if self.is_kfold:
            official["nfolds"] = len(self.splits)
        return {**self.extras, **official}


def read_labels(folder: Path, split: str) -> dict[str, list[Any]]:
    """Read ``<split>.json``: the labels, or the events, of each clip by its file name.

    Args:
        folder: A task folder or a folder of its embeddings.
        split: Name of the split.

    Raises:
        ValueError: If the file, or the metadata beside it, cannot be read or holds something else;
            names the clip.
    """
    metadata, path = TaskMetadata.read(folder), folder / f"{split}.json"
    entries = read_object(path)
    for name, labels in entries.items():
        problem = label_problem(name, labels, is_event=metadata.is_event)
        if problem is not None:
            raise InvalidError(f"{path}: {problem[1]}; see 'hear-fusion tasks check'")
        if metadata.is_single_label and len(labels) != 1:
            raise InvalidError(
                f"{path}: {name!r} must have exactly one label in a multiclass task, got "
                f"{shown(labels)}; see 'hear-fusion tasks check'"
            )
    return entries
