"""Arithmetic of the networks: exact float32 by default, whatever the process has set globally."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch

Precision = Literal["fp32", "tf32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


@contextmanager
def arithmetic(precision: Precision, device: torch.device) -> Iterator[None]:
    """Run convolutions and matrix products in the given precision; restore the globals after.

    PyTorch lets cuDNN use TF32 by default, and a program may allow bfloat16 products on the CPU;
    both change features in the third digit, so the operators are set explicitly for the time of
    one call. Front ends stay outside of bf16 in any case.
    """
    backends = torch.backends
    on_cuda = device.type == "cuda"
    operators = (
        (backends.cudnn.conv, backends.cuda.matmul)  # type: ignore[attr-defined]
        if on_cuda
        else (backends.mkldnn.conv, backends.mkldnn.matmul)  # type: ignore[attr-defined]
    )
    wanted = "tf32" if precision == "tf32" and on_cuda else "ieee"
    before = [operator.fp32_precision for operator in operators]
    for operator in operators:
        operator.fp32_precision = wanted
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        for operator, value in zip(operators, before, strict=True):
            operator.fp32_precision = value
