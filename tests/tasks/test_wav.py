import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchaudio.functional import resample as torchaudio_resample

from hear_fusion.audio import resample
from hear_fusion.tasks.wav import resample_pcm16

RATES = [(48000, 16000), (22050, 16000), (22050, 48000), (48000, 32000), (44100, 16000)]


def tone(hz: float, sample_rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * sample_rate)) / sample_rate)


def level_db(audio: NDArray[np.float64]) -> float:
    """Level against the tone's, without the ends."""
    inner = audio[audio.size // 4 : -audio.size // 4]
    return float(10 * np.log10(np.mean(inner**2) / 0.125 + 1e-30))


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_the_pass_band_is_flat_and_without_delay(from_hz: int, to_hz: int) -> None:
    nyquist = min(from_hz, to_hz) / 2
    # Up to where VHQ's pass-band ends.
    for hz in nyquist * np.array([0.01, 0.3, 0.6, 0.9, 0.92]):
        kept = resample(tone(hz, from_hz), from_hz, to_hz)
        assert abs(level_db(kept)) < 0.01
        # -55 dB is a delay of less than 0.002 radians, or a gain of 0.015 dB.
        assert level_db(kept - tone(hz, to_hz)[: kept.size]) < -55


@pytest.mark.parametrize(("from_hz", "to_hz"), [rates for rates in RATES if rates[0] > rates[1]])
def test_what_the_new_rate_cannot_hold_vanishes(from_hz: int, to_hz: int) -> None:
    for hz in np.linspace(to_hz / 2, 0.99 * from_hz / 2, 7):
        assert level_db(resample(tone(hz, from_hz), from_hz, to_hz)) < -170


def test_no_tone_above_8_khz_reaches_16_bits_at_16_khz() -> None:
    for hz in np.linspace(8001, 23900, 13):
        gone = resample_pcm16(tone(hz, 48000), 48000, 16000)
        # The tone's own beginning and end are clicks, which stay.
        assert level_db(gone / 32768) < -80


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_it_agrees_with_torchaudios_kaiser_window(from_hz: int, to_hz: int) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 5003)
    # Below both pass-bands: noise through a low-pass of a tenth of the lower rate.
    taps = np.sinc(np.arange(-2000, 2001) * 0.2 * min(from_hz, to_hz) / from_hz) * np.hanning(4001)
    audio = np.convolve(noise, taps / taps.sum(), "same")
    theirs = torchaudio_resample(
        torch.from_numpy(audio),
        from_hz,
        to_hz,
        lowpass_filter_width=64,
        rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser",
        beta=14.769656459379492,
    ).numpy()
    inner = slice(200, -200)
    scale = np.abs(theirs).max()
    ours = resample(audio, from_hz, to_hz)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours[inner], theirs[inner], rtol=0, atol=1e-3 * scale)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_the_first_and_last_samples_are_as_exact_as_the_others(from_hz: int, to_hz: int) -> None:
    audio = np.random.default_rng(1).uniform(-1, 1, 3001)
    alone = resample(audio, from_hz, to_hz)
    second = np.zeros(from_hz)
    within = resample(np.concatenate([second, audio, second]), from_hz, to_hz)
    np.testing.assert_allclose(alone, within[to_hz:][: alone.size], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_the_duration_is_rounded_up(from_hz: int, to_hz: int) -> None:
    for n in [*range(1, 50), 5003]:
        assert resample(np.ones(n), from_hz, to_hz).size == -(-n * to_hz // from_hz)


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
