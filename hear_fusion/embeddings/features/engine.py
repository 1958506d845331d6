"""Segments of recordings to vectors: short ones in batches, long ones as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.audio.bandwidth import old_rate
from hear_fusion.audio.decoding import UnreadableSoundError
from hear_fusion.audio.streaming import open_recording
from hear_fusion.embeddings.features.rows import Rows
from hear_fusion.embeddings.features.streams import AudioStream, ahead, frame_blocks
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.model import FusionModel
from hear_fusion.names import check_hop
from hear_fusion.runtimes.precision import arithmetic

_LONG_SECONDS = 120.0  # from which on a sound is not held in memory
_SHORT_SECONDS = 120.0  # of short sounds that are decoded together, and sorted by length
_PASS_SECONDS = 60.0  # of windows that are made of a sound at a time
_HINT_SECONDS = 10.0

_Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """Rows of a segment, or why there are none.

    Attributes:
        segment: Its place in the list.
        starts, stops: The part of the recording that each row is about, in s; NaN: all of it.
        vectors: Features, shape (row, dim), float32.
        is_last: Whether no rows of the segment follow.
        error: Why it has no rows; what came before is not to be used.
        seconds: Sound that was read for it.
        old_hz: The rate it had before it was upsampled; 0 if it was not.
    """

    segment: int
    starts: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    stops: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    is_last: bool = True
    error: str = ""
    seconds: float = 0.0
    old_hz: int = 0


@dataclass(frozen=True)
class _Loaded:
    """A segment that was opened: its sound, unless it is long, or why there is none."""

    segment: int
    audio: _Audio | None = None
    error: str = ""
    old_hz: int = 0


class Engine:
    """Computes the rows of segments of any length, in bounded memory.

    Args:
        model: The network and its layers.
        rows: What a row is about.

    Raises:
        ValueError: If the network has no such hop.
    """

    def __init__(self, model: FusionModel, rows: Rows) -> None:
        check_hop(model.choice.backbone, rows.hop_ms)
        self._rows, self._rate, self._model = rows, model.sample_rate, model
        self._device = next(model.backbone.parameters()).device

    def pieces(
        self, segments: Sequence[Segment], on_seconds: Callable[[int, float], object] | None = None
    ) -> Iterator[Piece]:
        """Compute the rows of segments, in their order but for the lengths of short ones.

        A thread decodes the next segments meanwhile. What goes wrong with a segment is a piece.

        Args:
            segments: Whose rows.
            on_seconds: Called with the place of a long segment and the share of it that was read.
        """
        for loaded in ahead(self._load(segments)):
            short = [one for one in loaded if one.audio is not None]
            yield from (Piece(one.segment, error=one.error) for one in loaded if one.error)
            yield from self._short(short, segments)
            for one in loaded:
                if one.audio is None and not one.error:
                    yield from self._long(one.segment, segments[one.segment], on_seconds)

    def _load(self, segments: Sequence[Segment]) -> Iterator[list[_Loaded]]:
        """Decode some minutes of short segments at a time; a long one ends them."""
        loaded, n_left = list[_Loaded](), _SHORT_SECONDS
        for i, segment in enumerate(segments):
            loaded.append(self._loaded(i, segment))
            audio = loaded[-1].audio
            n_left -= _SHORT_SECONDS if audio is None else 0.1 + len(audio) / self._rate
            if n_left <= 0 and not loaded[-1].error:
                yield loaded
                loaded, n_left = [], _SHORT_SECONDS
        if loaded:
            yield loaded

    def _loaded(self, i: int, segment: Segment) -> _Loaded:
        try:
            with open_recording(
                Path(segment.path), self._rate, segment.start, segment.stop
            ) as recording:
                if recording.seconds > _LONG_SECONDS:
                    return _Loaded(i)
                audio = np.concatenate(list(recording.blocks()))
                return _Loaded(i, audio, old_hz=self._old_rate(audio, recording.file_hz))
        except (UnreadableSoundError, ValueError) as err:  # the latter for an impossible name
            return _Loaded(i, error=str(err))

    def _old_rate(self, audio: _Audio, file_hz: int) -> int:
        rate = old_rate(audio[: int(_HINT_SECONDS * self._rate)], self._rate)
        return rate if rate is not None and rate < file_hz else 0

    def _short(self, sounds: list[_Loaded], segments: Sequence[Segment]) -> Iterator[Piece]:
        by_length: dict[int, list[_Loaded]] = {}
        for sound in sounds:
            assert sound.audio is not None
            by_length.setdefault(len(sound.audio), []).append(sound)
        for n_samples, same in sorted(by_length.items()):
            audio = np.stack([sound.audio for sound in same if sound.audio is not None])
            if self._rows.kind == "window":
                firsts = self._rows.windows(n_samples, self._rate)
                parts = [(i, first) for i in range(len(same)) for first in firsts]
                n_window = min(n_samples, round((self._rows.window_s or 0) * self._rate))
                clips = (audio[i, first : first + n_window] for i, first in parts)
                vectors = torch.cat(list(self._scenes(clips, n_window)))
                each = vectors.unflatten(0, (len(same), len(firsts)))
            elif self._rows.kind == "frame":
                each = self._compute(audio, "frames")
            else:
                each = self._compute(audio, "scenes")[:, None]
            for sound, rows in zip(same, each.cpu().numpy(), strict=True):
                starts, stops = self._times(segments[sound.segment], n_samples)
                seconds = n_samples / self._rate
                yield Piece(
                    sound.segment, starts, stops, rows, seconds=seconds, old_hz=sound.old_hz
                )

    def _long(
        self, i: int, segment: Segment, on_seconds: Callable[[int, float], object] | None
    ) -> Iterator[Piece]:
        try:
            with open_recording(
                Path(segment.path), self._rate, segment.start, segment.stop
            ) as recording:
                old_hz, n_read = 0, 0

                def watched() -> Iterator[_Audio]:
                    nonlocal old_hz, n_read
                    for block in ahead(recording.blocks()):
                        if not n_read:
                            old_hz = self._old_rate(block, recording.file_hz)
                        n_read += block.size
                        if on_seconds is not None:
                            on_seconds(i, n_read / recording.n_samples)
                        yield block

                stream = AudioStream(watched(), recording.n_samples, self._device)
                (starts, stops), n_rows = self._times(segment, recording.n_samples), 0
                for vectors in self._blocks(stream):
                    new = slice(n_rows, n_rows + len(vectors))
                    n_rows = new.stop
                    yield Piece(i, starts[new], stops[new], vectors.cpu().numpy(), is_last=False)
                stream.finish()
                empty = np.empty((0, self._model.scene_embedding_size), np.float32)
                yield Piece(i, vectors=empty, seconds=recording.seconds, old_hz=old_hz)
        except UnreadableSoundError as err:
            yield Piece(i, error=str(err))

    def _blocks(self, stream: AudioStream) -> Iterator[Tensor]:
        """Compute the rows of a long sound, some at a time."""
        n_samples = stream.shape[1]
        if self._rows.kind == "sound":
            yield self._compute(stream.as_audio, "scenes")
        elif self._rows.kind == "frame":
            with torch.no_grad(), arithmetic("fp32", self._device):
                yield from frame_blocks(self._model.extractor, stream.as_audio, self._rows.hop_ms)
        else:
            n_window = round((self._rows.window_s or 0) * self._rate)
            firsts = self._rows.windows(n_samples, self._rate)
            clips = (stream[:, first : first + n_window][0].cpu().numpy() for first in firsts)
            yield from self._scenes(clips, n_window)

    def _scenes(self, clips: Iterator[_Audio], n_window: int) -> Iterator[Tensor]:
        """Compute scenes of clips of one length, about a minute of sound at a time."""
        n_clips = max(1, int(_PASS_SECONDS * self._rate / n_window))
        batch: list[_Audio] = []
        for clip in clips:
            batch.append(clip)
            if len(batch) == n_clips:
                yield self._compute(np.stack(batch), "scenes")
                batch = []
        if batch:
            yield self._compute(np.stack(batch), "scenes")

    def _compute(self, audio: _Audio | Tensor, what: Literal["scenes", "frames"]) -> Tensor:
        if isinstance(audio, np.ndarray):
            audio = torch.from_numpy(audio).to(self._device)
        with torch.no_grad(), arithmetic("fp32", self._device):
            if what == "scenes":
                return self._model.extractor.scenes(audio)
            return self._model.extractor.frames(audio, self._rows.hop_ms)

    def _times(
        self, segment: Segment, n_samples: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._rows.times(segment, n_samples, self._model.extractor.timeline)
