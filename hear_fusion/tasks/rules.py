"""The rules that a HEAR task must keep.

The official tools check little of this and late: a wrong word in the metadata fails after the
embeddings have been computed. So every rule is checked before the first sound is written.
"""

import re
from collections.abc import Iterator, Sequence

from hear_fusion.errors import InvalidError
from hear_fusion.tasks.schema import TRAIN_VALID_TEST, Clip, TaskMetadata
from hear_fusion.tasks.vocabulary import chroma_problems, label_vocabulary

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


# heareval sorts fold names as strings: without the padding fold10 would come before fold2.
_FOLD = re.compile(r"fold\d\d")


def check_metadata(metadata: TaskMetadata) -> None:
    """Raise ValueError where heareval would refuse the metadata, or misread it."""
    for problem in metadata_problems(metadata):
        raise InvalidError(problem)


def metadata_problems(metadata: TaskMetadata) -> Iterator[str]:
    """Tell every rule that the metadata breaks."""
    if not re.fullmatch(r"[\w.-]+", metadata.folder_name):
        yield (
            "task_name, version and mode must be letters, digits, '_', '.' and '-', "
            f"got {metadata.folder_name!r}"
        )
    if not metadata.is_kfold:
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
        raise InvalidError(problem)
    if "chroma_acc" in metadata.evaluation:
        for problem in chroma_problems(
            label_vocabulary([label for clip in clips for label in clip.labels])
        ):
            raise InvalidError(problem)


def clip_problems(metadata: TaskMetadata, clips: Sequence[Clip]) -> Iterator[str]:
    """Tell every rule that clips of our own break, each with the name of the file."""
    stems: set[str] = set()
    for clip in clips:
        stem = clip.filename.removesuffix(".wav")
        if not stem or stem == clip.filename or re.search(r"[/\\\0]", stem):
            yield f"filename must be a bare name that ends in .wav, got {clip.filename!r}"
        if stem in stems:
            yield f"filename must be unique in all splits of a task, got {clip.filename!r} twice"
        stems.add(stem)
    yield from split_problems(metadata, clips)


def split_problems(metadata: TaskMetadata, clips: Sequence[Clip]) -> Iterator[str]:
    """Tell every rule that splits and labels of clips break, whatever their names."""
    for clip in clips:
        if clip.split not in metadata.splits:
            yield (
                f"split must be one of {metadata.splits}, got {clip.split!r} for {clip.filename!r}"
            )
        if metadata.is_event:
            yield from _event_problems(metadata, clip)
        else:
            yield from _label_problems(metadata, clip)
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
