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
        ([], r"Path2d must be of type Path2d, got \[\]"),
        ({}, r"Path2d must have kind, points, got \{\}"),
        (GOOD | {"kind": "round"}, r"Path2d.kind must be of type .*'closed'\], got 'round'"),
        (GOOD | {"points": {}}, r"Path2d.points must be of type .*, got \{\}"),
        (GOOD | {"points": [{}]}, r"Path2d.points must have x"),
        (GOOD | {"points": [{"x": "1"}]}, r"Path2d.points.x must be of type float, got '1'"),
        (GOOD | {"points": [{"x": True}]}, r"points.x must be of type float, got True"),
        (GOOD | {"points": [{"x": 1, "label": 3}]}, r"label must be of type str \| None, got 3"),
        (GOOD | {"by_layer": {"a": {"x": 0}}}, "invalid literal"),
        (GOOD | {"by_layer": {"1": 0}}, r"by_layer.1 must be of type Point, got 0"),
        (GOOD | {"by_layer": []}, r"by_layer must be of type .*, got \[\]"),
        (GOOD | {"turns": True}, "turns must be of type int, got True"),
        (GOOD | {"wide": 1}, "wide must be of type bool, got 1"),
        (GOOD | {"cells": [[1.5]]}, r"cells must be of type int \| str, got 1.5"),
    ],
)
def test_other_types_are_named(content: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_record(Path2d, content)
