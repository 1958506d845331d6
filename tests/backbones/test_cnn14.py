"""CNN14 against the authors' network in panns-hear, under the same random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from panns_hear.models import Cnn14 as Reference
from torch import Tensor

from hear_fusion.backbones import ORIGINAL
from hear_fusion.backbones.cnn14 import Cnn14
from hear_fusion.checkpoints import WeightsError
from hear_fusion.extractor import Extractor
from hear_fusion.fusion.equations import pool_time_and_flatten, summarise
from tests.networks import FULL_CNN14_WIDTHS, cnn14_tensors

BLOCKS = (1, 2, 3, 4, 5, 6)
FRONT_ENDS = {16000: (512, 160, 8000), 32000: (1024, 320, 14000)}


def reference(sample_rate: int) -> Any:
    window, hop, f_max = FRONT_ENDS[sample_rate]
    network = Reference(sample_rate, window, hop, 64, 50, f_max, 527).eval()
    missing, unexpected = network.load_state_dict(cnn14_tensors(FULL_CNN14_WIDTHS), strict=False)
    assert not unexpected
    assert all(key.startswith(("spectrogram_", "logmel_")) for key in missing)
    return network


@pytest.fixture(scope="module", params=FRONT_ENDS, ids=["16k", "32k"])
def pair(request: pytest.FixtureRequest) -> tuple[Any, Cnn14]:
    theirs = reference(request.param)
    ours = Cnn14.from_tensors(theirs.state_dict())
    assert ours.timeline.sample_rate == request.param
    return theirs, ours


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.31, 1.0, 2.7, 5.0])
def test_every_block_and_the_embedding(
    pair: tuple[Any, Cnn14], seconds: float, noise: Callable[..., Tensor]
) -> None:
    theirs, ours = pair
    audio = noise(2, round(seconds * ours.timeline.sample_rate))
    maps: dict[int, Tensor] = {}
    hooks = [
        getattr(theirs, f"conv_block{k}").register_forward_hook(
            lambda _module, _input, output, k=k: maps.__setitem__(k, output.clone())
        )
        for k in BLOCKS
    ]
    embedding = theirs(audio)["embedding"]
    log_mel = theirs.logmel_extractor(theirs.spectrogram_extractor(audio))
    for hook in hooks:
        hook.remove()

    from_log_mel = ours.forward_layers(log_mel, (ORIGINAL, *BLOCKS))
    for k in BLOCKS:
        assert from_log_mel[k].frames.shape == maps[k].shape
        assert relative_error(from_log_mel[k].frames, maps[k]) < 1e-5

    # From the waveform: the reference's STFT is a float32 convolution, ours an FFT.
    extractor = Extractor(ours, BLOCKS)
    dims = [layer.dim for layer in ours.layer_table]
    scenes, frames = extractor.scenes(audio), extractor.frames(audio)
    for k, scene, z in zip(BLOCKS, scenes.split(dims, -1), frames.split(dims, -1), strict=True):
        theirs_z = pool_time_and_flatten(maps[k], 32 // ours.layer(k).stride)
        assert relative_error(scene, summarise(theirs_z)) < 1e-3
        assert relative_error(z, theirs_z) < 1e-3
    assert relative_error(Extractor(ours, (ORIGINAL,)).scenes(audio), embedding) < 1e-3


def test_published_widths_are_those_of_the_layer_table(pair: tuple[Any, Cnn14]) -> None:
    assert pair[1].layer_table == Cnn14.layer_table
    assert pair[1].original == Cnn14.original


@pytest.mark.parametrize("n_samples", [4960, 10080])
def test_declared_strides_are_real(n_samples: int) -> None:
    network = Cnn14.from_tensors(cnn14_tensors())
    log_mel = network.log_mel(torch.zeros(1, n_samples), 0, 1 + n_samples // 160)
    for k, output in network.forward_layers(log_mel, BLOCKS).items():
        layer = network.layer(k)
        assert output.frames.shape[1:] == (
            layer.channels,
            log_mel.shape[2] // layer.stride,
            layer.freq,
        )


def test_it_stops_after_the_last_layer_asked_for() -> None:
    network = Cnn14.from_tensors(cnn14_tensors())
    ran: list[int] = []
    for k, block in enumerate(network.blocks, start=1):
        block.register_forward_hook(lambda *_, k=k: ran.append(k))
    network.forward_layers(torch.zeros(1, 1, 64, 64), (1, 3))
    assert ran == [1, 2, 3]


def test_a_bare_state_dict_is_16_khz_unless_told_otherwise() -> None:
    tensors = cnn14_tensors()
    assert Cnn14.from_tensors(tensors).timeline.sample_rate == 16000
    assert Cnn14.from_tensors(tensors, sample_rate=32000).timeline.sample_rate == 32000
    tensors["logmel_extractor.melW"] = torch.zeros(513, 64)
    assert Cnn14.from_tensors(tensors).timeline.sample_rate == 32000
    with pytest.raises(ValueError, match="must be 32000 Hz, the rate stored in the weights"):
        Cnn14.from_tensors(tensors, sample_rate=16000)


def _without_fc1(tensors: dict[str, Tensor]) -> None:
    del tensors["fc1.weight"]


def _with_a_stranger(tensors: dict[str, Tensor]) -> None:
    tensors["pre_conv0.weight"] = torch.zeros(3)


def _wrong_shape(tensors: dict[str, Tensor]) -> None:
    tensors["conv_block3.conv1.weight"] = torch.zeros(8, 5, 3, 3)


def _nan(tensors: dict[str, Tensor]) -> None:
    tensors["conv_block2.bn1.bias"][0] = float("nan")


def _integers(tensors: dict[str, Tensor]) -> None:
    tensors["fc1.bias"] = tensors["fc1.bias"].long()


def _negative_variance(tensors: dict[str, Tensor]) -> None:
    tensors["bn0.running_var"][3] = -1.0


def _no_bins(tensors: dict[str, Tensor]) -> None:
    tensors["logmel_extractor.melW"] = torch.tensor(1.0)


def _odd_bins(tensors: dict[str, Tensor]) -> None:
    tensors["logmel_extractor.melW"] = torch.zeros(129, 64)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_fc1, "'fc1.weight' is missing"),
        (_with_a_stranger, "1 unknown tensors, such as pre_conv0.weight"),
        (_wrong_shape, r"'conv_block3.conv1.weight' must be float of shape \(-1, 6, 3, 3\)"),
        (_nan, "'conv_block2.bn1.bias' holds NaN"),
        (_integers, "'fc1.bias' must be float .* got torch.int64"),
        (_negative_variance, "'bn0.running_var' must not be negative"),
        (_no_bins, r"must have one of \[257, 513\] bins, got \[0\]"),
        (_odd_bins, r"must have one of \[257, 513\] bins, got \[129\]"),
    ],
)
def test_unfitting_tensors_are_refused(
    spoil: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    tensors = cnn14_tensors()
    spoil(tensors)
    with pytest.raises(WeightsError, match=message):
        Cnn14.from_tensors(tensors)
