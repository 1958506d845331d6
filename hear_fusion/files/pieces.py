"""Files that were cut into pieces, put together again without writing them anew."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from hear_fusion.files.contents import archive_kind, read_head

_ENDING = r"\.(?:zip|t(?:ar\.)?(?:gz|bz2?|xz|lzma|zst)|tar|7z|rar)"
# Compressed once more, fetched a second time, or with what followed in the address.
ARCHIVE_NAME = re.compile(rf"{_ENDING}(?:\.(?:gz|bz2|xz))?(?:\.\d|\?[^/]*)?$", re.IGNORECASE)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # vox1_dev_wav_partaa, a.zip.part1, a.tar.gz.part-00
        r"(?P<whole>.+?)(?P<mark>[._-]part[._-]?)(?P<at>[a-z]{2}|\d{1,4})",
        # a.zip.001, a.tar.gz.aa, a.tgz-00
        rf"(?P<whole>.+{_ENDING})(?P<mark>[._-]?)(?P<at>[a-z]{{2}}|\d{{2,4}})",
        # a.z01, a.z02, a.zip
        r"(?P<whole>.+)(?P<mark>\.z)(?P<at>\d{2,3})",
    )
)
_DISK = ".z"


@dataclass(frozen=True)
class Whole:
    """A file, or the pieces that it was cut into.

    Attributes:
        path: Path of the whole.
        files: The pieces, in their order.
        lost: Name of the first piece that is known to be missing, or None.
        is_disks: Whether it is a zip file whose pieces count their bytes each for itself.
    """

    path: str
    files: tuple[Path, ...]
    lost: str | None = None
    is_disks: bool = False

    def open(self) -> _Joined:
        """Open the pieces as one file."""
        return _Joined(self.files)

    def doubt(self, reason: str) -> str:
        """Say what may be wrong with the pieces of a whole that cannot be read; "" if it is one."""
        if len(self.files) == 1 and not is_piece(self.files[0].name):
            return ""
        if "in no known form" in reason:
            return f"; a piece before {self.files[0].name} may be missing"
        if "cannot be read" not in reason:
            return ""
        sizes = [file.stat().st_size for file in self.files]
        for file, size in zip(self.files[:-1], sizes, strict=False):
            if size < sizes[0]:
                return f"; its piece {file.name} is shorter than the first one"
        return f"; a piece after {self.files[-1].name} may be missing"


@dataclass(frozen=True)
class _Piece:
    whole: str
    mark: str
    at: str

    @property
    def path(self) -> str:
        return f"{self.whole}{self.mark}{self.at}"

    @property
    def index(self) -> int:
        if self.at.isdigit():
            return int(self.at)
        first, second = map(ascii_lowercase.index, self.at.lower())
        return 26 * first + second

    def named(self, index: int) -> str:
        """Return the name that the piece of another index has."""
        if self.at.isdigit():
            at = str(index).zfill(len(self.at))
        else:
            at = ascii_lowercase[index // 26] + ascii_lowercase[index % 26]
        return Path(f"{self.whole}{self.mark}{at}").name


def is_piece(name: str) -> bool:
    """Tell whether a name may be that of a piece.

    >>> [is_piece(name) for name in ("a_partaa", "a.zip.001", "a.z01", "a.zip", "a.tar.gz")]
    [True, True, True, False, False]
    """
    return _piece(name) is not None


def _piece(path: str) -> _Piece | None:
    if ARCHIVE_NAME.search(path):
        return None
    found = next((found for form in _FORMS if (found := form.fullmatch(path))), None)
    return None if found is None else _Piece(found["whole"], found["mark"], found["at"])


def put_together(files: Mapping[str, Path]) -> list[Whole]:
    """Put pieces in their order, and find what is missing.

    Args:
        files: Pieces, archives, and what only looks like a piece, by path.

    Returns:
        Every whole of pieces or archive in the order of the paths. A file that only looks like a
        piece is in none, and pieces beside a whole of just their size are left out.
    """
    groups: dict[tuple[str, str, bool], dict[int, _Piece]] = {}
    for path in files:
        if piece := _piece(path):
            key = (piece.whole, piece.mark.lower(), piece.at.isdigit())
            groups.setdefault(key, {})[piece.index] = piece
    wholes = {path: Whole(path, (file,)) for path, file in files.items() if not _piece(path)}
    joined: list[Whole] = []
    for pieces in groups.values():
        ordered = [pieces[index] for index in sorted(pieces)]
        if ordered[0].mark.lower() == _DISK:
            whole = _of_disks(ordered, files)
            wholes.pop(whole.path, None)
            joined.append(whole)
        elif _is_unmistakable(ordered[0], files):
            whole = _of_parts(ordered, files)
            alone = wholes.get(whole.path)
            if alone is None or _size(alone) != _size(whole):
                joined.append(whole)
    return sorted([*wholes.values(), *joined], key=lambda whole: whole.path)


def _is_unmistakable(first: _Piece, files: Mapping[str, Path]) -> bool:
    """Whether what has the name of a piece is one, and among the first."""
    if not first.at.isdigit():
        return first.index < len(ascii_lowercase)
    if ARCHIVE_NAME.search(first.whole):
        return True
    with files[first.path].open("rb") as file:
        return first.index <= 1 and archive_kind(read_head(file)) is not None


def _of_parts(pieces: list[_Piece], files: Mapping[str, Path]) -> Whole:
    whole = pieces[0].whole
    path = whole if ARCHIVE_NAME.search(whole) else f"{whole}.zip"
    # Programs count from 0 or from 1.
    begin = min(pieces[0].index, 1) if pieces[0].at.isdigit() else 0
    return Whole(path, _files(pieces, files), _gap(pieces, begin))


def _of_disks(pieces: list[_Piece], files: Mapping[str, Path]) -> Whole:
    path = f"{pieces[0].whole}.zip"
    last = next((name for name in files if name.lower() == path.lower()), None)
    lost = _gap(pieces, 1) or (Path(path).name if last is None else None)
    disks = _files(pieces, files) + (() if last is None else (files[last],))
    return Whole(last or path, disks, lost, is_disks=True)


def _files(pieces: list[_Piece], files: Mapping[str, Path]) -> tuple[Path, ...]:
    return tuple(files[piece.path] for piece in pieces)


def _gap(pieces: list[_Piece], begin: int) -> str | None:
    for due, piece in enumerate(pieces, start=begin):
        if piece.index != due:
            return piece.named(due)
    return None


def _size(whole: Whole) -> int:
    return sum(file.stat().st_size for file in whole.files)


class _Joined(io.RawIOBase):
    """Files read as one, one after the other.

    Attributes:
        starts: Where each of them begins.
    """

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._files = [file.open("rb") for file in files]
        ends = [0]
        for file in self._files:
            ends.append(ends[-1] + file.seek(0, os.SEEK_END))
        self.starts, self._ends = tuple(ends[:-1]), ends[1:]
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
        for file, begin, end in zip(self._files, self.starts, self._ends, strict=True):
            if self._at < end:
                file.seek(self._at - begin)
                wanted = memoryview(buffer)[: end - self._at]
                count = file.readinto(wanted)
                self._at += count
                return count
        return 0

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()
