"""Files of our own: JSON objects that tell their format, and typed records made of them.

A file without the number is from before there was one, and is made anew like one that is cut off.
One with a greater number belongs to a newer version and is neither read nor replaced. Within a
format fields may be added, so that unknown ones are no error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hear_fusion.errors import HearFusionError, InvalidError
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
    except (OSError, ValueError, RecursionError):
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
    try:
        return msgspec.convert(content, kind, str_keys=True)  # JSON makes texts of numbers in keys
    except msgspec.ValidationError as err:
        raise InvalidError(
            f"{kind.__name__} must have the fields of its format, got: {err}"
        ) from err
