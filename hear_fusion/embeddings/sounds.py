"""The sounds of a task as they were when work on them was done, by size and time of change.

Their content is not compared: to read it takes as long as many a network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hear_fusion.tasks.schema import TaskMetadata, read_labels

Sounds = Mapping[str, Mapping[str, tuple[int, int]]]
"""By split and name of a clip, its size in bytes and the time of its last change in ns."""
_SECOND_NS = 10**9


def read_sounds(task: Path, sample_rate: int) -> dict[str, dict[str, tuple[int, int]]]:
    """Look up size and time of the sounds of a task; those that are not there are left out.

    Args:
        task: HEAR task folder.
        sample_rate: Rate in Hz, which names their folder.

    Raises:
        ValueError: If a text of the task cannot be read.
    """
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for split in TaskMetadata.read(task).splits:
        folder = task / str(sample_rate) / split
        found[split] = {}
        for name in read_labels(task, split):
            try:
                status = os.stat(f"{folder}/{name}")
            except (OSError, ValueError):  # the latter for a name that no file can have
                continue
            found[split][name] = status.st_size, status.st_mtime_ns
    return found


def replaced_sound(now: Sounds, before: Sounds, done_ns: int) -> str | None:
    """Name a sound that was replaced after work was done; None if none was.

    One that is no longer there was not replaced: sounds may be removed once their features are
    kept.

    Args:
        now: The sounds as they are.
        before: As they were recorded; empty if they were not.
        done_ns: Time when the work was done, which tells where nothing was recorded.
    """
    for split, sounds in now.items():
        recorded = before.get(split, {})
        for name, (size, time_ns) in sounds.items():
            if name in recorded:
                size_then, time_then_ns = recorded[name]
                is_replaced = size != size_then or not _same_time(time_ns, time_then_ns)
            else:
                is_replaced = time_ns > done_ns
            if is_replaced:
                return f"{split}/{name}"
    return None


def _same_time(first_ns: int, second_ns: int) -> bool:
    # Many archives and copies keep whole seconds only.
    is_whole = 0 in (first_ns % _SECOND_NS, second_ns % _SECOND_NS)
    return first_ns == second_ns or (is_whole and first_ns // _SECOND_NS == second_ns // _SECOND_NS)
