"""The whitening of a table: fitted on its own vectors, and kept beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hear_fusion.embeddings.tables.table import Table
from hear_fusion.files.space import new_array
from hear_fusion.fusion.compression import MIN_ROWS, Whitening


def whitening_path(table: Path) -> Path:
    """Name the file of a table's whitening."""
    return table.with_name(f"{table.name}.whitening.npz")


def read_whitening(path: Path, table: Table) -> Whitening | None:
    """Read what the vectors of a table went through; None if they did not.

    Raises:
        ValueError: If it is not there, or that of another network, other layers or vectors.
    """
    record = table.record
    if not record.whitening_sha256:
        return None
    whitening = Whitening.read(whitening_path(path), record.whitening_sha256)
    whitening.check(record.layers, record.weights_sha256)
    return whitening


def whitened(table: Table, out: Path, folder: Path, notes: list[str]) -> Table:
    """Whiten the vectors of a table, if its record asks for that and there are enough.

    Args:
        table: Vectors as the network made them.
        out: The file that the table shall be; the whitening is written beside it.
        folder: Where the vectors may lie meanwhile.
        notes: What the user should know is added to them.
    """
    record, k = table.record, table.record.options.get("compress")
    path = whitening_path(out)
    if k is None or len(table) < MIN_ROWS:
        path.unlink(missing_ok=True)
        if k is not None:
            notes.append(
                f"{len(table)} vectors are too few to be whitened, which takes {MIN_ROWS}; they "
                "are as the network made them"
            )
        return table
    whitening = Whitening.fit(table.vectors, record.dims, k, record.layers, record.weights_sha256)
    if max(whitening.dims) < k:
        dims = ", ".join(map(str, whitening.dims))
        notes.append(
            f"layers were whitened to {dims} components, not {k}: at most a quarter of the "
            f"{len(table)} vectors, and no more than there are"
        )
    whitening.write(path)
    out_array = new_array(folder / "whitened.npy", (len(table), sum(whitening.dims)))
    vectors = whitening.apply(table.vectors, out_array)
    record = replace(record, dims=whitening.dims, whitening_sha256=whitening.sha256)
    return replace(table, vectors=vectors, record=record)
