"""What a torch file may hold beside its weights: values that are built as nothing."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals


class Beside:
    """Stands for a value beside the weights: takes what it is made of, and keeps nothing."""

    def __new__(cls, *_: object, **__: object) -> Self:
        """Ignore the arguments."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Ignore the state."""


def _empty_dict(*_: object) -> dict[Any, Any]:
    return {}


def _empty_list(*_: object) -> list[Any]:
    return []


# By its name in a pickle, what stands for a constructor. None of the real ones is ever called: a
# forged state can corrupt the memory behind a NumPy dtype, and nobody wants these values. Tensors,
# numbers, texts, lists, dicts and sets are torch's own list.
CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(
        (
            # numbers and texts
            "builtins.bool", "builtins.bytes", "builtins.float", "builtins.frozenset",
            "builtins.int", "builtins.list", "builtins.dict", "builtins.object", "builtins.range",
            "builtins.slice", "builtins.str", "builtins.tuple", "decimal.Decimal",
            "fractions.Fraction", "torch.torch_version.TorchVersion", "uuid.UUID",
            # dates
            "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
            "datetime.timezone", "time.struct_time",
            # paths, which are texts until somebody opens them
            "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath",
            "pathlib.PureWindowsPath", "pathlib.WindowsPath", "pathlib._local.Path",
            "pathlib._local.PosixPath", "pathlib._local.PurePosixPath",
            "pathlib._local.PureWindowsPath", "pathlib._local.WindowsPath",
            # namespaces
            "argparse.Namespace", "types.SimpleNamespace",
            # arrays, by the paths of NumPy 1 (PANNs' 16 kHz file holds its sampler) and 2
            "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
            "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
            "numpy.dtype", "numpy.ndarray",
            "numpy.bool_", "numpy.float16", "numpy.float32", "numpy.float64", "numpy.int16",
            "numpy.int32", "numpy.int64", "numpy.int8", "numpy.uint8",
        ),
        Beside,
    ),
    # containers, filled afterwards: weights may lie in one
    "collections.defaultdict": _empty_dict,
    "collections.deque": _empty_list,
}  # fmt: skip

_lock = threading.Lock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # a child must not wait for a thread that it does not have
    os.register_at_fork(after_in_child=_renew_lock)


@contextlib.contextmanager
def only_constructors() -> Iterator[None]:
    """Let torch's restricted unpickler build `CONSTRUCTORS` and tensors.

    What the program has allowed torch besides is set aside meanwhile: it is not ours to run.
    """
    with _lock:  # torch's list belongs to the whole process
        kept = get_safe_globals()
        clear_safe_globals()
        add_safe_globals([(stand_in, name) for name, stand_in in CONSTRUCTORS.items()])
        try:
            yield
        finally:
            clear_safe_globals()
            add_safe_globals(kept)
