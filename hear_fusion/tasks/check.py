"""Check HEAR task folders for what heareval 2021.1.3 would trip over, before it does."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hear_fusion.errors import InvalidError
from hear_fusion.parallel.machine import n_cores
from hear_fusion.tasks.check_audio import check_audio
from hear_fusion.tasks.check_texts import check_texts
from hear_fusion.tasks.findings import Finding, TaskReport, error
from hear_fusion.tasks.folders import rate_folders
from hear_fusion.tasks.schema import METADATA_FILE


def list_tasks(folder: Path) -> tuple[list[Path], list[Finding]]:
    """List the task folders to check, and what else is among them.

    Args:
        folder: A task folder or a folder of task folders.

    Returns:
        Task folders sorted by name, and a finding for every other entry.

    Raises:
        ValueError: If no task is there.
    """
    if (folder / METADATA_FILE).exists():
        return [folder], []
    entries = sorted(folder.iterdir())
    tasks = [entry for entry in entries if (entry / METADATA_FILE).exists()]
    if not tasks:
        raise InvalidError(
            f"tasks_dir must be a HEAR task folder or hold some (with a {METADATA_FILE}), "
            f"got none in {folder}"
        )
    what = "is no task; heareval's '--task all' takes every entry, hidden ones too, and fails"
    strays = [error("stray", entry.name, what) for entry in entries if entry not in tasks]
    return tasks, strays


def count_files(task: Path) -> int:
    """Count the entries of a task's split folders, for a progress bar."""
    return sum(
        len(os.listdir(split))
        for folder in rate_folders(task)
        for split in folder.iterdir()
        if split.is_dir()
    )


def check_task(
    task: Path, on_file: Callable[[], object] = lambda: None, n_threads: int | None = None
) -> TaskReport:
    """Check one task folder; nothing in it is changed.

    Args:
        task: Folder with a ``task_metadata.json``.
        on_file: Called after each sound file, for a progress bar.
        n_threads: Files read side by side; by default one for each core.

    Returns:
        What the folder holds and everything found. Where the metadata cannot be understood, only
        that is told.
    """
    texts = check_texts(task)
    rates, findings = check_audio(task, texts, on_file, n_threads or n_cores())
    counts = Counter(clip.split for clip in texts.clips)
    splits = texts.metadata.splits if texts.metadata else ()
    return TaskReport(
        name=task.resolve().name,
        clips_by_split={split: counts[split] for split in splits},
        n_classes=len(texts.vocabulary),
        rates=tuple(rates),
        findings=(*texts.findings, *findings),
    )
