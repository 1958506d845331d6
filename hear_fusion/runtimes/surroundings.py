"""What a program has set for all of torch, and how to do without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def undisturbed() -> Iterator[None]:
    """Make tensors as in a program that has set nothing: on the CPU, to be changed later, exact.

    A default device, inference mode and the flushing of denormal numbers are the thread's, so they
    are set aside for a while. The default dtype is the process's, where other threads would see
    the change: all code of this package names the dtype of what it makes.
    """
    # The switch is the processor's: Python's own numbers obey it, and torch cannot be asked.
    flushes = sys.float_info.min / 2 == 0.0
    if flushes:
        torch.set_flush_denormal(False)
    try:
        with torch.device("cpu"), torch.inference_mode(False):
            yield
    finally:
        if flushes:
            torch.set_flush_denormal(True)
