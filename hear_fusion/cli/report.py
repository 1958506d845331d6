"""``hear-fusion report``: studies as one page."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options


@click.command()
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The page: one HTML file that needs no network.",
)
@click.option(
    "--assets",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for tables/ (Markdown, CSV, LaTeX) and figures/ (SVG, PNG).  [default: beside "
    "the page]",
)
@options.no_wait
def report(results: Path, out: Path, assets: Path | None) -> None:
    """Make one page of all studies in a folder: words, figures, tables, and how it was done.

    RESULTS is the folder that 'hear-fusion study' wrote, or one with several such folders in it.
    What 'hear-fusion compare --out RESULTS' puts there becomes a part of the page.

    \b
    Example:
      hear-fusion report results --out report.html
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.report.page import write_report

    written = write_report(results, out, assets)
    click.echo("\n".join(f"wrote {path}" for path in written))
