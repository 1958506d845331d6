"""Feature tables as Parquet, which dataframe libraries and databases read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hear_fusion.embeddings.tables.columns import KEY, LABELS, Columns
from hear_fusion.errors import MissingModuleError


def import_pyarrow() -> None:
    """See to it that Parquet can be read and written.

    Raises:
        ModuleNotFoundError: If it cannot.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as err:
        raise MissingModuleError(
            "Parquet must be read and written by pyarrow, got no such module; "
            "pip install '.[people]', or choose .npz or .csv",
            name="pyarrow",
        ) from err


def write_parquet(path: Path, columns: Columns, names: Sequence[str], record: str) -> None:
    """Write a table as one file, its record among the schema's metadata; NaN becomes null.

    Args:
        path: The file.
        columns: The cells.
        names: Names of the features.
        record: Where they come from, as JSON.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = [("path", pa.string()), ("start", pa.float64()), ("stop", pa.float64())]
    fields = [*labels, ("id", pa.string()), *((name, pa.float32()) for name in names)]
    schema = pa.schema(fields, metadata={KEY: record})
    # Features are as good as random: to look for repeats in them costs time and gains nothing.
    options = {"compression": "zstd", "use_dictionary": ["path", "id"]}
    with pq.ParquetWriter(path, schema, **options, write_statistics=list(LABELS)) as writer:
        for rows in columns.blocks():
            cells = [
                pa.array(columns.paths[rows], pa.string()),
                pa.array(columns.starts[rows], pa.float64(), from_pandas=True),  # NaN is null
                pa.array(columns.stops[rows], pa.float64(), from_pandas=True),
                pa.array(columns.ids[rows], pa.string()),
                *map(pa.array, np.ascontiguousarray(columns.vectors[rows].T)),
            ]
            writer.write_table(pa.Table.from_arrays(cells, schema=schema))


def read_parquet(path: Path) -> tuple[Columns, str]:
    """Read the cells of a table, and its record as JSON; null becomes NaN."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        record = (schema.metadata or {})[KEY.encode()].decode()
        labels = file.read(list(LABELS))
        n_rows, dim = file.metadata.num_rows, len(schema.names) - len(LABELS)
        vectors = np.empty((n_rows, dim), np.float32)
        first = 0
        for group in range(file.num_row_groups):
            cells = file.read_row_group(group, schema.names[len(LABELS) :])
            for i, column in enumerate(cells.columns):
                vectors[first : first + len(column), i] = column.to_numpy()
            first += cells.num_rows
    starts, stops = (labels[key].to_numpy().astype(np.float64) for key in ("start", "stop"))
    ids = labels["id"].to_pylist()
    return Columns(labels["path"].to_pylist(), starts, stops, ids, vectors), record
