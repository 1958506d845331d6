"""The index of a feature table: its vectors as cosines need them, kept beside it.

::

    features.parquet.index/
        matrix.npy       unit vectors, float32, (row, dim): mapped into memory
        labels.jsonl     path, start, stop and id of each row, a line each
        offsets.npy      where these lines begin
        whitening_0.npz  what vectors go through: the table's whitening, or one made for the index
        index.json       which table it is of

Vectors are whitened by layer, unless those of the table are or are too few.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.embeddings.tables.table import Table, TableRecord
from hear_fusion.embeddings.tables.whitening import read_whitening
from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import unfinished
from hear_fusion.files.hashing import sha256_of_path
from hear_fusion.files.lock import exclusive
from hear_fusion.files.records import read_record, to_record, write_record
from hear_fusion.files.space import make_folder, new_array, writing
from hear_fusion.fusion.compression import MIN_ROWS, Whitening
from hear_fusion.metrics.neighbours import Numbers, Rows, nearest, unit

_COMPONENTS = 64
_RECORD = "index.json"
_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Index:
    """Vectors of a table, ready for cosines.

    Attributes:
        folder: Where it is.
        record: Where the table's vectors come from.
        matrix: Unit vectors, shape (row, dim), float32, mapped into memory.
        whitenings: What vectors go through before, one after the other.
    """

    folder: Path
    record: TableRecord
    matrix: NDArray[np.float32]
    whitenings: tuple[Whitening, ...]

    @classmethod
    def of(cls, table: Path, *, raw: bool = False) -> Self:
        """Open the index of a table; make it if it is not there, or the table has changed.

        Args:
            table: The table's file.
            raw: Whether vectors are to be compared as the table has them.

        Raises:
            ValueError: If the file is no table, has no rows, or lacks its whitening.
            UnwritableError: If the disk does not take the index.
        """
        folder = table.with_name(f"{table.name}.{'raw-' if raw else ''}index")
        with exclusive(table.with_name(f".{folder.name}.lock"), keep=False):
            index = cls._read(folder, table)
            if index is None:
                _make(folder, table, raw=raw)
                index = cls._read(folder, table)
        assert index is not None
        return index

    @classmethod
    def _read(cls, folder: Path, table: Path) -> Self | None:
        content = read_record(folder / _RECORD)
        if content is None:
            return None
        try:
            if content["stamp"] != _stamp(table):
                if content["table_sha256"] != sha256_of_path(table):
                    return None
                write_record(folder / _RECORD, content | {"stamp": _stamp(table)})
            whitenings = tuple(
                Whitening.read(folder / f"whitening_{i}.npz", sha256)
                for i, sha256 in enumerate(content["whitenings"])
            )
            matrix = np.load(folder / "matrix.npy", mmap_mode="r")
            return cls(folder, to_record(TableRecord, content["record"]), matrix, whitenings)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None  # damaged: to be made anew

    def query(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a vector as the network makes it to those of the index, shape (dim,)."""
        row = vector[None]
        for whitening in self.whitenings:
            row = whitening.apply(row)
        query: NDArray[np.float32] = unit(row)[0]
        return query

    def nearest(self, query: NDArray[np.float32], n: int) -> tuple[Numbers, Rows]:
        """Find the rows nearest to a vector, exactly, by cosine.

        Args:
            query: As `query` makes it, shape (dim,).
            n: How many.

        Returns:
            Their numbers, nearest first, and their cosines.
        """
        return nearest(self.matrix, query, n)

    def labels(self, rows: Sequence[int]) -> list[Segment]:
        """Tell what some rows are of."""
        offsets = np.load(self.folder / "offsets.npy", mmap_mode="r")
        found = []
        with (self.folder / "labels.jsonl").open("rb") as file:
            for row in rows:
                file.seek(int(offsets[row]))
                found.append(Segment(*json.loads(file.readline())))
        return found


def _make(folder: Path, path: Path, *, raw: bool) -> None:
    stamp, sha256 = _stamp(path), sha256_of_path(path)
    table = Table.read(path)
    if not len(table):
        raise InvalidError(f"{path} must have rows, got none")
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    record = table.record
    own = read_whitening(path, table)
    whitenings = [] if own is None else [own]
    is_whitened = own is not None or raw or len(table) < MIN_ROWS
    fitted = None
    if not is_whitened:
        fitted = Whitening.fit(
            table.vectors, record.dims, _COMPONENTS, record.layers, record.weights_sha256
        )
        whitenings.append(fitted)
    for i, whitening in enumerate(whitenings):
        whitening.write(folder / f"whitening_{i}.npz")
    _write_labels(folder, table)
    dim = table.vectors.shape[1] if fitted is None else sum(fitted.dims)
    matrix = new_array(folder / "matrix.npy", (len(table), dim))
    for first in range(0, len(table), _BLOCK_ROWS):
        block = table.vectors[first : first + _BLOCK_ROWS]
        matrix[first : first + _BLOCK_ROWS] = unit(fitted.apply(block) if fitted else block)
    content: dict[str, Any] = {
        "table_sha256": sha256,
        "stamp": stamp,
        "whitenings": [whitening.sha256 for whitening in whitenings],
        "record": asdict(record),
    }
    with writing(folder):
        matrix.flush()  # type: ignore[attr-defined]
    write_record(folder / _RECORD, content)


def _write_labels(folder: Path, table: Table) -> None:
    times = zip(table.starts.tolist(), table.stops.tolist(), strict=True)
    offsets = np.zeros(len(table), np.int64)
    path, at = folder / "labels.jsonl", 0
    with writing(path), unfinished(path).open("wb") as file:
        for row, (start, stop) in enumerate(times):
            ends = [None if time != time else time for time in (start, stop)]
            line = json.dumps([table.paths[row], *ends, table.ids[row]]).encode() + b"\n"
            offsets[row], at = at, at + len(line)
            file.write(line)
    with writing(path):
        unfinished(path).replace(path)
        np.save(folder / "offsets.npy", offsets)


def _stamp(path: Path) -> list[int]:
    """Tell size and time of a table's file, or of the youngest file in its folder."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    status = [file.stat() for file in files]
    return [sum(one.st_size for one in status), max(one.st_mtime_ns for one in status)]
