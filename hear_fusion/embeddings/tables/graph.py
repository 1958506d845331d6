"""Approximate search in large tables: a graph of neighbours in the index, by usearch."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.index import Index
from hear_fusion.errors import MissingModuleError
from hear_fusion.files.atomic import unfinished
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import writing
from hear_fusion.metrics.neighbours import Numbers, Rows, nearest
from hear_fusion.progress import progress_bar

if TYPE_CHECKING:
    import usearch.index

_FILE = "graph.usearch"
_CANDIDATES = 4  # looked at exactly for each row that is wanted
_BLOCK_ROWS = 10_000


def nearest_by_graph(index: Index, query: NDArray[np.float32], n: int) -> tuple[Numbers, Rows]:
    """Find rows near to a query without looking at all; the cosines are exact, some may be missed.

    The graph is made at the first call, which takes minutes a million rows, and kept in the index.

    Args:
        index: Of a table.
        query: Unit vector, shape (dim,), as `Index.query` makes it.
        n: How many rows to find.

    Returns:
        Their numbers, nearest first, and their cosines.

    Raises:
        ModuleNotFoundError: If usearch is not installed.
        UnwritableError: If the disk does not take the graph.
    """
    graph = _graph(index)
    rows = np.sort(graph.search(query, _CANDIDATES * n).keys.astype(np.intp))
    found, cosines = nearest(index.matrix[rows], query, n)
    return rows[found], cosines


def _graph(index: Index) -> usearch.index.Index:
    try:
        from usearch.index import Index as Graph
    except ModuleNotFoundError as err:
        raise MissingModuleError(
            "usearch must be installed to search approximately, got no such module; "
            "pip install '.[search]', or go without",
            name="usearch",
        ) from err
    path = index.folder / _FILE
    with exclusive(index.folder / ".graph.lock", keep=False):
        graph = None
        if path.exists():
            with contextlib.suppress(ValueError):  # damaged
                graph = Graph.restore(str(path), view=True)
        if graph is None:
            _make(Graph(ndim=index.matrix.shape[1], metric="ip", dtype="bf16"), index, path)
            graph = Graph.restore(str(path), view=True)
    assert graph is not None
    return graph


def _make(graph: usearch.index.Index, index: Index, path: Path) -> None:
    with progress_bar("graph", len(index.matrix), "row") as bar:
        for first in range(0, len(index.matrix), _BLOCK_ROWS):
            block = np.asarray(index.matrix[first : first + _BLOCK_ROWS])
            graph.add(np.arange(first, first + len(block)), block)
            bar.update(len(block))
    with writing(path):
        graph.save(str(unfinished(path)))
        unfinished(path).replace(path)
