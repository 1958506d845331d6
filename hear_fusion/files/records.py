"""Files of our own: JSON objects that tell their format, and typed records made of them.

A file without the number is from before there was one, and is made anew like one that is cut off.
One with a greater number belongs to a newer version and is neither read nor replaced. Within a
format fields may be added, so that unknown ones are no error.
"""

from __future__ import annotations

import contextlib
import json
import reprlib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hear_fusion.errors import HearFusionError
from hear_fusion.files.atomic import write_whole

FORMAT = 1
Record = TypeVar("Record")


class NewerFormatError(HearFusionError, ValueError):
    """A file is of a newer version of this package."""


def write_record(path: Path, content: Mapping[str, Any]) -> Path:
    """Write a file of our own, whole or not at all.

    Args:
        path: The file; its folder must exist.
        content: What JSON can hold.

    Returns:
        The file.
    """
    return write_whole(path, json.dumps({"format": FORMAT, **content}, indent=1) + "\n")


def read_record(path: Path) -> dict[str, Any] | None:
    """Read a file of our own.

    Returns:
        Its content; None where it is to be made anew, since it is absent, damaged or from before.

    Raises:
        NewerFormatError: If it is of a newer version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not is_current(content.get("format"), path):
        return None
    return content


def is_current(number: object, path: Path) -> bool:
    """Tell whether the format that a file tells is the one in use.

    Args:
        number: What it tells, whatever that is.
        path: The file.

    Raises:
        NewerFormatError: If the format is a newer one.
    """
    if type(number) is int and number > FORMAT:
        raise NewerFormatError(
            f"{path} must be of format {FORMAT}, got {number}, of a newer version; install a newer "
            "hear_fusion or choose another folder"
        )
    return type(number) is int and number == FORMAT


def to_record(kind: type[Record], content: Any) -> Record:
    """Make a dataclass of what a JSON file holds, with the types that its fields tell.

    Args:
        kind: The dataclass; its fields may be dataclasses, sequences and mappings of others.
        content: A JSON object; what is no field is left out.

    Raises:
        ValueError: If a field without a default is absent, or a value is of another type.

    >>> from dataclasses import make_dataclass
    >>> Range = make_dataclass("Range", [("low", float), ("by_layer", dict[int, str])])
    >>> to_record(Range, {"format": 1, "low": 2, "by_layer": {"3": "a"}, "unknown": None})
    Range(low=2.0, by_layer={3: 'a'})
    """
    record: Record = _convert(kind, content, kind.__name__)
    return record


def _convert(kind: Any, value: Any, name: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or (origin is Literal and value in args):
        return value
    if origin in (Union, UnionType):
        for option in args:
            with contextlib.suppress(ValueError):
                return _convert(option, value, name)
    elif is_dataclass(kind) and isinstance(value, dict):
        return _convert_fields(kind, value, name)
    elif origin in (tuple, list, frozenset) and isinstance(value, list):
        return origin(_convert(args[0], item, name) for item in value)
    elif origin in (dict, Mapping) and isinstance(value, dict):
        # JSON makes texts of numbers where they are keys.
        return {
            int(key) if args[0] is int else key: _convert(args[1], item, f"{name}.{key}")
            for key, item in value.items()
        }
    elif kind is float and type(value) is int:
        return float(value)
    elif origin is None and isinstance(value, kind) and (kind is bool or type(value) is not bool):
        return value
    type_name = kind.__name__ if isinstance(kind, type) else kind
    raise ValueError(f"{name} must be of type {type_name}, got {reprlib.repr(value)}")


def _convert_fields(kind: Any, content: Mapping[str, Any], name: str) -> Any:
    hints = get_type_hints(kind)
    needed = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }
    absent = sorted(needed - content.keys())
    if absent:
        raise ValueError(f"{name} must have {', '.join(absent)}, got {reprlib.repr(content)}")
    given = hints.keys() & content.keys()
    return kind(**{key: _convert(hints[key], content[key], f"{name}.{key}") for key in given})
