"""Loudness of rendered clips."""

import numpy as np
from numpy.typing import NDArray


def at_level(audio: NDArray[np.float32], peak_db: float) -> NDArray[np.float64]:
    """Scale a clip so that its peak lies at ``peak_db`` decibels of full scale.

    Args:
        audio: Samples, shape (n_samples,).
        peak_db: Peak in dB relative to full scale, at most 0.

    Returns:
        Scaled samples, shape (n_samples,), float64.

    Raises:
        ValueError: If the clip is silent (its peak is below -100 dB).

    >>> at_level(np.array([0.0, 0.1], np.float32), 0.0).tolist()
    [0.0, 1.0]
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 1e-5:
        raise ValueError(
            f"audio must not be silent, got a peak of {peak}; is the note in the preset's range?"
        )
    return audio.astype(np.float64) * (10 ** (peak_db / 20) / peak)
