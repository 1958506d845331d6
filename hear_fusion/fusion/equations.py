"""Equations (1), (2) and (3) of Niizumi et al. (EUSIPCO 2022) as pure functions.

The order of features is decided here and nowhere else: layers in the order given, and within a
layer channel slow, frequency fast.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from hear_fusion.errors import InvalidError


def pool_time_and_flatten(
    feature_map: Tensor, time_stride: int, *, keep_rest: bool = False
) -> Tensor:
    """Max-pool a layer output along time, then flatten channel and frequency: Eq. (1).

    Frequency is kept whole, so ``dim = channel * freq``, and nothing is averaged.

    Args:
        feature_map: Layer output, shape (batch, channel, time, freq).
        time_stride: Columns merged into one frame, at least 1.
        keep_rest: Trailing columns that do not fill a frame make one more frame; otherwise they
            are dropped, as the network's own pooling does.

    Returns:
        Frame features, shape (batch, frame, channel * freq).

    Raises:
        ValueError: If ``feature_map`` is not 4-D or ``time_stride`` is out of range.

    >>> pool_time_and_flatten(torch.zeros(2, 256, 62, 8), time_stride=4).shape
    torch.Size([2, 15, 2048])
    """
    if feature_map.ndim != 4:
        raise InvalidError(
            "feature_map must have shape (batch, channel, time, freq), "
            f"got {tuple(feature_map.shape)}"
        )
    n_columns = feature_map.shape[2]
    if time_stride < 1 or (time_stride > n_columns and not keep_rest):
        raise InvalidError(f"time_stride must be in [1, {n_columns}] columns, got {time_stride}")
    if time_stride > 1:
        feature_map = F.max_pool2d(feature_map, (time_stride, 1), ceil_mode=keep_rest)
    return feature_map.transpose(1, 2).flatten(start_dim=2)  # (batch, frame, channel * freq)


def fuse(frame_features: Sequence[Tensor]) -> Tensor:
    """Concatenate the frame features of several layers, frame by frame: z of Eq. (2).

    Args:
        frame_features: One tensor a layer, shape (batch, frame, dim of that layer).

    Returns:
        z, shape (batch, frame, sum of dims).

    >>> fuse([torch.zeros(2, 15, 2048), torch.zeros(2, 15, 4096)]).shape
    torch.Size([2, 15, 6144])
    """
    return torch.cat(tuple(frame_features), dim=-1)


def summarise(z: Tensor) -> Tensor:
    """Turn the frames of a clip into one vector: z~ = mean(z) + max(z) over time, Eq. (3).

    Args:
        z: Frame features, shape (batch, frame, dim).

    Returns:
        Scene features, shape (batch, dim).

    >>> summarise(torch.tensor([[[1.0], [3.0]]]))
    tensor([[5.]])
    """
    return z.mean(dim=1) + z.amax(dim=1)
