"""Log-mel front ends: batched torch, any device, to the constants of each network.

All of them are one computation: cut the waveform into overlapping pieces, window, real FFT,
power or magnitude, mel bands, logarithm. What differs is a `FrontEnd` record.

The mel matrices are written out here, though torchaudio and librosa have them, so that neither is
needed to compute embeddings: torchaudio's compiled part must fit torch's release. The tests hold
each matrix against an independent one: librosa's, Kaldi's of torchaudio, or the original network's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

MelScale = Literal["slaney", "htk", "kaldi"]


@dataclass(frozen=True)
class FrontEnd:
    """Constants of a log-mel computation.

    Attributes:
        sample_rate: In Hz.
        n_fft: Points of the FFT; the window is padded with zeros on its right to this length.
        window: Samples of the Hann window.
        hop: Samples from one mel frame to the next.
        centred: Mel frame m is centred on sample ``m * hop``, the ends reflected; otherwise it
            starts there, and zeros follow the end.
        n_mels, f_min, f_max: Bands, and their range in Hz.
        mel_scale: ``slaney``: triangles linear in Hz and of unit area; ``htk``: linear in mel,
            of unit height; ``kaldi``: the same in Kaldi's float32.
        power: Exponent of the magnitude: 2 for power, 1 for magnitude.
        log: ``db`` is ``10 log10(max(x, floor))``, ``ln`` is ``ln(x + floor)``, ``ln_max`` is
            ``ln(max(x, floor))``.
        floor: See ``log``.
        symmetric: The window ends on zero at both sides; otherwise it is periodic.
        remove_mean: The mean of each piece of waveform is taken off.
        pre_emphasis: From each sample this much of the one before is taken off, within a piece.
        dtype: Precision inside; what comes out is float32 in any case.
    """

    sample_rate: int
    n_fft: int
    window: int
    hop: int
    centred: bool
    n_mels: int
    f_min: float
    f_max: float
    mel_scale: MelScale
    power: Literal[1, 2]
    log: Literal["db", "ln", "ln_max"]
    floor: float
    symmetric: bool = False
    remove_mean: bool = False
    pre_emphasis: float = 0.0
    dtype: torch.dtype = torch.float32


def _hz_to_mel(hz: NDArray[np.float64], scale: MelScale) -> NDArray[np.float64]:
    if scale == "htk":
        return 1127.0 * np.log1p(hz / 700.0)
    # Slaney's Auditory Toolbox: linear below 1 kHz, then 27 steps to each factor of 6.4.
    linear = 3.0 * hz / 200.0
    return np.where(
        hz < 1000.0, linear, 15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / np.log(6.4)
    )


def _slaney_mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(
        mel < 15.0, 200.0 * mel / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0)
    )


def mel_matrix(front_end: FrontEnd) -> NDArray[np.float64]:
    """Make the triangular mel filters, in float64.

    Returns:
        Weights, shape (n_fft // 2 + 1, n_mels). The DC bin weighs nothing.

    >>> from hear_fusion.backbones.yamnet import FRONT_END
    >>> mel_matrix(FRONT_END).shape
    (257, 64)
    """
    scale = front_end.mel_scale
    if scale == "kaldi":
        return _kaldi_matrix(front_end)
    nyquist = front_end.sample_rate / 2
    bins = np.linspace(0.0, nyquist, front_end.n_fft // 2 + 1)
    limits = _hz_to_mel(np.array([front_end.f_min, front_end.f_max]), scale)
    edges = np.linspace(limits[0], limits[1], front_end.n_mels + 2)
    if scale == "slaney":
        edges = _slaney_mel_to_hz(edges)
    else:
        bins = _hz_to_mel(bins, scale)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    if scale == "slaney":
        weights *= 2.0 / (upper - lower)
    weights[0] = 0.0
    return weights


def _kaldi_matrix(front_end: FrontEnd) -> NDArray[np.float64]:
    """Make triangles linear in mel, in the operations and the float32 of torchaudio's Kaldi port.

    At low frequencies one bin makes a band, often near the foot of its triangle, where the
    rounding of a mel value changes the weight in the third digit: networks saw it rounded so.
    """
    low, high = (1127.0 * math.log(1.0 + hz / 700.0) for hz in (front_end.f_min, front_end.f_max))
    step = (high - low) / (front_end.n_mels + 1)
    bands = torch.arange(front_end.n_mels, dtype=torch.float32, device="cpu")
    lower, centre, upper = (low + (bands + i) * step for i in range(3))
    n_bins = front_end.n_fft // 2  # the bin at half the sample rate weighs nothing
    bins = torch.arange(n_bins, dtype=torch.float32, device="cpu")
    hz = front_end.sample_rate / front_end.n_fft * bins
    mel = 1127.0 * (1.0 + hz / 700.0).log()[:, None]
    rising = (mel - lower) / (centre - lower)
    falling = (upper - mel) / (upper - centre)
    weights = F.pad(torch.minimum(rising, falling).clamp_(min=0.0), (0, 0, 0, 1))
    return weights.double().numpy()


class LogMel(nn.Module):
    """Log-mel spectrogram of a batch of sounds, float32, whole or a stretch of it."""

    window: Tensor
    mel: Tensor

    def __init__(self, front_end: FrontEnd) -> None:
        super().__init__()
        self.front_end = front_end
        self._make_constants(torch.device("cpu"))

    def _make_constants(self, device: torch.device) -> None:
        spec = self.front_end
        # Kaldi's is made in float32, and its last digits fill the bands that hold nothing else.
        made_in = torch.float32 if spec.mel_scale == "kaldi" else torch.float64
        window = torch.hann_window(
            spec.window, periodic=not spec.symmetric, dtype=made_in, device="cpu"
        )
        self.register_buffer("window", window.to(device, spec.dtype), persistent=False)
        mel = torch.from_numpy(mel_matrix(spec)).to(device, spec.dtype)
        self.register_buffer("mel", mel, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow the network to its device, but not to another dtype: casts are for weights."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._make_constants(self.window.device)
        return self

    def forward(self, audio: Tensor, start: int, stop: int) -> Tensor:
        """Compute the mel frames ``[start, stop)`` of every sound.

        A stretch is computed from the samples under it alone, equal to the same stretch of the
        whole; mel frames past the end see zeros (or, if centred, the reflected end).

        Args:
            audio: Waveforms in [-1, 1], shape (n_sounds, n_samples), float32.
            start: First mel frame.
            stop: Mel frame after the last.

        Returns:
            Log-mel, shape (n_sounds, 1, time, mel).
        """
        spec = self.front_end
        samples = self._stretch(audio, start, stop).to(spec.dtype)
        pieces = samples.unfold(-1, spec.window, spec.hop)  # (sound, time, sample)
        if spec.remove_mean:
            pieces = pieces - pieces.mean(dim=-1, keepdim=True)
        if spec.pre_emphasis:
            before = torch.cat([pieces[..., :1], pieces[..., :-1]], dim=-1)
            pieces = pieces - spec.pre_emphasis * before
        spectrum = torch.fft.rfft(pieces * self.window, n=spec.n_fft)  # (sound, time, bin)
        power = torch.view_as_real(spectrum).square_().sum(-1)
        mel = (power if spec.power == 2 else power.sqrt_()) @ self.mel
        if spec.log == "db":
            log_mel = mel.clamp_(min=spec.floor).log10_().mul_(10.0)
        elif spec.log == "ln":
            log_mel = mel.add_(spec.floor).log_()
        else:
            log_mel = mel.clamp_(min=spec.floor).log_()
        return log_mel.float().unsqueeze(1)

    def _stretch(self, audio: Tensor, start: int, stop: int) -> Tensor:
        """Take the samples under mel frames ``[start, stop)``, padded where they leave the clip."""
        spec = self.front_end
        n_samples = audio.shape[-1]
        first = start * spec.hop - (spec.n_fft // 2 if spec.centred else 0)
        last = first + (stop - start - 1) * spec.hop + spec.window
        left, right = max(0, -first), max(0, last - n_samples)
        piece = audio[:, max(0, first) : min(last, n_samples)]
        if left or right:
            piece = F.pad(piece, (left, right), mode="reflect" if spec.centred else "constant")
        return piece
