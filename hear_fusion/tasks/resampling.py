"""Resampling and 16-bit rounding, as every task folder does it.

The filter is the long Kaiser-windowed sinc known as "kaiser_best" (the one of torchaudio's
``sinc_interp_kaiser`` with 64 zero crossings), in float64: what sums differ by between machines
and numbers of threads is far below the 16th bit, so that files come out the same.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_ZERO_CROSSINGS = 64
_ROLLOFF = 0.9475937167399596
_BETA = 14.769656459379492
_BLOCK = 1024  # output steps at a time: a whole clip's windows would not fit the cache


def resample_pcm16(
    audio: NDArray[np.floating], from_hz: int, to_hz: int, n_samples: int | None = None
) -> NDArray[np.int16]:
    """Resample mono audio and round it to 16-bit samples.

    The start is kept and the end cut or filled with zeros, as HEAR does. Values beyond full scale
    are clipped, never wrapped around.

    Args:
        audio: Samples in [-1, 1], shape (n_samples_in,).
        from_hz: Sample rate of ``audio``.
        to_hz: Sample rate of the result.
        n_samples: Length of the result; by default the input's duration, rounded up.

    Returns:
        Samples, shape (n_samples,).

    Raises:
        ValueError: If ``audio`` is not mono, empty, or holds a value that is not finite.

    >>> resample_pcm16(np.array([0.0, 0.5, 2.0, -2.0]), 16000, 16000, n_samples=6).tolist()
    [0, 16384, 32767, -32768, 0, 0]
    """
    if audio.ndim != 1 or not audio.size:
        raise ValueError(
            f"audio must be mono with shape (n_samples,), got shape {audio.shape}; "
            "mix the channels first"
        )
    if not np.isfinite(audio).all():
        raise ValueError("audio must be finite, got NaN or infinity")
    if n_samples is None:
        n_samples = -(-audio.size * to_hz // from_hz)

    kept = resample(audio.astype(np.float64), from_hz, to_hz)[:n_samples]
    exact = np.zeros(n_samples)
    exact[: kept.size] = kept
    return np.clip(np.rint(exact * 32768), -32768, 32767).astype(np.int16)


def resample(audio: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Resample mono audio, shape (n_samples,), to its duration rounded up.

    >>> resample(np.ones(480), 48000, 16000).shape
    (160,)
    """
    if from_hz == to_hz:
        return audio
    step, n_phases = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    kernel, width = _sinc_kernel(step, n_phases)
    length = -(-audio.size * n_phases // step)
    # Each step of `step` inputs gives `n_phases` outputs, each by a filter of its own.
    padded = np.pad(audio, (width, width + step))
    windows = sliding_window_view(padded, kernel.shape[0])[::step]  # (steps, tap)
    blocks = [windows[at : at + _BLOCK] @ kernel for at in range(0, len(windows), _BLOCK)]
    return np.concatenate(blocks).reshape(-1)[:length]


@lru_cache(maxsize=8)
def _sinc_kernel(step: int, n_phases: int) -> tuple[NDArray[np.float64], int]:
    """Build the filters, shape (tap, phase), and the number of taps before the first sample."""
    cutoff = min(step, n_phases) * _ROLLOFF
    width = ceil(_ZERO_CROSSINGS * step / cutoff)
    taps = np.arange(-width, width + step)[:, None] / step
    phases = np.arange(n_phases)[None, :] / n_phases
    crossings = np.clip((taps - phases) * cutoff, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = np.i0(_BETA * np.sqrt(1 - (crossings / _ZERO_CROSSINGS) ** 2)) / np.i0(_BETA)
    return np.sinc(crossings) * window * (cutoff / step), width
