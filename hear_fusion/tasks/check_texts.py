"""Check what a task folder says: metadata, vocabulary, and the labels of every split."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hear_fusion.tasks.content import REQUIRED_KEYS, content_problems, label_problem, parse_object
from hear_fusion.tasks.findings import Finding, TaskTexts, error, note
from hear_fusion.tasks.rules import metadata_problems, split_problems
from hear_fusion.tasks.schema import (
    METADATA_FILE,
    TRAIN_VALID_TEST,
    VOCABULARY_FILE,
    Clip,
    Event,
    TaskMetadata,
)
from hear_fusion.tasks.vocabulary import chroma_problems, label_vocabulary, vocabulary_rows

# heareval reads them as well, once it scores.
# A lone surrogate, which JSON can write, is no character of a file's name.
_NO_NAME = re.compile("[/\0\ud800-\udfff]")
_KEYS = (*REQUIRED_KEYS, "sample_duration", "evaluation")


def check_texts(task: Path) -> TaskTexts:
    """Check the text files of a task folder.

    Returns:
        What they say and all findings; ``metadata`` is None where no more can be checked.
    """
    findings: list[Finding] = []
    content = _read_json(task / METADATA_FILE, findings)
    metadata = None if content is None else _metadata(content, findings)
    if metadata is None:
        return TaskTexts(None, (), (), tuple(findings))
    vocabulary = _vocabulary(task / VOCABULARY_FILE, findings)
    clips: list[Clip] = []
    for split in metadata.splits:
        entries = _read_json(task / f"{split}.json", findings) or {}
        for name, labels in entries.items():
            clip = _clip(metadata, name, split, labels, findings)
            if clip is not None:
                clips.append(clip)
    findings += _name_findings(clips)
    problems = split_problems(metadata, clips)
    findings += [error("clips", METADATA_FILE, what) for what in problems]
    findings += _label_findings(metadata, clips, vocabulary)
    for file in sorted(task.glob("*.json")):
        if file.stem not in metadata.splits and file.name != METADATA_FILE:
            findings.append(note("surplus", file.name, "is not the file of a split; not read"))
    return TaskTexts(metadata, tuple(clips), tuple(vocabulary), tuple(findings))


def _read_json(path: Path, findings: list[Finding]) -> dict[str, Any] | None:
    try:
        return parse_object(path)
    except ValueError as err:
        findings.append(error("unreadable", path.name, str(err)))
        return None


def _metadata(content: Mapping[str, Any], findings: list[Finding]) -> TaskMetadata | None:
    problems = list(content_problems(content, _KEYS))
    metadata = None
    if not problems:
        metadata = TaskMetadata.of(content)
        if not metadata.is_kfold and sorted(metadata.splits) == sorted(TRAIN_VALID_TEST):
            metadata = replace(metadata, splits=TRAIN_VALID_TEST)  # heareval takes them by name
        problems += [*metadata_problems(metadata), *_combination_problems(metadata)]
    findings += [error("metadata", METADATA_FILE, what) for what in problems]
    return metadata


def _combination_problems(metadata: TaskMetadata) -> Iterator[str]:
    for score in metadata.evaluation:
        if score.startswith(("event_", "segment_")) != metadata.is_event:
            yield f"evaluation must suit {metadata.embedding_type} embeddings, got {score}"
    if metadata.is_event and metadata.prediction_type != "multilabel":
        yield "prediction_type must be multilabel for events: moments may hold none or several"


def _vocabulary(path: Path, findings: list[Finding]) -> list[str]:
    try:
        rows = vocabulary_rows(path)
    except ValueError as err:
        findings.append(error("vocabulary", path.name, str(err)))
        return []
    if sorted(index for index, _ in rows) != list(range(len(rows))) or not rows:
        what = f"idx must count 0, 1, 2, ... once each, got {[str(index) for index, _ in rows]}"
        findings.append(error("vocabulary", path.name, what))
    by_index = dict(rows)
    vocabulary = [by_index[index] for index in sorted(by_index)]
    double = sorted({label for label in vocabulary if vocabulary.count(label) > 1})
    if double:
        findings.append(error("vocabulary", path.name, f"labels must occur once, got {double}"))
    try:
        label_vocabulary(vocabulary)
    except ValueError as err:
        findings.append(error("vocabulary", path.name, str(err)))
    return vocabulary


def _clip(
    metadata: TaskMetadata, name: str, split: str, labels: Any, findings: list[Finding]
) -> Clip | None:
    problem = label_problem(name, labels, is_event=metadata.is_event)
    if problem is not None:
        rule, what = problem
        findings.append(error(rule, f"{split}.json", what))
        return None
    if not metadata.is_event:
        return Clip(name, split, labels=tuple(labels))
    events = (Event(event["label"], event["start"], event["end"]) for event in labels)
    return Clip(name, split, events=tuple(events))


def _name_findings(clips: list[Clip]) -> Iterator[Finding]:
    """Hold names against what heareval does with them, which is less strict than our writer."""
    seen: set[str] = set()
    for clip in clips:
        name = clip.filename
        if name in ("", ".", "..") or _NO_NAME.search(name):
            what = f"filename must be a bare name that ends in .wav, got {name!r}"
            yield error("clips", f"{clip.split}.json", what)
        elif name.lower().endswith(".raw"):
            what = f"filename must not end in .raw, which heareval cannot read, got {name!r}"
            yield error("clips", f"{clip.split}.json", what)
        if name in seen:
            what = f"filename must be unique in all splits of a task, got {name!r} twice"
            yield note("clips", f"{clip.split}.json", what)
        seen.add(name)


def _label_findings(
    metadata: TaskMetadata, clips: list[Clip], vocabulary: list[str]
) -> Iterator[Finding]:
    known, used = set(vocabulary), {split: set[str]() for split in metadata.splits}
    unknown: dict[str, tuple[Clip, int]] = {}
    for clip in clips:
        for label in {str(label) for label in (*clip.labels, *(e.label for e in clip.events))}:
            used[clip.split].add(label)
            if label not in known:
                first, n = unknown.get(label, (clip, 0))
                unknown[label] = first, n + 1
    for label, (first, n) in sorted(unknown.items()):
        what = f"label {label!r} of {n} clips, {first.filename!r} first, must be in it"
        yield error("vocabulary", VOCABULARY_FILE, what)
    blind = [score for score in metadata.evaluation if score in ("mAP", "d_prime", "aucroc")]
    for split, labels in used.items():
        absent = sorted(known - labels)
        if absent:
            some = ", ".join(absent[:5] + ["..."] * (len(absent) > 5))
            what = f"holds no clip of {len(absent)} labels ({some})"
            if blind:
                what += f": {', '.join(blind)} may be NaN or ill-defined"
            yield note("absent", f"{split}.json", what)
    if "chroma_acc" in metadata.evaluation and vocabulary:
        for what in chroma_problems(vocabulary):
            yield error("vocabulary", VOCABULARY_FILE, what)
    pitches = "pitch_acc" in metadata.evaluation and all(map(str.isdecimal, vocabulary))
    if pitches and vocabulary != sorted(vocabulary, key=int):
        yield note("vocabulary", VOCABULARY_FILE, "pitches are not sorted by value")
    late = [event.end_ms for clip in clips for event in clip.events]
    if late and metadata.sample_duration and max(late) <= metadata.sample_duration:
        yield note(
            "events", METADATA_FILE, "all events end early: times must be in ms, not seconds"
        )
