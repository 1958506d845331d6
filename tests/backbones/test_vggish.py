"""VGGish against torchvggish under the same random weights, and its containers."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvggish.torchvggish import VGG, make_layers
from torchvggish.vggish_input import waveform_to_examples

from hear_fusion.backbones import ORIGINAL
from hear_fusion.backbones.vggish import Vggish
from hear_fusion.checkpoints import WeightsError, read_tensors
from hear_fusion.extractor import Extractor
from hear_fusion.fusion.equations import pool_time_and_flatten, summarise
from tests.checkpoints.containers.tensorflow_files import write_checkpoint
from tests.networks import FULL_VGGISH_WIDTHS, vggish_tensors

LAYERS = (2, 5, 8, 10, 13, 15, 18, 20, 22)


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return vggish_tensors(FULL_VGGISH_WIDTHS)


@pytest.fixture(scope="module")
def network(tensors: dict[str, Tensor]) -> Vggish:
    return Vggish.from_tensors(tensors)


@pytest.fixture(scope="module")
def reference(tensors: dict[str, Tensor]) -> Any:
    theirs = VGG(make_layers(), postprocess=False).eval()
    theirs.load_state_dict(tensors)
    return theirs


def reference_outputs(reference: Any, examples: Tensor) -> dict[int, Tensor]:
    """Outputs of torchvggish's modules, numbered from 1 as in Table I."""
    outputs: dict[int, Tensor] = {}
    x = examples
    for number, module in enumerate(reference.features, start=1):
        x = module(x)
        outputs[number] = x.clone()  # the next ReLU works in place
    x = x.permute(0, 2, 3, 1).flatten(1)
    for number, module in enumerate(reference.embeddings, start=17):
        x = module(x)
        outputs[number] = x.clone()
    torch.testing.assert_close(outputs[22], reference(examples), rtol=0, atol=0)
    return {number: outputs[number] for number in LAYERS}


def reference_examples(audio: Tensor) -> Tensor:
    """All whole examples by torchvggish's own front end, sounds slowest; at least one each."""
    padded = torch.nn.functional.pad(audio, (0, max(0, 15600 - audio.shape[1])))
    return torch.cat([waveform_to_examples(one.double().numpy(), 16000) for one in padded]).detach()


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.7, 5.0, 12.0])
def test_every_layer_equals_torchvggish(
    reference: Any, network: Vggish, seconds: float, noise: Callable[..., Tensor]
) -> None:
    audio = noise(2, round(seconds * 16000))
    examples = reference_examples(audio)
    n_examples = examples.shape[0] // 2
    maps = reference_outputs(reference, examples)
    dims = [layer.dim for layer in network.layer_table]
    extractor = Extractor(network, LAYERS)
    scenes = extractor.scenes(audio).split(dims, dim=-1)
    frames = extractor.frames(audio)[:, : 6 * n_examples].split(dims, dim=-1)
    for number, scene, z in zip(LAYERS, scenes, frames, strict=True):
        theirs = maps[number]
        if theirs.ndim == 2:  # the paper repeats what has no time axis
            theirs_z = theirs[:, None].expand(-1, 6, -1)
        else:
            theirs_z = pool_time_and_flatten(theirs, 16 // network.layer(number).stride)
        theirs_z = theirs_z.reshape(2, n_examples * 6, -1)
        assert relative_error(scene, summarise(theirs_z)) < 1e-4
        assert relative_error(z, theirs_z[:, : z.shape[1]]) < 1e-4
    embedding = summarise(maps[22].reshape(2, n_examples, 128))
    original = Extractor(network, (ORIGINAL,))
    assert relative_error(original.scenes(audio), embedding) < 1e-4
    assert original.frames(audio).shape[1] == max(1, (audio.shape[1] + 7680) // 15360)


@torch.no_grad()
def test_declared_strides_and_widths_are_real(reference: Any, network: Vggish) -> None:
    assert network.layer_table == Vggish.layer_table
    assert network.original == Vggish.original
    examples = torch.randn(2, 1, 96, 64)
    ours, theirs = network.forward_layers(examples, LAYERS), reference_outputs(reference, examples)
    for number in LAYERS:
        layer = network.layer(number)
        assert ours[number].frames.shape == (2, layer.channels, 96 // layer.stride, layer.freq)
        theirs_map = theirs[number].reshape(ours[number].frames.shape)
        assert relative_error(ours[number].frames, theirs_map) < 1e-5


def test_fusions_of_convolutions_never_run_the_dense_layers() -> None:
    network = Vggish.from_tensors(vggish_tensors())
    ran: list[int] = []
    for layer, step in zip(network.layer_table, network.steps, strict=True):
        step.register_forward_hook(lambda *_, number=layer.number: ran.append(number))
    network.forward_layers(torch.zeros(1, 1, 96, 64), (10, 15))
    assert ran == [2, 5, 8, 10, 13, 15]


def test_the_embedding_is_layer_22(network: Vggish, noise: Callable[..., Tensor]) -> None:
    audio = noise(2, 60000)
    own, last = Extractor(network, (ORIGINAL,)), Extractor(network, (22,))
    torch.testing.assert_close(own.scenes(audio), last.scenes(audio), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        own.frames(audio).repeat_interleave(6, dim=1)[:, :23], last.frames(audio)[:, :23]
    )


def same_network(ours: Vggish, theirs: Vggish) -> bool:
    pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_both_ports_load_bare_and_zipped(tmp_path: Path) -> None:
    published = tmp_path / "pytorch_vggish.pth"
    for dense in ("embeddings", "fc"):
        state = {**vggish_tensors(dense=dense), "pproc.pca_means": torch.zeros(128, 1)}
        torch.save(state, published, _use_new_zipfile_serialization=False)
        with zipfile.ZipFile(tmp_path / "pytorch_vggish.zip", "w") as archive:
            archive.write(published, published.name)
        for path in (published, tmp_path / "pytorch_vggish.zip"):
            ours = Vggish.from_tensors(read_tensors(path))
            assert same_network(ours, Vggish.from_tensors(vggish_tensors()))


def official_variables(tensors: dict[str, Tensor]) -> dict[str, np.ndarray[Any, Any]]:
    """The values as TensorFlow names and lays them out."""
    names = (
        "conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2",
        "fc1/fc1_1", "fc1/fc1_2", "fc2",
    )  # fmt: skip
    values = list(tensors.values())
    variables = {}
    for name, weight, bias in zip(names, values[::2], values[1::2], strict=True):
        kernel = weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.T
        variables[f"vggish/{name}/weights"] = kernel.contiguous().numpy()
        variables[f"vggish/{name}/biases"] = bias.numpy()
    return variables


def test_tensorflows_own_checkpoint_loads(tmp_path: Path) -> None:
    tensors = vggish_tensors()
    variables = {**official_variables(tensors), "global_step": np.array(7)}
    write_checkpoint(variables, tmp_path / "vggish_model.ckpt", version=1)
    ours = Vggish.from_tensors(read_tensors(tmp_path / "vggish_model.ckpt"))
    assert same_network(ours, Vggish.from_tensors(tensors))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features.11.weight": None}, "'features.11.weight' is missing"),
        ({"features.14.weight": torch.zeros(1)}, "unknown tensors, such as features.14.weight"),
        ({"embeddings.0.weight": torch.zeros(20, 12)}, r"must be float of shape \(-1, 288\)"),
        ({"features.3.bias": torch.zeros(7)}, r"'features.3.bias' must be float of shape \(6,\)"),
        ({"embeddings.4.bias": torch.full((16,), torch.nan)}, "holds NaN"),
    ],
)
def test_unfitting_tensors_are_refused(change: dict[str, Tensor | None], message: str) -> None:
    state: dict[str, Any] = {**vggish_tensors(), **change}
    tensors = {key: value for key, value in state.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        Vggish.from_tensors(tensors)
