"""The folder of downloaded weights, shared with torch.hub: check what is in it, put files in."""

import contextlib
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO

import torch

from hear_fusion.checkpoints.containers.foreign import refusal
from hear_fusion.checkpoints.containers.kinds import read_ends, recognise
from hear_fusion.checkpoints.containers.reading import read_tensors
from hear_fusion.checkpoints.records import WeightsError, WeightsRecord
from hear_fusion.files.hashing import file_sha256
from hear_fusion.files.lock import InUseError, exclusive

_logger = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Return the folder of downloaded weights; ``TORCH_HOME`` moves it."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def lock_of(target: Path) -> Path:
    """Return the lock of a file of the cache."""
    return target.with_name(f".{target.name}.lock")


def verify(path: Path | str, record: WeightsRecord) -> None:
    """Check that a file is the published one, as far as its publisher lets us.

    A known full SHA-256 decides alone; otherwise its known first digits and size must match.

    Args:
        path: The file.
        record: What it should be.

    Raises:
        WeightsError: If the file is absent or another one; says what was expected and found.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"path must be the file {record.filename!r}, got {path}, which does not exist; "
            "check the spelling, or run 'hear-fusion weights fetch'"
        )
    size = path.stat().st_size
    prefix = record.sha256 or record.sha256_prefix
    wrong_size = record.sha256 is None and record.size_bytes not in (None, size)
    if prefix is None and not wrong_size:
        return
    actual = file_sha256(path)
    if wrong_size or (prefix is not None and not actual.startswith(prefix.lower())):
        raise WeightsError(
            f"path must be the published {record.filename!r} with {record.expectation}, "
            f"got {path} with sha256 {actual} and {size} bytes; fetch it again"
        )


def verify_content(path: Path, record: WeightsRecord) -> None:
    """Check a file that is about to enter the cache: also that it holds weights at all.

    Raises:
        WeightsError: As ``verify``, or if the file is a web page or another kind of file.
    """
    verify(path, record)
    if not record.is_pinned:
        read_tensors(path)
    with path.open("rb") as stream:
        head, tail = read_ends(stream)
    if recognise(head, tail) is None:
        raise refusal(head, str(path))


def cached(record: WeightsRecord) -> Path | None:
    """Return the record's file if it is in the cache, or in an installed package, and verified.

    Args:
        record: The file to look for.

    Returns:
        Its path; ``None`` if it is absent, or present but not the published file (logged).
    """
    path = cache_dir() / record.filename
    if path.is_file():
        return _verified(path, record)
    package, _, inside = record.package_file.partition("/")
    spec = find_spec(package) if package else None  # looked up, never imported
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / inside
    return _verified(path, record) if path.is_file() else None


def _verified(path: Path, record: WeightsRecord) -> Path | None:
    try:
        verify(path, record)
        if not record.is_pinned:
            read_tensors(path)  # without a hash, that it opens is all that can be asked
    except WeightsError as err:
        _logger.warning("%s", err)
        return None
    return path


def import_file(path: Path | str, record: WeightsRecord) -> Path:
    """Copy a file that came another way into the cache.

    Args:
        path: The file, or a zip or wheel with a member of the record's file name.
        record: What it should be.

    Returns:
        The path in the cache; it holds the old file or the whole new one, never a part.

    Raises:
        WeightsError: If the file is absent or not the published one, or cannot be copied.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"path must be an existing file, got {path}; check the spelling")
    target = cache_dir() / record.filename
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(lock_of(target)):
            handle, name = tempfile.mkstemp(prefix=f".{record.filename}.", dir=target.parent)
            copy = Path(name)
            try:
                with os.fdopen(handle, "wb") as stream, _opened(path, record.filename) as origin:
                    shutil.copyfileobj(origin, stream)
                verify_content(copy, record)
                copy.chmod(0o644)  # mkstemp's files are for their owner only
                copy.replace(target)
            finally:
                copy.unlink(missing_ok=True)
    except WeightsError as err:
        raise WeightsError(str(err).replace(name, str(path))) from err
    except InUseError as err:
        raise WeightsError(str(err)) from err
    except (OSError, zipfile.BadZipFile) as err:
        raise WeightsError(
            f"path must be a file that can be copied to {target}, got {path} ({err}); "
            "check the file, and space and permissions of the folder"
        ) from err
    return target


@contextlib.contextmanager
def _opened(path: Path, filename: str) -> Iterator[IO[bytes]]:
    """Open a file, or its member called ``filename`` if it is an archive that has one."""
    with contextlib.ExitStack() as stack:
        if zipfile.is_zipfile(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            for member in archive.namelist():
                if PurePosixPath(member).name == filename:
                    yield stack.enter_context(archive.open(member))
                    return
        yield stack.enter_context(path.open("rb"))
