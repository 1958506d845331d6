"""The JSON files of a task folder before they are records: what keeps them from being some."""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from hear_fusion.errors import InvalidError, shown

# heareval reads these without a default and before it scores anything.
REQUIRED_KEYS = ("task_name", "embedding_type", "prediction_type", "split_mode", "splits")
_LONGEST_SECONDS = 1e6  # eleven days
_WORDS = {
    "embedding_type": ("scene", "event"),
    "prediction_type": ("multiclass", "multilabel"),
    "split_mode": ("trainvaltest", "presplit_kfold", "new_split_kfold"),
}


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file of a task.

    Raises:
        ValueError: If the file cannot be read or holds no JSON object; names it.
    """
    try:
        return parse_object(path)
    except ValueError as err:
        raise InvalidError(f"{path} {err}; make the task anew") from err


def parse_object(path: Path) -> dict[str, Any]:
    """Read a JSON file of a task, for those who name the file themselves.

    Raises:
        ValueError: If the file cannot be read or holds no JSON object.
    """
    try:
        # As heareval reads it, which takes neither a byte-order mark nor another encoding.
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as err:
        raise InvalidError(f"must be readable JSON, got: {err}") from err
    if not isinstance(content, dict):
        raise InvalidError(f"must hold a JSON object, got {shown(content)}")
    return content


def content_problems(
    content: Mapping[str, Any], required: tuple[str, ...] = REQUIRED_KEYS
) -> Iterator[str]:
    """Tell what keeps the content of a ``task_metadata.json`` from being one.

    Args:
        content: What the file holds.
        required: Keys that it must have.
    """
    missing = [key for key in required if key not in content]
    if missing:
        yield f"must have the keys {', '.join(missing)}"
    for key, words in _WORDS.items():
        if key in content and content[key] not in words:
            yield f"{key} must be one of {', '.join(words)}, got {shown(content[key])}"
    if not isinstance(content.get("task_name", ""), str):
        yield f"task_name must be text, got {shown(content['task_name'])}"
    for key in ("splits", "evaluation"):
        names = content.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield f"{key} must be a list of names, got {shown(names)}"
    duration = content.get("sample_duration")
    if duration is not None and not is_number(duration):
        yield f"sample_duration must be a number of seconds or null, got {shown(duration)}"
    elif duration is not None and not 0 < duration <= _LONGEST_SECONDS:
        yield f"sample_duration must be seconds above 0 or None, got {shown(duration)}"
    params = content.get("evaluation_params", {})
    if not isinstance(params, dict):
        yield f"evaluation_params must be an object, or be left out, got {shown(params)}"
        return
    for key in ("task_specific_param_grid", "event_postprocessing_grid"):
        grid = params.get(key, {})
        if not isinstance(grid, dict) or not all(isinstance(v, list) and v for v in grid.values()):
            yield f"evaluation_params.{key} must be an object of lists, got {shown(grid)}"


def is_number(value: object) -> bool:
    """Tell whether a value out of a JSON file is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def label_problem(name: str, labels: object, *, is_event: bool) -> tuple[str, str] | None:
    """Tell what keeps the labels of a clip, or its events, from being some.

    Args:
        name: The clip.
        labels: What the text of its split says of it.
        is_event: Whether it ought to have events.

    Returns:
        What they are, and the problem; None if there is none.
    """
    if not isinstance(labels, list):
        return "labels", f"{name!r} must have a list, got {shown(labels)}"
    if not is_event:
        if all(map(_is_label, labels)):
            return None
        return "labels", f"labels of {name!r} must be text or whole numbers, got {shown(labels)}"
    odd = [event for event in labels if not _is_event(event)]
    if not odd:
        return None
    rule = "must have label, start and end in ms"
    return "events", f"events of {name!r} {rule}, got {shown(odd[0])}"


def _is_label(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_event(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _is_label(value.get("label"))
        and is_number(value.get("start"))
        and is_number(value.get("end"))
    )
