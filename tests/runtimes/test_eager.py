"""Wrappers around a model: each works, or says in words why not and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import hear_fusion
from hear_fusion.backbones import REGISTRY
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from tests.networks import FUSIONS

each_network = pytest.mark.parametrize("network", REGISTRY)


def load(network: str, files: dict[str, Path]) -> FusionModel:
    return hear_fusion.load(FUSIONS[network], files[network])


Wrap = Callable[[FusionModel, Tensor], object]
jit: Any = torch.jit
RECORDINGS: dict[str, tuple[str, Wrap]] = {
    "trace": ("torch.jit.trace", lambda model, audio: jit.trace(model, audio)),
    "trace of frames": (
        "torch.jit.trace",
        lambda model, audio: jit.trace(lambda part: model.frames(part), audio),
    ),
    "trace of a part": (
        "torch.jit.trace",
        lambda model, audio: jit.trace(nn.Sequential(model, nn.ReLU()), audio),
    ),
    "script": ("torch.jit.script", lambda model, _: jit.script(model)),
    "script of a part": ("torch.jit.script", lambda model, _: jit.script(nn.Sequential(model))),
}


@pytest.mark.parametrize(("wrapper", "wrap"), RECORDINGS.values(), ids=RECORDINGS)
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@each_network
def test_a_recording_is_refused(
    network: str, wrapper: str, wrap: Wrap, weight_files: dict[str, Path]
) -> None:
    model, audio = load(network, weight_files), torch.zeros(1, 16000)
    before = model.scenes(audio)
    with pytest.raises(InvalidError) as caught:
        wrap(model, audio)
    assert str(caught.value) == (
        "FusionModel must run as it is, since it plans each call by the length of the sound, got "
        f"{wrapper}; to keep a model, keep its name and weights and load it with hear_fusion.load"
    )
    assert torch.equal(model.scenes(audio), before)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "as a part"])
@each_network
def test_replicas_are_refused(
    network: str, inside: bool, weight_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch.nn.parallel import replicate

    # Two GPUs that this machine may not have.
    module = sys.modules["torch.nn.parallel.replicate"]
    monkeypatch.setattr(module, "_get_device_index", lambda device, _optional: device)
    monkeypatch.setattr(
        module,
        "_broadcast_coalesced_reshape",
        lambda tensors, devices, *_, **__: [list(tensors) for _ in devices],
    )
    model: nn.Module = load(network, weight_files)
    with pytest.raises(InvalidError, match=r"DataParallel; start a process for each GPU"):
        replicate(nn.Sequential(model) if inside else model, [0, 1])
    assert len(replicate(nn.Sequential(nn.ReLU()), [0, 1])) == 2, "torch has changed"


@each_network
def test_data_parallel_on_one_device_is_the_model(
    network: str, weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    model, audio = load(network, weight_files), noise(2, 9000)
    wrapped = nn.DataParallel(model, device_ids=[])
    assert torch.equal(wrapped(audio), model.scenes(audio))


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    """A group of this process alone."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@each_network
def test_a_distributed_head_on_a_model_trains(
    network: str,
    weight_files: dict[str, Path],
    noise: Callable[..., Tensor],
    process_group: None,
) -> None:
    model, audio = load(network, weight_files), noise(2, 9000)
    head = nn.Linear(model.scene_embedding_size, 3)
    digest, expected = model.weights_sha256, head(model.scenes(audio))
    wrapped = nn.parallel.DistributedDataParallel(nn.Sequential(model, head)).train()
    found = wrapped(audio)
    assert torch.equal(found, expected)
    found.sum().backward()
    assert head.weight.grad is not None
    torch.optim.SGD(wrapped.parameters(), lr=0.1).step()
    assert not torch.equal(wrapped(audio), expected)
    assert model.weights_sha256 == digest


def test_a_compiled_model_is_the_model(
    weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    """With a compiler that keeps the arithmetic: what torch sees of the code is the whole of it."""
    model = load("yamnet", weight_files)
    compiled = torch.compile(model, backend="eager")
    for n_samples in (9000, 20000):
        audio = noise(2, n_samples)
        assert torch.equal(compiled(audio), model.scenes(audio))
    with pytest.raises(InvalidError, match="audio must be finite"):
        compiled(torch.full((1, 9000), torch.nan))
