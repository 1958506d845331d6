"""Weight files of every kind, opened safely; recognised by content."""

from hear_fusion.checkpoints.containers.reading import read_state_dicts, read_tensors

__all__ = ["read_state_dicts", "read_tensors"]
