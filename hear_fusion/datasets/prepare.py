"""From a data set's official archive to a HEAR task folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hear_fusion.audio import Way
from hear_fusion.datasets.base import TOTAL, DataSet, Place, Seen, Splitting
from hear_fusion.datasets.conversion import Conversion
from hear_fusion.datasets.faults import FAULTS_FILE, Fault, format_causes, write_faults
from hear_fusion.errors import InvalidError
from hear_fusion.files.archives import members
from hear_fusion.files.hashing import recipe_of
from hear_fusion.tasks.schema import Clip
from hear_fusion.tasks.staging import Staging
from hear_fusion.tasks.writer import check_sample_rates, finish_task_folder, is_kept

# Counts up when a change of the code changes the sounds.
_CONVERSION = 1


@dataclass(frozen=True)
class Prepared:
    """How a preparation ended.

    Attributes:
        path: The task folder; None if it was not made, since counts differ.
        kept: Whether it was there already.
        found: Clips by split, and their "total".
        expected: What the counts ought to be, for some of these.
        faults: Files that were not as they should be.
        causes: What of these is wrong with whole archives, or with all files, for readers.
        faults_file: Where all of them are listed, or None if there are none.
    """

    path: Path | None
    kept: bool
    found: Mapping[str, int]
    expected: Mapping[str, int]
    faults: Sequence[Fault]
    faults_file: Path | None
    causes: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        """Whether the counts are as expected."""
        return all(self.found[part] == count for part, count in self.expected.items())


def prepare(
    data_set: DataSet,
    source: Path,
    out: Path,
    *,
    sample_rates: Sequence[int] = (16000,),
    splits_file: Path | None = None,
    allow_missing: bool = False,
    way: Way = "refuse",
    jobs: int = 1,
    on_clip: Callable[[], None] = lambda: None,
) -> Prepared:
    """Make the task folder of a data set; go on where an interrupted run stopped.

    Args:
        data_set: The data set (``hear_fusion.datasets``).
        source: Its archive, unpacked or not, or a folder of its archives.
        out: Folder of the tasks; made when absent.
        sample_rates: Rates to write in Hz.
        splits_file: The file of splits, for a data set that takes one.
        allow_missing: Make the folder also if counts differ, with mode "partial".
        way: What to do with sounds that 16 bits would cut off or silence; the folder's metadata
            tell if it is not to refuse them.
        jobs: Number of processes.
        on_clip: Called after each clip, for a progress bar.

    Returns:
        What was made and found. Sounds already converted stay when no folder was made.

    Raises:
        ValueError: If an argument, or a text of the source, is not as it must be.
        OSError: If a file cannot be written; what is done stays for the next run.
    """
    check_sample_rates(sample_rates)
    if out.resolve() == source.resolve():
        raise InvalidError(f"out must be another folder than source, got {out} for both")
    given = _read_splits(data_set, splits_file)
    splitting = data_set.splitting_for(with_file=bool(given))
    metadata = data_set.metadata(splitting, splitting.mode)
    recipe = recipe_of(
        _CONVERSION,
        metadata.as_json(),
        list(sample_rates),
        {name: hashlib.sha256(text).hexdigest() for name, text in given.items()},
    )
    path = out / metadata.folder_name
    counts = dict(splitting.expected)
    kept = Prepared(path, True, counts, counts, (), None)
    if is_kept(path, recipe):
        return kept

    staging = Staging(path, metadata.splits, tuple(sample_rates), metadata.sample_duration, way)
    with staging.exclusive():
        if is_kept(path, recipe):  # another process may have been at work meanwhile
            return kept
        done = staging.begin(recipe, resume=True)
        conversion = Conversion(data_set, staging, done)
        _run(conversion, staging, source, out, jobs, on_clip)
        if conversion.laid_out_anew:
            conversion = Conversion(data_set, staging, done, by_form=True)
            _run(conversion, staging, source, out, jobs, on_clip)
        causes = format_causes(conversion.broken, conversion.pointers)
        try:
            prepared = _finish(
                data_set, splitting, staging, conversion, given, recipe, allow_missing
            )
        except ValueError as err:
            raise InvalidError("\n".join([*causes, str(err)])) from err
    return replace(prepared, causes=causes)


def _run(
    conversion: Conversion,
    staging: Staging,
    source: Path,
    out: Path,
    jobs: int,
    on_clip: Callable[[], None],
) -> None:
    files = members(source, skip=out, scratch=staging.folder, on_problem=conversion.note_archive)
    conversion.run(files, jobs, on_clip)


def _read_splits(data_set: DataSet, splits_file: Path | None) -> dict[str, bytes]:
    if splits_file is None:
        return {}
    if data_set.splits_file is None:
        raise InvalidError(
            f"splits must be left out for {data_set.name}, whose archive has them, "
            f"got {splits_file}"
        )
    return {data_set.splits_file: splits_file.read_bytes()}


def _finish(
    data_set: DataSet,
    splitting: Splitting,
    staging: Staging,
    conversion: Conversion,
    given: Mapping[str, bytes],
    recipe: str,
    allow_missing: bool,
) -> Prepared:
    """Compare with what ought to be there, and publish the folder if that is allowed."""
    texts = {**conversion.texts, **given}
    absent = [text for text in data_set.texts if text not in texts]
    if absent:
        raise InvalidError(
            f"source must hold {', '.join(absent)}, got none; put it there and run the same "
            "command again: sounds already converted stay"
        )
    places = data_set.places(Seen(texts, conversion.names))
    faults = [*conversion.faults, *_differences(conversion, places)]
    counts = Counter(place.split for name, place in places.items() if name in conversion.names)
    found = {split: counts[split] for split in data_set.splits} | {TOTAL: counts.total()}
    prepared = Prepared(None, False, found, splitting.expected, faults, None)
    if not prepared.complete and not allow_missing:
        return replace(prepared, faults_file=write_faults(staging.folder, faults))

    mode = splitting.mode if prepared.complete else _partial(splitting.mode)
    metadata = data_set.metadata(splitting, mode)
    metadata = replace(metadata, extras={**metadata.extras, "counts": found, **_way(staging)})
    path = staging.path.with_name(metadata.folder_name)
    clips = [
        Clip(f"{name}.wav", places[name].split, (places[name].label,))
        for name in sorted(conversion.names & places.keys())
    ]
    is_kept(path, recipe)  # an incomplete folder is never kept, but nor is a foreign one replaced
    write_faults(staging.folder, faults)
    finish_task_folder(staging, metadata, clips, recipe)
    listed = path / FAULTS_FILE if faults else None
    return replace(prepared, path=path, faults_file=listed)


def _way(staging: Staging) -> dict[str, str]:
    return {} if staging.way == "refuse" else {"doubtful_sounds": staging.way}


def _differences(conversion: Conversion, places: Mapping[str, Place]) -> list[Fault]:
    """Compare clips with those that ought to be there, apart from what is known already."""
    unreadable = conversion.unreadable
    missing = sorted(places.keys() - conversion.names - unreadable)
    surplus = sorted(conversion.names - places.keys())
    return [
        *(Fault("missing", name, "no such file in the source") for name in missing),
        *(Fault("surplus", conversion.path_of(name), "is in no split") for name in surplus),
    ]


def _partial(mode: str) -> str:
    """Name the mode of an incomplete folder: its scores are not those of the whole.

    >>> _partial("full"), _partial("by_speaker")
    ('partial', 'by_speaker_partial')
    """
    return "partial" if mode == "full" else f"{mode}_partial"
