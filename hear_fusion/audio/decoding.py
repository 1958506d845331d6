"""Decode a sound file, check it, mix it to mono.

libsndfile reads WAV in all its dialects (24-bit, extensible, float, ADPCM), RF64, W64, AIFF, AU,
CAF, FLAC, OGG and MP3. What it would pass over in silence, such as a file cut short, is named.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio.lengths import Length, length_of, settled
from hear_fusion.audio.mp3 import Content
from hear_fusion.audio.values import FULL_SCALE
from hear_fusion.errors import InvalidError

_LFS_POINTER = b"version https://git-lfs"
_LOST_SYNC = "lost sync"  # FLAC's decoder, where frames stop before their promised number
CANCELLED = 1e-3  # of the louder channel's peak: 60 dB below it
_BLOCK = 4096  # samples; what is lost of a stream that was broken off
# libsndfile's errors are RuntimeErrors, and few of its formats break in other ways.
DECODER_ERRORS = (soundfile.SoundFileError, RuntimeError, ValueError, TypeError)

Kind = Literal["float64", "float32", "int16"]


class UnreadableSoundError(InvalidError):
    """A file holds no usable sound; the message is the reason."""


@dataclass(frozen=True)
class Sound:
    """What a sound file holds.

    Attributes:
        samples: Shape (n_samples, n_channels); 16-bit integers where they were asked for and the
            file holds them, otherwise floats with full scale at 1.
        sample_rate: In Hz.
        container: libsndfile's word for the format of the file.
        is_told: Whether the file tells where its sound ends.
        n_plain: Number of samples that libsndfile reads of the file without our help.
    """

    samples: NDArray[Any]
    sample_rate: int
    container: str
    is_told: bool
    n_plain: int

    @property
    def misread(self) -> str:
        """What a reader without our help makes of the file, in words; empty if the same.

        Such a reader takes the lead of an MP3 coder for sound; that is left to it.
        """
        n = len(self.samples)
        if self.n_plain == n or (self.n_plain > n and not self.is_told):
            return ""
        return f"tells its length wrongly: heareval reads {self.n_plain} of its {n} samples"


def read_sound(
    content: bytes | Path,
    kind: Kind = "float64",
    seconds: float | None = None,
    *,
    keep_integers: bool = False,
) -> Sound:
    """Read all of a sound file, and refuse one that is not whole.

    Args:
        content: The file, or its bytes.
        kind: Type of the samples.
        seconds: Read no more than this from the start; by default all of it.
        keep_integers: Whether a file of 16-bit integers is to be read as it is.

    Raises:
        UnreadableSoundError: If the file is empty, a Git LFS pointer, cut short, in no known
            format, or without samples.
    """
    if isinstance(content, bytes):
        return _read_sound(content, None, kind, seconds, keep_integers)
    try:
        with content.open("rb", buffering=0) as file:
            return _read_sound(file.readall(), file.fileno(), kind, seconds, keep_integers)
    except OSError as err:
        raise UnreadableSoundError(f"cannot be opened: {err.strerror or err}") from err


def decode(content: bytes | Path, seconds: float | None = None) -> tuple[NDArray[np.float64], int]:
    """Decode a sound file and mix its channels to their mean.

    Args:
        content: The file, or its bytes.
        seconds: Read no more than this from the start; by default all of it.

    Returns:
        Mono samples, shape (n_samples,), and their rate in Hz.

    Raises:
        UnreadableSoundError: As `read_sound`, or if the file holds values that are not finite, or
            channels that cancel each other.
    """
    sound = read_sound(content, "float64", seconds)
    return mixed(sound.samples), sound.sample_rate


def mixed(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mix channels to their mean.

    Args:
        samples: Shape (n_samples, n_channels).

    Raises:
        UnreadableSoundError: If a value is not finite, or the channels cancel each other.

    >>> mixed(np.array([[0.5, 0.0], [1.0, 0.5]]))
    array([0.25, 0.75])
    """
    audio: NDArray[np.float64] = samples.mean(axis=1)
    if not np.isfinite(audio).all():
        raise UnreadableSoundError("holds samples that are NaN or infinite")
    # Twice the same with opposite signs; what is left is rounding.
    if samples.shape[1] > 1 and np.abs(audio).max() < CANCELLED * np.abs(samples).max():
        raise UnreadableSoundError("is silent once mixed to mono: its channels cancel each other")
    return audio


class SilentBytes(io.BytesIO):
    """Bytes that stay silent where libsndfile seeks to before their beginning, in a cut header."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, or stay where there is none."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _read_sound(
    data: bytes, descriptor: int | None, kind: Kind, seconds: float | None, keep_integers: bool
) -> Sound:
    length = checked_length(data)
    whole = data if length.is_settled else settled(data)
    is_plain = length.known and len(whole) == len(data)
    if descriptor is None or not is_plain:
        source: SilentBytes | int = SilentBytes(whole)
    else:  # libsndfile reads a file faster by itself
        source = descriptor
        os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with soundfile.SoundFile(source, closefd=False) as file:
            rate, promised, container = file.samplerate, file.frames, file.format
            wanted = promised if seconds is None else min(promised, ceil(seconds * rate))
            if keep_integers and file.subtype == "PCM_16":
                kind = "int16"
            samples = _read(file, wanted, length, kind)
    except DECODER_ERRORS as err:
        raise UnreadableSoundError(reason(err)) from err
    if not len(samples):
        raise UnreadableSoundError("holds no samples")
    if len(samples) < wanted and length.is_exact:
        raise UnreadableSoundError(f"is cut short: {len(samples)} of {wanted} samples are there")
    n_plain = (
        len(samples)
        if isinstance(source, int)
        else _n_plain(descriptor if seconds is None else None, len(samples))
    )
    return Sound(samples, rate, container, length.known, n_plain)


def _n_plain(descriptor: int | None, n_samples: int) -> int:
    """Count what libsndfile reads of a file as it is; what it refuses is nothing."""
    if descriptor is None:
        return n_samples
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return len(soundfile.read(descriptor, dtype="float32", closefd=False)[0])
    except (MemoryError, *DECODER_ERRORS):
        return 0


def _read(file: soundfile.SoundFile, wanted: int, length: Length, kind: Kind) -> NDArray[Any]:
    """Read so many samples, or what there is of a file that cannot tell its length."""
    if length.known:
        samples: NDArray[Any] = file.read(wanted, dtype=kind, always_2d=True)
        return samples
    dtype = "float32" if kind == "int16" else kind
    blocks, n_read = [np.empty((0, file.channels), dtype)], _BLOCK
    while wanted > 0 and n_read == _BLOCK:
        block = np.full((min(_BLOCK, wanted), file.channels), np.nan, dtype)
        try:
            n_read = len(file.read(out=block))
        except soundfile.SoundFileError:  # the end of a stream: what came before it is in the block
            n_read = int(np.isfinite(block[:, 0]).sum())
        blocks.append(block[:n_read])
        wanted -= n_read
    whole = np.concatenate(blocks)
    return (whole * FULL_SCALE).astype(np.int16) if kind == "int16" else whole


def reason(err: Exception) -> str:
    """Say what stopped libsndfile."""
    why = getattr(err, "error_string", str(err))  # without the address of our buffer
    how = "is cut short or damaged, and " if _LOST_SYNC in why else ""
    return f"{how}cannot be decoded: {why}"


def checked_length(data: Content) -> Length:
    """Tell how long a file is, or refuse one of which some is not there.

    Raises:
        UnreadableSoundError: If it is empty, a Git LFS pointer, or cut short.
    """
    if not data:
        raise UnreadableSoundError("is empty (0 bytes)")
    if data[: len(_LFS_POINTER)] == _LFS_POINTER:
        raise UnreadableSoundError(
            "is a Git LFS pointer, not sound; run 'git lfs pull' where it was cloned"
        )
    length = length_of(data)
    if length.missing:
        raise UnreadableSoundError(f"is cut short: {length.missing} not there")
    return length
