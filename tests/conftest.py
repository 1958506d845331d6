"""Slim networks with random weights, and sounds to feed them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hear_fusion.backbones import REGISTRY, Backbone
from tests.networks import RANDOM_WEIGHTS

# Slim networks gain nothing from threads, and on a busy machine these wait for each other: the
# tests of the extractor were seen to take five times as long with two.
torch.set_num_threads(1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: those of archives hold the time, and differ between processes."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def weight_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A slim random checkpoint of every network."""
    folder = tmp_path_factory.mktemp("weights")
    files = {name: folder / f"{name}.pth" for name in REGISTRY}
    for name, path in files.items():
        torch.save(RANDOM_WEIGHTS[name].slim(), path)
    return files


@pytest.fixture(scope="session")
def backbones() -> dict[str, Backbone]:
    """A slim random network of every kind."""
    return {
        name: network.from_tensors(RANDOM_WEIGHTS[name].slim())
        for name, network in REGISTRY.items()
    }


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of downloaded weights that belongs to one test, not yet made."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


@pytest.fixture
def noise() -> Callable[..., Tensor]:
    """White noise, ``noise(n_sounds, n_samples, seed=0)``, each sound at its own level."""

    def make(n_sounds: int, n_samples: int, seed: int = 0) -> Tensor:
        rng = torch.Generator().manual_seed(seed)
        level = torch.linspace(0.02, 0.3, n_sounds)[:, None]
        return torch.randn(n_sounds, n_samples, generator=rng) * level

    return make
