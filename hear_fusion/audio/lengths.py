"""Where the sound of a file ends, as its container tells it.

libsndfile reads a file that was cut, and says nothing. Most containers write down how long their
sound is; programs that stream write a size that means "unknown", and some formats have none. So
there are three answers: all of it is there, so many bytes are missing, or nobody can tell.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hear_fusion.audio import mp3

# Some writers count their own header as sound; nobody misses that little.
_SLACK_BYTES = 1024
# A size this near to a limit of its integer is no length: SoX, arecord, ffmpeg, espeak and others
# write one of these, or a round number, when they cannot know.
_NEAR = 0x10000
_LIMITS = (1 << 31, 1 << 32)
_ROUND = 2_000_000_000


@dataclass(frozen=True)
class Length:
    """What a container tells of its sound.

    Attributes:
        known: Whether it says where the sound ends.
        missing: What it promises beyond the end of the file, in words; empty if nothing.
        is_exact: Whether the count of samples that libsndfile gives is one, not an estimate.
        is_settled: Whether readers can go by the file as it is; else by what `settled` makes of it.
    """

    known: bool
    missing: str = ""
    is_exact: bool = True
    is_settled: bool = False


@dataclass(frozen=True)
class _Extent:
    """The chunk of sound: its first byte, its size if told, and the field that tells it.

    ``surplus`` is what the field counts besides the sound.
    """

    start: int
    size: int | None
    field: int
    form: str
    surplus: int = 0


def length_of(data: bytes) -> Length:
    """Tell whether a file holds all of the sound that its container promises.

    Args:
        data: The whole file.

    >>> header = b".snd" + struct.pack(">IIIII", 24, 16000, 3, 8000, 1)
    >>> length_of(header + bytes(4000))
    Length(known=True, missing='its last 12000 bytes are', is_exact=True, is_settled=True)
    """
    if data[:4] == b"OggS":
        return Length(True, "" if _ogg_ends(data) else "its last page is")
    if data[:4] == b"fLaC":
        known = int.from_bytes(data[18:26], "big") % (1 << 36) > 0  # count of samples
        return Length(known, is_exact=known)
    extent = _extent(data)
    if extent is None:
        end = mp3.promised_end(data)
        if end is None:
            return Length(known=False, is_exact=False)
        # Editors of tags leave the count as it was.
        return Length(True, _missing(end, data, max(_SLACK_BYTES, end // 50)), is_exact=False)
    if extent.size is None:
        return Length(known=False, is_exact=False)
    end = extent.start + extent.size
    missing = _missing(end, data, min(_SLACK_BYTES, extent.size // 2))
    return Length(True, missing, is_settled=data[:4] != b"riff")


def _missing(end: int, data: bytes, slack: int) -> str:
    n_bytes = end - len(data)
    return f"its last {n_bytes} bytes are" if n_bytes > slack else ""


def settled(data: bytes) -> bytes:
    """Write the size that is there where a container leaves it open, for readers that need one.

    What stands behind the sound of a W64 file is left out: libsndfile takes it for sound.
    """
    extent = _extent(data)
    if extent is None:
        is_other = data[:4] in (b"OggS", b"fLaC") or mp3.promised_end(data) is not None
        return data if is_other else mp3.counted(data)
    if extent.size is not None:
        return data[: extent.start + extent.size] if data[:4] == b"riff" else data
    whole = bytearray(data)
    size = max(0, len(data) - extent.start)
    struct.pack_into(extent.form, whole, extent.field, size + extent.surplus)
    if data[:4] == b"RF64" and extent.form == "<q":  # the chunk's own size must point to ds64
        struct.pack_into("<I", whole, extent.start - 4, 0xFFFFFFFF)
        struct.pack_into("<q", whole, extent.field - 8, len(data) - 8)
        struct.pack_into("<q", whole, extent.field + 8, 0)
    if data[:4] == b"riff":
        struct.pack_into("<q", whole, 16, len(data))
    return bytes(whole)


def _extent(data: bytes) -> _Extent | None:
    kind, form = data[:4], data[8:12]
    if kind in (b"RIFF", b"RIFX", b"RF64") and form == b"WAVE":
        return _wave(data, ">" if kind == b"RIFX" else "<")
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _chunked(data, b"SSND", ">", offset=12, inside=8)
    if kind == b"riff":
        return _w64(data)
    if kind == b".snd" and len(data) >= 24:
        start, size = struct.unpack_from(">II", data, 4)
        return _Extent(start, None if _is_open(size) else size, 8, ">I")
    if kind == b"caff":
        return _caf(data)
    return None


def _wave(data: bytes, order: str) -> _Extent | None:
    extent = _chunked(data, b"data", order, offset=12)
    at = data.find(b"ds64", 12, 64)
    if extent is None or data[:4] != b"RF64" or at < 0 or len(data) < at + 24:
        return extent
    (size,) = struct.unpack_from("<q", data, at + 16)
    return _Extent(extent.start, None if _is_open(size, 64) else size, at + 16, "<q")


def _chunked(
    data: bytes, wanted: bytes, order: str, offset: int, inside: int = 0
) -> _Extent | None:
    """Find a chunk; ``inside`` bytes at its beginning are no sound."""
    at = offset
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(order + "I", data, at + 4)
        if data[at : at + 4] == wanted:
            told = None if _is_open(size) else max(0, size - inside)
            return _Extent(at + 8 + inside, told, at + 4, order + "I", inside)
        at += 8 + size + size % 2
    return None


def _w64(data: bytes) -> _Extent | None:
    at = 40  # chunks of a 16-byte identifier and a size that counts both, on multiples of eight
    while at + 24 <= len(data):
        (size,) = struct.unpack_from("<q", data, at + 16)
        if data[at : at + 4] == b"data":
            told = None if _is_open(size - 24, 64) else size - 24
            return _Extent(at + 24, told, at + 16, "<q", 24)
        if size < 24:
            return None
        at += (size + 7) // 8 * 8
    return None


def _caf(data: bytes) -> _Extent | None:
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">q", data, at + 4)
        if data[at : at + 4] == b"data":
            told = None if _is_open(size, 64) else size - 4  # an edit count comes first
            return _Extent(at + 16, told, at + 4, ">q", 4)
        if size < 0:
            return None
        at += 12 + size
    return None


def _is_open(size: int, bits: int = 32) -> bool:
    """Tell whether a size means that the writer did not know it."""
    if bits == 64:
        return size <= 0 or size >= 1 << 62 or _is_open(size)
    if 0 < size < _ROUND:
        return False
    near = any(limit - _NEAR <= size < limit + _NEAR for limit in _LIMITS)
    return size == 0 or size == _ROUND or near


def _ogg_ends(data: bytes) -> bool:
    """Tell whether the last whole page is marked as the last of its stream."""
    at, is_last = 0, False
    while (at := data.find(b"OggS", at)) >= 0 and at + 27 <= len(data):
        n_segments = data[at + 26]
        end = at + 27 + n_segments + sum(data[at + 27 : at + 27 + n_segments])
        if end > len(data):
            return False
        is_last, at = bool(data[at + 5] & 4), end
    return is_last
