"""People's sound files: decode, check, mix to mono.

libsndfile reads WAV in all its dialects (24-bit, extensible, float, ADPCM), FLAC, OGG, MP3 and AU.
What it would pass over in silence, such as a file cut short, is found here and named.
"""

from __future__ import annotations

import io
import struct
from math import ceil, gcd
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from hear_fusion.errors import HearFusionError

_LFS_POINTER = b"version https://git-lfs"
# Some writers count their own header as sound; nobody misses that little.
_HEADER_SLACK_BYTES = 1024
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # written by programs that stream


class UnreadableSoundError(HearFusionError, ValueError):
    """A file holds no usable sound; the message is the reason."""


def decode(content: bytes | Path, seconds: float | None = None) -> tuple[NDArray[np.float64], int]:
    """Decode a sound file and mix its channels to their mean.

    Args:
        content: The file, or its bytes.
        seconds: Read no more than this from the start; by default all of it.

    Returns:
        Mono samples, shape (n_samples,), and their rate in Hz.

    Raises:
        UnreadableSoundError: If the file is empty, a Git LFS pointer, cut short, in no known
            format, without samples, or holds values that are not finite.
    """
    try:
        data = content if isinstance(content, bytes) else content.read_bytes()
    except OSError as err:
        raise UnreadableSoundError(f"cannot be opened: {err.strerror}") from err
    _check_bytes(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, promised = file.samplerate, file.frames
            wanted = promised if seconds is None else min(promised, ceil(seconds * rate))
            channels = file.read(wanted, dtype="float64", always_2d=True)
    # libsndfile's errors are RuntimeErrors, and few of its formats break in other ways.
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as err:
        raise UnreadableSoundError(f"cannot be decoded: {err}") from err
    if not len(channels):
        raise UnreadableSoundError("holds no samples")
    if len(channels) < wanted:
        raise UnreadableSoundError(f"is cut short: {len(channels)} of {wanted} samples are there")
    audio = channels.mean(axis=1)
    if not np.isfinite(audio).all():
        raise UnreadableSoundError("holds samples that are NaN or infinite")
    return audio, rate


def _check_bytes(data: bytes) -> None:
    if not data:
        raise UnreadableSoundError("is empty (0 bytes)")
    if data.startswith(_LFS_POINTER):
        raise UnreadableSoundError(
            "is a Git LFS pointer, not sound; run 'git lfs pull' where it was cloned"
        )
    missing = _missing_bytes(data)
    if missing > _HEADER_SLACK_BYTES:
        raise UnreadableSoundError(f"is cut short: its last {missing} bytes are not there")


def _missing_bytes(data: bytes) -> int:
    """Count the bytes of sound that a WAV header promises beyond the end of the file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return 0
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            return 0 if size in _UNKNOWN_SIZES else max(0, at + 8 + size - len(data))
        at += 8 + size + size % 2
    return 0


_LEAD = 64  # output samples


def resample(audio: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Resample mono audio, shape (n_samples,), to its duration rounded up.

    >>> resample(np.ones(480), 48000, 16000).shape
    (160,)
    """
    if from_hz == to_hz:
        return audio
    step, n_phases = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    length = -(-audio.size * n_phases // step)
    # Zeros around: soxr computes its first samples less exactly where a rate is no multiple of the
    # other, and rounds the duration to the nearest sample.
    lead = -(-_LEAD // n_phases)
    padded = np.pad(audio, (lead * step, step))
    resampled: NDArray[np.float64] = soxr.resample(padded, from_hz, to_hz, quality="VHQ")
    return resampled[lead * n_phases :][:length]
