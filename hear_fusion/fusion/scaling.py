"""Constants that the features of a layer are divided by."""

from __future__ import annotations

from typing import Literal, get_args

from hear_fusion.backbones import ORIGINAL, Backbone, Layer
from hear_fusion.errors import InvalidError

LayerScale = Literal["none", "rms", "std"]
LAYER_SCALES: tuple[str, ...] = get_args(LayerScale)


def divisor(layer: Layer, layer_scale: LayerScale, backbone: Backbone) -> float:
    """Give the constant that a layer's features are divided by; 1 for the original embedding.

    Raises:
        ValueError: If the constant has not been measured for this network.
    """
    if layer_scale == "none" or layer.number == ORIGINAL:
        return 1.0
    constant = layer.rms if layer_scale == "rms" else layer.std
    if constant is None:
        raise InvalidError(
            f"layer_scale must be 'none' for {backbone.name}, whose layers have not been "
            f"measured, got {layer_scale!r}; standardise the features instead"
        )
    return constant
