"""``hear-fusion map``: the sounds of a feature table as a page to look at and to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli.errors import printable

if TYPE_CHECKING:
    from hear_fusion.report.sounds.projection import Method

_N_TOLD = 3  # sounds that cannot be played, by name


@click.command("map")
@click.argument("table", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--labels",
    "sheet",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV or TSV file with the columns file and label: colours of the points.",
)
@click.option(
    "--file-column", default="file", show_default=True, metavar="NAME", help="Of --labels."
)
@click.option(
    "--label-column", default="label", show_default=True, metavar="NAME", help="Of --labels."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("map.html"),
    show_default=True,
    help="The page; a picture is written beside it, with .png at its end.",
)
@click.option(
    "--method",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    show_default=True,
    help="How to find two dimensions; umap needs the package umap-learn.",
)
@click.option(
    "--atlas",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a Parquet file that embedding-atlas opens.",
)
@click.option(
    "--embed-mb",
    type=click.FloatRange(min=0),
    default=30,
    show_default=True,
    metavar="MB",
    help="Sound inside the page, as MP3; the rest is played from where it is.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=10,
    show_default=True,
    help="No more than this of a sound is inside the page or the atlas.",
)
def map_table(
    table: Path,
    sheet: Path | None,
    file_column: str,
    label_column: str,
    out: Path,
    method: Method,
    atlas: Path | None,
    embed_mb: float,
    seconds: float,
) -> None:
    """Make a map of a feature table: near points are sounds that are alike.

    TABLE is what 'hear-fusion features' wrote. The page is one file that needs no network: point at
    a sound for its name, click to hear it, find others by name or label.

    \b
    Examples:
      hear-fusion map features.parquet --labels labels.csv --out map.html
      hear-fusion map features.parquet --method umap --atlas atlas.parquet
      embedding-atlas atlas.parquet --audio audio --x x --y y --neighbors neighbors
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.embeddings.tables.table import Table
    from hear_fusion.report.sounds.labels import read_labels
    from hear_fusion.report.sounds.map_files import write_map
    from hear_fusion.report.sounds.sound_map import SoundMap

    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"--out must end in .html, got {out.name!r}")
    features = Table.read(table)
    labels = [""] * len(features.paths)
    if sheet is not None:
        read = read_labels(sheet, features.paths, file_column, label_column)
        labels = list(read.names)
        if read.n_missing:
            click.echo(
                f"{read.n_missing} of {len(labels)} sounds have no label in {sheet}", err=True
            )
        if read.n_unused:
            click.echo(f"{read.n_unused} files of {sheet} are not in {table}", err=True)
    sounds = SoundMap.of(
        f"{table.name}, {features.record.model}",
        features.paths,
        features.starts,
        features.stops,
        labels,
        features.vectors,
        method,
    )
    written = write_map(
        sounds, out, embed_bytes=round(1e6 * embed_mb), longest_s=seconds, atlas=atlas
    )
    for fault in list(written.faults.values())[:_N_TOLD]:
        click.echo(printable(f"cannot be played: {fault}"), err=True)
    if len(written.faults) > _N_TOLD:
        click.echo(f"and {len(written.faults) - _N_TOLD} more", err=True)
    click.echo("\n".join(f"wrote {path}" for path in written.files))
    click.echo(f"{written.n_embedded} sounds are inside the page, {written.n_linked} are linked")
