"""Sections that others add to the page, kept in a JSON file between two commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hear_fusion.files.atomic import write_whole
from hear_fusion.report.formats import Cell, Number, Table
from hear_fusion.report.labels import slug

SECTIONS_FILE = "compare.json"


@dataclass(frozen=True)
class Picture:
    """A drawing that is finished.

    Attributes:
        name: Stem of its file.
        title: One line, also read aloud in place of the drawing.
        caption: How to read it.
        svg: An SVG document.
    """

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        paragraphs: Plain text; the page escapes it.
        tables: Tables.
        pictures: Drawings; the page shows them as images, so that no script in them runs.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=())
    pictures: tuple[Picture, ...] = field(default=())


def write_sections(sections: Sequence[Section], path: Path) -> None:
    """Write sections for 'hear-fusion report' to find, whole or not at all.

    Args:
        sections: In the order of the page.
        path: ``compare.json`` in the results folder.
    """
    records = [asdict(section) for section in sections]
    for record in records:
        for table in record["tables"]:
            table["strong"] = sorted(table["strong"])
    write_whole(path, json.dumps(records, indent=1) + "\n")


def read_sections(path: Path) -> list[Section]:
    """Read what `write_sections` wrote.

    Raises:
        ValueError: If the file is not such a one.
    """
    try:
        return [_section(record) for record in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise ValueError(
            f"{path} must be a list of sections, got: {err}; delete it or make it again"
        ) from err


def _section(record: dict[str, Any]) -> Section:
    tables = tuple(
        Table(
            **{
                **table,
                "name": slug(table["name"]),
                "head": tuple(table["head"]),
                "rows": tuple(tuple(_cell(cell) for cell in row) for row in table["rows"]),
                "strong": frozenset(table["strong"]),
            }
        )
        for table in record["tables"]
    )
    pictures = tuple(
        Picture(**{**picture, "name": slug(picture["name"])}) for picture in record["pictures"]
    )
    return Section(record["title"], tuple(record["paragraphs"]), tables, pictures)


def _cell(cell: Any) -> Cell:
    return Number(**cell) if isinstance(cell, dict) else str(cell)
