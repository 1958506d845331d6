"""Weight files of every kind, opened safely; recognised by content."""

from hear_fusion.checkpoints.containers.reading import read_tensors

__all__ = ["read_tensors"]
