"""One sound as a network meets it: log-mel and the frames of its layers, in one time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from hear_fusion.audio.streaming import open_recording
from hear_fusion.backbones import Layer
from hear_fusion.errors import InvalidError
from hear_fusion.frontends import FrontEnd, mel_matrix
from hear_fusion.model import FusionModel

_N_STEPS = 300  # of time, to compare features by


LONGEST_S = 300.0


@dataclass(frozen=True)
class SoundLayers:
    """A sound and what a model makes of it.

    Attributes:
        name: Of its file.
        file_hz: Rate of the file in Hz.
        start_s: Where the sound begins in its file, in s.
        audio: Mono samples at the network's rate, shape (n_samples,), full scale at 1.
        sample_rate: That rate in Hz.
        log_mel: What the network sees, shape (time, mel).
        log_mel_hop_s: From one of its frames to the next, in s.
        log_mel_start_s: The centre of the first one, from the start of the sound.
        frames: By layer, shape (n_frames, dim).
        first_s: The centre of the first frame, from the start of the sound.
        hop_s: From one frame to the next.
    """

    name: str
    file_hz: int
    start_s: float
    audio: NDArray[np.float32]
    sample_rate: int
    log_mel: NDArray[np.float32]
    log_mel_hop_s: float
    log_mel_start_s: float
    frames: dict[Layer, NDArray[np.float32]]
    first_s: float
    hop_s: float

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return len(self.audio) / self.sample_rate


def look_into(
    model: FusionModel, file: Path, start: float | None = None, stop: float | None = None
) -> SoundLayers:
    """Compute what `layers_drawing` draws.

    Args:
        model: A network with the layers to look at; its choice tells the hop of frames.
        file: The sound.
        start: Where the part to look at begins, in s; None: with the file.
        stop: Where it ends.

    Raises:
        ValueError: If the file cannot be read or has no such part, or that is longer than 5
            minutes; names it.
    """
    try:
        with open_recording(file, model.sample_rate, start, stop) as recording:
            if recording.seconds > LONGEST_S:
                raise InvalidError(
                    f"must be at most {LONGEST_S:g} s, got {recording.seconds:g}; name a part "
                    "with --start and --stop"
                )
            audio = np.concatenate(list(recording.blocks()))
    except InvalidError as err:
        raise InvalidError(f"{file} {err}") from err
    batch = torch.from_numpy(audio)[None].to(next(model.backbone.parameters()).device)
    z, times_ms = model.frames(batch)
    taps, timeline, spec = model.extractor.taps, model.extractor.timeline, model.backbone.front_end
    parts = z[0].cpu().split([layer.dim for layer in taps], dim=-1)
    n_mel = -(-len(audio) // spec.hop)
    with torch.no_grad():  # a sound too short for the network is padded, as the network does
        padded = F.pad(batch, (0, max(0, timeline.min_samples() - len(audio))))
        log_mel = model.backbone.log_mel(padded, 0, max(n_mel, timeline.shortest))[0, 0, :n_mel]
    return SoundLayers(
        name=file.name,
        file_hz=recording.file_hz,
        start_s=start or 0.0,
        audio=audio,
        sample_rate=model.sample_rate,
        log_mel=log_mel.cpu().numpy(),
        log_mel_hop_s=spec.hop / spec.sample_rate,
        log_mel_start_s=0.0 if spec.centred else spec.window / 2 / spec.sample_rate,
        frames={layer: part.numpy() for layer, part in zip(taps, parts, strict=True)},
        first_s=float(times_ms[0, 0]) / 1000,
        hop_s=timeline.hop_samples(model.choice.hop_ms) / model.sample_rate,
    )


def binned(frames: NDArray[np.float32], n_rows: int) -> NDArray[np.float64]:
    """Leave as many features as a picture has rows, each the mean of neighbouring ones.

    Args:
        frames: Shape (n_frames, dim).
        n_rows: How many there shall be.

    Returns:
        Shape (n_frames, at most n_rows).

    >>> binned(np.ones((2, 1600), np.float32), 160).shape
    (2, 160)
    """
    dim = frames.shape[1]
    edges = np.linspace(0, dim, min(dim, n_rows) + 1).astype(int)
    sums: NDArray[np.float64] = np.add.reduceat(frames, edges[:-1], axis=1, dtype=np.float64)
    return sums / np.diff(edges)


def by_likeness(frames: NDArray[np.float32]) -> NDArray[np.intp]:
    """Order features so that those which rise and fall together are neighbours.

    They stand around the circle of the two strongest directions of their courses in time; those
    that never change come last.

    Args:
        frames: Shape (n_frames, dim).

    Returns:
        Indices of all features.
    """
    edges = np.linspace(0, len(frames), min(len(frames), _N_STEPS) + 1).astype(int)[:-1]
    courses = np.add.reduceat(frames, edges, axis=0, dtype=np.float64)
    courses -= courses.mean(axis=0)
    norms = np.linalg.norm(courses, axis=0)
    moves = norms > 1e-9 * norms.max(initial=1e-9)
    if len(courses) < 3 or not moves.any():
        return np.arange(frames.shape[1])
    courses /= np.where(moves, norms, 1)
    _, directions = np.linalg.eigh(courses @ courses.T)
    second, first = directions.T[-2:] @ courses
    return np.argsort(np.where(moves, np.arctan2(second, first), 4.0), kind="stable")


def band_centres_hz(spec: FrontEnd) -> NDArray[np.float64]:
    """Find the frequency in Hz that each mel band stands for.

    >>> from hear_fusion.backbones.yamnet import FRONT_END
    >>> band_centres_hz(FRONT_END).round()[[0, -1]]
    array([ 156., 7218.])
    """
    weights = mel_matrix(spec)
    bins = np.linspace(0, spec.sample_rate / 2, len(weights))
    total = weights.sum(axis=0)
    held = total > 0  # a band narrower than a bin may have none
    centres = (bins @ weights)[held] / total[held]
    bands = np.arange(spec.n_mels)
    filled: NDArray[np.float64] = np.interp(bands, bands[held], centres)
    return filled
