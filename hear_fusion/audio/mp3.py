"""Length of MP3 files: their frames counted, for a decoder that otherwise guesses.

Without a first frame that counts the others (Xing, Info or VBRI), libsndfile takes the bit rate of
the first for that of all: it stops too early where the rate varies.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from mmap import mmap

Content = bytes | mmap
"""All of a file, in memory or mapped into it."""

# kbit/s of layer III by the header's index, of MPEG 1 and of MPEG 2 and 2.5
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ = (44100, 48000, 32000)
_HALVED = {3: 0, 2: 1, 0: 2}  # how often, by the header's version: 1, 2, 2.5


@dataclass(frozen=True)
class _Frame:
    n_bytes: int
    side_info: int


def promised_end(data: Content) -> int | None:
    """Find where the sound ends, in bytes, if the first frame tells."""
    at = first_frame(data)
    first = data[at : at + 256]
    for word in (b"Xing", b"Info", b"VBRI"):
        tag = first.find(word)
        if tag < 0 or tag + 16 > len(first):
            continue
        flags = first[tag + 7]  # 1: a count of frames follows, 2: a count of bytes after it
        offset = 10 if word == b"VBRI" else 8 + 4 * (flags & 1)
        tells = word == b"VBRI" or flags & 2
        (n_bytes,) = struct.unpack_from(">I", first, tag + offset)
        return at + n_bytes if tells and n_bytes else None
    return None


def counted(data: Content) -> Content:
    """Put a frame that counts the others before them; leave what is no layer III as it is."""
    at = start = first_frame(data)
    n_frames = 0
    while (frame := _frame(data, at)) is not None:
        n_frames, at = n_frames + 1, at + frame.n_bytes
    if n_frames < 2:  # two in a row: no accident
        return data
    header = bytes((0xFF, data[start + 1] | 1, data[start + 2] & 0x0C | 0xE0, data[start + 3]))
    frame = _frame(header, 0)
    assert frame is not None  # of the highest bit rate, so that there is room
    tag = bytes(frame.side_info) + b"Xing" + struct.pack(">II", 1, n_frames)
    return data[:start] + (header + tag).ljust(frame.n_bytes, b"\0") + data[start:]


def first_frame(data: Content) -> int:
    """Skip a tag at the beginning (ID3v2)."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    a, b, c, d = data[6:10]  # seven bits a byte
    return 10 + (a << 21 | b << 14 | c << 7 | d)


def _frame(data: Content, at: int) -> _Frame | None:
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:  # sync, layer III
        return None
    version, rate, index = data[at + 1] >> 3 & 3, data[at + 2] >> 2 & 3, data[at + 2] >> 4
    if version not in _HALVED or rate == 3 or not 0 < index < 15:
        return None
    is_1, is_mono = version == 3, data[at + 3] >> 6 == 3
    kbps = (_KBPS_1 if is_1 else _KBPS_2)[index]
    per_frame = 144_000 if is_1 else 72_000  # samples a frame, over bits a byte, over k
    n_bytes = per_frame * kbps // (_RATES_HZ[rate] >> _HALVED[version]) + (data[at + 2] >> 1 & 1)
    return _Frame(n_bytes, {(True, False): 32, (False, True): 9}.get((is_1, is_mono), 17))
