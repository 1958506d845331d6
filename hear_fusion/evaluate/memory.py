"""What a task's predictions need of memory: heareval's ``--in-memory``, and how many at a time.

The choice changes speed and memory, not scores.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hear_fusion.errors import InvalidError
from hear_fusion.parallel.machine import available_bytes, n_cores
from hear_fusion.tasks.schema import TaskMetadata

# torch, Lightning and the heads of a process (measured: 0.9 GB at 6144 dimensions).
PROCESS_BYTES = 1_000_000_000
_STACKING = 1.2
# Each takes half a gigabyte of the GPU before it holds any data.
_JOBS_ON_A_GPU = 4


def fits_in_memory(task_folder: Path, *, grid_points: int, budget_bytes: float) -> bool:
    """Decide whether heareval may hold a task's embeddings in memory.

    It doubles them while it stacks them, and every head that it has trained keeps its own copy
    until the end: one a grid point and, over k folds, k - 1 more.

    Args:
        task_folder: Folder of finished embeddings.
        grid_points: Grid points tried.
        budget_bytes: Memory that the process may use.
    """
    n_heads = grid_points + len(TaskMetadata.read(task_folder).test_splits) - 1
    needed = embeddings_bytes(task_folder) * (n_heads + _STACKING) + PROCESS_BYTES
    return needed <= budget_bytes


def embeddings_bytes(task_folder: Path) -> int:
    """Add up the embeddings of all splits of a folder of embeddings.

    Raises:
        ValueError: If a file that tells their sizes is damaged.
    """
    total = 0
    for split in TaskMetadata.read(task_folder).splits:
        total += split_bytes(task_folder, split)
    return total


def split_bytes(task_folder: Path, split: str) -> int:
    """Tell how long the file of a split's embeddings must be.

    Raises:
        ValueError: If the file that tells it is damaged.
    """
    path = task_folder / f"{split}.embedding-dimensions.json"
    try:
        return 4 * math.prod(msgspec.json.decode(path.read_bytes(), type=tuple[int, int]))
    except (OSError, msgspec.DecodeError) as err:
        raise InvalidError(
            f"{path} must hold two numbers, got: {err}; delete {task_folder} and evaluate again"
        ) from err


def damaged_matrix(task_folder: Path, splits: Sequence[str]) -> Path | None:
    """Name a file of a split's embeddings that has another length than it must; None if none has.

    One that is not there is not damaged: it may have been removed once there were predictions.

    Args:
        task_folder: Folder of finished embeddings.
        splits: Names of its splits.
    """
    for split in splits:
        path = task_folder / f"{split}.embeddings.npy"
        try:
            if path.exists() and path.stat().st_size != split_bytes(task_folder, split):
                return path
        except InvalidError:
            return task_folder / f"{split}.embedding-dimensions.json"
    return None


def default_jobs(has_gpu: bool) -> int:
    """Count the processes that cores, memory and a GPU allow side by side.

    Args:
        has_gpu: Whether heareval will train its heads on a GPU.
    """
    n_jobs = min(n_cores(), available_bytes() // (2 * PROCESS_BYTES))
    return max(1, min(n_jobs, _JOBS_ON_A_GPU) if has_gpu else n_jobs)
