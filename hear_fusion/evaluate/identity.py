"""Which weights a folder of embeddings was computed with.

Every task folder of embeddings holds a ``weights.json`` (inside it: a file beside the task folders
would break ``python -m heareval.predictions.runner DIR/*``). A finished folder is reused by a model
with the same weights only.
"""

import os
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from hear_fusion.errors import InvalidError
from hear_fusion.evaluate.layout import EMBEDDINGS_DONE_FILE, WEIGHTS_FILE
from hear_fusion.files.hashing import sha256_of_path
from hear_fusion.files.records import FORMAT, read_record, write_record


@dataclass(frozen=True)
class WeightsIdentity:
    """The weights of one loaded HEAR model.

    Attributes:
        module: Import name of the HEAR module.
        sha256: What two runs must share: the model's own ``weights_sha256`` if it has one, else
            the SHA-256 of the model file, else the word ``default``.
        model_file: The file given as ``--model``, if any; for people, never compared.
    """

    module: str
    sha256: str
    model_file: str | None = None

    @classmethod
    def of(cls, model: Any, module: str, model_file: str | None = None) -> Self:
        """Identify the weights of a model that a module has just loaded.

        >>> WeightsIdentity.of(object(), "my_module").sha256
        'default'
        """
        sha256 = getattr(model, "weights_sha256", None)
        if sha256 is None:
            sha256 = sha256_of_path(Path(model_file)) if model_file else "default"
        return cls(module, str(sha256), os.path.abspath(model_file) if model_file else None)

    def write(self, task_folder: Path) -> None:
        """Write ``weights.json`` into a folder of embeddings, whole or not at all."""
        record = asdict(self) | {name: _version(name) for name in ("heareval", "torch")}
        write_record(task_folder / WEIGHTS_FILE, record)


def recorded_weights(task_folder: Path) -> str | None:
    """Read whose weights made a folder of embeddings; None where that is not known.

    Raises:
        NewerFormatError: If the record is a newer version's.
    """
    sha256 = (read_record(task_folder / WEIGHTS_FILE) or {}).get("sha256")
    return sha256 if isinstance(sha256, str) else None


def refuse_other_weights(task_folder: Path, weights: WeightsIdentity) -> None:
    """Check that a folder of embeddings, if it is finished, was computed with these weights.

    Args:
        task_folder: ``<embeddings dir>/<module>/<task>``; may not exist yet.
        weights: The weights in use now.

    Raises:
        ValueError: If the folder is finished and was made with other or unknown weights, or its
            record is a newer version's.
    """
    if not (task_folder / EMBEDDINGS_DONE_FILE).exists():
        return
    recorded = recorded_weights(task_folder)
    if recorded is None:
        raise InvalidError(
            f"embeddings in {task_folder} must come with {WEIGHTS_FILE}, got a finished folder of "
            "unknown weights (made by plain heareval?); delete the folder, choose another "
            "--embeddings-dir or, if you know that it was made with these weights, write "
            f'{{"format": {FORMAT}, "sha256": "{weights.sha256}"}} into '
            f"{task_folder / WEIGHTS_FILE}"
        )
    if recorded != weights.sha256:
        raise InvalidError(
            f"embeddings in {task_folder} must be made with the weights in use "
            f"({weights.sha256}), got a folder made with {recorded}; choose another "
            "--embeddings-dir or delete the folder"
        )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
