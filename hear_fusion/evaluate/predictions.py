"""What heareval's predictions runner left in a task folder, read without running its pickles."""

import io
import json
import pickle
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.layout import SCORES_FILE

_KEYS = ({"target", "prediction"}, {"target_events", "predicted_events"})
# What a pickle raises that was cut off, emptied, changed, or holds more than data.
_DAMAGES = (
    ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError, pickle.UnpicklingError,
)  # fmt: skip
_ALLOWED = {
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.multiarray", "scalar"),
    ("torch._utils", "_rebuild_tensor_v2"),
}


def read_predictions(path: Path) -> dict[str, Any]:
    """Read a ``<split>.predictions.pkl``: tensors, and for event tasks lists of events.

    Embedding folders are passed around; a pickle in one must not be able to run code.

    Raises:
        ValueError: If the file holds anything else.
    """
    content = _read(path)
    if not isinstance(content, dict) or not any(keys <= content.keys() for keys in _KEYS):
        raise _refusal(path, reprlib.repr(content))
    return content


def read_official_score(task_folder: Path, metric: str) -> float:
    """Read the test score that heareval reports: over folds their mean.

    Raises:
        ValueError: If the folder has no scores, or not of this metric.
    """
    path = task_folder / SCORES_FILE
    if not path.is_file():
        raise InvalidError(
            f"task folder must hold {SCORES_FILE}, got none in {task_folder}; run "
            "'hear-fusion evaluate' for it"
        )
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        if "aggregated_scores" in scores:
            values, key = scores["aggregated_scores"], f"test_{metric}_mean"
        else:
            values, key = scores.get("test", {}), f"test_{metric}"
        found = ", ".join(values)
        if isinstance(values.get(key), int | float):
            return float(values[key])
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as err:
        key, found = f"test_{metric}", f"a damaged file ({err})"
    raise InvalidError(
        f"{path} must hold {key}, got {found or 'nothing'}; delete prediction-done.json beside it "
        "and evaluate again"
    )


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return _Unpickler(file).load()
    except _DAMAGES as err:
        raise _refusal(path, f"{type(err).__name__}: {err}") from err


def _refusal(path: Path, got: str) -> InvalidError:
    return InvalidError(
        f"{path} must be a file of heareval, got: {got}; delete prediction-done.json and "
        ".done.embeddings beside it and evaluate again"
    )


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return _load_storage
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not data")
        return super().find_class(module, name)


def _load_storage(data: bytes) -> Any:
    # torch's own function of this place in the pickle trusts what it reads.
    load: Callable[..., Any] = torch.load
    return load(io.BytesIO(data), weights_only=True)
