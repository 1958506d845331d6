"""Lists of segments of recordings, as people and the programs they annotate with write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.texts import decoded, numbered_rows

_Line = tuple[int, Mapping[str, str]]
_BEGIN, _END = "begin time (s)", "end time (s)"  # Raven's columns; names are compared in lower case
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]*)?(e[+-]?[0-9]+)?", re.IGNORECASE)
_KINDS = (
    "a CSV or TSV with a column path, a Raven selection table, or an Audacity label track "
    "(start, stop, label)"
)


@dataclass(frozen=True)
class Segment:
    """A recording, or a part of it.

    Attributes:
        path: The sound file.
        start: Where it begins, in s; None: with the recording.
        stop: Where it ends, in s; None: with the recording.
        id: What its list calls it.
    """

    path: str
    start: float | None = None
    stop: float | None = None
    id: str = ""


def read_segments(path: Path, sound: str | None = None) -> list[Segment]:
    """Read a list of segments, recognised by its content.

    It may be a CSV or TSV whose header has ``path`` (or ``file``) and perhaps ``start``, ``stop``
    and ``id``; a Raven selection table, of whose two views of a selection one is kept; or an
    Audacity label track, of which frequencies are left out. Names of files that are not found as
    they stand are looked for beside the list.

    Args:
        path: The list.
        sound: The recording that a list without names of files is about.

    Returns:
        The segments, in the order of the list.

    Raises:
        ValueError: If it is no such list, or a row is not as it must be; the message names it.
    """
    text = decoded(path.read_bytes(), str(path)).removeprefix("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    if _is_label(first):
        return [_label(path, line, cells, sound) for line, cells in _labels(text)]
    delimiter = next((mark for mark in "\t;," if mark in first), ",")
    lines = _lines(path, text, delimiter)
    columns = {cell.strip().lower() for cell in first.split(delimiter)}
    if {_BEGIN, _END} <= columns:
        return _raven(path, lines, sound, once="view" in columns)
    if columns.isdisjoint(("path", '"path"', "file", '"file"')):
        raise InvalidError(
            f"{path} must be {_KINDS}, got a first line {shown(first)}; give it a header"
        )
    return [
        _segment(
            path,
            line,
            row.get("path") or row.get("file"),
            (row.get("start", ""), row.get("stop", "")),
            row.get("id", ""),
        )
        for line, row in lines
    ]


def _lines(path: Path, text: str, delimiter: str) -> Iterator[_Line]:
    """Read the rows below a header, by the names of their columns in lower case."""
    (_, header), *rows = numbered_rows(text, str(path), delimiter)
    names = [name.strip().lower() for name in header]
    for line, cells in rows:
        if len(cells) > len(names):
            raise InvalidError(
                f"{path}, line {line}, must have {len(names)} cells as the header, got "
                f"{len(cells)}; put names with {delimiter!r} in quotes"
            )
        yield line, dict(zip(names, cells, strict=False))


def _raven(path: Path, lines: Iterator[_Line], sound: str | None, *, once: bool) -> list[Segment]:
    """Read Raven's selections; those of several files count their time from the first of them."""
    segments = []
    for line, row in lines:
        file = row.get("begin path") or row.get("begin file") or sound
        begin, end = row.get(_BEGIN, ""), row.get(_END, "")
        segment = _segment(path, line, file, (begin, end), row.get("selection", ""))
        offset = _seconds(path, line, row.get("file offset (s)", ""))
        if offset is not None and segment.start is not None and segment.stop is not None:
            stop = offset + segment.stop - segment.start
            segment = Segment(segment.path, offset, stop, segment.id)
        segments.append(segment)
    return list(dict.fromkeys(segments)) if once else segments


def _is_label(line: str) -> bool:
    cells = line.split("\t")
    return len(cells) > 1 and all(_NUMBER.fullmatch(cell.strip()) for cell in cells[:2])


def _labels(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if row.strip() and not row.startswith("\\"):  # which begins a line of frequencies
            yield line, row.split("\t", 2)


def _label(path: Path, line: int, cells: list[str], sound: str | None) -> Segment:
    start, stop, label = (*cells, "", "")[:3]
    return _segment(path, line, sound, (start, stop), label)


def _segment(path: Path, line: int, file: str | None, times: tuple[str, str], name: str) -> Segment:
    where = f"{path}, line {line},"
    if not file:
        raise InvalidError(
            f"{where} must name a sound file, got none; say which recording the list is about, or "
            "add a column path"
        )
    start, stop = (_seconds(path, line, time) for time in times)
    if stop is not None and stop <= (start or 0.0):
        raise InvalidError(
            f"{where} must stop after its start, got {start or 0.0:g} s to {stop:g} s; make a "
            "region of a point"
        )
    return Segment(_found(path, file), start, stop, name)


def _seconds(path: Path, line: int, time: str) -> float | None:
    time = time.strip()
    if not time:
        return None
    if "," in time:
        raise InvalidError(
            f"{path}, line {line}, must have times with a decimal point, got {time!r}; replace the "
            "commas"
        )
    try:
        seconds = float(time)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InvalidError(
            f"{path}, line {line}, must have times in s of at least 0, got {shown(time)}; correct "
            "it"
        )
    return seconds


def _found(path: Path, file: str) -> str:
    beside = path.parent / file
    return str(beside) if not Path(file).exists() and beside.exists() else file
