"""The files that a feature table may be: Parquet, NPZ, CSV, or a folder of .npy."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.columns import KEY, LABELS, Columns
from hear_fusion.embeddings.tables.parquet import import_pyarrow, read_parquet, write_parquet
from hear_fusion.errors import InvalidError, shown
from hear_fusion.files.atomic import unfinished, write_whole
from hear_fusion.files.space import make_folder, writing

RECORD_FILE = "record.json"
_COMMENT = "# "  # before the record, in the first line of a CSV


def write_columns(path: Path, columns: Columns, names: Sequence[str], record: str) -> Path:
    """Write a table, whole or not at all, as the suffix of its name tells.

    Args:
        path: Ends in .parquet, .npz or .csv; without a suffix, a folder of .npy.
        columns: The cells.
        names: Names of the features.
        record: Where they come from, as JSON.

    Raises:
        ValueError: If the suffix is another one.
        ModuleNotFoundError: If pyarrow is needed and not installed.
        UnwritableError: If the disk does not take it.
    """
    write = check_suffix(path)
    if write is _write_folder:
        _write_folder(path, columns, names, record)
        return path
    part = unfinished(path)
    with writing(path):
        try:
            write(part, columns, names, record)
            return part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def check_suffix(path: Path) -> _Writer:
    """Tell how a table of this name is written.

    Raises:
        ValueError: If its suffix is that of no table.
        ModuleNotFoundError: If pyarrow is needed and not installed.
    """
    writers = {".parquet": write_parquet, ".npz": _write_npz, ".csv": _write_csv}
    suffix = path.suffix.lower()
    if suffix in writers and not path.is_dir():
        if suffix == ".parquet":
            import_pyarrow()
        return writers[suffix]
    if suffix and not path.is_dir():
        raise InvalidError(
            f"a feature table must end in {', '.join(writers)}, or be a folder without a suffix, "
            f"got {path}; rename it"
        )
    return _write_folder


def read_columns(path: Path) -> tuple[Columns, str]:
    """Read a table, whatever file it is, and its record as JSON.

    Raises:
        ValueError: If it is none, or damaged.
        ModuleNotFoundError: If pyarrow is needed and not installed.
        OSError: If it is not there.
    """
    if path.is_dir():
        return _read(path, _read_folder)
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        import_pyarrow()
        return _read(path, read_parquet)
    if head == b"PK\x03\x04":
        return _read(path, _read_npz)
    return _read(path, _read_csv)


def _read(path: Path, reader: Callable[[Path], tuple[Columns, str]]) -> tuple[Columns, str]:
    wrong = (ValueError, KeyError, TypeError, EOFError, MemoryError, OSError, zipfile.BadZipFile)
    try:
        columns, record = reader(path)
        n_rows = {len(columns.paths), len(columns.starts), len(columns.stops), len(columns.ids)}
        if columns.vectors.dtype != np.float32 or columns.vectors.ndim != 2:
            raise InvalidError(f"features of {columns.vectors.dtype} {columns.vectors.shape}")
        if n_rows != {len(columns.vectors)}:
            raise InvalidError("columns of different lengths")
    except wrong as err:
        raise InvalidError(
            f"{path} must be a feature table as 'hear-fusion features' writes it (.parquet, .npz, "
            f".csv or a folder of .npy), got {shown(str(err) or type(err).__name__)}; make it anew"
        ) from err
    return columns, record


_Writer = Callable[[Path, Columns, Sequence[str], str], None]


def _arrays(columns: Columns) -> dict[str, Any]:
    paths, ids = np.array(columns.paths, dtype=np.str_), np.array(columns.ids, dtype=np.str_)
    return {"path": paths, "start": columns.starts, "stop": columns.stops, "id": ids}


def _write_npz(path: Path, columns: Columns, names: Sequence[str], record: str) -> None:
    arrays: dict[str, Any] = _arrays(columns) | {"names": np.array(names), KEY: np.array(record)}
    with path.open("wb") as file:
        np.savez(file, **arrays, features=columns.vectors)


def _read_npz(path: Path) -> tuple[Columns, str]:
    with np.load(path) as arrays:
        return _columns(arrays, arrays["features"]), str(arrays[KEY])


def _columns(arrays: Any, vectors: NDArray[Any]) -> Columns:
    return Columns(
        arrays["path"].tolist(),
        arrays["start"].astype(np.float64),
        arrays["stop"].astype(np.float64),
        arrays["id"].tolist(),
        vectors,
    )


def _write_folder(folder: Path, columns: Columns, names: Sequence[str], record: str) -> None:
    make_folder(folder)
    with writing(folder):
        (folder / RECORD_FILE).unlink(missing_ok=True)  # without it there is no table
        arrays = _arrays(columns) | {"names": np.array(names), "features": columns.vectors}
        for key, array in arrays.items():
            part = unfinished(folder / f"{key}.npy")
            with part.open("wb") as file:
                np.save(file, array)
            part.replace(folder / f"{key}.npy")
    write_whole(folder / RECORD_FILE, record + "\n")


def _read_folder(folder: Path) -> tuple[Columns, str]:
    record = (folder / RECORD_FILE).read_text(encoding="utf-8")
    arrays = {key: np.load(folder / f"{key}.npy") for key in LABELS}
    return _columns(arrays, np.load(folder / "features.npy", mmap_mode="r")), record


def _write_csv(path: Path, columns: Columns, names: Sequence[str], record: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{_COMMENT}{record}\n")
        writer = csv.writer(file)
        writer.writerow([*LABELS, *names])
        for rows in columns.blocks():
            for i, vector in enumerate(columns.vectors[rows], rows.start):
                times = (_cell(columns.starts[i]), _cell(columns.stops[i]))
                values = (f"{value:.9g}" for value in vector.tolist())
                writer.writerow([columns.paths[i], *times, columns.ids[i], *values])


def _cell(seconds: float) -> str:
    return "" if np.isnan(seconds) else repr(float(seconds))


def _read_csv(path: Path) -> tuple[Columns, str]:
    with path.open(encoding="utf-8", newline="") as file:
        first = file.readline()
        if not first.startswith(_COMMENT):
            raise InvalidError(f"a first line {shown(first)}")
        json.loads(first.removeprefix(_COMMENT))  # an error, if it is another program's comment
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        labels, vectors = [], []
        for row in reader:
            if len(row) != len(header):
                raise InvalidError(f"{len(row)} cells in line {reader.line_num + 1}")
            labels.append(row[:4])
            vectors.append(np.array(row[4:], np.float32))
    features = np.stack(vectors) if vectors else np.empty((0, len(header) - 4), np.float32)
    times = np.array([[float(row[i] or "nan") for i in (1, 2)] for row in labels]).reshape(-1, 2)
    paths, ids = [row[0] for row in labels], [row[3] for row in labels]
    return Columns(paths, times[:, 0], times[:, 1], ids, features), first.removeprefix(_COMMENT)
