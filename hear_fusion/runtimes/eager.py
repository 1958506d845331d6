"""Wrappers that would run a model in their own way: what they are told."""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import nn

from hear_fusion.errors import InvalidError


class EagerModule(nn.Module):
    """A module that plans each call in Python, by the length of the sound.

    What `torch.jit` records of one call, or reads from the code, cannot stand for the others, and
    replicas of `torch.nn.DataParallel` would wait for each other. `torch.compile` runs it, in
    the compiler's arithmetic, and `DistributedDataParallel` a module that it is a part of.
    """

    def refuse_recording(self) -> None:
        """Refuse to be traced; to be called at the begin of a call.

        Raises:
            InvalidError: If `torch.jit` records the call.
        """
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            self._refuse("torch.jit.trace", _JIT_STEP)

    def __prepare_scriptable__(self) -> NoReturn:
        """Answer `torch.jit.script`."""
        self._refuse("torch.jit.script", _JIT_STEP)

    def _replicate_for_data_parallel(self) -> NoReturn:
        self._refuse("torch.nn.DataParallel", "start a process for each GPU, each with its model")

    def _refuse(self, wrapper: str, step: str) -> NoReturn:
        raise InvalidError(
            f"{type(self).__name__} must run as it is, since it plans each call by the length of "
            f"the sound, got {wrapper}; {step}"
        )


_JIT_STEP = "to keep a model, keep its name and weights and load it with hear_fusion.load"
