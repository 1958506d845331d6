"""Read safetensors files."""

from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source, require
from hear_fusion.checkpoints.records import WeightsError


def read_safetensors(source: Source) -> dict[str, Tensor]:
    """Read every tensor of a safetensors file.

    Args:
        source: A safetensors file.

    Returns:
        Tensors on the CPU by key.

    Raises:
        WeightsError: If safetensors is missing, or the file is damaged or holds no tensor.
    """
    safetensors = require("safetensors.torch", "safetensors", source.label)
    with source.reading("safetensors"):
        tensors: dict[str, Tensor] = safetensors.load(source.stream.read())
    if not tensors:
        raise WeightsError(
            f"path must hold tensors, got none in {source.label}; save a model's state dict"
        )
    return tensors
