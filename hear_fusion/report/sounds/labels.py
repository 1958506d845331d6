"""Labels of sounds from a sheet of a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.texts import decoded, numbered_rows


@dataclass(frozen=True)
class Labels:
    """Labels of the sounds of a table.

    Attributes:
        names: One each; empty for a sound that the sheet does not have.
        n_unused: Rows of the sheet for which there is no sound.
    """

    names: tuple[str, ...]
    n_unused: int

    @property
    def n_missing(self) -> int:
        """Number of sounds without a label."""
        return sum(not name for name in self.names)


def read_labels(
    sheet: Path, paths: Sequence[str], file_column: str = "file", label_column: str = "label"
) -> Labels:
    """Find the label of every sound in a CSV or TSV file with a header.

    A name in the sheet is that of a sound whose path ends so: ``a/dog.wav`` is
    ``/data/a/dog.wav``. Of several names the longest counts.

    Args:
        sheet: The file.
        paths: Sounds; one may stand for several segments.
        file_column: The column with names of files.
        label_column: The column with labels.

    Raises:
        ValueError: If there is no such column, a file has two labels, a name is that of sounds in
            different folders, or no sound has a label.
    """
    text = decoded(sheet.read_bytes(), str(sheet)).removeprefix("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((mark for mark in "\t;" if mark in first and "," not in first), ",")
    (_, header), *rows = numbered_rows(text, str(sheet), delimiter) or [(1, [])]
    names = [name.strip() for name in header]
    for option, column in (("file", file_column), ("label", label_column)):
        if column not in names:
            raise InvalidError(
                f"{sheet} must have a column {column!r}, got {shown(', '.join(names))}; name it "
                f"with --{option}-column"
            )
    at_file, at_label = names.index(file_column), names.index(label_column)
    labels: dict[tuple[str, ...], str] = {}
    for line, row in rows:
        if len(row) <= max(at_file, at_label):
            raise InvalidError(
                f"{sheet}, line {line}, must have {len(names)} cells as the header, got {len(row)}"
            )
        parts, label = _parts(row[at_file]), row[at_label].strip()
        if labels.setdefault(parts, label) != label:
            raise InvalidError(
                f"{sheet}, line {line}, must give {shown(row[at_file])} the label that it has "
                f"above, {shown(labels[parts])}, got {shown(label)}"
            )
    return _matched(sheet, paths, labels)


def _matched(sheet: Path, paths: Sequence[str], labels: dict[tuple[str, ...], str]) -> Labels:
    names = []
    used: dict[tuple[str, ...], str] = {}
    for path in paths:
        parts = _parts(path)
        tails = (parts[first:] for first in range(len(parts)))
        tail = next((tail for tail in tails if tail in labels), None)
        names.append("" if tail is None else labels[tail])
        if tail is not None and used.setdefault(tail, path) != path:
            raise InvalidError(
                f"{sheet} must tell {used[tail]} from {path}, got {shown('/'.join(tail))} for "
                "both; write more of the path"
            )
    if not any(names):
        given = shown("/".join(next(iter(labels), ())))
        raise InvalidError(
            f"{sheet} must name sounds of the table such as {paths[0] if paths else '(none)'}, got "
            f"{given}"
        )
    return Labels(tuple(names), len(labels) - len(used))


def _parts(path: str) -> tuple[str, ...]:
    """Take a path apart, whichever slashes it has."""
    return PurePath(path.strip().replace("\\", "/")).parts
