"""One view of what people downloaded: a folder, an archive, or a folder of archives.

Members come in one streaming pass, under their path in the archive after the archive's own path.
Nothing is unpacked: names in an archive never become paths on the disk.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from string import ascii_lowercase
from typing import Any, BinaryIO, cast

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_PIECE = re.compile(r"(?P<whole>.+)_parta[a-z]")
READ_ERRORS = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # a member with a password
)


@dataclass(frozen=True)
class Member:
    """A file in the source.

    Attributes:
        path: Its path from the source, that of its archive first, with forward slashes.
        size: Its length in bytes.
        file: Where it lies on the disk, or None inside an archive.
        read: Returns its bytes; to be called before the next member is asked for.
    """

    path: str
    size: int
    file: Path | None
    read: Callable[[], bytes]


def members(
    source: Path, *, skip: Path | None = None, on_problem: Callable[[str, str], None]
) -> Iterator[Member]:
    """Go through a source once, plain files before archives, in the order of their names.

    Hidden files, links and members that point out of their archive are left out.

    Args:
        source: A folder, with or without archives in it, or one tar or zip file. Pieces named
            ``..._partaa``, ``..._partab`` are read as the one zip file they make.
        skip: A folder inside the source to leave out.
        on_problem: Called with the path of an archive that cannot be read (to its end), and why.

    Yields:
        Files.
    """
    if source.is_file():
        yield from _archive(source.name, [source], on_problem)
        return
    archives: dict[str, list[Path]] = {}
    for file in _files(source, skip):
        path = file.relative_to(source).as_posix()
        if piece := _PIECE.fullmatch(path):
            archives.setdefault(f"{piece['whole']}.zip", []).append(file)
        elif _ARCHIVE.search(path):
            archives.setdefault(path, []).append(file)
        elif file.is_file():
            yield Member(path, file.stat().st_size, file, file.read_bytes)
        else:
            on_problem(path, "is no file, or a link to nothing")
    for path, pieces in sorted(archives.items()):
        lost = _lost_piece(pieces)
        if lost is None:
            yield from _archive(path, pieces, on_problem)
        else:
            on_problem(path, f"lacks its piece {lost}")


def _files(source: Path, skip: Path | None) -> Iterator[Path]:
    """Walk through folders and links to folders, each once."""
    seen = {skip.resolve()} if skip is not None else set()
    for folder, folders, files in os.walk(source, followlinks=True):
        here = Path(folder).resolve()
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if _is_plain(name))
        yield from (Path(folder, name) for name in sorted(files) if _is_plain(name))


def _lost_piece(pieces: list[Path]) -> str | None:
    """Return the name of the first piece that is not there, short of the last ones."""
    if not _PIECE.fullmatch(pieces[0].name):
        return None
    due = [f"{pieces[0].name[:-1]}{letter}" for letter in ascii_lowercase[: len(pieces)]]
    return next((name for name, piece in zip(due, pieces, strict=True) if name != piece.name), None)


def _archive(
    path: str, pieces: list[Path], on_problem: Callable[[str, str], None]
) -> Iterator[Member]:
    try:
        with _Joined(pieces) as raw, io.BufferedReader(raw, 1 << 20) as stream:
            readable = cast(BinaryIO, stream)
            yield from (_zip if zipfile.is_zipfile(readable) else _tar)(path, readable)
    except READ_ERRORS as err:
        on_problem(path, f"cannot be read to its end: {err or type(err).__name__}")


def _zip(path: str, stream: BinaryIO) -> Iterator[Member]:
    stream.seek(0)
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            is_link = (info.external_attr >> 16) & 0o170000 == 0o120000
            inside = _inside(info.filename)
            if inside and not info.is_dir() and not is_link:
                yield Member(f"{path}/{inside}", info.file_size, None, partial(archive.read, info))


def _tar(path: str, stream: BinaryIO) -> Iterator[Member]:
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        while (info := archive.next()) is not None:
            # tarfile remembers every member it has seen: hundreds of megabytes in the end.
            archive.members.clear()  # type: ignore[attr-defined]
            inside = _inside(info.name)
            if inside and info.isfile():
                yield Member(f"{path}/{inside}", info.size, None, partial(_extract, archive, info))


def _extract(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    data = b"" if file is None else file.read()
    if len(data) < info.size:
        raise EOFError("the archive is cut short")
    return data


def _inside(name: str) -> str | None:
    """Return a member's path without leading dots; None where it is not to be read.

    >>> _inside("./bed/a.wav"), _inside("../a.wav"), _inside("/a.wav"), _inside("b/._a.wav")
    ('bed/a.wav', None, None, None)
    """
    parts = PurePosixPath(name).parts
    return "/".join(parts) if parts and all(map(_is_plain, parts)) else None


def _is_plain(name: str) -> bool:
    return not name.startswith((".", "/")) and name != "__MACOSX"


class _Joined(io.RawIOBase):
    """Files read as one, one after the other."""

    def __init__(self, files: list[Path]) -> None:
        self._files = [file.open("rb") for file in files]
        self._ends: list[int] = []
        for file in self._files:
            self._ends.append((self._ends or [0])[-1] + file.seek(0, os.SEEK_END))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._ends[-1]}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        begin = 0
        for file, end in zip(self._files, self._ends, strict=True):
            if self._at < end:
                file.seek(self._at - begin)
                wanted = memoryview(buffer)[: end - self._at]
                count = file.readinto(wanted)
                self._at += count
                return count
            begin = end
        return 0

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()
