"""Samples in arrays, as people have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hear_fusion.audio import mono

RAMP = np.linspace(-1, 1, 201)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_stay_as_they_are(dtype: type) -> None:
    samples: NDArray[Any] = RAMP.astype(dtype)
    np.testing.assert_array_equal(mono(samples), samples.astype(np.float64))


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0, 128, 192], np.uint8), [-1.0, 0.0, 0.5]),
        (np.array([-32768, 0, 16384], np.int16), [-1.0, 0.0, 0.5]),
        (np.array([-(2**31), 0, 2**30], np.int32), [-1.0, 0.0, 0.5]),
    ],
)
def test_integers_are_those_of_sound_files(samples: NDArray[Any], expected: list[float]) -> None:
    assert mono(samples).tolist() == expected


@pytest.mark.parametrize("axis", [0, 1])
def test_channels_are_mixed_whichever_axis_they_are_on(axis: int) -> None:
    left, right = RAMP, 0.5 * RAMP[::-1]
    np.testing.assert_allclose(mono(np.stack([left, right], axis)), (left + right) / 2, atol=1e-15)


def test_the_array_is_left_alone() -> None:
    samples = np.arange(6, dtype=np.int16)
    mono(samples)
    assert samples.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([0.0, 1.0], TypeError, "must be a file or an array, got list"),
        (np.zeros(4, complex), TypeError, "must be floats, or integers .*, got complex128"),
        (np.zeros(4, np.int64), TypeError, "8 .unsigned., 16 or 32 bits, got int64"),
        (np.zeros(4, bool), TypeError, "got bool"),
        (np.array(["a"]), TypeError, "got <U1"),
        (np.zeros(0), ValueError, r"shape \(n_samples,\), .*got \(0,\)"),
        (np.zeros((2, 2, 9)), ValueError, r"got \(2, 2, 9\)"),
        (np.zeros(()), ValueError, r"got \(\)"),
        (np.zeros((100, 100)), ValueError, r"got \(100, 100\)"),
        (np.array([0.0, np.nan]), ValueError, "NaN or infinite"),
        (np.stack([RAMP, -RAMP]), ValueError, "its channels cancel each other"),
    ],
)
def test_what_is_no_sound_is_told(samples: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mono(samples)
