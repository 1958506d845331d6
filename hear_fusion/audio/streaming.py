"""Sound files read block by block: hours of sound, or a part of them, in little memory.

What `decode` refuses is refused here as well, but some of it only when the last block was read.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio.decoding import (
    CANCELLED,
    DECODER_ERRORS,
    SilentBytes,
    UnreadableSoundError,
    checked_length,
    reason,
)
from hear_fusion.audio.lengths import Length, settled
from hear_fusion.audio.resampling import resample_blocks, resampled_length
from hear_fusion.audio.values import value_fault

_BLOCK = 1 << 18  # samples over all channels
_ENOUGH = 0.1  # s by which lists of segments overshoot the end, rounded as their times are


@dataclass
class Recording:
    """A sound file, or a part of it, about to be read once from start to end.

    Attributes:
        file_hz: The file's own rate in Hz.
        sample_rate: The rate at which it is read, in Hz.
        n_samples: How many samples it will give at that rate.
    """

    file_hz: int
    sample_rate: int
    n_samples: int
    _file: soundfile.SoundFile
    _length: Length
    _n_left: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.n_samples / self.sample_rate

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Read it: mono samples with full scale at 1, some at a time, `n_samples` in all.

        Raises:
            UnreadableSoundError: If it is cut short, or holds values that no sound has; some of
                that is known at the end only.
        """
        for block in resample_blocks(self._mono(), self.file_hz, self.sample_rate):
            yield block.astype(np.float32)

    def _mono(self) -> Iterator[NDArray[np.float64]]:
        n_wanted, mixed, loudest = self._n_left, 0.0, 0.0
        while self._n_left > 0:
            n_block = min(self._n_left, max(1, _BLOCK // self._file.channels))
            samples = _block(self._file, n_block, self._length)
            if not len(samples):
                n_read = n_wanted - self._n_left
                raise UnreadableSoundError(
                    f"is cut short: {n_read} of {n_wanted} samples are there"
                )
            self._n_left -= len(samples)
            fault = value_fault(samples)
            if fault is not None and fault.rule in ("finite", "integers"):
                raise UnreadableSoundError(fault.what)
            audio = samples.mean(axis=1)
            mixed = max(mixed, float(np.abs(audio).max()))
            loudest = max(loudest, float(np.abs(samples).max()))
            yield audio
        if self._file.channels > 1 and mixed < CANCELLED * loudest:
            raise UnreadableSoundError(
                "is silent once mixed to mono: its channels cancel each other"
            )


@contextmanager
def open_recording(
    path: Path, sample_rate: int, start: float | None = None, stop: float | None = None
) -> Iterator[Recording]:
    """Open a sound file, and look up how long it is.

    Args:
        path: The file.
        sample_rate: Rate at which it shall be read, in Hz.
        start: Where the part that is meant begins, in s; None: with the file.
        stop: Where it ends; None: with the file.

    Raises:
        UnreadableSoundError: If it holds no sound, is cut short as far as its container tells, or
            does not reach so far.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("rb", buffering=0))
            length, source = _source(file)
            with _opened(source) as sound:
                first, last = _extent(sound, length, start, stop)
            sound = opened.enter_context(_opened(source))
            if first:
                sound.seek(first)
        except OSError as err:
            raise UnreadableSoundError(f"cannot be opened: {err.strerror or err}") from err
        except UnreadableSoundError:
            raise
        except DECODER_ERRORS as err:
            raise UnreadableSoundError(reason(err)) from err
        n_samples = resampled_length(last - first, sound.samplerate, sample_rate)
        yield Recording(sound.samplerate, sample_rate, n_samples, sound, length, last - first)


def _source(file: Any) -> tuple[Length, SilentBytes | int]:
    """Check how long a file is, without reading it where its container tells."""
    size = file.seek(0, 2)
    if not size:
        checked_length(b"")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        length = checked_length(data)
        whole = data if length.is_settled else settled(data)
        is_plain = length.known and len(whole) == size
        return length, file.fileno() if is_plain else SilentBytes(whole[:])


def _opened(source: SilentBytes | int) -> soundfile.SoundFile:
    if isinstance(source, int):
        os.lseek(source, 0, os.SEEK_SET)
    else:
        source.seek(0)
    return soundfile.SoundFile(source, closefd=False)


def _extent(
    sound: soundfile.SoundFile, length: Length, start: float | None, stop: float | None
) -> tuple[int, int]:
    """Tell the first sample of a part, and the one after its last."""
    rate, n_samples = sound.samplerate, sound.frames
    first, last = round((start or 0.0) * rate), None if stop is None else round(stop * rate)
    if not length.is_exact and (last is None or last > n_samples):
        n_samples = 0
        while n_block := len(_block(sound, _BLOCK // sound.channels, length)):
            n_samples += n_block
    if not n_samples:
        raise UnreadableSoundError("holds no samples")
    end = n_samples if last is None else min(last, n_samples)
    if first >= end or (last is not None and last - n_samples > _ENOUGH * rate):
        raise UnreadableSoundError(
            f"must reach to the end of its segment, got {n_samples / rate:g} s and a segment from "
            f"{start or 0:g} s{'' if stop is None else f' to {stop:g} s'}"
        )
    return first, end


def _block(sound: soundfile.SoundFile, n_samples: int, length: Length) -> NDArray[np.float64]:
    """Read so many samples or what there is, of a stream that was broken off as well."""
    if length.known:
        try:
            samples: NDArray[np.float64] = sound.read(n_samples, dtype="float64", always_2d=True)
            return samples
        except DECODER_ERRORS as err:
            raise UnreadableSoundError(reason(err)) from err
    block = np.full((n_samples, sound.channels), np.nan)
    try:
        return block[: len(sound.read(out=block))]
    except soundfile.SoundFileError:  # the end of a stream: what came before it is in the block
        return block[: int(np.isfinite(block[:, 0]).sum())]
