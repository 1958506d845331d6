"""General-purpose audio embeddings from the layers of networks that already exist.

Every choice of a network and its layers is a module with the HEAR API::

    from hear_fusion import cnn14_3_6

    model = cnn14_3_6.load_model()
    embeddings = cnn14_3_6.get_scene_embeddings(audio, model)  # (n_sounds, 6144)

Names are ``<network>[_<layer>...][_<hop>ms]``; without layers the network's own embedding.
`list_models` shows the networks and the published choices; any other choice is made by its name, or
by ``load("cnn14", layers=[2, 5])``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from hear_fusion.errors import HearFusionError
from hear_fusion.finder import install

if TYPE_CHECKING:
    import torch

    from hear_fusion.fusion.scaling import LayerScale
    from hear_fusion.hear import HearModule
    from hear_fusion.model import FusionModel
    from hear_fusion.names import Choice, list_models
    from hear_fusion.runtimes.precision import Precision

__version__ = "0.1.0"
__all__ = ["Choice", "FusionModel", "HearFusionError", "__version__", "list_models", "load"]

# What needs torch, which takes seconds to import, comes on first use.
_LAZY = {
    "Choice": "hear_fusion.names",
    "FusionModel": "hear_fusion.model",
    "list_models": "hear_fusion.names",
}

install()


def load(
    name: str,
    weights: str | PathLike[str] | None = None,
    *,
    layers: Iterable[int] | Literal["all"] | None = None,
    device: str | torch.device = "cpu",
    hop_ms: int | None = None,
    precision: Precision = "fp32",
    chunk_seconds: float = 30.0,
    layer_scale: LayerScale = "none",
    allow_slow: bool = False,
    **backbone_options: Any,
) -> FusionModel:
    """Load the model of a choice by its name.

    Args:
        name: Such as ``cnn14_3_6``, ``yamnet_5_13_40ms``, or a network alone; see `list_models`.
        weights: Any official weight file of the network, recognised by content; by default the
            official one from the cache, fetched when absent.
        layers: Layer numbers in any order, or ``all``, for a name without layers.
        device: Where the model shall run: ``cpu``, ``cuda``, ``cuda:1``, as this machine has them.
        hop_ms: Hop of the timestamps in ms, for a name without one; scenes never change.
        precision: ``fp32`` (exact; TF32 is off), ``tf32`` or ``bf16``, the front end aside.
        chunk_seconds: Seconds of sound, over all clips of a batch, in one pass: bounds memory.
        layer_scale: ``rms`` or ``std`` divides each layer by a constant of the network, for heads
            that do not standardise features; ``none`` leaves them as they are.
        allow_slow: Let a CPU without instructions for ``bf16`` imitate it, 48 times as slow as
            ``fp32``; otherwise it refuses to.
        backbone_options: ``sample_rate`` of a CNN14 file that does not tell its own;
            ``input_mean`` and ``input_std`` of AST's log-mel.

    Returns:
        The model, frozen, in eval mode: ``model.embed(sounds)``, ``.frames(sounds)`` and
        ``.layers(sounds)`` of files or arrays; ``.scenes(audio)`` of a batch, as HEAR hands it in.

    Raises:
        WeightsError: If the weights cannot be had or do not fit.
        TypeError: If an option is unknown.
        ValueError: If the name or an option is not as it must be, or there is no such device.
    """
    from hear_fusion.backbones import REGISTRY
    from hear_fusion.model import FusionModel
    from hear_fusion.names import parse, with_layers
    from hear_fusion.runtimes.devices import find_device
    from hear_fusion.runtimes.surroundings import undisturbed

    choice = parse(name)
    device = find_device(device, REGISTRY[choice.backbone].front_end.dtype)
    with undisturbed():
        model = FusionModel.load(
            choice if layers is None else with_layers(choice, layers),
            weights,
            hop_ms=hop_ms,
            precision=precision,
            chunk_seconds=chunk_seconds,
            layer_scale=layer_scale,
            allow_slow=allow_slow,
            **backbone_options,
        )
        return model.to(device)


def __getattr__(name: str) -> HearModule:
    """Import a choice's module on first use, so that ``hear_fusion.cnn14_3_6`` works as it is."""
    if name in _LAZY:
        lazy: Any = getattr(importlib.import_module(_LAZY[name]), name)
        return lazy  # type: ignore[no-any-return]
    from hear_fusion.names import is_choice_like

    if is_choice_like(name):
        module: Any = importlib.import_module(f"{__name__}.{name}")
        return module  # type: ignore[no-any-return]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Show the public names, the networks and their published choices."""
    from hear_fusion.names import list_models

    return sorted({*__all__, *list_models()})
