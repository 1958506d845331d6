"""The networks' published weight files: which of them a file is, and which are in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hear_fusion.backbones.fitting import build
from hear_fusion.backbones.registry import REGISTRY, fitting_networks
from hear_fusion.checkpoints import (
    WeightsError,
    WeightsRecord,
    cache_dir,
    cached,
    import_file,
    locate,
    read_state_dicts,
    verify,
)


@dataclass(frozen=True)
class FileReport:
    """What one weight file turned out to be.

    Attributes:
        status: ``ok``: the published hash or size matches; ``fits``: none is published, but the
            tensors are the network's; ``bad``: neither; ``absent``: there is no file.
        backbone: Whose weights these are or should be; "-" if that cannot be told.
        path: The file.
        note: What is wrong with it, or what else to know.
    """

    status: Literal["ok", "fits", "bad", "absent"]
    backbone: str
    path: Path
    note: str = ""


def published_files() -> Iterator[tuple[str, WeightsRecord]]:
    """Go through the published files of all networks, each beside its network's name."""
    return ((name, record) for name, network in REGISTRY.items() for record in network.records)


def check_cached(backbone: str) -> list[FileReport]:
    """Check each published file of a network where it lies: in the cache, or in a package."""
    return [
        _compare(cached(record) or cache_dir() / record.filename, backbone, record)
        for record in REGISTRY[backbone].records
    ]


def identify(path: Path) -> FileReport:
    """Find out which network a file anywhere holds, and whether it is a published one.

    A published name obliges: a file that bears it is that file, or bad.
    """
    for name, record in published_files():
        if record.is_pinned:
            report = _compare(path, name, record)
            if report.status == "ok" or record.filename == path.name:
                return report
    try:
        fitting = fitting_networks(read_state_dicts(path))
    except WeightsError as err:
        return FileReport("bad", "-", path, str(err))
    if not fitting:
        note = f"FILE must hold the weights of a network of the list, got {path}"
        return FileReport("bad", "-", path, note)
    note = "not a published file, or one without a published hash"
    return FileReport("fits", fitting[0], path, note)


def import_weights(path: Path, backbones: Iterable[str]) -> list[FileReport]:
    """Copy a published file that came another way into the cache, whatever it is called.

    Args:
        path: The file, or a zip or wheel that holds it.
        backbones: Keys of the registry: the networks whose file it may be.

    Returns:
        For each network that it is a file of, its copy in the cache.

    Raises:
        WeightsError: If it is none of the published files; says for each network why.
    """
    backbones = tuple(backbones)
    state_dicts = read_state_dicts(path)
    reports, reasons = [], []
    for name in backbones:
        try:
            build(REGISTRY[name], state_dicts)
            reports.append(_import(path, name))
        except WeightsError as err:
            reasons.append(f"{name}: {err}")
    if not reports:
        why = "\n".join(reasons)
        raise WeightsError(
            f"FILE must be a published weight file of {', '.join(backbones)}, got {path}:\n"
            f"{why}\nTo use weights of your own, give their path as model file instead."
        )
    return reports


def _compare(path: Path, backbone: str, record: WeightsRecord) -> FileReport:
    """Hold a file against what it should be."""
    if not path.is_file():
        return FileReport("absent", backbone, path)
    try:
        verify(path, record)
        if not record.is_pinned:
            build(REGISTRY[backbone], read_state_dicts(path))
    except WeightsError as err:
        return FileReport("bad", backbone, path, str(err))
    return FileReport("ok" if record.is_pinned else "fits", backbone, path)


def _import(path: Path, backbone: str) -> FileReport:
    """Import a file as the first record it matches; without a hash only its name can tell."""
    records = REGISTRY[backbone].records
    reasons = []
    for record in sorted(records, key=lambda r: r.filename != path.name):
        if not record.is_pinned and record.filename != path.name:
            reasons.append(f"{record.filename} has no published hash: only that name will do")
            continue
        try:
            copy = import_file(path, record)
        except WeightsError as err:
            reasons.append(str(err))
            continue
        note = ""
        if not record.is_default:
            note = "It is not the default file; give its path as model file to use it."
        elif (used := locate(records, download=False)) != copy:
            note = f"{used} is also there and goes first; remove it to use this one."
        return FileReport("ok" if record.is_pinned else "fits", backbone, copy, note)
    raise WeightsError("\n".join(reasons))
