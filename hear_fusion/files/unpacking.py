"""Archives as members with their bytes, in one streaming pass, and those inside them too.

Names in an archive never become paths on the disk, and links are never followed.
"""

from __future__ import annotations

import errno
import shutil
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from hear_fusion.files.compressed import decompressed
from hear_fusion.files.contents import HEAD_BYTES, archive_kind, read_head, why_no_archive
from hear_fusion.files.formats import (
    NoEndMarkError,
    RefusedArchiveError,
    StrictHeader,
    lock,
    open_tar_member,
    read_tar_member,
    zip_offsets,
)
from hear_fusion.files.members import READ_ERRORS, Member, Names, read_link
from hear_fusion.files.pieces import ARCHIVE_NAME

_DEEPEST = 3  # archives within archives


class Unpacker:
    """Goes through archives.

    Args:
        on_problem: Called with the path of an archive that cannot be read (to its end), or has
            members that are left out, and why.
        scratch: Folder for the unnamed file that holds an archive from inside another one while
            it is read; by default that of the system.
    """

    def __init__(self, on_problem: Callable[[str, str], None], scratch: Path | None) -> None:
        self._on_problem, self._scratch = on_problem, scratch

    def members(
        self, path: str, stream: BinaryIO, starts: tuple[int, ...] = (0,), depth: int = 0
    ) -> Iterator[Member]:
        """Go through an archive of whatever kind, told by its content.

        Args:
            path: Path of its members' begin.
            stream: The archive; seekable.
            starts: Where in it the disks of a zip file begin that count their bytes on their own.
            depth: How many archives it lies in.

        Yields:
            Its files. Members that are hidden or point out of it are left out; the bytes of a
            link cannot be read, but where it leads to git-annex they are the link itself.
        """
        count = 0
        try:
            for member in self._members(path, stream, starts, depth):
                count += 1
                yield member
        except READ_ERRORS as err:
            self._complain(path, err, count)

    def _complain(self, path: str, err: Exception, n_read: int) -> None:
        if isinstance(err, OSError) and err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise err
        self._on_problem(path, _in_words(err, n_read))

    def _members(
        self, path: str, stream: BinaryIO, starts: tuple[int, ...], depth: int
    ) -> Iterator[Member]:
        head = read_head(stream)
        kind = archive_kind(head)
        if kind == "zip" or (kind is None and zipfile.is_zipfile(stream)):
            yield from self._zip(path, stream, starts, depth)
        elif kind == "tar":
            yield from self._tar(path, stream, depth)
        elif kind is None:
            raise RefusedArchiveError(why_no_archive(head))
        else:
            with decompressed(kind, stream) as layer:
                inner_head = layer.peek(HEAD_BYTES)[:HEAD_BYTES]
                inner = archive_kind(inner_head)
                if inner == "tar":
                    yield from self._tar(path, cast(BinaryIO, layer), depth, sealed=True)
                elif inner is not None:
                    yield from self._inner(path, lambda: layer, None, depth)
                else:
                    raise RefusedArchiveError(why_no_archive(inner_head))

    def _zip(
        self, path: str, stream: BinaryIO, starts: tuple[int, ...], depth: int
    ) -> Iterator[Member]:
        offsets = zip_offsets(path, stream, starts)
        names, locked = Names(), Counter[str]()
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                inside = names.of_zip(info)
                if inside is None:
                    continue
                if reason := lock(info):
                    locked[reason] += 1
                    continue
                info.header_offset += offsets[min(info.volume, len(offsets) - 1)]
                if info.header_offset < 0:
                    raise RefusedArchiveError(
                        f"cannot be read to its end: {-info.header_offset} bytes or more before "
                        "its end are not there; download it again"
                    )
                where = f"{path}/{inside}"
                read: Callable[[], bytes] = partial(archive.read, info)
                if (info.external_attr >> 16) & 0o170000 == 0o120000:
                    yield Member(where, info.file_size, None, partial(read_link, read))
                elif ARCHIVE_NAME.search(inside):
                    opened = partial(archive.open, info)
                    yield from self._inner(where, opened, info.file_size, depth)
                else:
                    yield Member(where, info.file_size, None, read)
        for reason, count in locked.items():
            self._on_problem(path, f"holds {count} files {reason}; unpack it first")
        self._note_names(path, names)

    def _tar(
        self, path: str, stream: BinaryIO, depth: int, *, sealed: bool = False
    ) -> Iterator[Member]:
        names = Names()
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=StrictHeader) as archive:
            try:
                while (info := archive.next()) is not None:
                    # tarfile remembers every member it has seen: hundreds of megabytes in the end.
                    archive.members.clear()  # type: ignore[attr-defined]
                    inside = names.of_tar(info)
                    if inside is None:
                        continue
                    where = f"{path}/{inside}"
                    if info.issym() or info.islnk():
                        target = info.linkname.encode("utf-8", "surrogateescape")
                        read = partial(read_link, partial(bytes, target))
                        yield Member(where, len(target), None, read)
                    elif ARCHIVE_NAME.search(inside):
                        opened = partial(open_tar_member, archive, info)
                        yield from self._inner(where, opened, info.size, depth)
                    else:
                        yield Member(
                            where, info.size, None, partial(read_tar_member, archive, info)
                        )
            except NoEndMarkError:
                # What was compressed whole has not lost its end.
                if not sealed:
                    raise
        self._note_names(path, names)

    def _inner(
        self, path: str, opened: Callable[[], IO[bytes]], size: int | None, depth: int
    ) -> Iterator[Member]:
        """Go through an archive inside another one: zip files are read from their end."""
        if depth == _DEEPEST:
            self._on_problem(path, f"lies in {depth} archives around it; unpack them first")
            return
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            try:
                with opened() as content:
                    shutil.copyfileobj(content, file, 1 << 20)
                if size is not None and file.tell() < size:
                    raise EOFError("the archive around it is cut short")
            except READ_ERRORS as err:
                self._complain(path, err, 0)
                return
            yield from self.members(path, cast(BinaryIO, file), depth=depth + 1)

    def _note_names(self, path: str, names: Names) -> None:
        if not names.n_seen:
            raise RefusedArchiveError("holds no files; download it again")
        if names.n_outside:
            self._on_problem(
                path,
                f"holds {names.n_outside} names that point out of it, such as {names.outside!r}; "
                "they are left out",
            )


def _in_words(err: Exception, n_read: int) -> str:
    if isinstance(err, RefusedArchiveError):
        return str(err)
    where = f"in or after file {n_read}" if n_read else "at its start"
    reason = f"cannot be read to its end: {err or type(err).__name__}"
    if isinstance(err, OSError) and err.errno is not None:
        return reason  # of the disk, not of the archive
    if isinstance(err, EOFError) or "unexpected end of data" in reason:
        return f"cannot be read to its end: it is cut short {where}; download it again"
    return f"{reason}, {where}; download it again"
