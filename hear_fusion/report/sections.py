"""Sections that others add to the page, each in a JSON file of its own between two commands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hear_fusion.files.atomic import write_whole
from hear_fusion.report.formats import Cell, Number, Table
from hear_fusion.report.labels import slug

SECTIONS_FOLDER = "sections"
# Counts up when a file of today could no longer be read.
_FORMAT = 1


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
    record = {"format": _FORMAT, **asdict(section)}
    for table in record["tables"]:
        table["strong"] = sorted(table["strong"])
    folder = results / SECTIONS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return write_whole(folder / f"{section.name}.json", json.dumps(record, indent=1) + "\n")


def read_sections(results: Path) -> list[Section]:
    """Read all sections of a results folder, in the order of their names.

    A file without a format number is from before there was one, and left out.

    Raises:
        ValueError: If a file holds no section, or one of a newer format.
    """
    sections = []
    for path in sorted((results / SECTIONS_FOLDER).glob("*.json")):
        record = _read_record(path)
        if record is None:
            continue
        try:
            sections.append(_section(path.stem, record))
        except (ValueError, TypeError, KeyError, AttributeError) as err:
            raise _refusal(path, f"{type(err).__name__}: {err}") from err
    return sections


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        number = record.get("format")
        newer = number is not None and number > _FORMAT
    except (OSError, ValueError, TypeError, AttributeError) as err:
        raise _refusal(path, str(err)) from err
    if newer:
        raise _refusal(path, f"format {number}", "update hear_fusion, which is older")
    return None if number is None else record


def _refusal(path: Path, found: str, step: str = "delete it or make it again") -> ValueError:
    return ValueError(
        f"{path} must be a section of the page in format {_FORMAT}, got {found}; {step}"
    )


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
