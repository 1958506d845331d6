"""Arithmetic of the networks: exact float32 by default, whatever the process has set globally."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch

Precision = Literal["fp32", "tf32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

# PyTorch's switches are the process's, so two threads cannot have their own at the same time.
_switches = threading.RLock()


@contextmanager
def arithmetic(precision: Precision, device: torch.device) -> Iterator[None]:
    """Run convolutions and matrix products in the given precision; restore the globals after.

    PyTorch lets cuDNN use TF32 by default, and a program may allow bfloat16 products on the CPU;
    both change features in the third digit, so the operators are set explicitly for the time of
    one call, and calls of several threads follow one another.
    """
    wanted = "tf32" if precision == "tf32" and device.type == "cuda" else "ieee"
    with _switches:
        before = [(operator, operator.fp32_precision) for operator in _operators(device)]
        for operator, value in before:
            if not (value == wanted or (value == "none" and wanted == "ieee")):
                operator.fp32_precision = wanted
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                yield
        finally:
            for operator, value in before:
                _restore(operator, value)


def _operators(device: torch.device) -> tuple[Any, ...]:
    backends: Any = torch.backends
    if device.type == "cuda":
        return backends.cudnn.conv, backends.cuda.matmul
    return backends.mkldnn.conv, backends.mkldnn.matmul


def _restore(operator: Any, value: str) -> None:
    """Set an operator back; one that followed a more general switch shall go on following it."""
    if operator.fp32_precision != value:
        operator.fp32_precision = "none"
        if operator.fp32_precision != value:
            operator.fp32_precision = value
