"""Compressed files, read as what is in them."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import Any, BinaryIO, cast

from hear_fusion.files.contents import HEAD_BYTES, ArchiveKind

_CHUNK_BYTES = 1 << 16
_ZLIB_GZIP = 16 + zlib.MAX_WBITS


def decompressed(kind: ArchiveKind, stream: BinaryIO) -> io.BufferedReader:
    """Return what a gzip, bzip2 or xz file holds, to be read once from its start.

    A file that is cut raises EOFError where it ends. The given stream stays open.
    """
    raw = {"gzip": _Gunzipped, "bzip2": bz2.BZ2File, "xz": lzma.LZMAFile}[kind](stream)
    return io.BufferedReader(cast(io.RawIOBase, raw), 1 << 17)


class _Gunzipped(io.RawIOBase):
    """Faster than ``gzip.GzipFile``, which runs the checksum and small blocks through Python."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(_ZLIB_GZIP)
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target, filled = memoryview(buffer), 0
        # No less than what tells the kind of the content.
        while filled < min(len(target), HEAD_BYTES):
            if not self._ready and not self._refill():
                break
            some = self._ready[: len(target) - filled]
            target[filled : filled + len(some)] = some
            self._ready = self._ready[len(some) :]
            filled += len(some)
        return filled

    def _refill(self) -> bool:
        """Inflate the next bytes; False at the end."""
        while not self._ready:
            if self._inflate.eof:
                # Another gzip file may follow: parallel compressors write many.
                packed = self._inflate.unused_data or self._stream.read(_CHUNK_BYTES)
                if not packed.strip(b"\0"):
                    return False
                self._inflate = zlib.decompressobj(_ZLIB_GZIP)
            elif not (packed := self._stream.read(_CHUNK_BYTES)):
                raise EOFError("the compressed file is cut short")
            self._ready = memoryview(self._inflate.decompress(packed))
        return True
