"""One pass of a task's clips through a network, for all layers and modules at once."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.sounds import Sounds, read_sounds, replaced_sound
from hear_fusion.embeddings.store import (
    RECORD_FILE,
    LayerArray,
    StoredTask,
    array_path,
    timestamps_path,
)
from hear_fusion.errors import InvalidError
from hear_fusion.model import FusionModel
from hear_fusion.names import Choice
from hear_fusion.progress import progress_bar
from hear_fusion.tasks.clips import BATCH_SECONDS, ClipList, decoded_batches, list_clips
from hear_fusion.tasks.folders import refuse_other_task, require_audio, text_files
from hear_fusion.tasks.schema import TaskMetadata

_LOGGER = logging.getLogger(__name__)


def embed_task(
    loaded: LoadedBackbone,
    task: Path,
    store: Path,
    modules: Sequence[Choice] = (),
    *,
    batch_seconds: float = BATCH_SECONDS,
) -> StoredTask | None:
    """Store the features of a task's clips: scenes of all layers, or the frames asked for.

    Args:
        loaded: The network.
        task: HEAR task folder with sound at the network's rate.
        store: Root of the store; the task's features go to ``<store>/<network>/<task>``.
        modules: Choices whose frames an event task shall get; scene tasks get every layer anyway.
        batch_seconds: Sound of one batch over all its clips; bounds memory.

    Returns:
        What is stored; None for an event task without modules. What was there is not computed
        again, unless a sound was replaced since.

    Raises:
        ValueError: If the store holds features of other weights, options, a newer version or
            another state of the task, or the task's sound is not as it must be.
    """
    folder = store / loaded.name / task.name
    wanted = _wanted(TaskMetadata.read(task), loaded, modules)
    sounds = read_sounds(task, loaded.sample_rate)
    before = StoredTask.read(folder)
    if before is not None:
        misfit = _misfit(before, loaded, task, sounds)
        if misfit is not None and wanted:
            _LOGGER.warning("%s: computing its features anew, since %s", task.name, misfit)
            before = None
    missing = {
        pace: sorted({*layers, *(before.paces.get(pace, ()) if before else ())})
        for pace, layers in wanted.items()
        if before is None or not before.has(pace, sorted(layers))
    }
    if not missing:
        if before is not None and not before.sounds:
            before = replace(before, sounds=sounds)
            before.write()
        return before
    require_audio(task, loaded.sample_rate)
    clips = list_clips(task, loaded.sample_rate)
    if before is None:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for path in text_files(task):
        shutil.copy(path, folder)
    began = time.monotonic()
    n_clips = sum(len(split.filenames) for split in clips)
    with progress_bar(f"{loaded.name} on {task.name}", n_clips, "clip") as bar:
        for split in clips:
            _embed_split(loaded, split, folder, missing, batch_seconds, bar.update)
    stored = StoredTask(
        folder,
        loaded.model.weights_sha256,
        loaded.options,
        {split.split: split.filenames for split in clips},
        {**(before.paces if before else {}), **missing},
        time.monotonic() - began + (before.wall_s if before else 0.0),
        sounds,
    )
    stored.write()
    return stored


def _wanted(
    metadata: TaskMetadata, loaded: LoadedBackbone, modules: Sequence[Choice]
) -> dict[Pace, set[int]]:
    """Layers to store, by pace."""
    if not metadata.is_event:
        return {SCENES: set(loaded.layer_numbers())}
    wanted: dict[Pace, set[int]] = {}
    for choice in modules:
        wanted.setdefault(Pace.of_frames(choice), set()).update(choice.layers or (ORIGINAL,))
    return wanted


def _embed_split(
    loaded: LoadedBackbone,
    clips: ClipList,
    folder: Path,
    paces: Mapping[Pace, Sequence[int]],
    batch_seconds: float,
    on_clips: Callable[[int], object],
) -> None:
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
        self._times_path.parent.mkdir(parents=True, exist_ok=True)
        self._arrays: list[LayerArray] = [
            np.lib.format.open_memmap(
                array_path(folder, clips.split, pace, layer.number),
                mode="w+",
                dtype=np.float32,
                shape=(int(self._ends[-1]), layer.dim),
            )
            for layer in model.extractor.taps
        ]

    def add(self, indices: Sequence[int], audio: Tensor) -> None:
        """Compute and write the features of a batch, (clip, sample)."""
        if self._is_scene:
            z = self._model.scenes(audio)[:, None]
        else:
            z, times = self._model.frames(audio)
            for i, row in zip(indices, times.tolist(), strict=True):
                self._times[i] = row
        parts = z.split([layer.dim for layer in self._model.extractor.taps], dim=-1)
        for array, part in zip(self._arrays, parts, strict=True):
            frames = part.cpu().numpy()  # (clip, frame, dim)
            for i, rows in zip(indices, frames, strict=True):
                array[self._ends[i] - len(rows) : self._ends[i]] = rows

    def finish(self) -> None:
        """Bring everything to the disk."""
        for array in self._arrays:
            array.flush()  # type: ignore[attr-defined]
        if not self._is_scene:
            self._times_path.write_text(json.dumps(self._times), encoding="utf-8")


def _misfit(stored: StoredTask, loaded: LoadedBackbone, task: Path, sounds: Sounds) -> str | None:
    """Tell why features are to be computed anew; None if they fit.

    Raises:
        ValueError: If they are of other weights, options, or texts: somebody may want them still.
    """
    done_ns = (stored.folder / RECORD_FILE).stat().st_mtime_ns
    replaced = replaced_sound(sounds, stored.sounds, done_ns)
    # Options may come from the sounds: the statistics of a task.
    _refuse_other_network(stored, loaded, with_options=replaced is None)
    refuse_other_task(task, stored.folder, done=RECORD_FILE, option="--store")
    return None if replaced is None else f"{replaced} was replaced"


def _refuse_other_network(
    stored: StoredTask, loaded: LoadedBackbone, *, with_options: bool
) -> None:
    now = (loaded.model.weights_sha256, dict(loaded.options))
    then = (stored.weights_sha256, dict(stored.options))
    if then[0] != now[0] or (with_options and then[1] != now[1]):
        raise InvalidError(
            f"features in {stored.folder} must be made with the weights and options in use "
            f"({now[0]}, {now[1]}), got {then[0]}, {then[1]}; choose another --store or delete "
            "the folder"
        )
