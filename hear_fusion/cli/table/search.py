"""``hear-fusion search``: sounds of a table that are like another."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.cli.table import options as table_options


@click.command()
@click.argument("query", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("table", type=table_options.TABLE)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--start", type=float, metavar="S", help="Where the part to look for begins.")
@click.option("--stop", type=float, metavar="S", help="Where it ends.")
@click.option(
    "--approximate",
    is_flag=True,
    help="For millions of rows: look at some of them only, by a graph that the first such search "
    "makes (needs usearch).",
)
@table_options.raw
@table_options.out
@options.weights
@options.device
@options.no_wait
def search(
    query: Path,
    table: Path,
    top: int,
    start: float | None,
    stop: float | None,
    approximate: bool,
    raw: bool,
    out: Path | None,
    weights: Path | None,
    device: str,
) -> None:
    """Find the sounds of the feature table TABLE that are most like the sound QUERY.

    Exact, by cosine, unless --approximate is given. The first search makes an index beside the
    table, which whitens vectors by layer; the next ones take it. The sound is embedded by the
    table's own model and weights.

    \b
    Examples:
      hear-fusion search call.wav features.parquet
      hear-fusion search night.flac windows.parquet --start 12.5 --stop 15 --top 100 --out calls.csv
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.embeddings.features.query import embed_query
    from hear_fusion.embeddings.tables.graph import nearest_by_graph
    from hear_fusion.embeddings.tables.index import Index
    from hear_fusion.embeddings.tables.segments import Segment

    if stop is not None and stop <= (start or 0.0):
        raise click.UsageError(f"--stop must be after --start, got {start or 0.0:g} and {stop:g}")
    index = Index.of(table, raw=raw)
    vector = embed_query(index.record, Segment(str(query), start, stop), weights, device)
    find = nearest_by_graph if approximate else Index.nearest
    found, cosines = find(index, index.query(vector), top)
    labels = zip(cosines.tolist(), index.labels(found.tolist()), strict=True)
    rows = [(cosine, one.path, one.start, one.stop, one.id) for cosine, one in labels]
    table_options.show(("cosine", "path", "start", "stop", "id"), rows, out)
