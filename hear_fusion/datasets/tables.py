"""Tables and lists of a data set: which clip is in which split, as its makers wrote it down."""

from __future__ import annotations

from collections.abc import Mapping

from hear_fusion.datasets.base import fold_name
from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.texts import csv_rows, decoded


def rows(texts: Mapping[str, bytes], name: str, *columns: str) -> list[dict[str, str]]:
    """Read a CSV file with a header; also one with a mark, or in UTF-16, as Excel writes them.

    Args:
        texts: Content of files by name.
        name: Which of them to read.
        columns: Columns that it must have.

    Raises:
        ValueError: If one of them is not there, or there is no row, or one is cut short.
    """
    header, *table = csv_rows(decoded(texts[name], name, lenient=True), name) or [[]]
    if not table or not set(columns) <= set(header):
        got = shown(", ".join(header)) if table else "no rows"
        raise InvalidError(f"{name} must have columns {', '.join(columns)}, got {got}")
    for row in table:
        if len(row) < len(header):
            raise InvalidError(
                f"{name} must have {len(header)} cells in every row, got {shown(row)}"
            )
    return [dict(zip(header, row, strict=False)) for row in table if any(row)]


def lines(texts: Mapping[str, bytes], name: str) -> list[str]:
    """Return the lines of a text that hold something.

    Args:
        texts: Content of files by name.
        name: Which of them to read.
    """
    text = decoded(texts[name], name, lenient=True)
    return [line.strip() for line in text.splitlines() if line.strip()]


def fold_of(row: Mapping[str, str], name: str) -> str:
    """Name the split of a row with the number of its fold.

    Args:
        row: The row, with a column "fold".
        name: The file that it is in.

    Raises:
        ValueError: If that is no number.
    """
    if not row["fold"].strip().isdecimal():
        raise InvalidError(f"{name} must have whole numbers as folds, got {shown(row['fold'])}")
    return fold_name(int(row["fold"]))
