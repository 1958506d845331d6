"""``hear-fusion evaluate``: HEAR modules on HEAR tasks, by the official tools."""

from pathlib import Path

import click

from hear_fusion.cli import options


@click.command()
@click.argument("modules", metavar="MODULE...", nargs=-1, required=True)
@options.tasks_dir
@options.task
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True),
    help="Weights file for load_model of every MODULE; without it each takes its default.",
)
@options.model_options
@options.embeddings_dir
@click.option(
    "--grid-points",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    metavar="N",
    help="Settings of the head that heareval tries; fewer are faster and not comparable.",
)
@click.option(
    "--grid",
    type=click.Choice(["default", "fast", "faster"]),
    default="default",
    show_default=True,
    help="heareval's grid of settings; 'faster' only tests that things run.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Predictions made side by side, one thread each.  [default: what cores and memory allow]",
)
@click.option("--gpus", metavar="JSON", help="heareval's --gpus, for example '[1]'.")
@click.option(
    "--json", "json_file", type=options.PATH, help="Also write the scores to this JSON file."
)
@click.option(
    "--csv", "csv_file", type=options.PATH, help="Also write the scores to this CSV file."
)
@options.no_wait
def evaluate(
    modules: tuple[str, ...],
    tasks_dir: Path,
    tasks: tuple[str, ...],
    model: Path | None,
    model_options: str,
    embeddings_dir: Path,
    grid_points: int,
    grid: str,
    jobs: int | None,
    gpus: str | None,
    json_file: Path | None,
    csv_file: Path | None,
) -> None:
    """Evaluate HEAR modules on HEAR tasks with heareval, and show a table.

    MODULE is a choice such as cnn14_3_6, or the import name of any module with the HEAR API,
    installed or in the current folder. heareval computes embeddings and scores; each score comes
    with n and a 95 % interval (bootstrap over test clips). What is done is not done again, so an
    interrupted run is continued by the same command.

    \b
    A fusion against the original network on every task of a folder:
      hear-fusion evaluate cnn14 cnn14_3_6 --tasks-dir tasks

    \b
    Another model, with its weights, on one task, quickly:
      hear-fusion evaluate panns_hear --model Cnn14_mAP=0.431.pth --tasks-dir tasks \\
          --task esc50-v2.0.0-full --grid-points 2 --json scores.json
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    for file in (json_file, csv_file):
        if file is not None and not file.absolute().parent.is_dir():
            raise click.ClickException(
                f"--json and --csv must be in a folder that exists, got {file}; make it first"
            )
    from hear_fusion.evaluate.tools import require_tools

    require_tools()
    from hear_fusion.evaluate.run import run
    from hear_fusion.report.heareval_scores import format_table, write_csv, write_json

    results = run(
        modules,
        tasks_dir,
        embeddings_dir,
        model=model,
        model_options=model_options,
        tasks=tasks or None,
        grid_points=grid_points,
        grid=grid,
        jobs=jobs,
        gpus=gpus,
    )
    scores = [result.score for result in results if result.score is not None]
    if scores:
        click.echo(format_table(scores))
    if json_file is not None:
        write_json(scores, json_file)
    if csv_file is not None:
        write_csv(scores, csv_file)
    failed = [result for result in results if result.error is not None]
    for error in dict.fromkeys(str(result.error) for result in failed):
        click.echo(f"\nError: {error}", err=True)
    if failed:
        names = ", ".join(f"{result.module} on {result.task}" for result in failed)
        raise click.ClickException(f"{len(failed)} of {len(results)} failed: {names}")
