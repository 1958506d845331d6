"""One process at a time: a lock the system lets go of when its holder dies."""

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_logger = logging.getLogger(__name__)
# Network file systems without locks: two downloads at once are then wasteful, yet each is
# verified before it takes its final name.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs, waiting for other processes first.

    The empty file stays behind: removing it would let two processes hold two locks.

    Args:
        path: The lock file, made if absent.

    Raises:
        OSError: If the file cannot be made.
    """
    # A preserved file also rules out filelock's own way without locks, a mark that a killed
    # holder would leave behind for ever.
    lock = FileLock(path, preserve_lock_file=True)
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            _logger.warning("another process is at work; waiting for %s", path)
            lock.acquire()
    except OSError as err:
        if err.errno not in _NO_LOCKS:
            raise
        _logger.warning("%s: no locks on this file system, going on without", path)
    try:
        yield
    finally:
        lock.release()
