"""What a HEAR task folder says about itself, and the rules it must keep.

The official tools check little of this and late: a wrong word in the metadata fails after the
embeddings have been computed. So every rule is checked before the first sound is written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SAMPLE_RATES = (16000, 22050, 32000, 44100, 48000)
SCORES = (
    "top1_acc",
    "pitch_acc",
    "chroma_acc",
    "event_onset_200ms_fms",
    "event_onset_50ms_fms",
    "event_onset_offset_50ms_20perc_fms",
    "segment_1s_er",
    "mAP",
    "d_prime",
    "aucroc",
)
# heareval reads the vocabulary with pandas, which turns these words into missing values.
_PANDAS_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
TRAIN_VALID_TEST = ("train", "valid", "test")
# heareval sorts fold names as strings: without the padding fold10 would come before fold2.
_FOLD = re.compile(r"fold\d\d")


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

    Args:
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


def label_vocabulary(labels: Sequence[str | int]) -> list[str]:
    """Sort the distinct labels as ``labelvocabulary.csv`` lists them.

    A vocabulary of numbers alone is sorted by value, so that an index is a pitch's place.

    Args:
        labels: Labels of all clips of all splits, repeated as often as they occur.

    Returns:
        Distinct labels as text.

    Raises:
        ValueError: If pandas, with which heareval reads the file, would change a label.

    >>> label_vocabulary([60, 9, 60])
    ['9', '60']
    """
    words = {str(label) for label in labels}
    changed = sorted(words & _PANDAS_MISSING)
    if changed:
        raise ValueError(
            f"labels must not be words that pandas reads as missing, got {changed}; rename them"
        )
    changed = sorted(words - {"True", "False"})
    if changed and {word.lower() for word in words} <= {"true", "false"}:
        raise ValueError(f"labels must not be read as truth values, got {changed}; rename them")
    if not all(_is_number(word) for word in words):
        return sorted(words)
    changed = sorted(word for word in words if not word.isdecimal() or str(int(word)) != word)
    if changed:
        raise ValueError(
            "labels that are all numbers must be whole ones without leading zeros, "
            f"got {changed}; heareval would read them as other labels"
        )
    return sorted(words, key=int)


def check_metadata(metadata: TaskMetadata) -> None:
    """Raise ValueError where heareval would refuse the metadata, or misread it."""
    for problem in metadata_problems(metadata):
        raise ValueError(problem)


def metadata_problems(metadata: TaskMetadata) -> Iterator[str]:
    """Tell every rule that the metadata breaks."""
    if not re.fullmatch(r"[\w.-]+", metadata.folder_name):
        yield (
            "task_name, version and mode must be letters, digits, '_', '.' and '-', "
            f"got {metadata.folder_name!r}"
        )
    if metadata.split_mode == "trainvaltest":
        if metadata.splits != TRAIN_VALID_TEST:
            yield f"splits must be {TRAIN_VALID_TEST}, got {metadata.splits}"
    elif (
        len(set(metadata.splits)) != len(metadata.splits)
        or len(metadata.splits) < 3
        or not all(_FOLD.fullmatch(name) for name in metadata.splits)
    ):
        yield f"splits must be three or more of fold00, fold01, ..., got {metadata.splits}"
    unknown = [name for name in metadata.evaluation if name not in SCORES]
    if unknown or not metadata.evaluation:
        yield f"evaluation must name scores out of {', '.join(SCORES)}, got {metadata.evaluation}"
    if metadata.sample_duration is not None and not metadata.sample_duration > 0:
        yield f"sample_duration must be seconds above 0 or None, got {metadata.sample_duration}"


def check_clips(metadata: TaskMetadata, clips: Sequence[Clip]) -> None:
    """Raise ValueError where a clip's name, split or labels break the task's rules."""
    for problem in clip_problems(metadata, clips):
        raise ValueError(problem)
    if "chroma_acc" in metadata.evaluation:
        for problem in chroma_problems(
            label_vocabulary([label for clip in clips for label in clip.labels])
        ):
            raise ValueError(problem)


def clip_problems(metadata: TaskMetadata, clips: Sequence[Clip]) -> Iterator[str]:
    """Tell every rule that clips break, each with the name of the file."""
    stems: set[str] = set()
    for clip in clips:
        stem = clip.filename.removesuffix(".wav")
        if not stem or stem == clip.filename or re.search(r"[/\\\0]", stem):
            yield f"filename must be a bare name that ends in .wav, got {clip.filename!r}"
        if stem in stems:
            yield f"filename must be unique in all splits of a task, got {clip.filename!r} twice"
        stems.add(stem)
        if clip.split not in metadata.splits:
            yield (
                f"split must be one of {metadata.splits}, got {clip.split!r} for {clip.filename!r}"
            )
        if metadata.embedding_type == "scene":
            yield from _label_problems(metadata, clip)
        else:
            yield from _event_problems(metadata, clip)
    filled = {clip.split for clip in clips}
    empty = [name for name in metadata.splits if name not in filled]
    if empty:
        yield f"clips must fill every split, got none for {empty}"


def _label_problems(metadata: TaskMetadata, clip: Clip) -> Iterator[str]:
    if clip.events:
        yield f"events must be empty in a scene task, got some for {clip.filename!r}"
    if metadata.prediction_type == "multiclass" and len(clip.labels) != 1:
        yield (
            f"labels must hold exactly one label in a multiclass task, got {clip.labels} "
            f"for {clip.filename!r}"
        )


def _event_problems(metadata: TaskMetadata, clip: Clip) -> Iterator[str]:
    if clip.labels:
        yield f"labels must be empty in an event task, got some for {clip.filename!r}"
    limit_s = metadata.sample_duration
    limit_ms = float("inf") if limit_s is None else 1000 * limit_s
    for event in clip.events:
        if not 0 <= event.start_ms < event.end_ms <= limit_ms:
            yield (
                "events must keep 0 <= start < end <= the clip's duration in milliseconds, "
                f"got {event.start_ms} to {event.end_ms} in {clip.filename!r}"
            )


def chroma_problems(vocabulary: Sequence[str]) -> Iterator[str]:
    """Tell if a label's index modulo 12 is not its pitch class, shifted.

    Args:
        vocabulary: Labels in the order of their indices.
    """
    numbers = [int(word) for word in vocabulary if word.isdecimal()]
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(vocabulary))):
        yield (
            "labels must be successive whole numbers where chroma_acc is a score "
            f"(it takes a label's index modulo 12), got {list(vocabulary)}"
        )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
