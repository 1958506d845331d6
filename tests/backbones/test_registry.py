"""Which networks there are, and whose tensors these are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hear_fusion.backbones import REGISTRY
from hear_fusion.backbones.registry import fitting_networks, load_backbone
from hear_fusion.checkpoints import WeightsError, read_tensors
from tests.networks import RANDOM_WEIGHTS


@pytest.mark.parametrize("name", REGISTRY)
def test_tensors_fit_their_own_network_alone(name: str, weight_files: dict[str, Path]) -> None:
    tensors = read_tensors(weight_files[name])
    assert fitting_networks({"": tensors}) == (name,)
    assert fitting_networks({"": {**tensors, "one more": torch.zeros(1)}}) == ()


def test_a_refused_file_is_said_to_be_what_it_is(
    weight_files: dict[str, Path], tmp_path: Path
) -> None:
    for name, other in zip(REGISTRY, [*REGISTRY][1:], strict=False):
        held = rf"weights of {REGISTRY[name].title}, but .*; it holds {REGISTRY[other].title}$"
        with pytest.raises(WeightsError, match=held):
            load_backbone(name, weight_files[other])
    nobodys = tmp_path / "weights.pth"
    torch.save({"w": torch.zeros(1)}, nobodys)
    with pytest.raises(WeightsError, match=r"missing; run 'hear-fusion list' for the official"):
        load_backbone(next(iter(REGISTRY)), nobodys)


def test_every_network_has_random_weights_for_the_tests() -> None:
    assert set(RANDOM_WEIGHTS) == set(REGISTRY), "a network is a line in tests/networks.py as well"
