"""Streams through networks, against the whole sound in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.backbones import REGISTRY, Backbone
from hear_fusion.embeddings.features.streams import AudioStream, ahead, frame_blocks
from hear_fusion.extractor import Extractor, Settings

CPU = torch.device("cpu")
CHOICES: list[tuple[str, tuple[int, ...]]] = [
    (name, net.published_layers) for name, net in REGISTRY.items()
]
ORIGINALS: list[tuple[str, tuple[int, ...]]] = [(name, (0,)) for name in REGISTRY]


def _stream(audio: Tensor) -> AudioStream:
    blocks = np.array_split(audio[0].numpy(), 17)
    return AudioStream(iter(blocks), audio.shape[1], CPU)


@pytest.mark.parametrize(("name", "layers"), CHOICES + ORIGINALS)
def test_a_stream_is_the_sound(
    backbones: dict[str, Backbone],
    noise: Callable[..., Tensor],
    name: str,
    layers: tuple[int, ...],
) -> None:
    # Half a minute passes through AST whole.
    audio = noise(1, 16000 * (33 if name == "ast" else 9) + 77)
    with torch.no_grad():
        extractor = Extractor(backbones[name], layers, Settings(chunk_seconds=3.0))
        stream = _stream(audio)
        torch.testing.assert_close(
            extractor.scenes(stream.as_audio), extractor.scenes(audio), rtol=0, atol=0
        )
        stream.finish()
        hops_ms = (None, min(extractor.timeline.hops_ms))
        for hop_ms in hops_ms[: 1 if layers == (0,) else 2]:
            blocks = list(frame_blocks(extractor, _stream(audio).as_audio, hop_ms))
            assert len(blocks) > 1
            expected = extractor.frames(audio, hop_ms)[0]
            torch.testing.assert_close(torch.cat(blocks), expected, rtol=0, atol=0)


def test_little_of_a_stream_is_held() -> None:
    given = 0

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal given
        for i in range(100):
            given = i
            yield np.full(10, i, np.float32)

    stream = AudioStream(blocks(), 1000, CPU)
    assert stream[:, 95:105].tolist() == [[9.0] * 5 + [10.0] * 5]
    assert given == 10
    assert stream[:, 98:102].tolist() == [[9.0] * 2 + [10.0] * 2]
    assert stream[:, 990:2000].tolist() == [[99.0] * 10]
    assert stream._held.size == 10


def test_what_goes_wrong_ahead_is_told() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    got = ahead(items())
    assert next(got) == 1
    with pytest.raises(OSError, match="gone"):
        next(got)
