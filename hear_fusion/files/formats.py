"""What zipfile and tarfile pass over: ends that are not there, disks, locks."""

from __future__ import annotations

import struct
import tarfile
import zipfile
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Self

from hear_fusion.errors import FileSystemError, HearFusionError, InvalidError

_ZIP_END = b"PK\x05\x06"
# The record of the end, and the longest comment.
_ZIP_TAIL_BYTES = 22 + 0xFFFF
_ZIP64_LOCATOR = b"PK\x06\x07"
_IN_ZIP64 = 0xFFFF
_ENCRYPTED = 0x1
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class RefusedArchiveError(InvalidError):
    """An archive is not read; the message is the reason."""


class NoEndMarkError(HearFusionError, EOFError):
    """A tar file ends where a member could begin."""


def zip_offsets(path: str, stream: BinaryIO, starts: tuple[int, ...]) -> tuple[int, ...]:
    """Find what is to be added to the places of members, by the disk on which they are.

    Args:
        path: The archive's path.
        stream: A zip file.
        starts: Where its disks begin.

    Raises:
        RefusedArchiveError: If its end is not there, or some of its disks are not.
    """
    length = stream.seek(0, 2)
    stream.seek(max(0, length - _ZIP_TAIL_BYTES))
    tail = stream.read()
    at = tail.rfind(_ZIP_END)
    if at < 0 or len(tail) < at + 22:
        raise RefusedArchiveError(
            f"cannot be read to its end: it is cut short, {length} bytes are there and its list "
            "of files, at the end, is not; download it again"
        )
    last, begin = struct.unpack_from("<2H", tail, at + 4)
    n_disks = 1 if _IN_ZIP64 in (last, begin) else last + 1
    if n_disks > len(starts):
        lost = PurePosixPath(path).with_suffix(f".z{len(starts):02d}").name
        raise RefusedArchiveError(f"lacks its piece {lost}, out of {n_disks}")
    if tail[at - 20 : at - 16] == _ZIP64_LOCATOR and struct.unpack_from("<I", tail, at - 4)[0] > 1:
        name = PurePosixPath(path).name
        raise RefusedArchiveError(
            f"is split in the form for large archives; join it first: zip -s 0 {name} --out all.zip"
        )
    # zipfile counts from the disk where the list of files begins.
    return tuple(start - starts[begin] for start in starts) if n_disks > 1 else (0,)


def lock(info: zipfile.ZipInfo) -> str | None:
    """Say why a member of a zip file cannot be unpacked; None if it can."""
    if info.flag_bits & _ENCRYPTED:
        return "with a password"
    if info.compress_type not in _COMPRESSIONS:
        names = zipfile.compressor_names  # type: ignore[attr-defined]
        how = names.get(info.compress_type, f"method {info.compress_type}")
        return f"compressed by {how}, which is not known here"
    return None


class StrictHeader(tarfile.TarInfo):
    """A header; tarfile takes one that is cut or damaged for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header from the 512 bytes that it must have.

        Raises:
            EOFError: If it is cut.
            ReadError: If it is damaged.
            HeaderError: If it is the mark of the end.
        """
        if not buf:
            raise NoEndMarkError("the archive ends without its mark")
        if len(buf) < tarfile.BLOCKSIZE:
            raise EOFError("the archive is cut short")
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as err:
            if any(buf):
                raise tarfile.ReadError(str(err)) from err
            raise


def open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    """Open a file in a tar file; links are none."""
    file = archive.extractfile(info)
    if file is None:
        raise FileSystemError("it is no file")
    return file


def read_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    """Return the bytes of a file in a tar file.

    Raises:
        EOFError: If the archive ends before.
    """
    data = open_tar_member(archive, info).read()
    if len(data) < info.size:
        raise EOFError("the archive is cut short")
    return data
