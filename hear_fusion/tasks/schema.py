"""What a HEAR task folder says about itself, as typed records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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

    def as_json(self) -> dict[str, object]:
        """Content of ``task_metadata.json``; the extras cannot replace an official key."""
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
        if self.split_mode != "trainvaltest":
            official["nfolds"] = len(self.splits)
        return {**self.extras, **official}
