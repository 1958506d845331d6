"""Decode a sound file, check it, mix it to mono.

libsndfile reads WAV in all its dialects (24-bit, extensible, float, ADPCM), RF64, W64, AIFF, AU,
CAF, FLAC, OGG and MP3. What it would pass over in silence, such as a file cut short, is named.
"""

from __future__ import annotations

import io
from math import ceil
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio.lengths import Length, length_of, settled
from hear_fusion.errors import HearFusionError

_LFS_POINTER = b"version https://git-lfs"
_LOST_SYNC = "lost sync"  # FLAC's decoder, where frames stop before their promised number
_BLOCK = 4096  # samples; what is lost of a stream that was broken off


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
    length = _checked_length(data)
    try:
        with soundfile.SoundFile(_Bytes(settled(data))) as file:
            rate, promised = file.samplerate, file.frames
            wanted = promised if seconds is None else min(promised, ceil(seconds * rate))
            channels = _read(file, wanted, length)
    # libsndfile's errors are RuntimeErrors, and few of its formats break in other ways.
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as err:
        why = getattr(err, "error_string", str(err))  # without the address of our buffer
        how = "is cut short or damaged, and " if _LOST_SYNC in why else ""
        raise UnreadableSoundError(f"{how}cannot be decoded: {why}") from err
    if not len(channels):
        raise UnreadableSoundError("holds no samples")
    if len(channels) < wanted and length.is_exact:
        raise UnreadableSoundError(f"is cut short: {len(channels)} of {wanted} samples are there")
    audio = channels.mean(axis=1)
    if not np.isfinite(audio).all():
        raise UnreadableSoundError("holds samples that are NaN or infinite")
    return audio, rate


class _Bytes(io.BytesIO):
    """Bytes that stay silent where libsndfile seeks to before their beginning, in a cut header."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _read(file: soundfile.SoundFile, wanted: int, length: Length) -> NDArray[np.float64]:
    """Read so many samples, or what there is of a file that cannot tell its length."""
    if length.known:
        channels: NDArray[np.float64] = file.read(wanted, dtype="float64", always_2d=True)
        return channels
    blocks, n_read = [np.empty((0, file.channels))], _BLOCK
    while wanted > 0 and n_read == _BLOCK:
        block = np.full((min(_BLOCK, wanted), file.channels), np.nan)
        try:
            n_read = len(file.read(out=block))
        except soundfile.SoundFileError:  # the end of a stream: what came before it is in the block
            n_read = int(np.isfinite(block[:, 0]).sum())
        blocks.append(block[:n_read])
        wanted -= n_read
    return np.concatenate(blocks)


def _checked_length(data: bytes) -> Length:
    if not data:
        raise UnreadableSoundError("is empty (0 bytes)")
    if data.startswith(_LFS_POINTER):
        raise UnreadableSoundError(
            "is a Git LFS pointer, not sound; run 'git lfs pull' where it was cloned"
        )
    length = length_of(data)
    if length.missing:
        raise UnreadableSoundError(f"is cut short: {length.missing} not there")
    return length
