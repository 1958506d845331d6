"""``hear-fusion duplicates``: sounds of a table that are almost one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli import options
from hear_fusion.cli.table import options as table_options

if TYPE_CHECKING:
    from hear_fusion.embeddings.tables.segments import Segment


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
    splits: str | None,
    labels: Path | None,
    raw: bool,
    out: Path | None,
) -> None:
    """Find pairs of sounds of the feature table TABLE that are near-identical.

    With --splits only those that leak from one split to another.

    \b
    Examples:
      hear-fusion duplicates features.parquet
      hear-fusion duplicates features.parquet --labels labels.csv --splits split
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.embeddings.features.sheets import read_column, rows_of
    from hear_fusion.embeddings.tables.index import Index
    from hear_fusion.metrics.neighbours import near_pairs

    if (splits is None) != (labels is None):
        raise click.UsageError("--splits and --labels must be given together, got one of them")
    index = Index.of(table, raw=raw)
    n_rows = len(index.matrix)
    names: list[str | None] = [None] * n_rows
    if splits is not None and labels is not None:
        names = rows_of(index.labels(range(n_rows)), read_column(labels, splits))
    pairs = [
        (i, j, cosine)
        for i, j, cosine in near_pairs(index.matrix, threshold)
        if splits is None or (None not in (names[i], names[j]) and names[i] != names[j])
    ]
    pairs.sort(key=lambda pair: -pair[2])
    rows = []
    for i, j, cosine in pairs:
        first, second = index.labels((i, j))
        rows.append((cosine, *_told(first, names[i]), *_told(second, names[j])))
    side = ("path", "start", "stop", "split")
    header = ("cosine", *side, *(f"other_{name}" for name in side))
    table_options.show(header, rows, out)
    across = "" if splits is None else f" across {splits}"
    click.echo(f"{len(pairs)} pairs of {n_rows} rows{across} at {threshold:g} or more", err=True)


def _told(segment: Segment, split: str | None) -> tuple[object, ...]:
    return segment.path, segment.start, segment.stop, split
