"""Results of linear heads on disk, so that a study goes on where it was broken off.

One ``.npz`` a task and representation. It counts only for the features, the clips and the protocol
that it was made with: their hash is inside.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from hear_fusion.files.atomic import write_whole
from hear_fusion.files.records import FORMAT, NewerFormatError, is_current
from hear_fusion.files.space import make_folder
from hear_fusion.probes.linear import LinearResult


def read_result(path: Path, recipe: str) -> LinearResult | None:
    """Read a result; None if there is none, or one of another recipe, or a damaged one.

    Raises:
        NewerFormatError: If it is a newer version's.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            current = is_current(arrays["format"].item(), path)
            if not current or str(arrays["recipe"]) != recipe:
                return None
            n_folds = arrays["test_accuracy"].shape[1]
            valid = json.loads(str(arrays["valid_by_learning_rate"]))
            result = LinearResult(
                learning_rate=float(arrays["learning_rate"]),
                valid_accuracy=arrays["valid_accuracy"],
                test_accuracy=arrays["test_accuracy"],
                correct=tuple(arrays[f"correct_{fold:02d}"] for fold in range(n_folds)),
                best_epoch=arrays["best_epoch"],
                valid_by_learning_rate={float(key): value for key, value in valid.items()},
                wall_s=float(arrays["wall_s"]),
            )
            return result if _is_whole(result) else None
    except NewerFormatError:
        raise
    except Exception:  # zip, NumPy and JSON trust what they read, and fail in a dozen ways
        return None


def _is_whole(result: LinearResult) -> bool:
    shape = result.test_accuracy.shape  # (seed, fold)
    by_fold = [
        (result.valid_accuracy, np.floating),
        (result.test_accuracy, np.floating),
        (result.best_epoch, np.integer),
    ]
    return (
        all(array.shape == shape and np.issubdtype(array.dtype, kind) for array, kind in by_fold)
        and all(c.dtype == np.bool_ and c.shape[:-1] == shape[:1] for c in result.correct)
        and all(isinstance(value, float) for value in result.valid_by_learning_rate.values())
    )


def write_result(path: Path, recipe: str, result: LinearResult) -> None:
    """Write a result, whole or not at all."""
    make_folder(path.parent)
    arrays: dict[str, Any] = {
        f"correct_{fold:02d}": correct for fold, correct in enumerate(result.correct)
    }
    content = io.BytesIO()
    np.savez_compressed(
        content,
        format=FORMAT,
        recipe=recipe,
        learning_rate=result.learning_rate,
        valid_accuracy=result.valid_accuracy,
        test_accuracy=result.test_accuracy,
        best_epoch=result.best_epoch,
        valid_by_learning_rate=json.dumps(
            {str(k): float(v) for k, v in result.valid_by_learning_rate.items()}
        ),
        wall_s=result.wall_s,
        **arrays,
    )
    write_whole(path, content.getvalue())
