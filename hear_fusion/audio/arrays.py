"""Samples in an array, as people have them: integers or floats, with channels or without."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hear_fusion.audio.decoding import mixed
from hear_fusion.errors import InvalidError, InvalidTypeError

_INTEGERS = (np.uint8, np.int16, np.int32)
_MAX_CHANNELS = 64


def mono(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Bring samples to full scale 1 and mix their channels.

    Args:
        samples: Shape (n_samples,), (n_channels, n_samples) or (n_samples, n_channels): time is
            the longer axis. Floats have full scale at 1; integers are those of sound files, so
            unsigned bytes lie around 128.

    Returns:
        Shape (n_samples,).

    Raises:
        TypeError: If it is no array of such numbers.
        ValueError: If its shape or a value is impossible, or its channels cancel each other.

    >>> mono(np.array([-32768, 16384], np.int16))
    array([-1. ,  0.5])
    """
    if not isinstance(samples, np.ndarray):
        raise InvalidTypeError(f"must be a file or an array, got {type(samples).__name__}")
    if samples.dtype.kind != "f" and samples.dtype not in _INTEGERS:
        raise InvalidTypeError(
            f"must be floats, or integers of 8 (unsigned), 16 or 32 bits, got {samples.dtype}"
        )
    too_many = samples.ndim == 2 and min(samples.shape) > _MAX_CHANNELS
    if samples.ndim not in (1, 2) or not samples.size or too_many:
        raise InvalidError(
            "must have shape (n_samples,), or with channels (n_channels, n_samples) or (n_samples, "
            f"n_channels), got {samples.shape}"
        )
    audio = samples.astype(np.float64)
    if samples.dtype.kind != "f":
        full_scale = float(1 << (8 * samples.dtype.itemsize - 1))
        audio = audio / full_scale - (1.0 if samples.dtype.kind == "u" else 0.0)
    if audio.ndim == 1:
        audio = audio[:, None]
    return mixed(audio if audio.shape[0] > audio.shape[1] else audio.T)
