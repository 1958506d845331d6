"""One view of what people downloaded: a folder, an archive, or a folder of archives.

Members come in one streaming pass, under their path in the archive after the archive's own path.
Nothing is unpacked: names in an archive never become paths on the disk.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from hear_fusion.files.contents import archive_kind, pointer_kind, read_head
from hear_fusion.files.members import Member, is_plain
from hear_fusion.files.pieces import ARCHIVE_NAME, Whole, is_piece, put_together
from hear_fusion.files.unpacking import Unpacker

Report = Callable[[str, str], None]
# Most files of an unpacked data set: no need to look at their names any closer.
_SOUNDS_AND_TABLES = (".wav", ".flac", ".ogg", ".au", ".csv", ".json", ".txt")
_UNFINISHED = re.compile(r"\.(part|partial|crdownload|opdownload|aria2|filepart)$", re.IGNORECASE)


def members(
    source: Path, *, skip: Path | None = None, scratch: Path | None = None, on_problem: Report
) -> Iterator[Member]:
    """Go through a source once, plain files before archives, in the order of their names.

    What is an archive is told by the name, in a folder, and by nothing but the content where a
    single file is given. Hidden files, and members that point out of their archive, are left out.

    Args:
        source: A folder, with or without archives in it, or one tar or zip file, or one of its
            pieces: ``..._partaa``, ``.zip.001``, ``.z01`` and their like are read as the one file
            that they make.
        skip: A folder inside the source to leave out.
        scratch: Folder for the unnamed file that holds an archive from inside another one while
            it is read; by default that of the system.
        on_problem: Called with the path of an archive that cannot be read (to its end), and why.

    Yields:
        Files.
    """
    if source.is_file():
        yield from _unpack(_whole_of(source), scratch, on_problem)
        return
    packed: dict[str, Path] = {}
    for file in _files(source, skip):
        path = file.relative_to(source).as_posix()
        if not file.is_file():
            yield from _lost_link(path, file, on_problem)
        elif path.endswith(_SOUNDS_AND_TABLES):
            yield Member(path, file.stat().st_size, file, file.read_bytes)
        elif _is_packed(path, file):
            packed[path] = file
        elif _UNFINISHED.search(path):
            on_problem(path, "is an unfinished download; download it again")
        else:
            yield Member(path, file.stat().st_size, file, file.read_bytes)
    wholes = put_together(packed)
    taken = {file for whole in wholes for file in whole.files}
    for path, file in packed.items():
        if file not in taken:
            yield Member(path, file.stat().st_size, file, file.read_bytes)
    for whole in wholes:
        yield from _unpack(whole, scratch, on_problem)


def _files(source: Path, skip: Path | None) -> Iterator[Path]:
    """Walk through folders and links to folders, each once."""
    seen = {skip.resolve()} if skip is not None else set()
    for folder, folders, files in os.walk(source, followlinks=True):
        here = Path(folder).resolve()
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if is_plain(name))
        yield from (Path(folder, name) for name in sorted(files) if is_plain(name))


def _is_packed(path: str, file: Path) -> bool:
    if ARCHIVE_NAME.search(path) or is_piece(path):
        return True
    # A server may name a download after its last word: "master", "download".
    if "/" in path or "." in path:
        return False
    with file.open("rb") as stream:
        return archive_kind(read_head(stream)) is not None


def _lost_link(path: str, file: Path, on_problem: Report) -> Iterator[Member]:
    """Take a link to git-annex, whose content is not there, for the pointer that it is."""
    target = os.fsencode(os.readlink(file)) if file.is_symlink() else b""
    pointer = pointer_kind(target)
    if pointer is None:
        on_problem(path, "is no file, or a link to nothing")
    elif ARCHIVE_NAME.search(path) or is_piece(path):
        on_problem(path, f"is a {pointer.name}, not an archive; {pointer.step}")
    else:
        yield Member(path, len(target), None, partial(bytes, target))


def _whole_of(file: Path) -> Whole:
    """Return a file, with the other pieces beside it if it is one."""
    beside = {
        other.name: other
        for other in file.parent.iterdir()
        if other.is_file() and (other.stem == file.stem or is_piece(other.name))
    }
    wholes = put_together(beside)
    return next((whole for whole in wholes if file in whole.files), Whole(file.name, (file,)))


def _unpack(whole: Whole, scratch: Path | None, on_problem: Report) -> Iterator[Member]:
    def report(path: str, reason: str) -> None:
        on_problem(path, reason + (whole.doubt(reason) if path == whole.path else ""))

    if whole.lost is not None:
        on_problem(whole.path, f"lacks its piece {whole.lost}")
        return
    try:
        raw = whole.open()
    except OSError as err:
        on_problem(whole.path, f"cannot be read: {err}")
        return
    with io.BufferedReader(raw, 1 << 20) as stream:
        starts = raw.starts if whole.is_disks else (0,)
        unpacker = Unpacker(report, scratch)
        yield from unpacker.members(whole.path, cast(BinaryIO, stream), starts)
