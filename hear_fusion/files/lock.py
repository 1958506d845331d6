"""One process at a time: a lock the system lets go of when its holder dies."""

import contextlib
import errno
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from hear_fusion.errors import FileSystemError
from hear_fusion.files.space import writing

_logger = logging.getLogger(__name__)
# Network file systems without locks: two downloads at once are then wasteful, yet each is
# verified before it takes its final name.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
_without_locks: set[int] = set()  # file systems that were told of
_waits = ContextVar("waits", default=True)


class InUseError(FileSystemError):
    """Another process writes to a folder, and it was not to be waited for."""


@contextlib.contextmanager
def exclusive(path: Path, *, keep: bool = True) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs, waiting for other processes first.

    Args:
        path: The lock file, made if absent, as is its folder.
        keep: Whether the empty file stays behind. A network file system may let two processes hold
            two locks where it does not; to be used where others trip over it.

    Raises:
        InUseError: If another process holds it, within `no_waiting`.
        UnwritableError: If the file cannot be made.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquire(path)
    try:
        yield
    finally:
        if not keep:
            path.unlink(missing_ok=True)  # who waits for this very file takes the next one
        lock.release()


def _acquire(path: Path) -> FileLock:
    # A preserved file also rules out filelock's own way without locks, a mark that a killed
    # holder would leave behind for ever.
    lock = FileLock(path, preserve_lock_file=True)
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            _refuse_or_tell(path)
            lock.acquire()
    except OSError as err:
        if err.errno not in _NO_LOCKS:
            raise
        _tell_once(path)
    return lock


@contextlib.contextmanager
def no_waiting() -> Iterator[None]:
    """Refuse what another process is at work on, while the block runs."""
    token = _waits.set(False)
    try:
        yield
    finally:
        _waits.reset(token)


def _refuse_or_tell(path: Path) -> None:
    if not _waits.get():
        raise InUseError(
            f"{path.parent} must have one writer at a time, got another process at work that holds "
            f"{path.name}; try again when it has ended, or leave out --no-wait to wait for it"
        )
    _logger.warning("another process is at work; waiting for %s", path)


def _tell_once(path: Path) -> None:
    file_system = path.parent.stat().st_dev
    if file_system not in _without_locks:
        _without_locks.add(file_system)
        _logger.warning("%s: no locks on this file system, going on without", path)
