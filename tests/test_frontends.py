"""Front ends: self-check values of the reference code, and independent implementations."""

from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor
from torchaudio.compliance import kaldi
from torchlibrosa.stft import LogmelFilterBank, Spectrogram
from torchvggish import mel_features

from hear_fusion.backbones import REGISTRY, ast_vit, cnn14, vggish, yamnet
from hear_fusion.backbones.ast_training import AUDIOSET
from hear_fusion.frontends import FrontEnd, LogMel, mel_matrix

FRONT_ENDS = {
    **{name: network.front_end for name, network in REGISTRY.items()},
    "cnn14_32k": cnn14.FRONT_END_32K,
}


def self_check_tone(sample_rate: int) -> Tensor:
    n = np.arange(2 * sample_rate)
    tone = np.zeros(len(n))
    for level, hz, phase in ((0.4, 220, 0.0), (0.2, 1500, 0.5), (0.1, 6000, 1.0)):
        tone += level * np.sin(2 * np.pi * hz * n / sample_rate + phase)
    return torch.from_numpy(tone).float()[None]


# Printed by the reference code on the same tone; it computes the STFT as a float32 convolution,
# which is up to 0.1 dB away from an FFT in the bands that hold nothing but rounding.
@pytest.mark.parametrize(
    ("name", "values", "mean", "std"),
    [
        (
            "cnn14",
            {(0, 0): 7.437107, (0, 10): -14.379149, (200, 40): -22.384113, (50, 32): -100.0},
            -76.995,
            36.122,
        ),
        (
            "cnn14_32k",
            {(0, 0): 13.430242, (0, 10): -15.471962, (200, 40): -35.013817},
            -76.231,
            38.004,
        ),
    ],
)
def test_cnn14_self_check(
    name: str, values: dict[tuple[int, int], float], mean: float, std: float
) -> None:
    front_end = FRONT_ENDS[name]
    log_mel = LogMel(front_end)(self_check_tone(front_end.sample_rate), 0, 201)[0, 0]
    assert log_mel.shape == (201, 64)
    for (row, column), value in values.items():
        assert log_mel[row, column].item() == pytest.approx(value, abs=2e-3)
    assert log_mel.mean().item() == pytest.approx(mean, abs=5e-2)
    assert log_mel.std(correction=0).item() == pytest.approx(std, abs=5e-2)


def test_yamnet_self_check_through_vggishs_published_values() -> None:
    # Same framing, window and mel matrix as VGGish, whose values are known; only the floor differs.
    log_mel = LogMel(yamnet.FRONT_END)(self_check_tone(16000), 0, 198)[0, 0].double()
    as_vggish = (log_mel.exp() - 0.001 + 0.01).log()
    assert as_vggish.shape == (198, 64)
    known = {(0, 0): 1.553649, (0, 10): -3.881034, (50, 32): -4.005508, (197, 40): -4.558113}
    for (row, column), value in known.items():
        assert as_vggish[row, column].item() == pytest.approx(value, abs=1e-4)
    assert as_vggish.mean().item() == pytest.approx(-2.819535, abs=1e-4)
    assert as_vggish.std(correction=0).item() == pytest.approx(2.550491, abs=1e-4)


def test_vggish_self_check() -> None:
    log_mel = LogMel(vggish.FRONT_END)(self_check_tone(16000), 0, 198)[0, 0]
    known = {
        (0, 0): 1.553649,
        (0, 10): -3.881034,
        (50, 32): -4.005508,
        (95, 63): -4.541717,
        (197, 40): -4.558113,
    }
    assert log_mel.dtype == torch.float32
    for (row, column), value in known.items():
        assert log_mel[row, column].item() == pytest.approx(value, abs=1e-5)
    assert log_mel.mean().item() == pytest.approx(-2.819535, abs=1e-5)
    assert log_mel.std(correction=0).item() == pytest.approx(2.550491, abs=1e-5)


def vggish_by_numpy(sound: Tensor) -> Tensor:
    """The definition: float64 NumPy, one sound."""
    return torch.from_numpy(
        mel_features.log_mel_spectrogram(
            sound.double().numpy(), audio_sample_rate=16000, log_offset=0.01,
            window_length_secs=0.025, hop_length_secs=0.010,
            num_mel_bins=64, lower_edge_hertz=125, upper_edge_hertz=7500,
        )
    )  # fmt: skip


@pytest.mark.parametrize("level", [0.0, 1e-6, 0.1, 3.0])
def test_vggish_equals_the_numpy_definition(level: float, noise: Callable[..., Tensor]) -> None:
    audio = level * noise(3, 20000)
    theirs = torch.stack([vggish_by_numpy(sound) for sound in audio])
    ours = LogMel(vggish.FRONT_END)(audio, 0, theirs.shape[1])[:, 0]
    torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=1e-5)
    tone = self_check_tone(16000)
    ours = LogMel(vggish.FRONT_END)(tone, 0, 198)[0, 0]
    torch.testing.assert_close(ours.double(), vggish_by_numpy(tone[0]), rtol=0, atol=1e-5)


def test_ast_self_check() -> None:
    log_mel = LogMel(ast_vit.FRONT_END)(self_check_tone(16000), 0, 198)[0, 0]
    assert log_mel.shape == (198, 128)
    known = {(0, 0): -4.956270, (0, 10): 1.485994, (50, 64): -10.180323, (100, 127): -15.942385}
    for (row, column), value in known.items():
        assert log_mel[row, column].item() == pytest.approx(value, abs=1e-4)
    assert log_mel.mean().item() == pytest.approx(-11.087743, abs=1e-4)
    assert log_mel.std().item() == pytest.approx(5.914068, abs=1e-4)
    padded = torch.nn.functional.pad(log_mel, (0, 0, 0, 1024 - 198))
    normalised = (padded - AUDIOSET.mean) / (2 * AUDIOSET.std)
    assert normalised[0, 0].item() == pytest.approx(-0.075348, abs=1e-4)
    assert normalised[-1, 0].item() == pytest.approx(0.467032, abs=1e-6)
    assert normalised.mean().item() == pytest.approx(0.232416, abs=1e-4)


def kaldi_sounds() -> dict[str, Tensor]:
    """Two seconds each; those with few frequencies show the last digits of everything."""
    noise = torch.randn(1, 32000, generator=torch.Generator().manual_seed(0))
    tone = self_check_tone(16000)
    sweep = torch.sin(torch.linspace(0, 3.1, 32000).cumsum(dim=0))[None]
    return {
        "random": 0.1 * noise,
        "quiet": 1e-4 * noise,
        "loud": 10.0 * noise,
        "silent": 0.0 * noise,
        "constant": 0.0 * noise + 0.7,
        "offset": 0.05 * noise + 0.9,
        "tone": tone,
        "loud tone": 30.0 * tone,
        "offset tone": tone + 0.5,
        "sweep": sweep,
    }


def test_ast_equals_torchaudios_kaldi_in_a_batch_and_alone() -> None:
    sounds = kaldi_sounds()
    log_mel = LogMel(ast_vit.FRONT_END)
    together = log_mel(torch.cat(list(sounds.values())), 0, 198)
    for (name, sound), batched in zip(sounds.items(), together, strict=True):
        theirs = kaldi.fbank(
            sound, htk_compat=True, sample_frequency=16000, use_energy=False,
            window_type="hanning", num_mel_bins=128, dither=0.0, frame_shift=10,
        )  # fmt: skip
        assert theirs.shape == (198, 128), name
        torch.testing.assert_close(log_mel(sound, 0, 198)[0, 0], theirs, rtol=0, atol=1e-4)
        torch.testing.assert_close(batched[0], theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["cnn14", "cnn14_32k"])
def test_slaney_matrix_is_librosas(name: str) -> None:
    spec = FRONT_ENDS[name]
    librosas = librosa.filters.mel(
        sr=spec.sample_rate, n_fft=spec.n_fft, n_mels=64, fmin=spec.f_min, fmax=spec.f_max
    ).T
    np.testing.assert_allclose(mel_matrix(spec), librosas, rtol=0, atol=1e-7)


def test_htk_matrix_is_the_published_one() -> None:
    weights = mel_matrix(yamnet.FRONT_END)
    nonzero = np.flatnonzero(weights.sum(axis=1))
    assert (nonzero.min(), nonzero.max()) == (5, 239)
    assert weights.sum() == pytest.approx(230.913599, abs=1e-5)
    assert (weights.sum(axis=0) > 0).all()


@pytest.mark.parametrize("seconds", [0.31, 1.0, 2.7, 5.0])
@pytest.mark.parametrize("name", ["cnn14", "cnn14_32k"])
def test_cnn14_equals_torchlibrosa(name: str, seconds: float, noise: Callable[..., Tensor]) -> None:
    spec = FRONT_ENDS[name]
    stft = Spectrogram(n_fft=spec.n_fft, hop_length=spec.hop, win_length=spec.n_fft)
    bank = LogmelFilterBank(
        sr=spec.sample_rate, n_fft=spec.n_fft, n_mels=64, fmin=spec.f_min, fmax=spec.f_max,
        ref=1.0, amin=1e-10, top_db=None,
    )  # fmt: skip
    audio = noise(2, round(seconds * spec.sample_rate))
    theirs = bank(stft(audio))
    ours = LogMel(spec)(audio, 0, theirs.shape[2])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)  # dB


@pytest.mark.parametrize("n_samples", [4960, 16000, 43219])
@pytest.mark.parametrize("spec", FRONT_ENDS.values(), ids=FRONT_ENDS)
def test_a_stretch_equals_the_same_stretch_of_the_whole(
    spec: FrontEnd, n_samples: int, noise: Callable[..., Tensor]
) -> None:
    log_mel, audio = LogMel(spec), noise(2, n_samples)
    n_mel = 1 + n_samples // spec.hop
    whole = log_mel(audio, 0, n_mel)
    assert whole.shape == (2, 1, n_mel, spec.n_mels)
    for start, stop in ((0, 8), (3, n_mel - 2), (n_mel - 9, n_mel)):
        torch.testing.assert_close(
            log_mel(audio, start, stop), whole[:, :, start:stop], rtol=0, atol=1e-4
        )


def test_frames_past_the_end_are_silence_where_the_network_pads_with_zeros() -> None:
    log_mel = LogMel(yamnet.FRONT_END)
    audio = torch.ones(1, 400)
    padded = torch.cat([audio, torch.zeros(1, 16000)], dim=1)
    torch.testing.assert_close(log_mel(audio, 0, 96), log_mel(padded, 0, 96), rtol=0, atol=0)
    silence = torch.full((64,), 0.001).log()
    torch.testing.assert_close(log_mel(audio, 0, 96)[0, 0, 95], silence)
