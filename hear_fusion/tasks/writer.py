"""The one writer of HEAR task folders.

A folder appears under its name only when it is complete (``staging``).
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from hear_fusion.errors import ForeignFolderError, InvalidError
from hear_fusion.files.atomic import write_whole
from hear_fusion.tasks.rules import check_clips, check_metadata
from hear_fusion.tasks.schema import (
    METADATA_FILE,
    SAMPLE_RATES,
    VOCABULARY_FILE,
    Clip,
    TaskMetadata,
)
from hear_fusion.tasks.staging import Recording as Recording
from hear_fusion.tasks.staging import Staging
from hear_fusion.tasks.vocabulary import label_vocabulary


@dataclass(frozen=True)
class TaskSummary:
    """What a task folder holds."""

    path: Path
    clips_by_split: dict[str, int]
    n_classes: int
    seconds: float
    kept: bool


def write_task_folder(
    out: Path,
    metadata: TaskMetadata,
    clips: Sequence[Clip],
    recordings: Iterable[Recording],
    *,
    sample_rates: Sequence[int],
    recipe: str,
    on_clip: Callable[[], None] = lambda: None,
) -> TaskSummary:
    """Write a task folder into ``out``, or keep the one that is already there.

    Args:
        out: Folder of the tasks; made when absent.
        metadata: The task.
        clips: Names and labels of all clips.
        recordings: Their sounds, in the order of ``clips``; not touched if the folder is kept.
        sample_rates: Rates to write in Hz, each in its own folder.
        recipe: Hash of what decides the content (``recipe_of``). A complete folder with the same
            recipe is kept; one with another recipe is replaced; one without is never touched.
        on_clip: Called after each clip, for a progress bar.

    Returns:
        What the folder holds.

    Raises:
        ValueError: If metadata, clips or sounds break a rule of the format.
        ForeignFolderError: If something that this writer did not write has the folder's name.
    """
    check_metadata(metadata)
    check_clips(metadata, clips)
    check_sample_rates(sample_rates)
    path = out / metadata.folder_name
    staging = Staging(path, metadata.splits, tuple(sample_rates), metadata.sample_duration)
    if is_kept(path, recipe) and not staging.folder.exists():
        return _summary(path, metadata, clips, sample_rates, kept=True)
    with staging.exclusive():
        staging.discard()
        if is_kept(path, recipe):  # another process may have been at work meanwhile
            return _summary(path, metadata, clips, sample_rates, kept=True)
        try:
            staging.begin(recipe)
            for clip, recording in zip(clips, recordings, strict=True):
                _write_sound(staging, clip, recording)
                on_clip()
            return finish_task_folder(staging, metadata, clips, recipe)
        finally:
            # heareval's `--task all` takes every entry of the folder for a task, hidden ones too.
            staging.discard()


def finish_task_folder(
    staging: Staging,
    metadata: TaskMetadata,
    clips: Sequence[Clip],
    recipe: str,
) -> TaskSummary:
    """Add the texts to a staging folder that holds all sounds, and publish it.

    Raises:
        ValueError: If metadata or clips break a rule of the format.
    """
    check_metadata(metadata)
    check_clips(metadata, clips)
    staging.sort(clips)
    _write_texts(staging.folder, metadata, clips, recipe)
    path = staging.path.with_name(metadata.folder_name)
    staging.publish(path)
    return _summary(path, metadata, clips, staging.sample_rates, kept=False)


def is_kept(path: Path, recipe: str) -> bool:
    """Tell whether a complete folder of this recipe is there.

    Raises:
        ForeignFolderError: If something that this writer did not write has the folder's name.
    """
    recorded = read_recipe(path)
    if recorded is None and path.exists():
        raise ForeignFolderError(
            f"out must not hold a foreign {path.name}, got one without a recipe at {path}; "
            "move it away or choose another folder"
        )
    return recorded == recipe


def check_sample_rates(sample_rates: Sequence[int]) -> None:
    """Raise ValueError unless all rates are different ones that HEAR knows."""
    unknown = [rate for rate in sample_rates if rate not in SAMPLE_RATES]
    if unknown or not sample_rates or len(set(sample_rates)) != len(sample_rates):
        raise InvalidError(
            f"sample_rates must be different rates out of {SAMPLE_RATES} Hz, "
            f"got {tuple(sample_rates)}"
        )


def read_recipe(path: Path) -> str | None:
    """Return the recipe of a complete task folder; None if it has none or is not there."""
    try:
        recipe = TaskMetadata.read(path).extras.get("recipe")
    except ValueError:
        return None
    return recipe if isinstance(recipe, str) else None


def _write_sound(staging: Staging, clip: Clip, recording: Recording) -> None:
    try:
        staging.write(f"{clip.split}/{clip.filename}", recording)
    except InvalidError as err:
        raise InvalidError(f"{clip.split}/{clip.filename}: {err}") from err


def _write_texts(folder: Path, metadata: TaskMetadata, clips: Sequence[Clip], recipe: str) -> None:
    for split in metadata.splits:
        entries: dict[str, list[object]] = {}
        for clip in clips:
            if clip.split != split:
                continue
            if metadata.is_event:
                entries[clip.filename] = [
                    {"label": e.label, "start": float(e.start_ms), "end": float(e.end_ms)}
                    for e in clip.events
                ]
            else:
                entries[clip.filename] = list(clip.labels)
        _write_json(folder / f"{split}.json", entries)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("idx", "label"))
    rows.writerows(enumerate(_vocabulary(clips)))
    write_whole(folder / VOCABULARY_FILE, text.getvalue())
    _write_json(folder / METADATA_FILE, {**metadata.as_json(), "recipe": recipe})


def _write_json(path: Path, content: object) -> None:
    # ASCII, since heareval opens it in the encoding of the locale, whichever that is.
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=True) + "\n")


def _vocabulary(clips: Sequence[Clip]) -> list[str]:
    labels = [label for clip in clips for label in clip.labels]
    return label_vocabulary(labels + [event.label for clip in clips for event in clip.events])


def _summary(
    path: Path,
    metadata: TaskMetadata,
    clips: Sequence[Clip],
    sample_rates: Sequence[int],
    *,
    kept: bool,
) -> TaskSummary:
    counts = Counter(clip.split for clip in clips)
    if metadata.sample_duration is not None:
        seconds = len(clips) * metadata.sample_duration
    else:
        folder = path / str(sample_rates[0])
        files = (folder / clip.split / clip.filename for clip in clips)
        seconds = sum(soundfile.info(file).duration for file in files)
    return TaskSummary(
        path=path,
        clips_by_split={split: counts[split] for split in metadata.splits},
        n_classes=len(_vocabulary(clips)),
        seconds=seconds,
        kept=kept,
    )
