"""Sections that others add to the page, each in a JSON file of its own between two commands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hear_fusion.errors import InvalidError
from hear_fusion.files.records import NewerFormatError, is_current, to_record, write_record
from hear_fusion.files.space import make_folder
from hear_fusion.report.formats import Table
from hear_fusion.report.labels import slug

SECTIONS_FOLDER = "sections"
LOCK_FILE = ".hear-fusion.lock"  # in a folder of the user's, for as long as it is written to


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
        except NewerFormatError:
            raise
        except (OSError, ValueError, AttributeError, RecursionError) as err:
            raise InvalidError(
                f"{path} must be a section of the page, got {type(err).__name__}: {err}; "
                "delete it or make it again"
            ) from err
    return sections


def _section(name: str, record: dict[str, Any]) -> Section:
    section = to_record(Section, record)
    for table in section.tables:
        if any(len(row) != len(table.head) for row in table.rows):
            raise InvalidError(f"rows of {table.name} must be as long as its head")
    # Names become those of files.
    return replace(
        section,
        name=slug(name),
        tables=tuple(replace(table, name=slug(table.name)) for table in section.tables),
        pictures=tuple(replace(one, name=slug(one.name)) for one in section.pictures),
    )
