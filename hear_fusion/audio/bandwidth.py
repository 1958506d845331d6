"""Sound that was brought to a higher rate before: nothing is above its old Nyquist frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000)
_N_FFT = 512
_N_FRAMES = 600
# An edge that no room and no microphone makes: 45 dB from just below a Nyquist frequency to above.
_EDGE = 10**-4.5
_BELOW, _ABOVE = (0.7, 0.9), 1.1  # of that frequency; filters take the rest


def old_rate(audio: NDArray[np.floating], sample_rate: int) -> int | None:
    """Find the rate that a sound had before it was brought to a higher one.

    Args:
        audio: Mono sound, shape (n_samples,); some seconds tell enough.
        sample_rate: Its rate in Hz.

    Returns:
        The old rate in Hz; None if the sound fills its band, or ends in no such edge.

    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> old_rate(noise, 16000)
    >>> from hear_fusion.audio import resample
    >>> old_rate(resample(noise, 8000, 16000), 16000)
    8000
    """
    n_frames = min(_N_FRAMES, audio.size // _N_FFT)
    if not n_frames:
        return None
    frames = audio[: n_frames * _N_FFT].reshape(n_frames, _N_FFT) * np.hanning(_N_FFT)
    power = (np.abs(np.fft.rfft(frames)) ** 2).mean(axis=0)
    hz = np.fft.rfftfreq(_N_FFT, 1 / sample_rate)
    for rate in _RATES_HZ:
        nyquist = rate / 2
        above = power[hz > _ABOVE * nyquist]
        below = power[(hz > _BELOW[0] * nyquist) & (hz < _BELOW[1] * nyquist)]
        if rate < sample_rate and above.size and above.max() < _EDGE * below.mean():
            return rate
    return None
