"""Sheets that say something of the files of a table: a column of a CSV, by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.errors import InvalidError
from hear_fusion.files.texts import decoded, numbered_rows

_FILE_COLUMNS = ("file", "path", "filename")


def read_column(sheet: Path, column: str | None = None) -> dict[str, str]:
    """Read what a sheet says of each file.

    Args:
        sheet: A CSV whose header has ``file``, ``path`` or ``filename``.
        column: The column that is wanted; None: which files there are is enough.

    Raises:
        ValueError: If a column is not there, a row is too short, or a file is told of twice in
            different words; the message names it.
    """
    lines = numbered_rows(decoded(sheet.read_bytes(), str(sheet)), str(sheet))
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    at = next((header.index(name) for name in _FILE_COLUMNS if name in header), None)
    if at is None or (column is not None and column not in header):
        wanted = "file" if at is None else column
        raise InvalidError(f"{sheet} must have a column {wanted!r}, got {header}; name another")
    value_at = at if column is None else header.index(column)
    found: dict[str, str] = {}
    for line, row in lines[1:]:
        if len(row) <= max(at, value_at):
            raise InvalidError(
                f"{sheet}, line {line}, must have {len(header)} cells, got {len(row)}; complete it"
            )
        file, value = row[at].strip(), row[value_at].strip()
        if found.setdefault(file, value) != value:
            raise InvalidError(
                f"{sheet}, line {line}, must say of {file} what it said before, {found[file]!r}, "
                f"got {value!r}"
            )
    return found


def rows_of(segments: Sequence[Segment], column: Mapping[str, str]) -> list[str | None]:
    """Find what a sheet says of each row: by the path of its file, or by the end of it.

    Args:
        segments: What the rows are of.
        column: By file what is said of it.

    Returns:
        Of each row what is said; None where nothing is.

    Raises:
        ValueError: If the sheet tells of none of them.

    >>> rows_of([Segment("sounds/a/b.wav"), Segment("c.wav")], {"a/b.wav": "test"})
    ['test', None]
    """
    found = [_of(PurePath(segment.path), column) for segment in segments]
    if all(value is None for value in found):
        raise InvalidError(
            f"the sheet must tell of files of the table, such as {segments[0].path}, got "
            f"{next(iter(column), 'none')}"
        )
    return found


def _of(path: PurePath, column: Mapping[str, str]) -> str | None:
    parts = path.parts
    ends = (str(PurePath(*parts[i:])) for i in range(len(parts)))
    return next((column[end] for end in ends if end in column), None)
