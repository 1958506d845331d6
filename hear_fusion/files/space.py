"""Room on the disk: taken before it is written to, and told of in words where there is none."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import FileSystemError, HearFusionError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RESERVATION = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV)
_BLOCK_BYTES = 1 << 20


class UnwritableError(FileSystemError):
    """A disk does not take what is written: it is full, read-only, or gone."""

    def __str__(self) -> str:
        return str(self.strerror)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of what is written in the block, should it fail, where that is and what to do.

    Args:
        path: The file or folder that shall be there in the end.

    Raises:
        UnwritableError: In place of any error of the operating system.
    """
    try:
        yield
    except HearFusionError:
        raise
    except OSError as err:
        what, step = "be writable", "make it so or choose another folder"
        if err.errno in _NO_ROOM:
            what, step = "have room on its disk", "make some"
        raise UnwritableError(
            err.errno,
            f"{path} must {what}, got {err.strerror or err}; {step} and run the same command "
            "again: what is done stays",
        ) from err


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        UnwritableError: If it cannot be made.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


def reserve(path: Path) -> None:
    """Let the disk give a file all the room that its length tells.

    A new file that is mapped into memory is one hole; where there is no room left when a part of it
    is written, the system kills the process.

    Raises:
        OSError: If there is not so much room.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        try:
            if size:
                os.posix_fallocate(file.fileno(), 0, size)
            return
        except AttributeError:
            pass  # not on this system
        except OSError as err:
            if err.errno not in _NO_RESERVATION:
                raise
        for start in range(0, size, _BLOCK_BYTES):
            file.seek(start)
            block = file.read(_BLOCK_BYTES)
            file.seek(start)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())  # some network file systems tell only now


def new_array(
    path: Path, shape: tuple[int, int], becomes: Path | None = None
) -> NDArray[np.float32]:
    """Map a new .npy file into memory, with room for all of it.

    Args:
        path: The file.
        shape: Rows and numbers in each.
        becomes: The file that errors name; by default ``path``.

    Raises:
        UnwritableError: If the disk does not take it.
    """
    with writing(becomes or path):
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        reserve(path)
    return array
