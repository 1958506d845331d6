"""``hear-fusion study``: which layers serve which tasks, and what fusing them gains."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.cli.errors import FailedTasks


@click.command()
@click.argument("config")
@options.tasks_dir
@options.task
@options.weights
@click.option(
    "--out",
    type=options.PATH,
    default=Path("results"),
    show_default=True,
    help="Results go to OUT/<network>; several networks may share one OUT.",
)
@click.option(
    "--store", type=options.PATH, help="Where layer features are kept.  [default: OUT/store]"
)
@click.option(
    "--embeddings-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Embeddings folder of 'hear-fusion evaluate': its official scores are shown beside ours.",
)
@click.option(
    "--paper-selection",
    is_flag=True,
    help="Choose the layers on test scores, as the paper does; default: on validation scores.",
)
@click.option(
    "--task-statistics",
    is_flag=True,
    help="AST: normalise by the statistics of each task's training clips, as the paper's "
    "evaluation does, instead of AudioSet's.",
)
@options.device
@options.no_wait
def study(
    config: str,
    tasks_dir: Path,
    tasks: tuple[str, ...],
    weights: Path | None,
    out: Path,
    store: Path | None,
    embeddings_dir: Path | None,
    paper_selection: bool,
    task_statistics: bool,
    device: str,
) -> None:
    """Compare all layers of a network on your tasks, choose two, and measure their fusion.

    CONFIG is a YAML file as in the repository's configs/, or the name of a network for all
    defaults. Every clip passes the network once; on each layer, and on the network's own
    embedding, linear heads are trained by the paper's protocol; the layers M and L are chosen and
    their fusion compared with the original embedding. Tasks with one label a clip are studied,
    others are named and left out, as are those that fail. What is done is not done again.

    \b
    Examples:
      hear-fusion study yamnet --tasks-dir tasks
      hear-fusion study configs/cnn14.yaml --tasks-dir tasks --out results
      hear-fusion report results --out report.html
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.report.formats import to_markdown
    from hear_fusion.report.study.tables import gains_table, layers_table
    from hear_fusion.study.config import StudyConfig
    from hear_fusion.study.layerwise import StudySetup, run_study

    failed = FailedTasks()
    setup = StudySetup(
        tasks_dir=tasks_dir,
        out=out,
        store=store,
        weights=weights,
        tasks=tasks or None,
        embeddings_dir=embeddings_dir,
        paper_selection=paper_selection,
        task_statistics=task_statistics,
        device=device,
        say=click.echo,
        on_failure=failed.add,
    )
    result = run_study(StudyConfig.read(config), setup)
    for table in (layers_table, gains_table):
        click.echo("\n" + to_markdown(table(result, result.module)))
    click.echo(
        f"{setup.study_folder(result.backbone)} written; a page of it: "
        f"hear-fusion report {out} --out report.html"
    )
    failed.check(len(result.tasks) + failed.n)
