"""Taking a network's tensors out of a weight file, each one checked and none left over."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hear_fusion.checkpoints import WeightsError


class StateReader:
    """The tensors of one weight file; knows which have been taken.

    Args:
        tensors: As `hear_fusion.checkpoints.read_tensors` returns them.
        ignored: Prefixes and suffixes of keys that the file may hold and nobody needs.
    """

    def __init__(self, tensors: Mapping[str, Tensor], ignored: tuple[str, ...] = ()) -> None:
        self._tensors = tensors
        self._left = {
            key for key in tensors if not (key.startswith(ignored) or key.endswith(ignored))
        }

    def take(self, key: str, *shape: int) -> Tensor:
        """Get one tensor as float32.

        Args:
            key: Its name in the file.
            shape: Its shape; -1 stands for any size.

        Raises:
            WeightsError: If it is missing, of another shape or type, or not finite.
        """
        if key not in self._tensors:
            raise WeightsError(f"tensor {key!r} is missing")
        tensor = self._tensors[key]
        fits = tensor.ndim == len(shape) and all(
            wanted in (-1, got) for wanted, got in zip(shape, tensor.shape, strict=True)
        )
        if not fits or not tensor.is_floating_point():
            raise WeightsError(
                f"tensor {key!r} must be float of shape {shape} (-1: any), "
                f"got {tensor.dtype} of shape {tuple(tensor.shape)}"
            )
        if tensor.is_meta or tensor.layout != torch.strided:
            where = "no values (device meta)" if tensor.is_meta else f"layout {tensor.layout}"
            raise WeightsError(f"tensor {key!r} must hold all its values, got {where}")
        tensor = tensor.float()
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"tensor {key!r} holds NaN or infinite values")
        self._left.discard(key)
        return tensor

    def take_variance(self, key: str, n_channels: int) -> Tensor:
        """Get the variance of a batch norm, in float64.

        Raises:
            WeightsError: As `take`, or if a value is negative.
        """
        variance = self.take(key, n_channels).double()
        if (variance < 0).any():
            raise WeightsError(f"tensor {key!r} must not be negative: it is a variance")
        return variance

    def weight_and_bias(self, prefix: str, *shape: int) -> tuple[Tensor, Tensor]:
        """Take ``<prefix>.weight`` of the given shape, and the bias of each of its outputs."""
        weight = self.take(f"{prefix}.weight", *shape)
        return weight, self.take(f"{prefix}.bias", weight.shape[0])

    def batch_norm(self, prefix: str, n_channels: int, eps: float) -> tuple[Tensor, Tensor]:
        """Read a PyTorch batch norm in eval mode as ``x * scale + shift``, in float64."""
        weight, bias, mean = (
            self.take(f"{prefix}.{name}", n_channels).double()
            for name in ("weight", "bias", "running_mean")
        )
        variance = self.take_variance(f"{prefix}.running_var", n_channels)
        scale = weight / torch.sqrt(variance + eps)
        return scale, bias - mean * scale

    def finish(self) -> None:
        """Refuse tensors that nobody has taken: they belong to another network.

        Raises:
            WeightsError: If any is left.
        """
        if self._left:
            some = ", ".join(sorted(self._left)[:3])
            raise WeightsError(f"{len(self._left)} unknown tensors, such as {some}")


def frozen_conv(
    kernel: Tensor, bias: Tensor, *, stride: int = 1, padding: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Make a convolution that holds the given weights.

    Args:
        kernel: Shape (out, in / groups, time, freq), any float type.
        bias: Shape (out,), any float type.
        stride: As in `torch.nn.Conv2d`, and so the next two.
        padding: Zeros on every side.
        groups: Groups of channels.
    """
    out_channels, in_channels, *size = kernel.shape
    conv: nn.Conv2d = nn.utils.skip_init(
        nn.Conv2d,
        in_channels * groups,
        out_channels,
        (size[0], size[1]),
        stride=stride,
        padding=padding,
        groups=groups,
    )
    conv.weight = nn.Parameter(kernel.float().contiguous(), requires_grad=False)
    conv.bias = nn.Parameter(bias.float().contiguous(), requires_grad=False)
    return conv


def frozen_linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Make a fully connected layer that holds the given weights.

    Args:
        weight: Shape (out, in), any float type.
        bias: Shape (out,), any float type.
    """
    out_features, in_features = weight.shape
    linear: nn.Linear = nn.utils.skip_init(nn.Linear, in_features, out_features)
    linear.weight = nn.Parameter(weight.float().contiguous(), requires_grad=False)
    linear.bias = nn.Parameter(bias.float().contiguous(), requires_grad=False)
    return linear


def frozen_norm(scale: Tensor, shift: Tensor, eps: float) -> nn.LayerNorm:
    """Make a normalisation over the last axis that holds the given weights.

    Args:
        scale: Shape (features,), any float type, and so `shift`.
        shift: See above.
        eps: Added to the variance.
    """
    norm: nn.LayerNorm = nn.utils.skip_init(nn.LayerNorm, scale.shape[0], eps=eps)
    norm.weight = nn.Parameter(scale.float().contiguous(), requires_grad=False)
    norm.bias = nn.Parameter(shift.float().contiguous(), requires_grad=False)
    return norm
