"""The store of layer features: for each task, split and layer one memory-mapped array.

::

    <store>/<network>/<task>/
        store.json                 weights, options, what is there
        task_metadata.json  labelvocabulary.csv  <split>.json    as in the task
        <split>/scenes/layer_05.npy        (clip, dim): z~ of layer 5; layer 0 is the original
        <split>/40ms/layer_05.npy          (frame, dim): z of layer 5 every 40 ms, event tasks
        <split>/40ms/timestamps.json       times of the frames of each clip

The scene of a fusion is the concatenation of its layers' scenes, since Eq. (3) works on each
dimension; so fusions are not stored. Clips stand in heareval's order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hear_fusion.files.atomic import write_whole
from hear_fusion.names import Choice
from hear_fusion.tasks.schema import TaskMetadata, read_labels

RECORD_FILE = "store.json"
SCENES = "scenes"

LayerArray = NDArray[np.float32]
"""Features of a layer, shape (row, dim)."""


@dataclass(frozen=True)
class StoredTask:
    """Features of one task's clips.

    Attributes:
        folder: Where they are.
        weights_sha256: The network's weights.
        options: Options of `load_model` that they were computed with.
        filenames: Clips of every split in the order of the rows.
        paces: By pace (``scenes`` or a hop such as ``40ms``) the layers that are there.
        seconds: Wall time of the passes.
    """

    folder: Path
    weights_sha256: str
    options: Mapping[str, Any]
    filenames: Mapping[str, list[str]]
    paces: Mapping[str, list[int]]
    seconds: float

    @property
    def name(self) -> str:
        """Name of the task folder."""
        return self.folder.name

    @property
    def metadata(self) -> TaskMetadata:
        """The task's metadata."""
        return TaskMetadata.read(self.folder)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in the order of the metadata."""
        return list(self.filenames)

    @property
    def n_clips(self) -> int:
        """Number of clips, in all splits."""
        return sum(map(len, self.filenames.values()))

    def labels(self, split: str) -> list[list[Any]]:
        """Labels, or events, of each clip of a split, in the order of the rows."""
        entries = read_labels(self.folder, split)
        return [entries[name] for name in self.filenames[split]]

    def features(self, split: str, layer: int, pace: str = SCENES) -> LayerArray:
        """Map the features of a layer into memory, shape (row, dim), float32."""
        mapped: LayerArray = np.load(array_path(self.folder, split, pace, layer), mmap_mode="r")
        return mapped

    def timestamps(self, split: str, pace: str) -> list[list[float]]:
        """Times of the frames of each clip in ms, in the order of the rows."""
        times: list[list[float]] = json.loads(
            timestamps_path(self.folder, split, pace).read_text(encoding="utf-8")
        )
        return times

    def has(self, pace: str, layers: Sequence[int]) -> bool:
        """Tell whether all of some layers are there."""
        return set(layers) <= set(self.paces.get(pace, ()))

    def write(self) -> None:
        """Write ``store.json``, whole or not at all; a task without one is not done."""
        record = {
            "weights_sha256": self.weights_sha256,
            "options": dict(self.options),
            "filenames": dict(self.filenames),
            "paces": {pace: list(layers) for pace, layers in self.paces.items()},
            "seconds": self.seconds,
        }
        write_whole(self.folder / RECORD_FILE, json.dumps(record, indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the record of a task folder of the store; None if it is not done."""
        try:
            record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
            return cls(folder=folder, **record)
        except (OSError, ValueError, TypeError):
            return None


def open_task(folder: Path) -> StoredTask:
    """Open a task of the store.

    Raises:
        ValueError: If its features are not there.
    """
    found = StoredTask.read(folder)
    if found is None:
        raise ValueError(
            f"store must hold {folder}, got no finished features there; run 'hear-fusion embed'"
        )
    return found


def pace_of(choice: Choice) -> str:
    """Name the pace of a choice's frames.

    The original embedding has a pace of its own where no hop is asked for.

    >>> [pace_of(choice) for choice in (Choice("yamnet", (5,), 40), Choice("yamnet", (5, 13)),
    ...                                 Choice("yamnet"))]
    ['40ms', 'layers', 'original']
    """
    if choice.hop_ms is not None:
        return f"{choice.hop_ms}ms"
    return "layers" if choice.layers else "original"


def array_path(folder: Path, split: str, pace: str, layer: int) -> Path:
    """File of a layer's features."""
    return folder / split / pace / f"layer_{layer:02d}.npy"


def timestamps_path(folder: Path, split: str, pace: str) -> Path:
    """File of the times of frames."""
    return folder / split / pace / "timestamps.json"
