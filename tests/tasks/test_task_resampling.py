import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchaudio.functional import resample as torchaudio_resample

from hear_fusion.tasks.resampling import resample, resample_pcm16

RATES = [(48000, 16000), (22050, 16000), (22050, 48000), (48000, 32000), (44100, 16000)]


def tone(hz: float, sample_rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * sample_rate)) / sample_rate)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_it_is_torchaudios_kaiser_best(from_hz: int, to_hz: int) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, 5003)
    theirs = torchaudio_resample(
        torch.from_numpy(audio),
        from_hz,
        to_hz,
        lowpass_filter_width=64,
        rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser",
        beta=14.769656459379492,
    ).numpy()
    # torchaudio computes parts of its kernel in single precision.
    np.testing.assert_allclose(resample(audio, from_hz, to_hz), theirs, rtol=0, atol=1e-7)


def test_what_the_new_rate_cannot_hold_vanishes() -> None:
    middle = slice(1000, 7000)
    gone = resample_pcm16(tone(10000, 48000), 48000, 16000)[middle]
    assert np.abs(gone).max() <= 1
    kept = resample_pcm16(tone(6000, 48000), 48000, 16000)[middle]
    expected = np.rint(32768 * tone(6000, 16000))[middle]
    np.testing.assert_allclose(kept, expected, rtol=0, atol=1)


@pytest.mark.parametrize(("n_samples", "expected"), [(None, 334), (333, 333), (400, 400)])
def test_the_length_is_exact(n_samples: int | None, expected: int) -> None:
    samples = resample_pcm16(np.full(1001, 0.25), 48000, 16000, n_samples)
    assert samples.shape == (expected,)
    assert samples.dtype == np.int16
    assert samples[300] > 8000
    assert not samples[334:].any()


def test_loud_samples_do_not_wrap_around() -> None:
    audio = np.array([0.99999, 1.0, 1.5, -1.0, -1.5])
    samples = resample_pcm16(audio, 16000, 16000)
    assert samples.tolist() == [32767, 32767, 32767, -32768, -32768]


def test_samples_are_rounded_to_the_nearest() -> None:
    audio = np.array([0.6, -0.6, 1.4, -1.4]) / 32768
    assert resample_pcm16(audio, 16000, 16000).tolist() == [1, -1, 1, -1]


@pytest.mark.parametrize("shape", [(2, 100), (0,)])
def test_audio_must_be_mono(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="audio must be mono"):
        resample_pcm16(np.zeros(shape), 16000, 16000)


def test_audio_must_be_finite() -> None:
    with pytest.raises(ValueError, match="audio must be finite"):
        resample_pcm16(np.array([0.0, np.nan]), 16000, 16000)
