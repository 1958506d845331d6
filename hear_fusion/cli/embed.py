"""``hear-fusion embed``: one pass over the clips for all layers of a network."""

from __future__ import annotations

from pathlib import Path

import click

from hear_fusion.cli import options
from hear_fusion.cli.errors import FailedTasks


@click.command()
@click.argument("more_modules", metavar="[NAME]...", nargs=-1)
@click.option(
    "--backbone", required=True, metavar="NETWORK", help="Such as cnn14; see 'hear-fusion list'."
)
@options.tasks_dir
@options.task
@click.option(
    "--store", type=options.PATH, required=True, help="Where the features of layers are kept."
)
@click.option(
    "--modules",
    multiple=True,
    metavar="NAME",
    help="Also write the embeddings of these modules as heareval does: one or more names.",
)
@options.embeddings_dir
@options.weights
@options.model_options
@options.device
@options.no_wait
def embed(
    more_modules: tuple[str, ...],
    backbone: str,
    tasks_dir: Path,
    tasks: tuple[str, ...],
    store: Path,
    modules: tuple[str, ...],
    embeddings_dir: Path,
    weights: Path | None,
    model_options: str,
    device: str,
) -> None:
    """Run every clip once through a network and keep the features of all its layers.

    The store holds one memory-mapped array a layer and split; a fusion is the concatenation of its
    layers, so it costs nothing. For each of --modules the folders that heareval's embeddings runner
    would have written are made from it, and 'hear-fusion evaluate' goes on from there. Event tasks
    need modules, since frames are kept only for those. What is done is not done again. A task that
    fails is told, and the others go on.

    \b
    Examples:
      hear-fusion embed --backbone yamnet --tasks-dir tasks --store store
      hear-fusion embed --backbone cnn14 --tasks-dir tasks --store store \\
          --modules cnn14 cnn14_3_6 --embeddings-dir embeddings
      hear-fusion evaluate cnn14 cnn14_3_6 --tasks-dir tasks
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion.backbones import REGISTRY
    from hear_fusion.embeddings.backbone import LoadedBackbone
    from hear_fusion.embeddings.embed import embed_task
    from hear_fusion.evaluate.embeddings import export_module
    from hear_fusion.evaluate.options import read_options
    from hear_fusion.names import parse_modules
    from hear_fusion.tasks.folders import find_tasks

    if backbone not in REGISTRY:
        raise click.BadParameter(
            f"--backbone must be one of {', '.join(REGISTRY)}, got {backbone!r}"
        )
    choices = parse_modules((*modules, *more_modules), backbone)
    folders = find_tasks(tasks_dir, tasks or None)
    loaded = LoadedBackbone.load(backbone, weights, read_options(model_options), device)
    failed = FailedTasks()
    for task in folders:
        with failed.apart(task.name):
            stored = embed_task(loaded, task, store, choices)
            if stored is None:
                click.echo(f"{task.name}: an event task; name --modules such as {backbone}_40ms")
                continue
            for choice in choices:
                export_module(stored, task, choice, loaded, embeddings_dir)
            click.echo(
                f"{task.name}: {stored.n_clips} clips, {stored.wall_s:.1f} s, {stored.folder}"
            )
    failed.check(len(folders))
