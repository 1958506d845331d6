"""Results of linear heads on disk, so that a study goes on where it was broken off.

One ``.npz`` a task and representation. It counts only for the features, the clips and the protocol
that it was made with: their hash is inside.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from hear_fusion.files.atomic import write_whole
from hear_fusion.probes.linear import LinearResult


def read_result(path: Path, recipe: str) -> LinearResult | None:
    """Read a result; None if there is none, or one of another recipe, or a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as found:
            if str(found["recipe"]) != recipe:
                return None
            n_folds = found["test_accuracy"].shape[1]
            valid = json.loads(str(found["valid_by_learning_rate"]))
            return LinearResult(
                learning_rate=float(found["learning_rate"]),
                valid_accuracy=found["valid_accuracy"],
                test_accuracy=found["test_accuracy"],
                correct=tuple(found[f"correct_{fold:02d}"] for fold in range(n_folds)),
                best_epoch=found["best_epoch"],
                valid_by_learning_rate={float(key): value for key, value in valid.items()},
                seconds=float(found["seconds"]),
            )
    except (OSError, ValueError, KeyError, BadZipFile):  # cut off while it was written, or not ours
        return None


def write_result(path: Path, recipe: str, result: LinearResult) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        f"correct_{fold:02d}": found for fold, found in enumerate(result.correct)
    }
    content = io.BytesIO()
    np.savez_compressed(
        content,
        recipe=recipe,
        learning_rate=result.learning_rate,
        valid_accuracy=result.valid_accuracy,
        test_accuracy=result.test_accuracy,
        best_epoch=result.best_epoch,
        valid_by_learning_rate=json.dumps(
            {str(k): float(v) for k, v in result.valid_by_learning_rate.items()}
        ),
        seconds=result.seconds,
        **arrays,
    )
    write_whole(path, content.getvalue())
