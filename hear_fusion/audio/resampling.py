"""Change the sample rate of sound.

The filter is soxr's VHQ in float64: linear phase without delay, flat within 0.01 dB up to 0.92 of
the lower Nyquist frequency (7.3 kHz at 16 kHz), and below -170 dB from that frequency on.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from math import gcd

import numpy as np
import soxr
from numpy.typing import NDArray

_LEAD = 64  # output samples


def resample(audio: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Resample mono audio, shape (n_samples,), to its duration rounded up.

    >>> resample(np.ones(480), 48000, 16000).shape
    (160,)
    """
    if from_hz == to_hz:
        return audio
    length, lead, step, n_phases = _plan(audio.size, from_hz, to_hz)
    padded = np.pad(audio, (lead * step, step))
    resampled: NDArray[np.float64] = soxr.resample(padded, from_hz, to_hz, quality="VHQ")
    return resampled[lead * n_phases :][:length]


def resampled_length(n_samples: int, from_hz: int, to_hz: int) -> int:
    """Count the samples after a change of rate.

    >>> resampled_length(481, 48000, 16000)
    161
    """
    return -(-n_samples * to_hz // from_hz)


def resample_blocks(
    blocks: Iterable[NDArray[np.float64]], from_hz: int, to_hz: int
) -> Iterator[NDArray[np.float64]]:
    """Resample mono audio that comes in blocks, as `resample` does it in one.

    >>> sum(block.size for block in resample_blocks([np.ones(300), np.ones(180)], 48000, 16000))
    160
    """
    if from_hz == to_hz:
        yield from blocks
        return
    _, lead, step, n_phases = _plan(0, from_hz, to_hz)
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float64", quality="VHQ")
    n_read, n_given, n_early = 0, 0, lead * n_phases
    for block in chain([np.zeros(lead * step)], blocks):
        n_read += block.size
        made = stream.resample_chunk(block)
        n_early, made = max(0, n_early - made.size), made[n_early:]
        n_given += made.size
        if made.size:
            yield made
    length = resampled_length(n_read - lead * step, from_hz, to_hz)
    rest = stream.resample_chunk(np.zeros(step), last=True)[n_early:]
    yield rest[: max(0, length - n_given)]


def _plan(n_samples: int, from_hz: int, to_hz: int) -> tuple[int, int, int, int]:
    """Count samples: of the result, and of zeros around the sound, in steps of whole phases.

    soxr computes its first samples less exactly where a rate is no multiple of the other, and
    rounds the duration to the nearest sample.
    """
    step, n_phases = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    return resampled_length(n_samples, from_hz, to_hz), -(-_LEAD // n_phases), step, n_phases
