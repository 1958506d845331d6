"""One pass over sounds of any length: chunks, batches, alignment of layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hear_fusion.backbones import ORIGINAL, REGISTRY, Backbone
from hear_fusion.extractor import Extractor, Settings
from hear_fusion.fusion.equations import fuse, pool_time_and_flatten, summarise
from hear_fusion.fusion.scaling import LayerScale
from hear_fusion.timeline import Stream, Windows
from tests.networks import cnn14_tensors

CHOICES = [
    (name, layers)
    for name, network in REGISTRY.items()
    for layers in (network.layer_numbers(), (ORIGINAL,))
]
PACES = [
    (name, layers, hop)
    for name, layers in CHOICES
    # AST takes sounds whole up to 30 s: see below for longer ones
    if not isinstance(REGISTRY[name].timeline, Windows)
    for hop in (None, *REGISTRY[name].timeline.hops_ms)
]


def assert_near(ours: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n_samples", [100, 4960, 20000, 79999])
def test_cnn14_is_the_equations_on_the_whole_clip(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], n_samples: int
) -> None:
    network, audio = backbones["cnn14"], noise(2, n_samples)
    padded = torch.nn.functional.pad(audio, (0, max(0, 4960 - n_samples)))
    log_mel = network.log_mel(padded, 0, 1 + padded.shape[1] // 160)
    maps = network.forward_layers(log_mel, (3, 6))
    z = fuse([pool_time_and_flatten(maps[3].frames, 4), pool_time_and_flatten(maps[6].frames, 1)])

    extractor = Extractor(network, (3, 6))
    assert_near(extractor.frames(audio), z, tolerance=0.0)
    assert_near(extractor.scenes(audio), summarise(z))
    assert extractor.dim == z.shape[2] == 8 * 8 + 16 * 2


def test_yamnet_is_the_equations_on_its_patches(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    network, audio = backbones["yamnet"], noise(2, 40000)
    extractor = Extractor(network, (5, 14))

    def z_of(starts: range) -> Tensor:
        patches = [network.log_mel(audio, start, start + 96) for start in starts]
        maps = [network.forward_layers(patch, (5, 14)) for patch in patches]
        frames = [
            fuse(
                [pool_time_and_flatten(one[5].frames, 4), pool_time_and_flatten(one[14].frames, 1)]
            )
            for one in maps
        ]
        return torch.cat(frames, dim=1)

    # 40000 samples: padded to 15600 + 4 x 7680, five half-overlapping patches
    assert_near(extractor.scenes(audio), summarise(z_of(range(0, 5 * 48, 48))))
    # centres at 160 + 320 i ms up to 2500 ms: eight frames out of three patches
    assert_near(extractor.frames(audio), z_of(range(0, 3 * 96, 96))[:, :8])


@pytest.mark.parametrize("n_samples", [100, 15599, 47000, 80000])
def test_vggish_scenes_are_the_equations_on_the_frames_of_whole_examples(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], n_samples: int
) -> None:
    extractor, audio = Extractor(backbones["vggish"], (5, 15, 22)), noise(2, n_samples)
    n_whole = max(1, (1 + (n_samples - 400) // 160) // 96)
    padded = torch.nn.functional.pad(audio, (0, max(0, 15600 - n_samples)))
    z = extractor.frames(padded)[:, : 6 * n_whole]
    assert_near(extractor.scenes(audio), summarise(z))


def test_vggishs_dense_layers_are_repeated_six_times(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    network, audio = backbones["vggish"], noise(2, 16000 * 3)
    z = Extractor(network, (18,)).frames(audio)
    assert z.shape[1] == 19  # centres at 80 + 160 i ms, up to 3 s
    for i in range(19):
        example = network.log_mel(audio, i // 6 * 96, (i // 6 + 1) * 96)
        assert_near(z[:, i], network.forward_layers(example, (18,))[18].frames.flatten(1))


@pytest.mark.parametrize(("name", "layers", "hop_ms"), PACES)
@pytest.mark.parametrize("n_samples", [30000, 16000 * 7 + 123])
def test_chunked_equals_whole(
    backbones: dict[str, Backbone],
    noise: Callable[..., Tensor],
    name: str,
    layers: tuple[int, ...],
    hop_ms: int | None,
    n_samples: int,
) -> None:
    audio = noise(3, n_samples)
    whole = Extractor(backbones[name], layers, Settings(chunk_seconds=1000.0))
    pieces = Extractor(backbones[name], layers, Settings(chunk_seconds=0.7))
    assert_near(pieces.frames(audio, hop_ms), whole.frames(audio, hop_ms))
    if hop_ms is None:
        assert_near(pieces.scenes(audio), whole.scenes(audio))


def test_without_its_halo_chunking_would_show(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    """The comparison above has teeth: half the context is not enough."""
    audio = noise(1, 16000 * 8)
    whole = Extractor(backbones["cnn14"], (6,), Settings(chunk_seconds=1000.0))
    short = Extractor(backbones["cnn14"], (6,), Settings(chunk_seconds=1.0))
    assert isinstance(short.timeline, Stream)
    short.timeline = replace(short.timeline, halo=64)
    assert (short.frames(audio) - whole.frames(audio)).abs().max() > 1e-4


@pytest.mark.parametrize(("name", "layers"), CHOICES)
@pytest.mark.parametrize("n_samples", [500, 16000, 33333])
def test_batch_equals_one_by_one(
    backbones: dict[str, Backbone],
    noise: Callable[..., Tensor],
    name: str,
    layers: tuple[int, ...],
    n_samples: int,
) -> None:
    audio = noise(5, n_samples)
    extractor = Extractor(backbones[name], layers, Settings(chunk_seconds=5.0))
    hop_ms = extractor.timeline.hops_ms[1]
    scenes, frames = extractor.scenes(audio), extractor.frames(audio, hop_ms)
    for i in range(5):
        assert_near(extractor.scenes(audio[i : i + 1])[0], scenes[i])
        assert_near(extractor.frames(audio[i : i + 1], hop_ms)[0], frames[i])
    assert (scenes[0] - scenes[1]).abs().max() > 1e-4, "the sounds do not differ"


@pytest.mark.parametrize("name", REGISTRY)
def test_layers_alone_equal_layers_together(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], name: str
) -> None:
    network, audio = backbones[name], noise(2, 32000)
    numbers = network.layer_numbers()
    together = Extractor(network, numbers).scenes(audio)
    alone = torch.cat([Extractor(network, (n,)).scenes(audio) for n in numbers], dim=1)
    assert_near(together, alone, tolerance=0.0)


@pytest.mark.parametrize("hop_ms", [20, 40, 80, 160, 320])
def test_fine_layers_are_pooled_and_coarse_ones_repeated(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], hop_ms: int
) -> None:
    network, audio = backbones["cnn14"], noise(1, 16000 * 2 + 700)
    log_mel = network.log_mel(audio, 0, 1 + audio.shape[1] // 160)
    maps = network.forward_layers(log_mel, network.layer_numbers())
    for layer in network.layer_table:
        z = Extractor(network, (layer.number,)).frames(audio, hop_ms)[0]
        columns = maps[layer.number].frames[0].transpose(0, 1).flatten(1)  # (column, dim)
        n_columns = columns.shape[0]
        for i, slot in enumerate(z):
            first = i * hop_ms // (10 * layer.stride)
            last = max(first + 1, (i + 1) * hop_ms // (10 * layer.stride))
            under = columns[min(first, n_columns - 1) : min(last, n_columns)]
            expected = under.amax(dim=0) if len(under) else columns[-1]
            assert_near(slot, expected, tolerance=0.0)


def test_original_embeddings_keep_their_own_pace(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    audio = noise(1, 16000 * 3)
    yamnet = Extractor(backbones["yamnet"], (ORIGINAL,))
    assert yamnet.timeline.timestamps_ms(48000) == [480.0, 1440.0, 2400.0]
    frames = yamnet.frames(audio)
    assert frames.shape == (1, 3, 16)
    at_40_ms = yamnet.frames(audio, 40)
    assert_near(at_40_ms[:, 24], frames[:, 1])
    assert_near(at_40_ms[:, 23], frames[:, 0])

    # CNN14's embedding of a one-frame clip is the clip's only frame.
    short = noise(1, 4960)
    cnn14 = Extractor(backbones["cnn14"], (ORIGINAL,))
    assert_near(cnn14.frames(short)[:, 0], cnn14.scenes(short))


@pytest.mark.parametrize("layer_scale", ["rms", "std"])
def test_layer_scale_divides_each_layer_by_its_constant(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], layer_scale: LayerScale
) -> None:
    network, audio = backbones["yamnet"], noise(2, 20000)
    plain = Extractor(network, (5, 13))
    scaled = Extractor(network, (5, 13), Settings(layer_scale=layer_scale))
    constants = [getattr(network.layer(number), layer_scale) for number in (5, 13)]
    assert constants[0] != constants[1]
    divisor = torch.cat(
        [torch.full((layer.dim,), c) for layer, c in zip(plain.taps, constants, strict=True)]
    )
    assert_near(scaled.scenes(audio), plain.scenes(audio) / divisor)
    assert_near(scaled.frames(audio, 40), plain.frames(audio, 40) / divisor)
    original = Extractor(network, (ORIGINAL,), Settings(layer_scale=layer_scale))
    assert_near(original.scenes(audio), Extractor(network, (ORIGINAL,)).scenes(audio))


def test_unmeasured_layers_cannot_be_scaled(backbones: dict[str, Backbone]) -> None:
    with pytest.raises(ValueError, match="must be 'none' for cnn14, whose layers have not been"):
        Extractor(backbones["cnn14"], (3, 6), Settings(layer_scale="rms"))


def ast_windows(n_samples: int) -> list[tuple[int, int]]:
    """Mel frames of a sound over 30 s: 101 columns each, ten mel frames apart; the last fewer."""
    n_columns = 1 + (n_samples - 2800) // 1600
    firsts = range(0, n_columns, 101)
    return [(10 * i, 10 * (min(i + 101, n_columns) - 1) + 16) for i in firsts]


@pytest.mark.parametrize("n_samples", [16000 * 30 + 2000, 16000 * 40, 16000 * 30 + 1600 * 4 + 2800])
def test_ast_over_30_seconds_is_seamless_windows_weighted_by_their_columns(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], n_samples: int
) -> None:
    network, audio = backbones["ast"], noise(2, n_samples)
    frames, clips = [], []
    for start, stop in ast_windows(n_samples):
        output = network.forward_layers(network.log_mel(audio, start, stop), (5,))[5]
        assert output.clip is not None
        frames.append(output.frames[..., 0].transpose(1, 2))
        clips += [output.clip] * output.frames.shape[2]
    z, scene = torch.cat(frames, dim=1), torch.stack(clips).mean(dim=0)
    for chunk_seconds in (0.7, 1000.0):
        extractor = Extractor(network, (5,), Settings(chunk_seconds=chunk_seconds))
        assert_near(extractor.frames(audio), z)
        assert_near(extractor.scenes(audio), scene)
    assert len(frames) > 2
    assert z.shape[1] == extractor.timeline.n_frames(n_samples)


def test_ast_up_to_30_seconds_is_one_pass(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor]
) -> None:
    network, audio = backbones["ast"], noise(1, 16000 * 30)
    output = network.forward_layers(network.log_mel(audio, 0, 2998), (2,))[2]
    assert output.clip is not None
    extractor = Extractor(network, (2,), Settings(chunk_seconds=1.0))
    assert_near(extractor.scenes(audio), output.clip)
    assert_near(extractor.frames(audio), output.frames[..., 0].transpose(1, 2))


@pytest.mark.parametrize("hop_ms", [100, 50, 25])
@pytest.mark.parametrize("n_samples", [1, 900, 2800, 30000, 16000 * 31])
def test_ast_slots_get_the_column_whose_centre_is_nearest(
    backbones: dict[str, Backbone], noise: Callable[..., Tensor], hop_ms: int, n_samples: int
) -> None:
    extractor, audio = Extractor(backbones["ast"], (3,)), noise(1, n_samples)
    columns, slots = extractor.frames(audio)[0], extractor.frames(audio, hop_ms)[0]
    times = extractor.timeline.timestamps_ms(n_samples, hop_ms)
    assert len(times) == len(slots)
    centres = torch.arange(len(columns)) * 100 + 87.5  # 16 mel frames of 25 ms, 10 ms apart
    for time, slot in zip(times, slots, strict=True):
        distance = (centres - time).abs()
        nearest = columns[distance == distance.min()]
        assert any(torch.equal(slot, column) for column in nearest)


def test_a_head_that_changes_the_width_keeps_its_own(noise: Callable[..., Tensor]) -> None:
    """A slim CNN14 whose fc1 has more outputs than block 6 has channels."""
    tensors = cnn14_tensors()
    tensors["fc1.weight"] = tensors["fc1.weight"].repeat(2, 1)
    tensors["fc1.bias"] = tensors["fc1.bias"].repeat(2)
    extractor = Extractor(REGISTRY["cnn14"].from_tensors(tensors), (ORIGINAL,))
    assert extractor.dim == 32
    for embeddings in (extractor.scenes(noise(2, 20000)), extractor.frames(noise(2, 20000))):
        assert embeddings.shape[-1] == 32
        assert_near(embeddings[..., :16], embeddings[..., 16:])
