"""The HEAR API (https://hearbenchmark.com/hear-api.html), written once for all choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from hear_fusion.backbones import REGISTRY
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice


class HearModule(Protocol):
    """What a choice's module offers: the three functions of the HEAR API."""

    def load_model(self, model_file_path: str = "", **options: Any) -> FusionModel:
        """Load the network's weights; see `FusionModel.load`."""
        ...

    def get_timestamp_embeddings(self, audio: Tensor, model: FusionModel) -> tuple[Tensor, Tensor]:
        """Compute frames and their times; see `get_timestamp_embeddings`."""
        ...

    def get_scene_embeddings(self, audio: Tensor, model: FusionModel) -> Tensor:
        """Compute one vector a clip; see `get_scene_embeddings`."""
        ...


def get_timestamp_embeddings(audio: Tensor, model: FusionModel) -> tuple[Tensor, Tensor]:
    """Compute the frames z of Eq. (2) and their times.

    Args:
        audio: Waveforms in [-1, 1] at ``model.sample_rate``, shape (n_sounds, n_samples).
        model: What `load_model` returned.

    Returns:
        Embeddings (n_sounds, n_timestamps, model.timestamp_embedding_size) and the centres of
        their frames in ms (n_sounds, n_timestamps), both float32.

    Raises:
        TypeError, ValueError: If `audio` is not such a batch; see `FusionModel.scenes`.
    """
    return model.timestamp_embeddings(audio)


def get_scene_embeddings(audio: Tensor, model: FusionModel) -> Tensor:
    """Compute one vector a clip: z~ of Eq. (3).

    Args:
        audio: Waveforms in [-1, 1] at ``model.sample_rate``, shape (n_sounds, n_samples).
        model: What `load_model` returned.

    Returns:
        Embeddings, shape (n_sounds, model.scene_embedding_size), float32.

    Raises:
        TypeError, ValueError: If `audio` is not such a batch; see `FusionModel.scenes`.
    """
    return model.scenes(audio)


def functions(choice: Choice, module_name: str) -> dict[str, Callable[..., Any]]:
    """Make the three HEAR functions of one choice.

    Args:
        choice: What `load_model` shall load.
        module_name: Where the function will be found, so that it can be pickled.
    """

    def load_model(model_file_path: str = "", **options: Any) -> FusionModel:
        return FusionModel.load(choice, model_file_path or None, **options)

    load_model.__module__ = module_name
    load_model.__qualname__ = "load_model"
    load_model.__doc__ = FusionModel.load.__doc__
    return {
        "load_model": load_model,
        "get_timestamp_embeddings": get_timestamp_embeddings,
        "get_scene_embeddings": get_scene_embeddings,
    }


def describe(choice: Choice) -> str:
    """Say in one sentence what a choice's module computes."""
    title = REGISTRY[choice.backbone].title
    what = (
        f"layers {' '.join(map(str, choice.layers))} fused"
        if choice.layers
        else "the original last-layer embedding"
    )
    hop = "" if choice.hop_ms is None else f", timestamps every {choice.hop_ms} ms"
    return f"HEAR module: {title}, {what}{hop}."
