"""Change the sample rate of sound.

The filter is soxr's VHQ in float64: linear phase without delay, flat within 0.01 dB up to 0.92 of
the lower Nyquist frequency (7.3 kHz at 16 kHz), and below -170 dB from that frequency on.
"""

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
    step, n_phases = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    length = -(-audio.size * n_phases // step)
    # Zeros around: soxr computes its first samples less exactly where a rate is no multiple of the
    # other, and rounds the duration to the nearest sample.
    lead = -(-_LEAD // n_phases)
    padded = np.pad(audio, (lead * step, step))
    resampled: NDArray[np.float64] = soxr.resample(padded, from_hz, to_hz, quality="VHQ")
    return resampled[lead * n_phases :][:length]
