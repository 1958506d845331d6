"""``errors.csv`` beside a table: the segments that have no rows in it, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.texts import csv_rows, decoded

ERRORS_FILE = "errors.csv"
_HEADER = ["table", "path", "start", "stop", "id", "error"]


def write_failures(out: Path, failures: Sequence[tuple[Segment, str]]) -> Path | None:
    """Write why segments of a table failed; lines of other tables in the file stay.

    Args:
        out: The table.
        failures: Segments, and what is wrong with each.

    Returns:
        The file; None if there is nothing to tell, and no file.

    Raises:
        UnwritableError: If the disk does not take it.
    """
    path = out.with_name(ERRORS_FILE)
    others = [row for row in _rows(path) if row[0] != out.name]
    own = [
        [out.name, segment.path, _cell(segment.start), _cell(segment.stop), segment.id, why]
        for segment, why in failures
    ]
    if not others and not own:
        path.unlink(missing_ok=True)
        return None
    text = io.StringIO()
    csv.writer(text).writerows([_HEADER, *others, *own])
    return write_whole(path, text.getvalue().encode("utf-8", "backslashreplace"))


def _rows(path: Path) -> list[list[str]]:
    try:
        header, *rows = csv_rows(decoded(path.read_bytes(), str(path)), str(path))
    except (OSError, InvalidError, ValueError):
        return []
    return [row for row in rows if len(row) == len(_HEADER)] if header == _HEADER else []


def _cell(seconds: float | None) -> str:
    return "" if seconds is None else repr(seconds)
