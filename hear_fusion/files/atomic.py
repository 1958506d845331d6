"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from hear_fusion.files.space import writing


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file beside its place and move it there: no reader ever finds half of it.

    Args:
        path: The file; its folder must exist.
        content: Text, written as UTF-8, or bytes.

    Returns:
        The file.

    Raises:
        UnwritableError: If the disk does not take it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_whole(Path(folder) / "a.txt", "whole")
    ...     written.read_text(), os.listdir(folder)
    ('whole', ['a.txt'])
    """
    part = unfinished(path)
    with writing(path):
        try:
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            return part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def unfinished(path: Path) -> Path:
    """Name the file that becomes ``path`` when it is whole, another one in each process.

    >>> unfinished(Path("a.txt")).name == f".a.txt.{os.getpid()}"
    True
    """
    return path.with_name(f".{path.name}.{os.getpid()}")
