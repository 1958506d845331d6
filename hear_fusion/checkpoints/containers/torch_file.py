"""Read what ``torch.save`` wrote, zip or legacy, without unpickling anything freely."""

import pickle
import re
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source
from hear_fusion.checkpoints.records import WeightsError

# torch's restricted unpickler is plain Python that trusts its input to be whole: on cut files
# it fails wherever the missing byte leads it.
_DAMAGE = (
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    struct.error,
)
_WRAPPERS = ("model", "state_dict")


def read_torch(source: Source) -> dict[str, Tensor]:
    """Read a state dict, bare or under ``'model'`` or ``'state_dict'``.

    Other entries beside ``'model'`` (iteration, sampler, optimiser) are left out, and a
    ``module.`` before every key is taken off; all other keys stay as they are.

    Args:
        source: A file written by ``torch.save``.

    Returns:
        Tensors on the CPU by key, detached, dtypes and shapes as stored.

    Raises:
        WeightsError: If the file is damaged, holds anything but tensors and int64 NumPy
            arrays, or no state dict.
    """
    try:
        with torch.serialization.safe_globals(_numpy_globals()):
            content = torch.load(source.stream, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as err:
        raise WeightsError(
            f"path must hold tensors only, got {_forbidden(str(err))} inside {source.label}; "
            "unpickling it could run code, so save model.state_dict() and nothing else, "
            "with pickle protocol 2"
        ) from err
    except _DAMAGE as err:
        reason = str(err).partition("\n")[0] or type(err).__name__
        raise source.damaged("torch", reason) from err
    return _state_dict(content, source.label)


def _numpy_globals() -> list[Any]:
    """Allow what a NumPy int64 array is pickled with, and nothing more.

    PANNs' 16 kHz file holds its sampler, whose index arrays name functions by NumPy 1's module
    path, while NumPy 2 reports another one for the same functions: both must be listed.
    """
    reconstruct = np.empty(0).__reduce__()[0]
    return [
        (reconstruct, "numpy.core.multiarray._reconstruct"),
        (reconstruct, "numpy._core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        type(np.dtype(np.int64)),
    ]


def _forbidden(message: str) -> str:
    """Take from torch's advice, which begins with switching the protection off, what it met."""
    for pattern in (r"GLOBAL (\S+)", r"but got <class '([^']+)'>", r"(Unsupported .+)"):
        met = re.search(pattern, message)
        if met is not None:
            return repr(met[1])
    return "something else"


def _state_dict(content: object, label: str) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
            break
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(
            f"path must hold a state dict, got {_describe(content)} in {label}; "
            "save model.state_dict()"
        )
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"path must hold a state dict of tensors by name, got {_describe(value)} under "
                f"{key!r} in {label}; save model.state_dict()"
            )
    prefix = "module." if all(key.startswith("module.") for key in content) else ""
    return {key.removeprefix(prefix): value.detach() for key, value in content.items()}


def _describe(value: object) -> str:
    return "an empty dict" if value == {} else f"a {type(value).__name__}"
