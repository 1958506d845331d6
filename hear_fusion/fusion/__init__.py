"""How layer outputs become features: the equations of the paper."""

from hear_fusion.fusion.equations import fuse, pool_time_and_flatten, summarise

__all__ = ["fuse", "pool_time_and_flatten", "summarise"]
