"""Which sounds a folder of embeddings was computed from.

Every task folder of embeddings holds a ``sounds.json``, so that embeddings of sounds that were
replaced since are computed anew.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from hear_fusion.embeddings.sounds import Sounds, read_sounds, replaced_sound
from hear_fusion.evaluate.layout import EMBEDDINGS_DONE_FILE, SOUNDS_FILE
from hear_fusion.evaluate.memory import damaged_matrix
from hear_fusion.files.records import read_record, to_record, write_record
from hear_fusion.tasks.schema import TaskMetadata


@dataclass(frozen=True)
class EmbeddedSounds:
    """The sounds of a task that embeddings were computed from.

    Attributes:
        sample_rate: Their rate in Hz.
        sounds: Size and time of each, before it was read.
    """

    sample_rate: int
    sounds: Sounds

    def write(self, task_folder: Path) -> None:
        """Write ``sounds.json`` into a folder of embeddings, whole or not at all."""
        write_record(task_folder / SOUNDS_FILE, asdict(self))

    @classmethod
    def read(cls, task_folder: Path) -> Self | None:
        """Read them; None where they were not recorded.

        Raises:
            NewerFormatError: If the record is a newer version's.
        """
        content = read_record(task_folder / SOUNDS_FILE)
        try:
            return None if content is None else to_record(cls, content)
        except ValueError:
            return None


def misfit(task: Path, task_folder: Path, sample_rate: int | None = None) -> str | None:
    """Tell why a finished folder of embeddings is to be computed anew; None if it is not.

    Where the sounds were not recorded, as by plain heareval, this is done now.

    Args:
        task: The HEAR task folder.
        task_folder: ``<embeddings dir>/<module>/<task>``; may not exist or not be finished.
        sample_rate: The module's in Hz; None to judge by what was recorded alone.

    Raises:
        NewerFormatError: If the record is a newer version's.
    """
    done = task_folder / EMBEDDINGS_DONE_FILE
    recorded = EmbeddedSounds.read(task_folder)
    rate = recorded.sample_rate if recorded is not None else sample_rate
    if rate is None or not done.exists():
        return None
    damaged = damaged_matrix(task_folder, TaskMetadata.read(task).splits)
    if damaged is not None:
        return f"{damaged} is damaged"
    now = EmbeddedSounds(rate, read_sounds(task, rate))
    before = {} if recorded is None else recorded.sounds
    replaced = replaced_sound(now.sounds, before, done.stat().st_mtime_ns)
    if replaced is not None:
        return f"{replaced} was replaced"
    if recorded is None:
        now.write(task_folder)
    return None
