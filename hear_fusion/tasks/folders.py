"""HEAR task folders, and the folders of embeddings that heareval makes of them."""

import csv
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hear_fusion.errors import InvalidError
from hear_fusion.tasks.content import read_object
from hear_fusion.tasks.schema import METADATA_FILE, VOCABULARY_FILE, TaskMetadata

_LOGGER = logging.getLogger(__name__)


def find_tasks(tasks_dir: Path, names: Sequence[str] | None = None) -> list[Path]:
    """List the HEAR task folders to evaluate, sorted by name.

    Anything else in the folder is skipped with a note: heareval's ``--task all`` would fail on it.
    What is hidden is none of the user's tasks: one being written, or what a file system keeps.

    Args:
        tasks_dir: Folder of task folders.
        names: Names of the tasks wanted; None for all.

    Raises:
        ValueError: If there is no such folder, no task in it, an unknown name, or a task whose
            metadata cannot be read or whose files are missing.
    """
    if not tasks_dir.is_dir():
        raise InvalidError(
            f"tasks_dir must be a folder of HEAR task folders, got {tasks_dir}; make one with "
            "'hear-fusion tasks demo'"
        )
    entries = sorted(path for path in tasks_dir.iterdir() if not path.name.startswith("."))
    tasks = {entry.name: entry for entry in entries if (entry / METADATA_FILE).is_file()}
    if not tasks:
        raise InvalidError(
            f"tasks_dir must hold folders with a {METADATA_FILE}, got none in {tasks_dir}; give "
            "the folder above the task folders"
        )
    unknown = [name for name in names or () if name not in tasks]
    if unknown:
        raise InvalidError(
            f"task must be one of {', '.join(tasks)}, got {', '.join(unknown)}; see {tasks_dir}"
        )
    if names is None:
        for entry in entries:
            if entry.name not in tasks:
                _LOGGER.warning("skipping %s: not a HEAR task (no %s)", entry, METADATA_FILE)
    chosen = [tasks[name] for name in sorted(set(names or tasks))]
    for task in chosen:
        _require_task_files(task)
    return chosen


def text_files(folder: Path) -> list[Path]:
    """List what a task consists of beside its sounds: metadata, vocabulary, a text each split.

    Whatever else lies in the folder is not the task's.

    Args:
        folder: A task folder, or one made of it.

    Raises:
        ValueError: If the metadata cannot be read.
    """
    splits = TaskMetadata.read(folder).splits
    return [
        folder / name
        for name in (METADATA_FILE, VOCABULARY_FILE, *(f"{split}.json" for split in splits))
    ]


def read_texts(folder: Path) -> dict[str, Any]:
    """Read the texts of a task folder, or of one made of it, to be compared by what they say.

    Returns:
        By file name its content; equal for texts that differ in layout alone.

    Raises:
        ValueError: If one cannot be read.
    """
    return {path.name: text_of(path) for path in text_files(folder)}


def text_of(path: Path) -> Any:
    """Read one text of a task, to be compared by what it says.

    Raises:
        ValueError: If it cannot be read.
    """
    if path.name == VOCABULARY_FILE:
        try:
            text = io.StringIO(path.read_text(encoding="utf-8-sig"))
            return [row for row in csv.reader(text) if row]
        except (OSError, ValueError, csv.Error) as err:
            raise InvalidError(f"{path} must be readable CSV, got: {err}") from err
    content = read_object(path)
    # The order of the clips is that of their embeddings; keys of the metadata have none.
    return content if path.name == METADATA_FILE else list(content.items())


def rate_folders(task: Path) -> list[Path]:
    """List the folders of a task that hold audio, by rising sample rate."""
    folders = (entry for entry in task.iterdir() if entry.is_dir() and entry.name.isdecimal())
    return sorted(folders, key=lambda folder: int(folder.name))


def require_audio(task: Path, sample_rate: int) -> None:
    """Check that a task holds its audio at a model's sample rate.

    Raises:
        ValueError: If ``<task>/<sample_rate>/<split>`` is missing for a split; the message lists
            the rates that are there.
    """
    missing = [
        split
        for split in TaskMetadata.read(task).splits
        if not (task / str(sample_rate) / split).is_dir()
    ]
    if missing:
        rates = [folder.name for folder in rate_folders(task)]
        raise InvalidError(
            f"task {task.name} must hold {sample_rate} Hz audio in {sample_rate}/{missing[0]}, got "
            f"sample rates {', '.join(rates) or 'none'} in {task.resolve()}; add it with "
            f"'hear-fusion tasks resample' and --sample-rate {sample_rate}"
        )


def _require_task_files(task: Path) -> None:
    splits = TaskMetadata.read(task).splits
    if not splits:
        raise InvalidError(
            f"{task / METADATA_FILE} must list its splits, got none; make the task anew"
        )
    for name in (VOCABULARY_FILE, *(f"{split}.json" for split in splits)):
        if not (task / name).is_file():
            raise InvalidError(f"task {task.name} must hold {name}, got none; make the task anew")


def refuse_other_task(
    task: Path, task_folder: Path, *, done: str, option: str = "--embeddings-dir"
) -> None:
    """Check that a finished folder of embeddings was made from this task as it is now.

    heareval copies the metadata, the vocabulary and the labels of each split; a task that was made
    anew differs in what one of them says.

    Args:
        task: The HEAR task folder.
        task_folder: ``<embeddings dir>/<module>/<task>``; may not exist yet.
        done: File that tells that the folder is finished.
        option: What the user names the folder above by.

    Raises:
        ValueError: If the folder is finished and one of the copies differs.
    """
    if not (task_folder / done).exists():
        return
    for original in text_files(task):
        if not _says(task_folder / original.name, text_of(original)):
            raise InvalidError(
                f"embeddings in {task_folder} must be made of the task as it is now, got another "
                f"{original.name} than in {task.resolve()}; choose another {option} or "
                "delete the folder"
            )


def _says(path: Path, content: Any) -> bool:
    try:
        return bool(text_of(path) == content)
    except ValueError:
        return False
