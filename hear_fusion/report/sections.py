"""Sections that others add to the page, each in a JSON file of its own between two commands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hear_fusion.errors import InvalidError
from hear_fusion.files.records import is_current, write_record
from hear_fusion.files.space import make_folder
from hear_fusion.report.formats import Cell, Number, Table
from hear_fusion.report.labels import slug

SECTIONS_FOLDER = "sections"
LOCK_FILE = ".hear-fusion.lock"  # in a folder of the user's, for as long as it is written to
# Counts up when a file of today could no longer be read.
_BROKEN = (OSError, UnicodeError, json.JSONDecodeError, TypeError, KeyError, AttributeError)


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
        name: Stem of its file; no two sections of a results folder share one.
        title: Its heading.
        paragraphs: Plain text; the page escapes it.
        tables: Tables.
        pictures: Drawings; the page shows them as images, so that no script in them runs.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=())
    pictures: tuple[Picture, ...] = field(default=())


def write_section(section: Section, results: Path) -> Path:
    """Write a section for 'hear-fusion report' to find, whole or not at all.

    Args:
        section: Takes the place of one of the same name.
        results: The results folder; made if absent.

    Returns:
        ``<results>/sections/<name>.json``.
    """
    record = asdict(section)
    for table in record["tables"]:
        table["strong"] = sorted(table["strong"])
    folder = results / SECTIONS_FOLDER
    make_folder(folder)
    return write_record(folder / f"{section.name}.json", record)


def read_sections(results: Path) -> list[Section]:
    """Read all sections of a results folder, in the order of their names.

    A file without a format number is from before there was one, and left out.

    Raises:
        ValueError: If a file holds no section, or one of a newer format.
    """
    sections = []
    for path in sorted((results / SECTIONS_FOLDER).glob("[!.]*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if is_current(record.get("format"), path):
                sections.append(_section(path.stem, record))
        except _BROKEN as err:
            raise InvalidError(
                f"{path} must be a section of the page, got {type(err).__name__}: {err}; "
                "delete it or make it again"
            ) from err
    return sections


def _section(name: str, record: dict[str, Any]) -> Section:
    return Section(
        slug(name),
        record["title"],
        tuple(record["paragraphs"]),
        tuple(_table(table) for table in record["tables"]),
        tuple(_picture(picture) for picture in record["pictures"]),
    )


def _table(record: dict[str, Any]) -> Table:
    return Table(
        slug(record["name"]),
        record["title"],
        record["caption"],
        tuple(record["head"]),
        tuple(tuple(_cell(cell) for cell in row) for row in record["rows"]),
        frozenset(record["strong"]),
    )


def _picture(record: dict[str, Any]) -> Picture:
    return Picture(slug(record["name"]), record["title"], record["caption"], record["svg"])


def _cell(record: Any) -> Cell:
    if not isinstance(record, dict):
        return str(record)
    return Number(*(record[name] for name in ("value", "low", "high", "digits", "signed")))
