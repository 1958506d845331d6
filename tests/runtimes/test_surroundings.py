"""Whatever a program has set for all of torch, models are loaded and used as without it."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import hear_fusion
from hear_fusion.backbones import ORIGINAL, REGISTRY
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.statistics import task_statistics
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice
from hear_fusion.runtimes.surroundings import undisturbed
from tests.networks import RANDOM_WEIGHTS
from tests.runtimes.surroundings import SURROUNDINGS, Surroundings
from tests.tasks.hear_tasks import write_scene_task

SMALLEST = sys.float_info.min
each_network = pytest.mark.parametrize("network", REGISTRY)
in_each = pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS)
SOME = ("default float64", "inference mode", "autocast", "several")
in_some = pytest.mark.parametrize("surroundings", [SURROUNDINGS[name] for name in SOME], ids=SOME)
Known = dict[str, tuple[FusionModel, list[Tensor]]]


def load(network: str, files: dict[str, Path], **options: Any) -> FusionModel:
    choice = Choice(network, (ORIGINAL, *REGISTRY[network].published_layers))
    return hear_fusion.load(network, files[network], **options).with_choice(choice)


def sounds() -> Tensor:
    """Noise, a loud one, silence, and sounds at the ends of what float32 can hold."""
    rng = torch.Generator(device="cpu").manual_seed(3)
    noise = torch.randn(1, 7000, generator=rng, dtype=torch.float32, device="cpu")
    levels = torch.tensor([0.1, 3.0, 0.0, 1e-30, 1e-40], dtype=torch.float32, device="cpu")
    return noise * levels[:, None]


def all_of(model: FusionModel, audio: Tensor) -> list[Tensor]:
    return [model.scenes(audio), *model.frames(audio)]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.fixture(scope="module")
def known(weight_files: dict[str, Path]) -> Known:
    """Each network in a program that has set nothing, and what it makes of the sounds."""
    models = {network: load(network, weight_files) for network in REGISTRY}
    return {network: (model, all_of(model, sounds())) for network, model in models.items()}


@in_each
@each_network
def test_a_model_is_loaded_the_same(
    network: str, surroundings: Surroundings, weight_files: dict[str, Path], known: Known
) -> None:
    expected, embeddings = known[network]
    with surroundings():
        model = load(network, weight_files)
        whole = LoadedBackbone.load(network, weight_files[network]).model
    assert not any(part.is_inference() for part in (*whole.parameters(), *whole.buffers()))
    parts = [*model.parameters(), *model.buffers()]
    assert {str(part.device) for part in parts} == {"cpu"}
    assert not any(part.is_inference() for part in parts)
    for one, other in zip(parts, [*expected.parameters(), *expected.buffers()], strict=True):
        assert torch.equal(one, other)
        assert one.dtype == other.dtype
    assert model.weights_sha256 == expected.weights_sha256
    assert_same(all_of(model, sounds()), embeddings)
    model.load_state_dict(expected.state_dict())  # in place, which inference mode would forbid


@in_each
@each_network
def test_a_model_is_used_the_same(network: str, surroundings: Surroundings, known: Known) -> None:
    model, expected = known[network]
    fresh, audio = copy.deepcopy(model), sounds()
    digest, shown = model.weights_sha256, repr(model)
    with surroundings():
        found = all_of(fresh, audio)
        layers = fresh.layers(audio[:0])
        assert (fresh.weights_sha256, repr(fresh)) == (digest, shown)
    assert {part.shape[0] for part in layers.values()} == {0}
    assert_same([part.clone() for part in found], expected)
    assert {part.dtype for part in found} == {torch.float32}
    assert {str(part.device) for part in found} == {"cpu"}
    assert_same(all_of(fresh, audio), expected)  # and nothing of it stays


@in_some
def test_a_model_is_loaded_and_used_in_a_thread(
    surroundings: Surroundings, weight_files: dict[str, Path], known: Known
) -> None:
    found: list[Tensor] = []

    def work() -> None:
        with surroundings():
            found.extend(all_of(load("ast", weight_files), sounds()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert_same([part.clone() for part in found], known["ast"][1])


@in_some
def test_long_sounds_are_used_the_same(
    surroundings: Surroundings, weight_files: dict[str, Path], noise: Callable[..., Tensor]
) -> None:
    """Several chunks of one sound; for AST also positions that are stretched."""
    audio = noise(1, 16000 * 11)
    for network in REGISTRY:
        model = load(network, weight_files, chunk_seconds=2.0)
        expected = model.scenes(audio)
        with surroundings():
            found = model.scenes(audio)
        torch.testing.assert_close(found.clone(), expected, rtol=0, atol=0)


@in_each
def test_all_containers_are_read_the_same(surroundings: Surroundings, tmp_path: Path) -> None:
    tensors = RANDOM_WEIGHTS["yamnet"].slim()
    with h5py.File(tmp_path / "hdf5", "w") as file:
        for name, tensor in tensors.items():
            file.create_dataset(name, data=tensor.numpy())
    save_file(tensors, tmp_path / "safetensors")
    torch.save(tensors, tmp_path / "torch")
    torch.save(tensors, tmp_path / "legacy", _use_new_zipfile_serialization=False)
    digest = hear_fusion.load("yamnet", tmp_path / "torch").weights_sha256
    with surroundings():
        digests = {hear_fusion.load("yamnet", path).weights_sha256 for path in tmp_path.iterdir()}
    assert digests == {digest}


@in_each
def test_statistics_of_a_task_are_the_same(
    surroundings: Surroundings, weight_files: dict[str, Path], tmp_path: Path
) -> None:
    task = write_scene_task(tmp_path / "task", n_clips=2)
    expected = task_statistics(LoadedBackbone.load("ast", weight_files["ast"]), task)
    with surroundings():
        assert task_statistics(LoadedBackbone.load("ast", weight_files["ast"]), task) == expected


@each_network
def test_tiny_weights_are_not_lost_where_denormals_are_flushed(
    network: str, tmp_path: Path
) -> None:
    """The digest tells weights apart to the last bit, so it must not depend on the switch."""
    tensors = RANDOM_WEIGHTS[network].slim()
    for tensor in tensors.values():
        if tensor.ndim > 2:  # kernels, and no variances
            tensor.mul_(1e-39)
    torch.save(tensors, tmp_path / "tiny.pt")
    expected = hear_fusion.load(network, tmp_path / "tiny.pt").weights_sha256
    with SURROUNDINGS["flushed denormals"]():
        assert hear_fusion.load(network, tmp_path / "tiny.pt").weights_sha256 == expected
        assert SMALLEST / 2 == 0.0, "the program's own setting is gone"
    assert SMALLEST / 2 > 0.0


def test_a_program_finds_its_settings_again(weight_files: dict[str, Path]) -> None:
    with SURROUNDINGS["several"]():
        for fails in (False, True):
            try:
                with undisturbed():
                    assert torch.zeros(1).device == torch.device("cpu")
                    assert not torch.is_inference_mode_enabled()
                    assert SMALLEST / 2 > 0.0
                    assert not fails
            except AssertionError:
                assert fails
            assert torch.zeros(1).device == torch.device("meta")
            assert torch.zeros(1).dtype == torch.float16
            assert torch.is_inference_mode_enabled()
            assert SMALLEST / 2 == 0.0
        load("yamnet", weight_files)
        assert torch.zeros(1).device == torch.device("meta")
        assert torch.get_default_dtype() == torch.float16
