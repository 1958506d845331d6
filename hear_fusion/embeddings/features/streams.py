"""Recordings of hours on their way through a network, of which seconds are in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hear_fusion.extractor import Extractor
from hear_fusion.fusion import fuse

_Item = TypeVar("_Item")


class AudioStream:
    """A sound that is read as it is asked for, from its start to its end; a batch of one.

    To an `Extractor` it is what a tensor of shape (1, n_samples) is: it asks for stretches, each of
    which begins where the one before began or later.

    Attributes:
        shape: As of that tensor.
        device: Where stretches are handed out.
    """

    def __init__(
        self, blocks: Iterable[NDArray[np.float32]], n_samples: int, device: torch.device
    ) -> None:
        self.shape, self.device = (1, n_samples), device
        self._blocks = iter(blocks)
        self._first = 0  # sample at which what is held begins
        self._held = np.empty(0, np.float32)

    def __getitem__(self, index: tuple[slice, slice]) -> Tensor:
        first, last = index[1].start, min(index[1].stop, self.shape[1])
        blocks, n_held = [self._held[first - self._first :]], self._first + self._held.size
        while n_held < last:
            block = next(self._blocks)
            blocks.append(block[max(0, first - n_held) :])
            n_held += block.size
        self._first, self._held = first, np.concatenate(blocks)
        return torch.from_numpy(self._held[: last - first].copy())[None].to(self.device)

    def split(self, _n_sounds: int) -> tuple[AudioStream]:
        """Do as a tensor does that is one sound."""
        return (self,)

    def finish(self) -> None:
        """Read what nobody asked for: that the sound is whole is known at its end."""
        self._held = np.empty(0, np.float32)
        for _ in self._blocks:
            pass

    @property
    def as_audio(self) -> Tensor:
        """This stream where a tensor is asked for."""
        return cast(Tensor, self)


def frame_blocks(
    extractor: Extractor, audio: Tensor, hop_ms: int | None = None
) -> Iterator[Tensor]:
    """Compute the frames of a sound as `Extractor.frames` does, some at a time.

    Args:
        extractor: The network and its layers.
        audio: Shape (1, n_samples), float32; may be a stream.
        hop_ms: As for `Extractor.frames`.

    Yields:
        Frames, shape (frame, dim), float32, of all chunks in their order.
    """
    timeline = extractor.timeline
    n_frames = timeline.n_frames(audio.shape[1], hop_ms)
    hop, early = timeline.hop_samples(hop_ms), timeline.n_early_slots(audio.shape[1], hop_ms)
    first, held = 0, list[Tensor]()
    for chunk, outputs in extractor.chunks(audio, "frames", hop_ms):
        begin = early + chunk.keep_start * timeline.mel_hop // hop if held else 0
        if held:
            yield _joined(held, begin - first)
        held = [extractor.backbone.frame(number, out)[0] for number, out in outputs.items()]
        if not begin:
            held = [torch.cat([frames[:1].expand(early, -1), frames]) for frames in held]
        first = begin
    yield _joined(held, n_frames - first)


def _joined(layers: list[Tensor], n_frames: int) -> Tensor:
    """Put layers beside each other, at one length: the last frame of a short one is repeated."""
    return fuse(
        [
            F.pad(frames[None], (0, 0, 0, max(0, n_frames - len(frames))), mode="replicate")[0]
            if len(frames) < n_frames
            else frames[:n_frames]
            for frames in layers
        ]
    )


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Let a thread make the next item while one is in use."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, items, end)
            yield cast(_Item, item)
