"""Devices of this machine, and which of them a word means: checked before any work begins."""

from __future__ import annotations

import torch

from hear_fusion.errors import InvalidError, InvalidTypeError

# Apple's GPUs do not compute in float64.
_WITHOUT_FLOAT64 = ("mps",)


def list_devices() -> tuple[str, ...]:
    """List the words for the devices of this machine that torch can compute on now.

    >>> list_devices()[0]
    'cpu'
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return ("cpu",)
    kind = accelerator.type
    return ("cpu", kind, *(f"{kind}:{i}" for i in range(torch.accelerator.device_count())))


def find_device(
    device: str | torch.device, dtype: torch.dtype = torch.float32, name: str = "device"
) -> torch.device:
    """Find the device that a word means.

    Args:
        device: Such as ``cpu``, ``cuda`` or ``cuda:1``; ``cpu:0`` is the CPU.
        dtype: What will be computed in there.
        name: What the argument is called where the word came from.

    Raises:
        InvalidError: If this machine has no such device, or it cannot compute in `dtype`.
        InvalidTypeError: If it is neither a word nor a `torch.device`.

    >>> find_device("cpu:0")
    device(type='cpu')
    """
    if not isinstance(device, str | torch.device):
        raise InvalidTypeError(
            f"{name} must be a word such as 'cpu' or 'cuda', or a torch.device, got {device!r}"
        )
    word = str(device)
    if word in ("cpu", "cpu:0"):  # without a look at GPUs: a program may fork after it
        return torch.device("cpu")
    devices = list_devices()
    if word not in devices:
        raise InvalidError(
            f"{name} must be a device of this machine ({', '.join(devices)}), got {word!r}; "
            "'hear-fusion env' shows the GPUs that torch sees"
        )
    found = torch.device(word)
    if dtype == torch.float64 and found.type in _WITHOUT_FLOAT64:
        raise InvalidError(
            f"{name} must compute in float64 for this network, got {word!r}, which does not; "
            "use the CPU"
        )
    return found
