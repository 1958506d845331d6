"""Rows on their way to a table: kept in parts, so that whoever is killed loses one at most."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.features.engine import Piece
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.embeddings.tables.table import Table
from hear_fusion.files.atomic import unfinished
from hear_fusion.files.hashing import recipe_of
from hear_fusion.files.records import read_record, write_record
from hear_fusion.files.space import make_folder, new_array, writing

_PART_BYTES = 32 << 20
_PART_SECONDS = 20.0
_RECORD = "parts.json"
_Times = NDArray[np.float64]


@dataclass(frozen=True)
class _Entry:
    """A run of rows of one segment in a part."""

    part: Path
    first: int
    n_rows: int
    old_hz: int


class Parts:
    """A folder of parts, of one recipe.

    Args:
        folder: Where they are kept; made if it is not there.
        recipe: Hash of what decides a vector. Parts of another one are deleted.

    Attributes:
        was_other: Whether there were such.
    """

    def __init__(self, folder: Path, recipe: str) -> None:
        self.folder, self.was_other = folder, False
        record = read_record(folder / _RECORD)
        if folder.is_dir() and (record is None or record.get("recipe") != recipe):
            self.was_other = any(folder.glob("*.npz"))
            shutil.rmtree(folder)
        make_folder(folder)
        write_record(folder / _RECORD, {"recipe": recipe})
        self._done: dict[str, list[_Entry]] = {}
        self._begun: dict[str, list[_Entry]] = {}
        self._held: list[tuple[str, bool, Piece]] = []
        self._open: set[str] = set()
        self._n_bytes, self._since = 0, time.monotonic()
        self._n_parts = 0
        for path in sorted(folder.glob("part_*.npz")):
            self._n_parts = int(path.stem.removeprefix("part_")) + 1
            self._note(path)
        self._tables: dict[Path, Table] = {}

    def adopt(self, table: Table, path: Path, segments: Sequence[Segment]) -> None:
        """Take over the rows of a table of the same recipe, of files that are older than it.

        Those of windows and frames are taken where they are of a whole recording.

        Args:
            table: The rows.
            path: Its file.
            segments: What is asked for.
        """
        is_sound = table.record.options.get("rows", {}).get("kind") == "sound"
        runs: dict[tuple[object, ...], _Entry] = {}
        names = zip(
            table.paths, table.ids, table.starts.tolist(), table.stops.tolist(), strict=True
        )
        for row, (name, label, start, stop) in enumerate(names):
            place = (name, label, *((start, stop) if is_sound else ()))
            entry = runs.setdefault(_place(place), _Entry(path, row, 0, 0))
            runs[_place(place)] = replace(entry, n_rows=row + 1 - entry.first)
        self._tables[path] = table
        written = path.stat().st_mtime_ns
        for key, segment in zip(keys_of(segments), segments, strict=True):
            is_whole = segment.start is segment.stop is None
            ends = (segment.start, segment.stop) if is_sound else ()
            found = runs.get(_place((segment.path, segment.id, *ends)))
            is_older = os.path.exists(segment.path) and os.stat(segment.path).st_mtime_ns < written
            if found is not None and is_older and (is_sound or is_whole) and key not in self:
                self._done[key] = [found]

    def abandon(self) -> None:
        """Leave tables that were taken over."""
        for key in [key for key, entries in self._done.items() if entries[0].part in self._tables]:
            del self._done[key]

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def n_rows(self, key: str) -> int:
        """Count the rows of a segment that is done."""
        return sum(entry.n_rows for entry in self._done[key])

    def old_hz(self, key: str) -> int:
        """Tell the rate that a segment had before it was upsampled; 0 if it was not."""
        return max(entry.old_hz for entry in self._done[key])

    def add(self, key: str, piece: Piece) -> None:
        """Keep rows of a segment; now and then this writes a part.

        Raises:
            UnwritableError: If the disk does not take it.
        """
        self._held.append((key, key not in self._open, piece))
        self._open.add(key)
        self._n_bytes += piece.vectors.nbytes
        if self._n_bytes >= _PART_BYTES or time.monotonic() - self._since >= _PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is held as a part, whole or not at all."""
        if self._held:
            path = self.folder / f"part_{self._n_parts:06d}.npz"
            pieces = [piece for _, _, piece in self._held]
            with writing(path):
                with unfinished(path).open("wb") as file:
                    np.savez(
                        file,
                        keys=np.array([key for key, _, _ in self._held]),
                        is_first=np.array([is_first for _, is_first, _ in self._held]),
                        n_rows=np.array([len(piece.vectors) for piece in pieces]),
                        is_last=np.array([piece.is_last for piece in pieces]),
                        old_hz=np.array([piece.old_hz for piece in pieces]),
                        starts=np.concatenate([piece.starts for piece in pieces]),
                        stops=np.concatenate([piece.stops for piece in pieces]),
                        vectors=np.concatenate([piece.vectors for piece in pieces]),
                    )
                unfinished(path).replace(path)
            self._note(path)
            self._n_parts += 1
        self._held, self._n_bytes, self._since = [], 0, time.monotonic()

    def forget(self, key: str) -> None:
        """Leave out rows of a segment that failed after they were made."""
        self._held = [held for held in self._held if held[0] != key]
        self._open.discard(key)

    def gather(self, keys: Iterable[str], dim: int) -> tuple[_Times, _Times, NDArray[np.float32]]:
        """Put the rows of segments that are done into their order.

        Args:
            keys: Whose, in that order.
            dim: Features of a row.

        Returns:
            Starts, stops and vectors; these in a file of the folder, mapped into memory.
        """
        places: dict[Path, list[tuple[int, _Entry]]] = {}
        n_rows = 0
        for key in keys:
            for entry in self._done[key]:
                places.setdefault(entry.part, []).append((n_rows, entry))
                n_rows += entry.n_rows
        vectors = new_array(self.folder / "vectors.npy", (n_rows, dim))
        starts, stops = np.empty(n_rows), np.empty(n_rows)
        for path, entries in places.items():
            columns = self._columns(path)
            for place, entry in entries:
                own = slice(entry.first, entry.first + entry.n_rows)
                here = slice(place, place + entry.n_rows)
                starts[here], stops[here], vectors[here] = (column[own] for column in columns)
        return starts, stops, vectors

    def _columns(self, path: Path) -> tuple[_Times, _Times, NDArray[np.float32]]:
        if path in self._tables:
            table = self._tables[path]
            return table.starts, table.stops, table.vectors
        with np.load(path) as part:
            return part["starts"], part["stops"], part["vectors"]

    def _note(self, path: Path) -> None:
        """Enter what a part holds; one that is damaged is deleted."""
        try:
            with np.load(path) as part:
                names = ("keys", "is_first", "n_rows", "is_last", "old_hz")
                rows = list(zip(*(part[name].tolist() for name in names), strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink()
            return
        first = 0
        for key, is_first, n_rows, is_last, old_hz in rows:
            if is_first:  # what a process left that was killed is not gone on with
                self._begun.pop(key, None)
            self._begun.setdefault(key, []).append(_Entry(path, first, n_rows, old_hz))
            first += n_rows
            if is_last:
                self._done[key] = self._begun.pop(key)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder)


def keys_of(segments: Iterable[Segment]) -> Iterator[str]:
    """Name segments by their place and by the file as it is now: another file is another key."""
    for segment in segments:
        try:
            status = os.stat(segment.path)
            file = [status.st_size, status.st_mtime_ns]
        except (OSError, ValueError):
            file = []
        yield recipe_of(vars(segment), file)[:32]


def _place(cells: tuple[object, ...]) -> tuple[object, ...]:
    """Make a key of a row's labels, in which NaN is equal to NaN and to None."""
    return tuple(None if cell != cell else cell for cell in cells)
