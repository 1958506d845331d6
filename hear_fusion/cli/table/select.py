"""``hear-fusion select``: sounds of a table to be labelled next."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.cli.table import options as table_options


@click.command()
@click.argument("table", type=table_options.TABLE)
@click.argument("n", type=click.IntRange(min=1))
@click.option(
    "--labelled",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with a column file (or path): what is labelled already, and need not be like it.",
)
@table_options.raw
@table_options.out
@options.no_wait
def select(table: Path, n: int, labelled: Path | None, raw: bool, out: Path | None) -> None:
    """Choose N sounds of the feature table TABLE that are as different as they can be.

    Each is the one farthest from all before it, so that few labels cover all there is.

    \b
    Examples:
      hear-fusion select features.parquet 50
      hear-fusion select features.parquet 50 --labelled labels.csv --out next.csv
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.embeddings.features.sheets import read_column, rows_of
    from hear_fusion.embeddings.tables.index import Index
    from hear_fusion.metrics.neighbours import farthest_first

    index = Index.of(table, raw=raw)
    known: list[int] = []
    if labelled is not None:
        said = rows_of(index.labels(range(len(index.matrix))), read_column(labelled))
        known = [row for row, file in enumerate(said) if file is not None]
    chosen = farthest_first(index.matrix, n, known)
    rows = [(one.path, one.start, one.stop, one.id) for one in index.labels(chosen)]
    table_options.show(("path", "start", "stop", "id"), rows, out)
    if len(chosen) < n:
        click.echo(f"{len(chosen)} of {n}: every other sound is equal to one of these", err=True)
