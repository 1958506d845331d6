"""Arithmetic of the networks: exact float32 by default, whatever the process has set globally."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from hear_fusion.errors import InvalidError

Precision = Literal["fp32", "tf32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

# What Linux calls instructions that multiply bfloat16: AVX512-BF16 and AMX of x86, Arm's two.
_BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}

# PyTorch's switches are the process's, so two threads cannot have their own at the same time.
_switches = threading.RLock()
# Of the calls under way: the thread, and its operators with what they will be set back to.
_calls: list[tuple[int, list[tuple[Any, str]]]] = []


@cache
def cpu_multiplies_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor has instructions for bfloat16; True where nobody can tell.

    Args:
        cpuinfo: The kernel's account of it.
    """
    # torch.cpu.get_capabilities knows as well, but is younger than the oldest torch allowed.
    if not cpuinfo.is_file():
        return True
    return any(
        _BF16_FLAGS.intersection(line.partition(":")[2].split())
        for line in cpuinfo.read_text(errors="replace").splitlines()
        if line.startswith(("flags", "Features"))
    )


@contextmanager
def arithmetic(
    precision: Precision, device: torch.device, *, allow_slow: bool = False
) -> Iterator[None]:
    """Run convolutions and matrix products in the given precision; restore the globals after.

    PyTorch lets cuDNN use TF32 by default, and a program may allow bfloat16 products on the CPU;
    both change features in the third digit, so the operators are set explicitly for the time of
    one call, and calls of several threads follow one another.

    Args:
        precision: Of the products.
        device: Where they are computed.
        allow_slow: Compute bfloat16 on a processor without instructions for it, too.

    Raises:
        InvalidError: If the processor would have to imitate bfloat16, unless `allow_slow`.
    """
    imitated = precision == "bf16" and device.type == "cpu" and not cpu_multiplies_bf16()
    if imitated and not allow_slow:
        raise InvalidError(
            "precision must be 'fp32' on a CPU without AVX512-BF16 or AMX (on Arm: BF16), which "
            "imitates bfloat16 and was seen to take 48 times as long, got 'bf16'; load the model "
            "with precision='fp32', move it to a GPU, or pass allow_slow=True"
        )
    wanted = "tf32" if precision == "tf32" and device.type == "cuda" else "ieee"
    with _switches:
        before = [(operator, operator.fp32_precision) for operator in _operators(device)]
        _calls.append((threading.get_ident(), before))
        for operator, value in before:
            if not (value == wanted or (value == "none" and wanted == "ieee")):
                operator.fp32_precision = wanted
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                yield
        finally:
            for operator, value in before:
                _restore(operator, value)
            _calls.pop()


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


def _start_child() -> None:
    """Let a forked child compute, whatever its parent's other threads were at.

    They do not live on in it: the lock that one of them held would stay locked, what it had
    switched would stay so, and OpenMP would wait for threads that are not there.
    """
    global _switches
    _switches = threading.RLock()
    mine = threading.get_ident()
    for _, before in reversed([call for call in _calls if call[0] != mine]):
        for operator, value in before:
            _restore(operator, value)
    _calls[:] = [call for call in _calls if call[0] == mine]
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_child)
