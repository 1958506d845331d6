"""Get a published weight file: from the cache, or from its URL into the cache."""

import logging
from collections.abc import Sequence
from pathlib import Path

from hear_fusion.checkpoints.cache import (
    cache_dir,
    cached,
    import_file,
    lock_of,
    verify,
    verify_content,
)
from hear_fusion.checkpoints.records import WeightsError, WeightsRecord
from hear_fusion.errors import InvalidError
from hear_fusion.files.download import DOWNLOAD_ERRORS, discard
from hear_fusion.files.download import download as download_part
from hear_fusion.files.lock import InUseError, exclusive

__all__ = ["cache_dir", "cached", "fetch", "import_file", "locate", "verify"]

_logger = logging.getLogger(__name__)


def fetch(record: WeightsRecord, *, progress: bool = True) -> Path:
    """Return the record's file, downloaded if the cache does not hold it.

    An attempt that breaks off leaves ``<name>.part``, from which the next one goes on. A file
    that arrives whole but is not the published one is kept as ``<name>.bad``.

    Args:
        record: The file to get.
        progress: Whether to show it on stderr.

    Returns:
        Path of the verified file in the cache.

    Raises:
        WeightsError: If it has no URL, cannot be downloaded or stored, or is another file.
    """
    present = cached(record)
    if present is not None:
        return present
    if record.url is None:
        raise WeightsError(_missing(record, "there is no URL to download it from"))
    target = cache_dir() / record.filename
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(lock_of(target)):
            present = cached(record)  # another process may have fetched it meanwhile
            if present is not None:
                return present
            _logger.info("fetching %s to %s", record.url, target)
            download_part(record.url, part, progress=progress)
            _accept(part, target, record)
    except InUseError as err:
        raise WeightsError(str(err)) from err
    except DOWNLOAD_ERRORS as err:
        reason = f"{type(err).__name__}: {err}"
        raise WeightsError(_missing(record, f"the download failed ({reason})")) from err
    return target


def locate(
    records: Sequence[WeightsRecord], *, download: bool = True, progress: bool = True
) -> Path:
    """Return the first file of a network that is at hand, or fetch the first with a URL.

    Args:
        records: Files of one network, the preferred one first; those that are not
            ``is_default`` are passed over.
        download: Whether a file may be downloaded if none is in the cache.
        progress: Whether to show it on stderr.

    Returns:
        Path of a verified file in the cache.

    Raises:
        ValueError: If ``records`` holds no default file.
        WeightsError: If no file is in the cache and none may or can be downloaded; says how
            to get each of them.
    """
    records = [record for record in records if record.is_default]
    if not records:
        raise InvalidError("records must hold at least one default record, got none")
    for record in records:
        present = cached(record)
        if present is not None:
            return present
    chosen = next((record for record in records if record.url), records[0])
    try:
        if not download:
            raise WeightsError(_missing(chosen, "it is not in the cache"))
        return fetch(chosen, progress=progress)
    except WeightsError as err:
        others = [_next_step(record) for record in records if record is not chosen]
        raise WeightsError("\nor ".join([str(err), *others])) from err


def _accept(part: Path, target: Path, record: WeightsRecord) -> None:
    """Give a complete download its final name if it is the published file."""
    try:
        verify_content(part, record)
    except WeightsError as err:
        bad = target.with_name(target.name + ".bad")
        part.replace(bad)
        discard(part)
        message = str(err).replace(str(part), str(bad))
        raise WeightsError(f"{message}\nIt came from {record.url}") from err
    part.replace(target)
    discard(part)


def _missing(record: WeightsRecord, reason: str) -> str:
    target = cache_dir() / record.filename
    found = "another file there" if target.is_file() else "no such file"
    return (
        f"weights must be at {target} with {record.expectation}, got {found}: {reason}; "
        f"{_next_step(record)}"
    )


def _next_step(record: WeightsRecord) -> str:
    """Say how to get a file by hand."""
    if record.url is None:
        command = record.how_to_get or f"ask its publisher ({record.source})"
        return f"get {record.filename!r} with '{command}', then 'hear-fusion weights import FILE'"
    return f"download {record.url} by hand to {cache_dir() / record.filename}"
