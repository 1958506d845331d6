"""Which networks there are: a new one is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor

from hear_fusion.backbones.ast_vit import Ast
from hear_fusion.backbones.base import Backbone
from hear_fusion.backbones.cnn14 import Cnn14
from hear_fusion.backbones.vggish import Vggish
from hear_fusion.backbones.yamnet import Yamnet
from hear_fusion.checkpoints import WeightsError, locate, read_tensors

REGISTRY: dict[str, type[Backbone]] = {
    backbone.name: backbone
    for backbone in (
        Cnn14,
        Yamnet,
        Vggish,
        Ast,
    )
}


def load_backbone(name: str, path: str | PathLike[str] | None = None, **options: Any) -> Backbone:
    """Build a network from a weight file.

    Args:
        name: A key of `REGISTRY`.
        path: Any official container of that network, recognised by content; None: the default
            file from the cache, fetched when absent.
        options: Those in the network's `weight_options`.

    Returns:
        The network, on the CPU.

    Raises:
        WeightsError: If the file cannot be had, or does not hold this network.
    """
    backbone = REGISTRY[name]
    path = Path(path) if path else locate(backbone.records)
    tensors = read_tensors(path)
    try:
        return backbone.from_tensors(tensors, **options)
    except WeightsError as err:
        fitting = [REGISTRY[other].title for other in fitting_networks(tensors)]
        hint = (
            f"it holds {' and '.join(fitting)}"
            if fitting
            else "run 'hear-fusion list' for the official files"
        )
        raise WeightsError(
            f"{path} must hold the weights of {backbone.title}, but {err}; {hint}"
        ) from err


def fitting_networks(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Tell which networks these tensors are the weights of.

    Args:
        tensors: As `hear_fusion.checkpoints.read_tensors` returns them.

    Returns:
        Keys of `REGISTRY`; none if the tensors fit no network.
    """
    fitting = []
    for name, backbone in REGISTRY.items():
        try:
            backbone.from_tensors(tensors)
        except WeightsError:
            continue
        fitting.append(name)
    return tuple(fitting)
