"""Weights that change after a call: embeddings and the digest are those of the weights as they are."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import hear_fusion
from hear_fusion.backbones import ORIGINAL, REGISTRY
from hear_fusion.frontends import LogMel
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice

Change = Callable[[FusionModel, FusionModel], object]
LENGTHS = (4000, 7000)  # which take position embeddings of two lengths


def each(model: FusionModel, other: FusionModel) -> Iterator[tuple[nn.Parameter, Tensor]]:
    return zip(model.parameters(), (part.data for part in other.parameters()), strict=True)


def in_place(model: FusionModel, other: FusionModel) -> None:
    with torch.no_grad():
        for part, new in each(model, other):
            part.copy_(new)


def in_place_unseen(model: FusionModel, other: FusionModel) -> None:
    for part, new in each(model, other):
        part.data.copy_(new)


def through_numpy(model: FusionModel, other: FusionModel) -> None:
    for part, new in each(model, other):
        part.detach().numpy()[...] = new.numpy()


def of_storage(model: FusionModel, other: FusionModel) -> None:
    for part, new in each(model, other):
        part.data = new.clone()


def replaced(model: FusionModel, other: FusionModel) -> None:
    new = dict(other.named_parameters())
    for name, _ in list(model.named_parameters()):
        owner, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(owner), attribute, nn.Parameter(new[name].clone(), False))


def zeroed(model: FusionModel, other: FusionModel) -> None:
    for part in model.parameters():
        part.data.zero_()


def reversed_unseen(model: FusionModel, other: FusionModel) -> None:
    for part in model.parameters():
        part.data.copy_(part.data.flip(0))


def one_value(model: FusionModel, other: FusionModel) -> None:
    for part in model.parameters():
        part.data.view(-1)[-1] += 1.0


def a_step(model: FusionModel, other: FusionModel) -> None:
    for part in model.parameters():
        part.requires_grad_(True)
        part.grad = torch.full_like(part, 0.1)
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    model.requires_grad_(False)


CHANGES: dict[str, Change] = {
    "load_state_dict": lambda model, other: model.load_state_dict(other.state_dict()),
    "load_state_dict, assigned": lambda model, other: model.load_state_dict(
        other.state_dict(), assign=True
    ),
    "load_state_dict of the network": lambda model, other: model.backbone.load_state_dict(
        other.backbone.state_dict()
    ),
    "copy_": in_place,
    "data.copy_": in_place_unseen,
    "numpy": through_numpy,
    "data =": of_storage,
    "Parameter =": replaced,
    "data.zero_": zeroed,
    "flip": reversed_unseen,
    "one value": one_value,
    "optimiser": a_step,
    "vector_to_parameters": lambda model, other: nn.utils.vector_to_parameters(
        nn.utils.parameters_to_vector(other.parameters()), model.parameters()
    ),
    "normal_": lambda model, _: [nn.init.normal_(part) for part in model.parameters()],
    "half": lambda model, _: model.half().float(),
    "bfloat16": lambda model, _: model.to(torch.bfloat16).to(torch.float32),
}
NO_CHANGES: dict[str, Callable[[FusionModel], object]] = {
    "double": lambda model: model.double().float(),
    "float": lambda model: model.float(),
    "to": lambda model: model.to("cpu"),
    "type": lambda model: model.type(torch.float64).type(torch.float32),
    "share_memory": lambda model: model.share_memory(),
    "zero_grad": lambda model: model.zero_grad(),
    "own state": lambda model: model.load_state_dict(model.state_dict()),
}


@pytest.fixture(scope="module")
def models(weight_files: dict[str, Path]) -> dict[str, FusionModel]:
    """A model of each network, to be copied, never to be called."""
    found = {}
    for network, kind in REGISTRY.items():
        choice = Choice(network, (ORIGINAL, *kind.published_layers))
        found[network] = hear_fusion.load(network, weight_files[network]).with_choice(choice)
    return found


def another(network: str, models: dict[str, FusionModel]) -> FusionModel:
    """A model of the same shape and other weights."""
    model = copy.deepcopy(models[network])
    rng = torch.Generator().manual_seed(7)
    for part in model.parameters():
        part.data.mul_(1 + 0.3 * torch.rand(part.shape, generator=rng))
    return model


def all_of(model: FusionModel, noise: Callable[..., Tensor]) -> list[Tensor]:
    return [model.scenes(noise(2, LENGTHS[0])), model.frames(noise(2, LENGTHS[1]))[0]]


def fresh(model: FusionModel, models: dict[str, FusionModel]) -> FusionModel:
    """A model that was never called before it got these weights."""
    new = copy.deepcopy(models[model.choice.backbone])
    new.load_state_dict({name: part.clone() for name, part in model.state_dict().items()})
    return new


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("network", REGISTRY)
def test_a_change_of_weights_is_followed(
    network: str, change: Change, models: dict[str, FusionModel], noise: Callable[..., Tensor]
) -> None:
    model, other = copy.deepcopy(models[network]), another(network, models)
    before, digest = all_of(model, noise), model.weights_sha256
    change(model, other)
    expected = fresh(model, models)
    found = all_of(model, noise)
    assert_same(found, all_of(expected, noise))
    assert model.weights_sha256 == expected.weights_sha256 != digest
    assert digest[:16] not in repr(model)
    assert not any(torch.equal(one, old) for one, old in zip(found, before, strict=True))


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
@pytest.mark.parametrize("network", REGISTRY)
def test_what_changes_no_weights_changes_nothing(
    network: str,
    change: Callable[[FusionModel], object],
    models: dict[str, FusionModel],
    noise: Callable[..., Tensor],
) -> None:
    model = copy.deepcopy(models[network])
    before, digest = all_of(model, noise), model.weights_sha256
    change(model)
    assert_same(all_of(model, noise), before)
    assert model.weights_sha256 == digest


@pytest.mark.parametrize("network", REGISTRY)
def test_the_digest_sees_each_tensor(network: str, models: dict[str, FusionModel]) -> None:
    model = copy.deepcopy(models[network])
    digests = [model.weights_sha256]
    for part in model.parameters():
        part.data.view(-1)[0] += 1.0
        digests.append(model.weights_sha256)
    assert len(set(digests)) == len(digests) > 15


COPIES: dict[str, Callable[[FusionModel], FusionModel]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("network", REGISTRY)
def test_a_copy_lives_on_its_own(
    network: str,
    make: Callable[[FusionModel], FusionModel],
    models: dict[str, FusionModel],
    noise: Callable[..., Tensor],
) -> None:
    model = copy.deepcopy(models[network])
    before, digest = all_of(model, noise), model.weights_sha256
    clone, other = make(model), another(network, models)
    assert_same(all_of(clone, noise), before)
    assert clone.weights_sha256 == digest
    in_place_unseen(clone, other)
    assert_same(all_of(clone, noise), all_of(other, noise))
    assert clone.weights_sha256 == other.weights_sha256
    assert_same(all_of(model, noise), before)
    assert model.weights_sha256 == digest


@pytest.mark.parametrize("network", REGISTRY)
def test_what_shares_the_network_follows_it(
    network: str, models: dict[str, FusionModel], noise: Callable[..., Tensor]
) -> None:
    model, other = copy.deepcopy(models[network]), another(network, models)
    shared = [copy.copy(model), model.with_choice(Choice(network, (ORIGINAL,)))]
    for one in shared:
        all_of(one, noise)
    model.load_state_dict(other.state_dict())
    for one in shared:
        assert_same(all_of(one, noise), all_of(other.with_choice(one.choice), noise))
        assert one.weights_sha256 == other.weights_sha256


@pytest.mark.parametrize("network", REGISTRY)
def test_weights_of_one_call_are_of_that_call(
    network: str, models: dict[str, FusionModel], noise: Callable[..., Tensor]
) -> None:
    model, other, audio = (
        copy.deepcopy(models[network]),
        another(network, models),
        noise(2, 9000),
    )
    before = model.scenes(audio)
    parts: dict[str, Tensor] = {name: part.data for name, part in other.named_parameters()}
    assert_same([torch.func.functional_call(model, parts, (audio,))], [other.scenes(audio)])
    assert_same([model.scenes(audio)], [before])


@pytest.mark.parametrize("network", REGISTRY)
def test_the_front_end_keeps_its_precision(network: str, models: dict[str, FusionModel]) -> None:
    """Rounded constants would change embeddings, or stop VGGish, which computes in float64."""
    model = copy.deepcopy(models[network])
    exact = LogMel(model.backbone.front_end)
    for cast in (model.half, model.float, model.double, model.float, model.bfloat16):
        cast()
        assert_same(list(model.backbone.log_mel.buffers()), list(exact.buffers()))
        assert not set(model.state_dict()) & {"backbone.log_mel.window", "backbone.log_mel.mel"}
    moved = exact.to("meta")
    assert {str(part.device) for part in moved.buffers()} == {"meta"}
