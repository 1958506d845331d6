"""The networks, one file each; a new one is one file and one line in `registry`."""

from hear_fusion.backbones.base import ORIGINAL, Backbone, Layer, LayerOutput
from hear_fusion.backbones.registry import REGISTRY, load_backbone

__all__ = ["ORIGINAL", "REGISTRY", "Backbone", "Layer", "LayerOutput", "load_backbone"]
