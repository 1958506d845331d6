"""Check what a task folder says: metadata, vocabulary, and the labels of every split."""

import csv
import json
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from hear_fusion.tasks.findings import Finding, TaskTexts, error, note
from hear_fusion.tasks.folders import METADATA_FILE, VOCABULARY_FILE
from hear_fusion.tasks.rules import clip_problems, metadata_problems
from hear_fusion.tasks.schema import TRAIN_VALID_TEST, Clip, Event, TaskMetadata
from hear_fusion.tasks.vocabulary import chroma_problems, label_vocabulary

# heareval reads these without a default.
_REQUIRED = ("task_name", "embedding_type", "prediction_type", "split_mode", "splits")
_WORDS = {
    "embedding_type": ("scene", "event"),
    "prediction_type": ("multiclass", "multilabel"),
    "split_mode": ("trainvaltest", "presplit_kfold", "new_split_kfold"),
}


def check_texts(task: Path) -> TaskTexts:
    """Check the text files of a task folder.

    Returns:
        What they say and all findings; ``metadata`` is None where no more can be checked.
    """
    findings: list[Finding] = []
    raw = _read_json(task / METADATA_FILE, findings)
    metadata = _metadata(raw, findings) if raw is not None else None
    if raw is None or metadata is None:
        return TaskTexts(None, (), (), tuple(findings))
    vocabulary = _vocabulary(task / VOCABULARY_FILE, findings)
    clips: list[Clip] = []
    for split in metadata.splits:
        content = _read_json(task / f"{split}.json", findings)
        for name, labels in (content or {}).items():
            clip = _clip(metadata, name, split, labels, findings)
            if clip is not None:
                clips.append(clip)
    findings += [error("clips", METADATA_FILE, what) for what in clip_problems(metadata, clips)]
    findings += _label_findings(metadata, clips, vocabulary)
    for file in sorted(task.glob("*.json")):
        if file.stem not in metadata.splits and file.name != METADATA_FILE:
            findings.append(note("surplus", file.name, "is not the file of a split; not read"))
    return TaskTexts(metadata, tuple(clips), tuple(vocabulary), tuple(findings))


def _read_json(path: Path, findings: list[Finding]) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        findings.append(error("unreadable", path.name, f"must be readable JSON: {err}"))
        return None
    if not isinstance(content, dict):
        findings.append(error("unreadable", path.name, "must hold a JSON object"))
        return None
    return content


def _metadata(raw: Mapping[str, Any], findings: list[Finding]) -> TaskMetadata | None:
    before = len(findings)
    findings += [error("metadata", METADATA_FILE, what) for what in _raw_problems(raw)]
    if len(findings) > before:
        return None
    splits = tuple(raw["splits"])
    if raw["split_mode"] == "trainvaltest" and sorted(splits) == sorted(TRAIN_VALID_TEST):
        splits = TRAIN_VALID_TEST  # heareval takes them by name
    metadata = TaskMetadata(
        task_name=raw["task_name"],
        version=str(raw.get("version", "v0")),
        mode=str(raw.get("mode", "full")),
        embedding_type=raw["embedding_type"],
        prediction_type=raw["prediction_type"],
        splits=splits,
        sample_duration=raw["sample_duration"],
        evaluation=tuple(raw["evaluation"]),
        split_mode=raw["split_mode"],
        evaluation_params=raw.get("evaluation_params") or {},
    )
    problems = [*metadata_problems(metadata), *_combination_problems(metadata)]
    findings += [error("metadata", METADATA_FILE, what) for what in problems]
    return metadata


def _raw_problems(raw: Mapping[str, Any]) -> Iterator[str]:
    missing = [key for key in (*_REQUIRED, "sample_duration", "evaluation") if key not in raw]
    if missing:
        yield f"must have the keys {', '.join(missing)}"
    for key, words in _WORDS.items():
        if key in raw and raw[key] not in words:
            yield f"{key} must be one of {', '.join(words)}, got {raw[key]!r}"
    if not isinstance(raw.get("task_name", ""), str):
        yield f"task_name must be text, got {raw['task_name']!r}"
    for key in ("splits", "evaluation"):
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            yield f"{key} must be a list of names, got {value!r}"
    duration = raw.get("sample_duration")
    if duration is not None and not _is_number(duration):
        yield f"sample_duration must be a number of seconds or null, got {duration!r}"
    params = raw.get("evaluation_params", {})
    if not isinstance(params, dict):
        yield f"evaluation_params must be an object, or be left out, got {params!r}"
        return
    for key in ("task_specific_param_grid", "event_postprocessing_grid"):
        grid = params.get(key, {})
        if not isinstance(grid, dict) or not all(isinstance(v, list) and v for v in grid.values()):
            yield f"evaluation_params.{key} must be an object of lists, got {grid!r}"


def _combination_problems(metadata: TaskMetadata) -> Iterator[str]:
    events = metadata.embedding_type == "event"
    for score in metadata.evaluation:
        if score.startswith(("event_", "segment_")) != events:
            yield f"evaluation must suit {metadata.embedding_type} embeddings, got {score}"
    if events and metadata.prediction_type != "multilabel":
        yield "prediction_type must be multilabel for events: moments may hold none or several"


def _vocabulary(path: Path, findings: list[Finding]) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        by_index = {int(row["idx"]): row["label"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as err:
        what = f"must be readable with the columns idx and label, idx in whole numbers: {err!r}"
        findings.append(error("vocabulary", path.name, what))
        return []
    if sorted(int(row["idx"]) for row in rows) != list(range(len(rows))) or not rows:
        what = f"idx must count 0, 1, 2, ... once each, got {[row['idx'] for row in rows]}"
        findings.append(error("vocabulary", path.name, what))
    vocabulary = [by_index[index] or "" for index in sorted(by_index)]
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
    where = f"{split}.json"
    if not isinstance(labels, list):
        findings.append(error("labels", where, f"{name!r} must have a list, got {labels!r}"))
        return None
    if metadata.embedding_type == "scene":
        if all(_is_label(label) for label in labels):
            return Clip(name, split, labels=tuple(labels))
        what = f"labels of {name!r} must be text or whole numbers, got {labels!r}"
        findings.append(error("labels", where, what))
        return None
    events = []
    for event in labels:
        if not _is_event(event):
            what = f"events of {name!r} must have label, start and end in ms, got {event!r}"
            findings.append(error("events", where, what))
            return None
        events.append(Event(event["label"], event["start"], event["end"]))
    return Clip(name, split, events=tuple(events))


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


def _is_label(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_event(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _is_label(value.get("label"))
        and _is_number(value.get("start"))
        and _is_number(value.get("end"))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
