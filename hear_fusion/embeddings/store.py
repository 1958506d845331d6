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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.pace import SCENES, Pace, pace_of_folder
from hear_fusion.embeddings.sounds import Sounds
from hear_fusion.errors import InvalidError
from hear_fusion.files.records import read_record, to_record, write_record
from hear_fusion.tasks.schema import TaskMetadata, read_labels

RECORD_FILE = "store.json"

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
        paces: By pace the layers that are there.
        wall_s: Wall time of the passes.
        sounds: The sounds as they were then; empty where that was not recorded.
    """

    folder: Path
    weights_sha256: str
    options: Mapping[str, Any]
    filenames: Mapping[str, list[str]]
    paces: Mapping[Pace, list[int]]
    wall_s: float
    sounds: Sounds = field(default_factory=dict)

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
        """List the labels, or events, of each clip of a split, in the order of the rows."""
        entries = read_labels(self.folder, split)
        return [entries[name] for name in self.filenames[split]]

    def features(self, split: str, layer: int, pace: Pace = SCENES) -> LayerArray:
        """Map the features of a layer into memory, shape (row, dim), float32."""
        mapped: LayerArray = np.load(array_path(self.folder, split, pace, layer), mmap_mode="r")
        return mapped

    def timestamps(self, split: str, pace: Pace) -> list[list[float]]:
        """Read the times of the frames of each clip in ms, in the order of the rows.

        Raises:
            ValueError: If the file is damaged.
        """
        path = timestamps_path(self.folder, split, pace)
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[list[float]])
        except msgspec.DecodeError as err:
            raise InvalidError(
                f"{path} must hold the times of all clips, got: {err}; embed the task again"
            ) from err

    def has(self, pace: Pace, layers: Sequence[int]) -> bool:
        """Tell whether all of some layers are there."""
        return set(layers) <= set(self.paces.get(pace, ()))

    def write(self) -> None:
        """Write ``store.json``, whole or not at all; a task without one is not done."""
        record = {
            "weights_sha256": self.weights_sha256,
            "options": dict(self.options),
            "filenames": dict(self.filenames),
            "paces": {pace.folder: list(layers) for pace, layers in self.paces.items()},
            "wall_s": self.wall_s,
            "sounds": self.sounds,
        }
        write_record(self.folder / RECORD_FILE, record)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the record of a task folder of the store; None if it is to be done.

        Raises:
            NewerFormatError: If the record is a newer version's.
        """
        content = read_record(folder / RECORD_FILE)
        if content is None:
            return None
        try:
            paces = {pace_of_folder(name): layers for name, layers in content["paces"].items()}
            return to_record(cls, content | {"folder": folder, "paces": paces})
        except (AttributeError, KeyError, ValueError):
            return None


def array_path(folder: Path, split: str, pace: Pace, layer: int) -> Path:
    """Name the file of a layer's features."""
    return folder / split / pace.folder / f"layer_{layer:02d}.npy"


def timestamps_path(folder: Path, split: str, pace: Pace) -> Path:
    """Name the file of the times of frames."""
    return folder / split / pace.folder / "timestamps.json"
