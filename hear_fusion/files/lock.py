"""One process at a time: a lock the system lets go of when its holder dies."""

import contextlib
import errno
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_logger = logging.getLogger(__name__)
# Network file systems without locks: two downloads at once are then wasteful, yet each is
# verified before it takes its final name.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs, waiting for other processes first.

    The empty file stays behind: removing it would let two processes hold two locks.

    Args:
        path: The lock file, made if absent; its folder must exist.

    Raises:
        OSError: If the file cannot be made.
    """
    with path.open("ab") as stream:
        try:
            _lock(stream, path)
        except OSError as err:
            if err.errno not in _NO_LOCKS:
                raise
            _logger.warning("%s: no locks on this file system, going on without", path)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes], path: Path) -> None:
        _logger.info("waiting for %s", path)
        while True:
            try:
                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
            except PermissionError:
                time.sleep(0.2)
            else:
                return

else:
    import fcntl

    def _lock(stream: IO[bytes], path: Path) -> None:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _logger.warning("another process is at work; waiting for %s", path)
            fcntl.flock(stream, fcntl.LOCK_EX)
