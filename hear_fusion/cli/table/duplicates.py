"""``hear-fusion duplicates``: sounds of a table that are almost one."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.cli.table import options as table_options


@click.command()
@click.argument("table", type=table_options.TABLE)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.98,
    show_default=True,
    help="Least cosine of two that are told.",
)
@click.option(
    "--top", type=click.IntRange(min=1), default=1000, show_default=True, help="How many to tell."
)
@click.option(
    "--splits",
    metavar="COLUMN",
    help="Only pairs across the values of this column of --labels, such as train and test.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with a column file (or path) and that of --splits.",
)
@table_options.raw
@table_options.out
@options.no_wait
def duplicates(
    table: Path,
    threshold: float,
    top: int,
    splits: str | None,
    labels: Path | None,
    raw: bool,
    out: Path | None,
) -> None:
    """Find pairs of sounds of the feature table TABLE that are near-identical.

    With --splits only those that leak from one split to another. Overlapping windows of one
    recording are no pair.

    \b
    Examples:
      hear-fusion duplicates features.parquet
      hear-fusion duplicates features.parquet --labels labels.csv --splits split
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.embeddings.features.sheets import read_column, rows_of
    from hear_fusion.embeddings.tables.index import Index
    from hear_fusion.embeddings.tables.pairs import near_identical

    if (splits is None) != (labels is None):
        raise click.UsageError("--splits and --labels must be given together, got one of them")
    index = Index.of(table, raw=raw)
    segments = index.labels(range(len(index.matrix)))
    named = None
    if splits is not None and labels is not None:
        named = rows_of(segments, read_column(labels, splits))
    pairs = near_identical(index.matrix, segments, threshold, top, named)
    rows = []
    for i, j, cosine in zip(pairs.first, pairs.second, pairs.cosines.tolist(), strict=True):
        sides = ((segments[row], named and named[row]) for row in (i, j))
        told = ((one.path, one.start, one.stop, split) for one, split in sides)
        rows.append((cosine, *next(told), *next(told)))
    side = ("path", "start", "stop", "split")
    header = ("cosine", *side, *(f"other_{name}" for name in side))
    table_options.show(header, rows, out)
    across = "" if splits is None else f" across {splits}"
    fewer = f"; the nearest {top} are told" if pairs.n_all > top else ""
    click.echo(
        f"{pairs.n_all} pairs of {len(segments)} rows{across} at {threshold:g} or more{fewer}",
        err=True,
    )
