"""Files of the store that are not as its record says: cut off, emptied, or of another kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from hear_fusion.embeddings.pace import SCENES
from hear_fusion.embeddings.store import RECORD_FILE, StoredTask, array_path, timestamps_path
from hear_fusion.tasks.folders import text_files, text_of
from hear_fusion.tasks.schema import METADATA_FILE, read_labels


def damaged_file(stored: StoredTask, dims: Mapping[int, int]) -> Path | None:
    """Name a file of a stored task that is damaged, or not there; None if none is.

    Of arrays the head and the length are looked at, not the values.

    Args:
        stored: The task.
        dims: Dimension of the features of each layer.
    """
    return next(_damaged_files(stored, dims), None)


def _damaged_files(stored: StoredTask, dims: Mapping[int, int]) -> Iterator[Path]:
    try:
        texts = text_files(stored.folder)
    except ValueError:
        yield stored.folder / METADATA_FILE
        return
    for path in texts:
        try:
            text_of(path)
        except ValueError:
            yield path
            return
    labelled = {split: set(read_labels(stored.folder, split)) for split in stored.metadata.splits}
    if {split: set(names) for split, names in stored.filenames.items()} != labelled:
        yield stored.folder / RECORD_FILE
    for pace, layers in stored.paces.items():
        for split, names in stored.filenames.items():
            n_rows = len(names)
            if pace != SCENES:
                try:
                    times = stored.timestamps(split, pace)
                except (OSError, ValueError):
                    times = []
                if len(times) != len(names):
                    yield timestamps_path(stored.folder, split, pace)
                n_rows = sum(map(len, times))
            for number in layers:
                path = array_path(stored.folder, split, pace, number)
                if not _is_array(path, (n_rows, dims.get(number, 0))):
                    yield path


def _is_array(path: Path, shape: tuple[int, int]) -> bool:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # NumPy reads a header as Python's text, and fails as its tokenizer does
        return False
    return isinstance(array, np.memmap) and (array.shape, array.dtype) == (shape, np.float32)
