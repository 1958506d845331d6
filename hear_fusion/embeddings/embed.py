"""One pass of a task's clips through a network, for all layers and modules at once."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hear_fusion.backbones import ORIGINAL
from hear_fusion.embeddings.backbone import LoadedBackbone
from hear_fusion.embeddings.damage import damaged_file
from hear_fusion.embeddings.pace import SCENES, Pace
from hear_fusion.embeddings.sounds import read_sounds, replaced_sound
from hear_fusion.embeddings.store import RECORD_FILE, StoredTask
from hear_fusion.embeddings.writer import discard_unfinished, write_split
from hear_fusion.errors import InvalidError
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import make_folder
from hear_fusion.names import Choice
from hear_fusion.progress import progress_bar
from hear_fusion.tasks.clips import BATCH_SECONDS, list_clips
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
        InUseError: If another process is at work on it, within `no_waiting`.
    """
    folder = store / loaded.name / task.name
    wanted = _wanted(TaskMetadata.read(task), loaded, modules)
    before, missing, _ = _look(loaded, task, folder, wanted)
    if not missing and (before is None or before.sounds):
        return before
    with exclusive(folder.with_name(f".{task.name}.lock")):
        # Another process may have been at work meanwhile.
        before, missing, misfit = _look(loaded, task, folder, wanted)
        if misfit is not None:
            _LOGGER.warning("%s: computing its features anew, since %s", task.name, misfit)
        stored = before
        if missing:
            stored = _embed(loaded, task, folder, before, missing, batch_seconds)
        elif before is not None and not before.sounds:
            stored = replace(before, sounds=read_sounds(task, loaded.sample_rate))
        if stored is not None and stored != before:
            stored.write()
        return stored


def _look(
    loaded: LoadedBackbone, task: Path, folder: Path, wanted: Mapping[Pace, set[int]]
) -> tuple[StoredTask | None, dict[Pace, list[int]], str | None]:
    """Find what of the store can be kept, which layers are to be computed, and why others go."""
    there = StoredTask.read(folder)
    misfit = None if there is None else _misfit(there, loaded, task)
    kept = there if misfit is None else None
    missing = {
        pace: sorted({*layers, *(kept.paces.get(pace, ()) if kept else ())})
        for pace, layers in wanted.items()
        if kept is None or not kept.has(pace, sorted(layers))
    }
    return kept, missing, misfit


def _embed(
    loaded: LoadedBackbone,
    task: Path,
    folder: Path,
    before: StoredTask | None,
    missing: Mapping[Pace, list[int]],
    batch_seconds: float,
) -> StoredTask:
    """Compute the layers that are missing, beside what is kept, into a folder of the store."""
    require_audio(task, loaded.sample_rate)
    sounds = read_sounds(task, loaded.sample_rate)
    clips = list_clips(task, loaded.sample_rate)
    if before is None:
        (folder / RECORD_FILE).unlink(missing_ok=True)  # no reader shall trust the rest
        shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    discard_unfinished(folder)
    for path in text_files(task):
        write_whole(folder / path.name, path.read_bytes())
    began = time.monotonic()
    n_clips = sum(len(split.filenames) for split in clips)
    with progress_bar(f"{loaded.name} on {task.name}", n_clips, "clip") as bar:
        try:
            for split in clips:
                write_split(loaded, split, folder, missing, batch_seconds, bar.update)
        finally:
            discard_unfinished(folder)
    return StoredTask(
        folder,
        loaded.model.weights_sha256,
        loaded.options,
        {split.split: split.filenames for split in clips},
        {**(before.paces if before else {}), **missing},
        time.monotonic() - began + (before.wall_s if before else 0.0),
        sounds,
    )


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


def _misfit(stored: StoredTask, loaded: LoadedBackbone, task: Path) -> str | None:
    """Tell why features are to be computed anew; None if they fit.

    Raises:
        ValueError: If they are of other weights, options, or texts: somebody may want them still.
    """
    done_ns = (stored.folder / RECORD_FILE).stat().st_mtime_ns
    now = read_sounds(task, loaded.sample_rate)
    replaced = replaced_sound(now, stored.sounds, done_ns)
    # Options may come from the sounds: the statistics of a task.
    _refuse_other_network(stored, loaded, with_options=replaced is None)
    damaged = damaged_file(stored, loaded.dims())
    if damaged is not None:
        return f"{damaged} is damaged"
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
