"""Integer arithmetic of time: samples, mel frames, frames of z, milliseconds, chunks.

Every position is a whole number of samples or mel frames, so nothing drifts: the timestamp of a
frame is computed from its index alone, and a clip cut into chunks meets without a seam.

Words: a *mel frame* is one STFT column; a *frame* is one time step of z; a *slot* is a frame at a
hop that the user asked for; a *column* is one time step of one layer's output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["scenes", "frames"]


@dataclass(frozen=True)
class Chunk:
    """A run of mel frames that passes through the network at once.

    Attributes:
        start, stop: Mel frames computed, ``[start, stop)``.
        keep_start, keep_stop: Mel frames whose columns are kept; the rest is halo.
        window, window_hop: The run is cut into windows of this many mel frames; a network that
            takes any length gets the run whole (``window == stop - start``).
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int
    window: int
    window_hop: int

    @property
    def n_windows(self) -> int:
        """How many windows the run is cut into."""
        return 1 + (self.stop - self.start - self.window) // self.window_hop


@dataclass(frozen=True)
class Timeline:
    """How one network walks along a sound.

    Attributes:
        sample_rate: In Hz.
        mel_hop: Samples from one mel frame to the next.
        mel_window: Samples under one mel frame.
        centred: Mel frame m is centred on sample ``m * mel_hop`` (the clip's ends are reflected);
            otherwise it starts there.
        frame_stride: Mel frames in one frame of z; T_o of Eq. (1) is mel frames // this.
        hops_ms: Legal hops of timestamps, in ms, longest first.
        patch: Mel frames of one independent example; None for a network that takes any length.
        scene_patch_hop: Mel frames from one example to the next in scenes.
        drops_scene_tail: Scenes leave out an incomplete last example, unless it is the only one;
            otherwise zeros complete it.
        halo: Mel frames of context that a chunk needs on either side to equal the whole.
        column: Mel frames under one column, where that is more than ``frame_stride``.
        lead: Samples by which the centre of column i lies past ``(i + 1/2)`` strides.
        longest: Mel frames of the longest sound that passes whole, if there is a limit.
        longest_window: Mel frames of the windows that a longer one is cut into.
    """

    sample_rate: int
    mel_hop: int
    mel_window: int
    centred: bool
    frame_stride: int
    hops_ms: tuple[int, ...]
    patch: int | None = None
    scene_patch_hop: int = 0
    drops_scene_tail: bool = False
    halo: int = 0
    column: int = 0
    lead: int = 0
    longest: int = 0
    longest_window: int = 0

    def hop_samples(self, hop_ms: int | None) -> int:
        """Samples in one frame: of a requested hop in ms, or of the network's own frames."""
        if hop_ms is None:
            return self.frame_stride * self.mel_hop
        return hop_ms * self.sample_rate // 1000

    def frame_ms(self, stride: int | None = None) -> float:
        """Milliseconds that a column of ``stride`` mel frames spans (default: a frame of z)."""
        return 1000 * (stride or self.frame_stride) * self.mel_hop / self.sample_rate

    def min_samples(self) -> int:
        """Samples of the shortest sound that gives one frame without padding.

        >>> Timeline(16000, 160, 512, True, 32, (320,)).min_samples()
        4960
        """
        n_mel = self.patch or self.column or self.frame_stride
        return (n_mel - 1) * self.mel_hop + (0 if self.centred else self.mel_window)

    def n_mel(self, n_samples: int, purpose: Purpose, hop_ms: int | None = None) -> int:
        """Mel frames to compute for a clip, zero padding included.

        A network of any length is padded to its shortest legal length and no further, for padding
        changes its last frames; independent examples are padded so that nothing is dropped, but
        for scenes that the original leaves the tail out of.
        """
        if self.patch is None:
            n_samples = max(n_samples, self.min_samples())
            if self.centred:
                return 1 + n_samples // self.mel_hop
            return 1 + (n_samples - self.mel_window) // self.mel_hop
        if purpose == "scenes":
            beyond_first = max(0, n_samples - self.min_samples())
            n_whole, rest = divmod(beyond_first, self.scene_patch_hop * self.mel_hop)
            n_more = n_whole + (rest > 0 and not self.drops_scene_tail)
            return self.patch + n_more * self.scene_patch_hop
        covered = self.n_frames(n_samples, hop_ms) * self.hop_samples(hop_ms)
        return self.patch * -(-covered // (self.patch * self.mel_hop))

    def n_frames(self, n_samples: int, hop_ms: int | None = None) -> int:
        """Frames of a clip, at least one.

        A requested hop h gives the slots whose centre ``(i + 1/2) h`` is not past the end. The
        default frames of a network of any length are its columns: the paper's
        ``floor(T / stride)``, where a column spans one stride.
        """
        if hop_ms is None and self.patch is None:
            return self._n_columns(self.n_mel(n_samples, "frames"))
        hop = self.hop_samples(hop_ms)
        return max(1, (2 * n_samples + hop) // (2 * hop))

    def timestamps_ms(self, n_samples: int, hop_ms: int | None = None) -> list[float]:
        """Centres of a clip's frames, in ms from its start, none past its end.

        Default frames stand at the centres of their columns, requested ones at ``(i + 1/2) h``.

        >>> Timeline(16000, 160, 512, True, 32, (320, 40)).timestamps_ms(16000)
        [160.0, 480.0, 800.0]
        """
        hop = self.hop_samples(hop_ms)
        lead = self.lead if hop_ms is None else 0
        doubled_rate = 2 * self.sample_rate  # centres lie on half samples
        return [
            min((2 * i + 1) * hop + 2 * lead, 2 * n_samples) * 1000 / doubled_rate
            for i in range(self.n_frames(n_samples, hop_ms))
        ]

    def n_early_slots(self, n_samples: int, hop_ms: int | None = None) -> int:
        """Slots before those of the first column, whose nearest column is the first all the same.

        >>> line = Timeline(16000, 160, 400, False, 10, (100, 50), column=16, lead=600)
        >>> line.timestamps_ms(16000, 50)[:4]  # columns stand at 87.5, 187.5, ... ms
        [25.0, 75.0, 125.0, 175.0]
        >>> line.n_early_slots(16000, 50)
        1
        """
        if hop_ms is None:
            return 0
        hop = self.hop_samples(hop_ms)
        n_before = -(-(2 * self.lead - hop) // (2 * hop))  # centres before the first stride
        return min(max(0, n_before), self.n_frames(n_samples, hop_ms) - 1)

    def _n_columns(self, n_mel: int) -> int:
        return 1 + (n_mel - (self.column or self.frame_stride)) // self.frame_stride

    def chunks(self, n_mel: int, purpose: Purpose, n_per_chunk: int) -> Iterator[Chunk]:
        """Cut a clip of ``n_mel`` mel frames into chunks of about ``n_per_chunk`` mel frames."""
        if self.longest:
            yield from self._windows(n_mel, n_per_chunk)
        elif self.patch is None:
            yield from self._stream(n_mel, n_per_chunk)
        else:
            hop = self.scene_patch_hop if purpose == "scenes" else self.patch
            yield from self._patches(n_mel, self.patch, hop, n_per_chunk)

    def _stream(self, n_mel: int, n_per_chunk: int) -> Iterator[Chunk]:
        # Chunks begin on whole frames, so that every pooling of the network stays in step.
        step = max(1, n_per_chunk // self.frame_stride) * self.frame_stride
        n_chunks = max(1, n_mel // step)  # the last one takes the rest, so none is a mere stub
        for i in range(n_chunks):
            keep_start = i * step
            keep_stop = keep_start + step if i + 1 < n_chunks else n_mel
            start = max(0, keep_start - self.halo)
            stop = min(n_mel, keep_stop + self.halo)
            yield Chunk(start, stop, keep_start, keep_stop, stop - start, stop - start)

    def _windows(self, n_mel: int, n_per_chunk: int) -> Iterator[Chunk]:
        # A window begins with the first column that the one before left out; the last is short.
        window = n_mel if n_mel <= self.longest else self.longest_window
        hop = self._n_columns(window) * self.frame_stride
        yield from self._patches(n_mel, window, hop, n_per_chunk)
        rest = hop * (1 + (n_mel - window) // hop)
        if n_mel - rest >= self.column:
            yield Chunk(rest, n_mel, rest, n_mel, n_mel - rest, n_mel - rest)

    @staticmethod
    def _patches(n_mel: int, patch: int, hop: int, n_per_chunk: int) -> Iterator[Chunk]:
        n_patches = 1 + (n_mel - patch) // hop
        per_chunk = max(1, n_per_chunk // patch)
        for first in range(0, n_patches, per_chunk):
            n = min(per_chunk, n_patches - first)
            start = first * hop
            stop = start + (n - 1) * hop + patch
            yield Chunk(start, stop, start, stop, patch, hop)
