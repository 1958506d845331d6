"""Folders of embeddings as ``heareval.embeddings.runner`` writes them, made from the store.

The official predictions runner goes on from there and cannot tell the difference.
"""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.store import LayerArray, StoredTask
from hear_fusion.evaluate.identity import WeightsIdentity, refuse_other_weights
from hear_fusion.evaluate.layout import EMBEDDINGS_DONE_FILE, LOCK_FILE, embeddings_folder_name
from hear_fusion.evaluate.sounds import EmbeddedSounds, misfit
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import reserve, writing
from hear_fusion.names import Choice
from hear_fusion.tasks.folders import refuse_other_task, text_files

_LOGGER = logging.getLogger(__name__)
# What heareval adds to the end of an event, whose intervals are open there.
_END_MS = 0.0001


def export_module(
    stored: StoredTask, task: Path, choice: Choice, loaded: LoadedBackbone, embeddings_dir: Path
) -> Path:
    """Write one module's embeddings of one task from the features in the store.

    Args:
        stored: Features of the layers of ``choice``.
        task: The HEAR task folder that they were made of.
        choice: The module.
        loaded: What the features were made by.
        embeddings_dir: As heareval's; the folder is ``<embeddings_dir>/<module>/<task>``.

    Returns:
        The folder. A finished one of the same weights, task and sounds is kept.

    Raises:
        ValueError: If a finished folder was made with other weights or another state of the task.
    """
    module = choice.import_name
    folder = embeddings_dir / embeddings_folder_name(module, loaded.options) / task.name
    file = os.path.abspath(loaded.model_file) if loaded.model_file else None
    weights = WeightsIdentity(module, stored.weights_sha256, file)
    refuse_other_weights(folder, weights)
    refuse_other_task(task, folder, done=EMBEDDINGS_DONE_FILE)
    done = folder / EMBEDDINGS_DONE_FILE
    if done.exists() and misfit(task, folder, loaded.sample_rate) is None:
        return folder
    with exclusive(embeddings_dir / LOCK_FILE):
        # Another process may have been at work meanwhile.
        reason = misfit(task, folder, loaded.sample_rate)
        if reason is not None:
            _LOGGER.warning("%s: writing its embeddings anew, since %s", folder, reason)
        if reason is not None or not done.exists():
            _write_folder(stored, task, choice, folder, loaded.device)
            weights.write(folder)
            EmbeddedSounds(loaded.sample_rate, stored.sounds).write(folder)
            with writing(folder):
                done.touch()
    return folder


def _write_folder(
    stored: StoredTask, task: Path, choice: Choice, folder: Path, device: str
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with writing(folder):
        for split in stored.splits:
            (folder / split).mkdir(parents=True)
        for path in text_files(task):
            shutil.copy(path, folder)
    is_event = stored.metadata.is_event
    for split in stored.splits:
        if is_event:
            _write_frames(stored, split, choice, folder)
        else:
            _write_scenes(stored, split, choice, folder)
    profile = {
        "time_elapsed": stored.wall_s,
        "gpu_max_mem": None,
        "gpu_device_name": _device_name(device),
    }
    _write_json(folder / "profile.embeddings.json", profile, indent=4)


def _write_scenes(stored: StoredTask, split: str, choice: Choice, folder: Path) -> None:
    arrays = _arrays(stored, split, choice, SCENES)
    labels = stored.labels(split)
    mapped = _matrix(folder, split, arrays)
    for i, (name, of_clip) in enumerate(zip(stored.filenames[split], labels, strict=True)):
        scene = np.concatenate([array[i] for array in arrays])
        mapped[i] = scene
        _save(folder / split / f"{name}.embedding.npy", scene)
        _write_json(folder / split / f"{name}.target-labels.json", of_clip)
    _finish(folder, split, mapped, labels)


def _write_frames(stored: StoredTask, split: str, choice: Choice, folder: Path) -> None:
    pace = Pace.of_frames(choice)
    arrays = _arrays(stored, split, choice, pace)
    mapped = _matrix(folder, split, arrays)
    times_of_clips, events_of_clips = stored.timestamps(split, pace), stored.labels(split)
    labels: list[list[Any]] = []
    filename_timestamps: list[tuple[str, float]] = []
    start = 0
    for i, name in enumerate(stored.filenames[split]):
        times = times_of_clips[i]
        rows = slice(start, start + len(times))
        frames = np.concatenate([array[rows] for array in arrays], axis=1)
        mapped[rows] = frames
        sounding = [labels_at(events_of_clips[i], time) for time in times]
        _save(folder / split / f"{name}.embedding.npy", frames)
        _write_json(folder / split / f"{name}.timestamps.json", times)
        _write_json(folder / split / f"{name}.target-labels.json", sounding, indent=4)
        labels += sounding
        filename_timestamps += [(str(folder / split / name), time) for time in times]
        start = rows.stop
    _finish(folder, split, mapped, labels)
    _write_json(folder / f"{split}.filename-timestamps.json", filename_timestamps, indent=4)


def labels_at(events: Sequence[dict[str, Any]], time_ms: float) -> list[Any]:
    """List the labels of the events that sound at a time.

    heareval means to include both ends, but its times are float32: from about a second on, what it
    adds to an end is lost in rounding, and the end is outside. So it is here.

    >>> events = [{"label": "a", "start": 0, "end": 100}, {"label": "b", "start": 100, "end": 4000}]
    >>> labels_at(events, 100.0), labels_at(events, 100.1), labels_at(events, 4000.0)
    (['a', 'b'], ['b'], [])
    """
    time = np.float32(time_ms)
    return [
        event["label"]
        for event in events
        if np.float32(event["start"]) <= time < np.float32(event["end"] + _END_MS)
    ]


def _arrays(stored: StoredTask, split: str, choice: Choice, pace: Pace) -> list[LayerArray]:
    return [stored.features(split, number, pace) for number in choice.layers or (ORIGINAL,)]


def _matrix(folder: Path, split: str, arrays: Sequence[LayerArray]) -> NDArray[np.float32]:
    """Open the matrix of a split, a bare float32 memory map, and write its size beside it."""
    shape = (len(arrays[0]), sum(array.shape[1] for array in arrays))
    _write_json(folder / f"{split}.embedding-dimensions.json", shape)
    path = folder / f"{split}.embeddings.npy"
    with writing(path):
        matrix = np.memmap(path, np.float32, "w+", shape=shape)
        reserve(path)
    return matrix


def _finish(folder: Path, split: str, mapped: NDArray[np.float32], labels: list[list[Any]]) -> None:
    with writing(folder):
        mapped.flush()  # type: ignore[attr-defined]
        (folder / f"{split}.target-labels.pkl").write_bytes(pickle.dumps(labels))


def _save(path: Path, array: NDArray[np.float32]) -> None:
    content = io.BytesIO()  # written to the disk directly, NumPy does not tell why it fails
    np.save(content, array)
    with writing(path):
        path.write_bytes(content.getbuffer())


def _write_json(path: Path, content: Any, indent: int | None = None) -> None:
    with writing(path):
        path.write_text(json.dumps(content, indent=indent), encoding="utf-8")


def _device_name(device: str) -> str:
    is_cuda = device.startswith("cuda")
    return torch.cuda.get_device_name(torch.device(device)) if is_cuda else device
