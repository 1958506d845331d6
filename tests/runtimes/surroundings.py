"""What programs set for all of torch, each to be entered and left again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch

Surroundings = Callable[[], AbstractContextManager[Any]]


def switched(switch: Callable[[Any], object], value: object, before: object) -> Surroundings:
    """Make a context that sets a switch, and sets it back."""

    @contextmanager
    def surroundings() -> Iterator[None]:
        switch(value)
        try:
            yield
        finally:
            switch(before)

    return surroundings


def together(*parts: Surroundings) -> Surroundings:
    """Make a context of several."""

    @contextmanager
    def surroundings() -> Iterator[None]:
        with ExitStack() as stack:
            for part in parts:
                stack.enter_context(part())
            yield

    return surroundings


def _conv(precision: str) -> None:
    backends: Any = torch.backends
    backends.mkldnn.conv.fp32_precision = precision


def _dtype(dtype: torch.dtype) -> Surroundings:
    return switched(torch.set_default_dtype, dtype, torch.float32)


def _device(device: str) -> Surroundings:
    return switched(torch.set_default_device, device, None)


SURROUNDINGS: dict[str, Surroundings] = {
    "default float64": _dtype(torch.float64),
    "default float16": _dtype(torch.float16),
    "default bfloat16": _dtype(torch.bfloat16),
    "default device meta": _device("meta"),
    "default device cuda": _device("cuda"),  # where there is none, all that is made there fails
    "with device meta": lambda: torch.device("meta"),
    "inference mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to float16": lambda: torch.autocast("cpu", torch.float16),
    "deterministic": switched(torch.use_deterministic_algorithms, True, False),
    "flushed denormals": switched(torch.set_flush_denormal, True, False),
    "medium precision": switched(torch.set_float32_matmul_precision, "medium", "highest"),
    "rough convolutions": switched(_conv, "bf16", "none"),
    "swapped parameters": switched(
        torch.__future__.set_swap_module_params_on_conversion, True, False
    ),
}
SURROUNDINGS["several"] = together(
    *(SURROUNDINGS[name] for name in ("default float16", "default device meta", "inference mode")),
    *(SURROUNDINGS[name] for name in ("autocast", "deterministic", "flushed denormals")),
)
