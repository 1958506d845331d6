"""``hear-fusion compare``: finished runs among the submissions of the HEAR leaderboard."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options


@click.command()
@click.argument(
    "modules",
    metavar="FOLDER...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "--leaderboard",
    metavar="FILE_OR_URL",
    help="CSV file of the leaderboard, or its address.  [default: fetched from HEAR's repository]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for tables, heat map and the row to submit.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="TEXT",
    help="Name in submission.csv; once a FOLDER, in their order.  [default: name of the folder]",
)
@click.option("--url", default="", metavar="URL", help="Address of your code, for submission.csv.")
@options.no_wait
def compare(
    modules: tuple[Path, ...],
    leaderboard: str | None,
    out: Path | None,
    names: tuple[str, ...],
    url: str,
) -> None:
    """Rank finished runs among all submissions to the HEAR leaderboard.

    FOLDER is EMBEDDINGS/MODULE as 'hear-fusion evaluate' makes it. Its official scores join the
    leaderboard where the task folder has the name of a published HEAR task and heareval scored it
    by the same metric; what does not join is listed with the reason. The leaderboard is fetched
    and a copy kept, which serves when there is no network.

    \b
    Where the fusion and the original network stand, and the row to submit:
      hear-fusion compare embeddings/hear_fusion.yamnet_5_13 embeddings/hear_fusion.yamnet \\
          --out comparison
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    if names and len(names) != len(modules):
        raise click.ClickException(
            f"--name must be given once for each of {len(modules)} FOLDERs, got {len(names)}; give "
            "all or none"
        )
    from datetime import date

    from hear_fusion.report.formats import to_markdown
    from hear_fusion.report.leaderboard.board import (
        LEADERBOARD_URL,
        Entry,
        load_leaderboard,
        submission,
    )
    from hear_fusion.report.leaderboard.ranking import stand
    from hear_fusion.report.leaderboard.runs import read_all_runs
    from hear_fusion.report.leaderboard.submissions import make_tables, write_comparison

    runs = read_all_runs(modules)
    board = load_leaderboard(leaderboard or LEADERBOARD_URL)
    ours = [Entry(run.module, run.scores, is_ours=True) for run in runs]
    standing = stand(board.entries, ours)
    tables = make_tables(standing, runs, board.source)
    for table in tables:
        click.echo(to_markdown(table))
    if out is not None:
        named = names or [entry.model for entry in ours]
        rows = [Entry(name, run.scores) for name, run in zip(named, runs, strict=True)]
        write_comparison(out, standing, tables, submission(board.head, rows, url, date.today()))
        click.echo(f"{out} written; to submit, append the rows of {out / 'submission.csv'}")
