"""Formats of our own files, and records of the types that their fields tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from hear_fusion.files.records import NewerFormatError, read_record, to_record, write_record
from tests.files.damaged import DAMAGES, NEWER_WORDS, newer, with_more


@dataclass(frozen=True)
class Point:
    x: float
    label: str | None = None


@dataclass(frozen=True)
class Path2d:
    kind: Literal["open", "closed"]
    points: tuple[Point, ...]
    by_layer: Mapping[int, Point] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    strong: frozenset[int] = frozenset()
    cells: list[list[int | str]] = field(default_factory=list)
    wide: bool = False
    turns: int = 0


GOOD = {"kind": "open", "points": [{"x": 1.5, "label": "a"}, {"x": 2}]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_record(tmp_path / "own.json", {"a": 1})


def test_a_record_is_read_as_it_was_written(path: Path) -> None:
    assert json.loads(path.read_text()) == {"format": 1, "a": 1}
    assert read_record(path) == {"format": 1, "a": 1}
    with_more(path)
    assert read_record(path) == {"format": 1, "a": 1, "added_since": {"a": [1]}}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_or_from_before_is_to_be_made_anew(path: Path, damage: str) -> None:
    DAMAGES[damage](path)
    assert read_record(path) is None


def test_a_newer_format_is_refused(path: Path) -> None:
    newer(path)
    with pytest.raises(NewerFormatError, match=f"{path} {NEWER_WORDS}"):
        read_record(path)


def test_fields_get_their_types() -> None:
    more = {
        "by_layer": {"12": {"x": 0}},
        "options": {"x": [None]},
        "strong": [1, 2],
        "cells": [[1, "b"]],
        "wide": True,
        "format": 1,
    }
    point = Point(1.5, "a")
    assert to_record(Path2d, GOOD) == Path2d("open", (point, Point(2.0)))
    assert to_record(Path2d, GOOD | more) == Path2d(
        "open",
        (point, Point(2.0)),
        {12: Point(0.0)},
        {"x": [None]},
        frozenset({1, 2}),
        [[1, "b"]],
        True,
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "Path2d must have the fields of its format, got: Expected `object`, got `array`"),
        ({}, "missing required field `kind`"),
        (GOOD | {"kind": "round"}, r"'round' - at `\$.kind`"),
        (GOOD | {"points": {}}, r"Expected `array`, got `object` - at `\$.points`"),
        (GOOD | {"points": [{}]}, r"missing required field `x` - at `\$.points\[0\]`"),
        (GOOD | {"points": [{"x": "1"}]}, r"Expected `float`, got `str` - at `\$.points\[0\].x`"),
        (GOOD | {"points": [{"x": True}]}, "Expected `float`, got `bool`"),
        (GOOD | {"points": [{"x": 1, "label": 3}]}, r"Expected `str \| null`, got `int`"),
        (
            GOOD | {"by_layer": {"a": {"x": 0}}},
            r"Expected `int`, got `str` - at `key` in",
        ),
        (GOOD | {"by_layer": {"1": 0}}, "Expected `object`, got `int`"),
        (GOOD | {"by_layer": []}, "Expected `object`, got `array`"),
        (GOOD | {"turns": True}, "Expected `int`, got `bool`"),
        (GOOD | {"wide": 1}, "Expected `bool`, got `int`"),
        (GOOD | {"cells": [[1.5]]}, r"Expected `int \| str`, got `float`"),
    ],
)
def test_other_types_are_named(content: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_record(Path2d, content)
