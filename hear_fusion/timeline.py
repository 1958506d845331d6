"""Integer arithmetic of time: samples, mel frames, frames of z, milliseconds, chunks.

Every position is a whole number of samples or mel frames, so nothing drifts: the timestamp of a
frame is computed from its index alone, and a clip cut into chunks meets without a seam.

Words: a *mel frame* is one STFT column; a *frame* is one time step of z; a *slot* is a frame at a
hop asked for; a *column* is one time step of one layer's output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
class Timeline(ABC):
    """How one network walks along a sound: as a `Stream`, in `Patches` or in `Windows`.

    Attributes:
        sample_rate: In Hz.
        mel_hop: Samples from one mel frame to the next.
        mel_window: Samples under one mel frame.
        centred: Mel frame m is centred on sample ``m * mel_hop``, or else it starts there.
        frame_stride: Mel frames in one frame of z; T_o of Eq. (1) is mel frames // this.
        hops_ms: Legal hops of timestamps, in ms, longest first.
    """

    sample_rate: int
    mel_hop: int
    mel_window: int
    centred: bool
    frame_stride: int
    hops_ms: tuple[int, ...]

    @property
    def shortest(self) -> int:
        """Mel frames of the shortest sound that gives one frame without padding."""
        return self.frame_stride

    @property
    def lead(self) -> int:
        """Samples by which the centre of column i lies past ``(i + 1/2)`` strides."""
        return 0

    @abstractmethod
    def chunks(self, n_mel: int, purpose: Purpose, n_per_chunk: int) -> Iterator[Chunk]:
        """Cut a clip of ``n_mel`` mel frames into chunks of about ``n_per_chunk`` mel frames."""

    def hop_samples(self, hop_ms: int | None) -> int:
        """Count the samples in one frame, of a requested hop in ms or of the network's own."""
        own = self.frame_stride * self.mel_hop
        return own if hop_ms is None else hop_ms * self.sample_rate // 1000

    def frame_ms(self, stride: int | None = None) -> float:
        """Give the ms that a column of ``stride`` mel frames spans (default: a frame of z)."""
        return 1000 * (stride or self.frame_stride) * self.mel_hop / self.sample_rate

    def min_samples(self) -> int:
        """Count the samples of the shortest sound that gives one frame without padding.

        >>> Stream(16000, 160, 512, True, 32, (320,), halo=128).min_samples()
        4960
        """
        return (self.shortest - 1) * self.mel_hop + (0 if self.centred else self.mel_window)

    def n_mel(self, n_samples: int, purpose: Purpose, hop_ms: int | None = None) -> int:  # noqa: ARG002
        """Count the mel frames to compute for a clip, zero padding included.

        It goes no further than the shortest legal length, for padding changes the last frames.
        """
        return self.shortest + max(0, n_samples - self.min_samples()) // self.mel_hop

    def n_frames(self, n_samples: int, hop_ms: int | None = None) -> int:
        """Count the frames of a clip, at least one.

        A requested hop h gives the slots whose centre ``(i + 1/2) h`` is not past the end. Default
        frames are the columns: the paper's ``floor(T / stride)``, where one spans one stride.
        """
        if hop_ms is None:
            return self._n_columns(self.n_mel(n_samples, "frames"))
        return self._n_slots(n_samples, self.hop_samples(hop_ms))

    def timestamps_ms(self, n_samples: int, hop_ms: int | None = None) -> list[float]:
        """Give the centres of a clip's frames, in ms from its start, none past its end.

        Default frames stand at the centres of their columns, requested ones at ``(i + 1/2) h``.

        >>> Stream(16000, 160, 512, True, 32, (320, 40), halo=128).timestamps_ms(16000)
        [160.0, 480.0, 800.0]
        """
        hop, lead = self.hop_samples(hop_ms), self.lead if hop_ms is None else 0
        return [  # counted in half samples, on which centres lie
            min((2 * i + 1) * hop + 2 * lead, 2 * n_samples) * 500 / self.sample_rate
            for i in range(self.n_frames(n_samples, hop_ms))
        ]

    def n_early_slots(self, n_samples: int, hop_ms: int | None = None) -> int:
        """Count the slots before those of the first column, which is the nearest all the same.

        >>> ast = Windows(16000, 160, 400, False, 10, (50,), column=16, longest=2998, window=1024)
        >>> ast.timestamps_ms(16000, 50)[:4]  # columns stand at 87.5, 187.5, ... ms
        [25.0, 75.0, 125.0, 175.0]
        >>> ast.n_early_slots(16000, 50)
        1
        """
        if hop_ms is None:
            return 0
        hop = self.hop_samples(hop_ms)
        n_before = -(-(2 * self.lead - hop) // (2 * hop))  # centres before the first stride
        return min(max(0, n_before), self.n_frames(n_samples, hop_ms) - 1)

    def _n_columns(self, n_mel: int) -> int:
        return 1 + (n_mel - self.shortest) // self.frame_stride

    @staticmethod
    def _n_slots(n_samples: int, hop: int) -> int:
        return max(1, (2 * n_samples + hop) // (2 * hop))


@dataclass(frozen=True)
class Stream(Timeline):
    """A network that takes any length, a frame at each stride, such as CNN14.

    Attributes:
        halo: Mel frames of context that a chunk needs on either side to equal the whole.
    """

    halo: int

    def chunks(self, n_mel: int, purpose: Purpose, n_per_chunk: int) -> Iterator[Chunk]:  # noqa: ARG002
        """Cut a clip into chunks of whole frames, so that every pooling stays in step."""
        step = max(1, n_per_chunk // self.frame_stride) * self.frame_stride
        n_chunks = max(1, n_mel // step)  # the last one takes the rest, so none is a mere stub
        for i in range(n_chunks):
            keep_start, keep_stop = i * step, (i + 1) * step if i + 1 < n_chunks else n_mel
            start, stop = max(0, keep_start - self.halo), min(n_mel, keep_stop + self.halo)
            yield Chunk(start, stop, keep_start, keep_stop, stop - start, stop - start)


@dataclass(frozen=True)
class Patches(Timeline):
    """A network of independent examples, such as VGGish and YAMNet.

    Attributes:
        patch: Mel frames of one example.
        scene_hop: Mel frames from one example to the next in scenes; frames have no overlap.
        drops_scene_tail: Scenes leave out an incomplete last example, unless it is the only one;
            otherwise zeros complete it.
    """

    patch: int
    scene_hop: int
    drops_scene_tail: bool = False

    @property
    def shortest(self) -> int:
        """One example."""
        return self.patch

    def n_mel(self, n_samples: int, purpose: Purpose, hop_ms: int | None = None) -> int:
        """Count the mel frames of a clip's examples; zeros complete the last, unless dropped."""
        if purpose == "scenes":
            beyond_first = max(0, n_samples - self.min_samples())
            n_more, rest = divmod(beyond_first, self.scene_hop * self.mel_hop)
            n_more += rest > 0 and not self.drops_scene_tail
            return self.patch + n_more * self.scene_hop
        covered = self.n_frames(n_samples, hop_ms) * self.hop_samples(hop_ms)
        return self.patch * -(-covered // (self.patch * self.mel_hop))

    def n_frames(self, n_samples: int, hop_ms: int | None = None) -> int:
        """Count the slots of a clip, at the network's own hop or a requested one."""
        return self._n_slots(n_samples, self.hop_samples(hop_ms))

    def chunks(self, n_mel: int, purpose: Purpose, n_per_chunk: int) -> Iterator[Chunk]:
        """Cut a clip into chunks of whole examples."""
        hop = self.scene_hop if purpose == "scenes" else self.patch
        yield from _runs(n_mel, self.patch, hop, n_per_chunk)


@dataclass(frozen=True)
class Windows(Timeline):
    """A network that takes any length up to a limit, and longer sounds in windows, such as AST.

    Attributes:
        column: Mel frames under one column, of which there is one at each stride.
        longest: Mel frames of the longest sound that passes whole.
        window: Mel frames of the windows that a longer one is cut into.
    """

    column: int
    longest: int
    window: int

    @property
    def shortest(self) -> int:
        """One column."""
        return self.column

    @property
    def lead(self) -> int:
        """Samples by which the centre of column i lies past ``(i + 1/2)`` strides."""
        return (self.min_samples() - self.frame_stride * self.mel_hop) // 2

    def chunks(self, n_mel: int, purpose: Purpose, n_per_chunk: int) -> Iterator[Chunk]:  # noqa: ARG002
        """Cut a clip into chunks of windows, seamless in columns; the last window is short."""
        window = n_mel if n_mel <= self.longest else self.window
        hop = self._n_columns(window) * self.frame_stride  # to the first column left out
        yield from _runs(n_mel, window, hop, n_per_chunk)
        rest = hop * (1 + (n_mel - window) // hop)
        if n_mel - rest >= self.column:
            yield Chunk(rest, n_mel, rest, n_mel, n_mel - rest, n_mel - rest)


def _runs(n_mel: int, window: int, hop: int, n_per_chunk: int) -> Iterator[Chunk]:
    """Yield runs of whole windows, ``hop`` mel frames apart."""
    n_windows, per_chunk = 1 + (n_mel - window) // hop, max(1, n_per_chunk // window)
    for first in range(0, n_windows, per_chunk):
        start = first * hop
        stop = (min(first + per_chunk, n_windows) - 1) * hop + window
        yield Chunk(start, stop, start, stop, window, hop)
