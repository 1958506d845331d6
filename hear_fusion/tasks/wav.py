"""Resampling, 16-bit rounding and writing, as every task folder does it.

The filter is soxr's VHQ in float64: linear phase without delay, flat within 0.01 dB up to 0.92 of
the lower Nyquist frequency (7.3 kHz at 16 kHz), and below -170 dB from that frequency on. What its
sums differ by between machines is far below the 16th bit, so that files come out the same.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.audio import Way, fitted, resample
from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import write_whole


def resample_pcm16(
    audio: NDArray[np.floating], from_hz: int, to_hz: int, n_samples: int | None = None
) -> NDArray[np.int16]:
    """Resample mono audio and round it to 16-bit samples.

    The start is kept and the end cut or filled with zeros, as HEAR does. Values beyond full scale,
    also those that the filter makes of a sound just below it, are clipped, never wrapped around.

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
        raise InvalidError(
            f"audio must be mono with shape (n_samples,), got shape {audio.shape}; "
            "mix the channels first"
        )
    if not np.isfinite(audio).all():
        raise InvalidError("audio must be finite, got NaN or infinity")
    if n_samples is None:
        n_samples = -(-audio.size * to_hz // from_hz)

    kept = resample(audio.astype(np.float64), from_hz, to_hz)[:n_samples]
    exact = np.zeros(n_samples)
    exact[: kept.size] = kept
    return np.clip(np.rint(exact * 32768), -32768, 32767).astype(np.int16)


def write_pcm16(
    path: Path,
    audio: NDArray[np.floating],
    from_hz: int,
    to_hz: int,
    n_samples: int | None = None,
    way: Way = "refuse",
) -> None:
    """Write mono audio as a 16-bit WAV file at another rate, whole or not at all.

    Args:
        path: The file; its folder must exist.
        audio: Samples in [-1, 1], shape (n_samples_in,).
        from_hz: Sample rate of ``audio``.
        to_hz: Sample rate of the file.
        n_samples: Its length; by default the input's duration, rounded up.
        way: What to do with audio that 16 bits would cut off or silence.

    Raises:
        ValueError: If the audio is not as it must be.
        OSError: If the file cannot be written.
    """
    samples = resample_pcm16(fitted(audio, way), from_hz, to_hz, n_samples)
    # Through memory: libsndfile does not tell a full disk from other failures.
    content = BytesIO()
    soundfile.write(content, samples, to_hz, subtype="PCM_16", format="WAV")
    write_whole(path, content.getvalue())
