"""SHA-256 of files, and of tensors whatever container they came in."""

import hashlib
import json
import sys
from collections.abc import Mapping

import torch
from torch import Tensor


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash named tensors so that equal weights hash equally in any container and any order.

    Args:
        tensors: Tensors of any shape, device and real dtype by name.

    Returns:
        64 hex digits over sorted names, dtypes, shapes and little-endian values.

    >>> import torch
    >>> one, two = torch.ones(2), torch.zeros(3)
    >>> tensors_sha256({"a": one, "b": two}) == tensors_sha256({"b": two, "a": one})
    True
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu()
        # JSON ends each header unambiguously: no name can imitate a shape.
        header = [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        digest.update(json.dumps(header).encode() + b"\n")
        raw = tensor.contiguous().reshape(-1).view(torch.uint8)
        if sys.byteorder == "big":
            raw = raw.reshape(-1, tensor.element_size()).flip(1).reshape(-1)
        digest.update(raw.numpy().data)
    return digest.hexdigest()
