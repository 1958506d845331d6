"""What a task's predictions need of memory: heareval's ``--in-memory``, and how many at a time.

The choice changes speed and memory, not scores.
"""

import json
import math
from pathlib import Path

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
    """Add up the embeddings of all splits of a folder of embeddings."""
    total = 0
    for split in TaskMetadata.read(task_folder).splits:
        dimensions = task_folder / f"{split}.embedding-dimensions.json"
        total += 4 * math.prod(json.loads(dimensions.read_text(encoding="utf-8")))
    return total


def default_jobs(has_gpu: bool) -> int:
    """Count the processes that cores, memory and a GPU allow side by side.

    Args:
        has_gpu: Whether heareval will train its heads on a GPU.
    """
    n_jobs = min(n_cores(), available_bytes() // (2 * PROCESS_BYTES))
    return max(1, min(n_jobs, _JOBS_ON_A_GPU) if has_gpu else n_jobs)
