"""Writes the features of a split: each clip to its rows, each array whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.store import array_path, timestamps_path
from hear_fusion.files.atomic import unfinished, write_whole
from hear_fusion.files.space import make_folder, new_array, writing
from hear_fusion.model import FusionModel
from hear_fusion.tasks.clips import ClipList, decoded_batches


def write_split(
    loaded: LoadedBackbone,
    clips: ClipList,
    folder: Path,
    paces: Mapping[Pace, Sequence[int]],
    batch_seconds: float,
    on_clips: Callable[[int], object],
) -> None:
    """Compute and write the features of a split's clips.

    Args:
        loaded: The network.
        clips: The split.
        folder: The task's, in the store.
        paces: Layers to write by pace; files that are there are replaced.
        batch_seconds: Sound of one batch over all its clips.
        on_clips: Called with the number of clips after each batch.
    """
    writers = {
        pace: _Writer(loaded.with_layers(layers, pace), clips, folder, pace)
        for pace, layers in paces.items()
    }
    max_samples = int(batch_seconds * loaded.sample_rate)
    for indices, audio in decoded_batches(clips, max_samples):
        audio = audio.to(loaded.device)
        for writer in writers.values():
            writer.add(indices, audio)
        on_clips(len(indices))
    for writer in writers.values():
        writer.finish()


class _Writer:
    """Writes the features of one split at one pace, each clip to its rows."""

    def __init__(self, model: FusionModel, clips: ClipList, folder: Path, pace: Pace) -> None:
        self._model, self._is_scene, timeline = model, pace == SCENES, model.extractor.timeline
        n_rows = [
            1 if self._is_scene else timeline.n_frames(n, pace.hop_ms) for n in clips.n_samples
        ]
        self._ends = np.cumsum(n_rows)
        self._times: list[list[float]] = [[] for _ in n_rows]
        self._times_path = timestamps_path(folder, clips.split, pace)
        make_folder(self._times_path.parent)
        self._paths = [
            array_path(folder, clips.split, pace, layer.number) for layer in model.extractor.taps
        ]
        self._arrays = [
            new_array(unfinished(path), (int(self._ends[-1]), layer.dim), becomes=path)
            for path, layer in zip(self._paths, model.extractor.taps, strict=True)
        ]

    def add(self, indices: Sequence[int], audio: Tensor) -> None:
        """Compute and write the features of a batch, (clip, sample)."""
        if self._is_scene:
            z = self._model.scenes(audio)[:, None]
        else:
            z, times = self._model.timestamp_embeddings(audio)
            for i, row in zip(indices, times.tolist(), strict=True):
                self._times[i] = row
        parts = z.split([layer.dim for layer in self._model.extractor.taps], dim=-1)
        for array, part in zip(self._arrays, parts, strict=True):
            frames = part.cpu().numpy()  # (clip, frame, dim)
            for i, rows in zip(indices, frames, strict=True):
                array[self._ends[i] - len(rows) : self._ends[i]] = rows

    def finish(self) -> None:
        """Bring everything to the disk, and each file to its place."""
        for path, array in zip(self._paths, self._arrays, strict=True):
            with writing(path):
                array.flush()  # type: ignore[attr-defined]
                unfinished(path).replace(path)
        if not self._is_scene:
            write_whole(self._times_path, json.dumps(self._times))


def discard_unfinished(folder: Path) -> None:
    """Delete what a pass that was broken off left in a task's folder of the store."""
    for path in folder.rglob(".*.npy.*"):
        path.unlink()
