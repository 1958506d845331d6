"""Sound to the outputs of many layers in one pass, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from hear_fusion.backbones import ORIGINAL, Backbone, Layer
from hear_fusion.errors import InvalidError
from hear_fusion.fusion.equations import fuse, pool_time_and_flatten
from hear_fusion.fusion.scaling import LAYER_SCALES, LayerScale, divisor
from hear_fusion.runtimes.precision import PRECISIONS, Precision, arithmetic
from hear_fusion.timeline import Chunk, Purpose


@dataclass(frozen=True)
class Settings:
    """How layers are computed, whichever they are.

    Attributes:
        precision: Arithmetic of the network; the front end is float32 or better in any case.
        chunk_seconds: Seconds of sound, over all clips of a batch, in one pass.
        layer_scale: Divide the features of each layer by its ``rms`` or ``std`` constant.
        allow_slow: Compute bf16 on a processor without instructions for it, too.

    Raises:
        ValueError: If one has an illegal value.
    """

    precision: Precision = "fp32"
    chunk_seconds: float = 30.0
    layer_scale: LayerScale = "none"
    allow_slow: bool = False

    def __post_init__(self) -> None:
        """Refuse illegal values, before weights are read."""
        seconds = self.chunk_seconds
        if self.precision not in PRECISIONS:
            raise InvalidError(
                f"precision must be one of {list(PRECISIONS)}, got {self.precision!r}"
            )
        if self.layer_scale not in LAYER_SCALES:
            raise InvalidError(
                f"layer_scale must be one of {list(LAYER_SCALES)}, got {self.layer_scale!r}"
            )
        if not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
            raise InvalidError(f"chunk_seconds must be a number above 0, got {seconds!r}")


DEFAULTS = Settings()


class Extractor:
    """Runs a network over sounds of any length and hands out the frames of its layers.

    A chunk is a stretch of a few sounds that passes through the network together. Chunks of a
    network with context carry a halo, so that the frames kept equal those of the whole clip.

    Args:
        backbone: The network.
        layers: Layer numbers in ascending order, or ``(ORIGINAL,)`` alone for its own embedding.
        settings: How they are computed.

    Raises:
        ValueError: If a layer has no such constant.
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: tuple[int, ...],
        settings: Settings = DEFAULTS,
    ) -> None:
        self.backbone, self.settings = backbone, settings
        self.taps = tuple(backbone.layer(number) for number in layers)
        self.divisors = {
            layer.number: divisor(layer, settings.layer_scale, backbone) for layer in self.taps
        }
        self.timeline = backbone.timeline
        if layers == (ORIGINAL,):  # alone, it keeps its own pace: an example is one frame
            self.timeline = replace(self.timeline, frame_stride=backbone.original.stride)
        mel_per_second = self.timeline.sample_rate / self.timeline.mel_hop
        self.n_mel_per_chunk = max(1, int(settings.chunk_seconds * mel_per_second))

    @property
    def dim(self) -> int:
        """Features of all layers together."""
        return sum(layer.dim for layer in self.taps)

    def scenes(self, audio: Tensor) -> Tensor:
        """Compute one vector a clip: Eq. (3) over the network's own frames, layer after layer.

        Where a network makes a vector for the clip itself, that is the layer's scene. Mean and
        maximum are accumulated over chunks, so memory does not grow with the clip.

        Args:
            audio: Waveforms, shape (n_sounds, n_samples), float32, on the network's device.

        Returns:
            z~, shape (n_sounds, dim), float32.
        """
        batches = [self._scenes_of_batch(batch) for batch in self._batches(audio, "scenes", None)]
        return torch.cat(batches) if batches else audio.new_zeros(0, self.dim)

    def _scenes_of_batch(self, audio: Tensor) -> Tensor:
        total: dict[int, Tensor] = {}
        peak: dict[int, Tensor] = {}
        n_frames = dict.fromkeys((layer.number for layer in self.taps), 0)
        for _, outputs in self.chunks(audio, "scenes", None):
            for number, frames in outputs.items():
                n_frames[number] += frames.shape[1]
                sums, maxima = frames.sum(dim=1), frames.amax(dim=1)
                seen = number in total
                total[number] = total[number].add_(sums) if seen else sums
                peak[number] = torch.maximum(peak[number], maxima) if seen else maxima
        return fuse(
            [
                self.backbone.scene(number, total[number] / n_frames[number], peak[number])
                for number in n_frames
            ]
        )

    def frames(self, audio: Tensor, hop_ms: int | None = None) -> Tensor:
        """Compute frames z of every clip, Eq. (1) and (2), at the network's own or a requested hop.

        At a requested hop a layer finer than it is max-pooled over the slot, a coarser one gives
        the column nearest to the slot, and slots past its last column repeat that one.

        Args:
            audio: Waveforms, shape (n_sounds, n_samples), float32, on the network's device.
            hop_ms: One of the timeline's hops in ms; None: the network's own frames.

        Returns:
            z, shape (n_sounds, n_frames, dim), float32; see `Timeline.timestamps_ms`.
        """
        n_frames = self.timeline.n_frames(audio.shape[1], hop_ms)
        z = audio.new_empty(audio.shape[0], n_frames, self.dim)
        first_sound = 0
        for batch in self._batches(audio, "frames", hop_ms):
            self._fill(z[first_sound : first_sound + batch.shape[0]], batch, hop_ms)
            first_sound += batch.shape[0]
        return z

    def _fill(self, z: Tensor, audio: Tensor, hop_ms: int | None) -> None:
        views = dict(
            zip(
                (layer.number for layer in self.taps),
                z.split([layer.dim for layer in self.taps], dim=-1),
                strict=True,
            )
        )
        hop = self.timeline.hop_samples(hop_ms)
        early = self.timeline.n_early_slots(audio.shape[1], hop_ms)
        filled = dict.fromkeys(views, 0)
        for chunk, outputs in self.chunks(audio, "frames", hop_ms):
            first = early + chunk.keep_start * self.timeline.mel_hop // hop
            for number, frames in outputs.items():
                stop = min(first + frames.shape[1], z.shape[1])
                kept = self.backbone.frame(number, frames[:, : stop - first])
                views[number][:, first:stop] = kept
                filled[number] = stop
        for number, stop in filled.items():
            views[number][:, :early] = views[number][:, early : early + 1]
            views[number][:, stop:] = views[number][:, stop - 1 : stop]

    def _batches(self, audio: Tensor, purpose: Purpose, hop_ms: int | None) -> tuple[Tensor, ...]:
        """Split a batch of clips so that one pass holds about a chunk's worth of sound."""
        n_mel = self.timeline.n_mel(audio.shape[1], purpose, hop_ms)
        n_sounds = max(1, self.n_mel_per_chunk // n_mel)
        return audio.split(n_sounds) if audio.shape[0] else ()

    def chunks(
        self, audio: Tensor, purpose: Purpose, hop_ms: int | None
    ) -> Iterator[tuple[Chunk, dict[int, Tensor]]]:
        """Yield the frames of every layer, (n_sounds, frame, dim), chunk by chunk."""
        timeline, settings = self.timeline, self.settings
        n_mel = timeline.n_mel(audio.shape[1], purpose, hop_ms)
        if audio.shape[1] < timeline.min_samples():
            audio = F.pad(audio, (0, timeline.min_samples() - audio.shape[1]))
        n_per_chunk = max(1, self.n_mel_per_chunk // audio.shape[0])
        numbers = [layer.number for layer in self.taps]
        for chunk in timeline.chunks(n_mel, purpose, n_per_chunk):
            log_mel = self.backbone.log_mel(audio, chunk.start, chunk.stop)
            # (sound, 1, window, mel, time) -> (sound * window, 1, time, mel), sounds slowest
            windows = log_mel.unfold(2, chunk.window, chunk.window_hop).permute(0, 2, 1, 4, 3)
            with arithmetic(settings.precision, audio.device, allow_slow=settings.allow_slow):
                outputs = self.backbone.forward_layers(windows.flatten(0, 1), numbers)
            yield (
                chunk,
                {
                    layer.number: self._to_frames(
                        outputs[layer.number].columns(purpose), layer, chunk, hop_ms
                    )
                    for layer in self.taps
                },
            )

    def _to_frames(self, columns: Tensor, layer: Layer, chunk: Chunk, hop_ms: int | None) -> Tensor:
        """Turn a layer's columns in all windows of a chunk into frames, one sound a row.

        Two sounds of three examples each, through layer 10 of VGGish at its own hop:
        columns (2 * 3, 256, 24, 16) -> pooled by 4 and flattened, Eq. (1): (2 * 3, 6, 4096)
        -> windows of a sound in a row: (2, 3 * 6, 4096).

        Args:
            columns: Shape (sound * window, channel, time, freq), sounds slowest.
            layer: Whose columns they are.
            chunk: Tells which of them are halo, to be left out.
            hop_ms: The hop of frames in ms; None: the network's own.

        Returns:
            Frames, shape (sound, frame, dim).
        """
        first = (chunk.keep_start - chunk.start) // layer.stride
        stop = (chunk.keep_stop - chunk.start) // layer.stride
        hop, column = self.timeline.hop_samples(hop_ms), layer.stride * self.timeline.mel_hop
        frames = pool_time_and_flatten(
            columns[:, :, first:stop].float(), max(1, hop // column), keep_rest=hop_ms is not None
        )
        if self.divisors[layer.number] != 1.0:
            frames = frames / self.divisors[layer.number]
        if column > hop:  # a column longer than a frame stands for several
            frames = frames.repeat_interleave(column // hop, dim=1)
        in_a_row: Tensor = frames.unflatten(0, (-1, chunk.n_windows)).flatten(1, 2)
        return in_a_row
