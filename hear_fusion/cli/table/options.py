"""Options that verbs on feature tables share, and what they write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hear_fusion.cli.errors import printable

TABLE = click.Path(path_type=Path, exists=True)
raw = click.option(
    "--raw",
    is_flag=True,
    help="Compare vectors as the table has them; otherwise they are whitened by layer.",
)
out = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the rows as CSV."
)


def show(header: Sequence[str], rows: Sequence[Sequence[object]], out: Path | None) -> None:
    """Print rows, with tabs between cells, and write them as CSV if asked to."""
    import csv
    import io

    from hear_fusion.files import write_whole

    cells = [["" if cell is None else _cell(cell) for cell in row] for row in rows]
    for row in cells:
        click.echo(printable("\t".join(row)))
    if out is not None:
        text = io.StringIO()
        csv.writer(text).writerows([header, *cells])
        write_whole(out, text.getvalue())


def _cell(value: object) -> str:
    return str(round(value, 4) if isinstance(value, float) else value)
