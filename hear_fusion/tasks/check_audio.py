"""Check the sound files of a task folder: names, headers, lengths, content."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hear_fusion.audio import UnreadableSoundError, read_sound, value_fault
from hear_fusion.audio.values import ValueFault
from hear_fusion.errors import InvalidError
from hear_fusion.parallel.machine import n_cores
from hear_fusion.tasks.findings import Finding, Rate, TaskTexts, error, note
from hear_fusion.tasks.folders import rate_folders
from hear_fusion.tasks.schema import SAMPLE_RATES, TaskMetadata, read_labels

_CHUNK = 2048  # files in flight
_UNTOLD = "does not tell its length, so nobody can tell whether it was cut short"


class BadClipsError(InvalidError):
    """Clips of a task cannot be used; the message names each."""


@dataclass(frozen=True)
class CheckedSound:
    """What one file holds; ``digest`` of its samples is empty if they are all zero."""

    split: str
    name: str
    sample_rate: int = 0
    channels: int = 1
    n_samples: int = 0
    container: str = ""
    is_told: bool = True
    misread: str = ""
    fault: ValueFault | None = None
    digest: bytes = b""
    failure: str = ""


def check_audio(
    task: Path, texts: TaskTexts, on_file: Callable[[], object], n_threads: int
) -> tuple[list[Rate], list[Finding]]:
    """Read every sound file that a task names, at all its rates.

    Args:
        task: The task folder.
        texts: What its text files say.
        on_file: Called after each file, for a progress bar.
        n_threads: Files read side by side.

    Returns:
        What is there at each rate, and the findings.
    """
    if texts.metadata is None:
        return [], []
    findings: list[Finding] = []
    rates, copies = [], set[tuple[str, ...]]()
    folders = rate_folders(task)
    if not folders:
        findings.append(error("rates", ".", "must hold a folder of audio such as 16000, got none"))
    for folder in folders:
        rate = int(folder.name)
        if rate not in SAMPLE_RATES:
            findings.append(note("rates", folder.name, "is not a rate of HEAR's models"))
        there = list(_named_files(folder, texts, findings))
        sounds = []
        for sound in _read_all(there, n_threads):
            on_file()
            findings += _sound_findings(rate, sound)
            if not sound.failure:
                sounds.append(sound)
        findings += _stream_findings(rate, sounds)
        findings += _length_findings(rate, texts.metadata, sounds)
        for group in _copies(sounds):
            key = tuple(sound.name for sound in group)
            if key not in copies:
                copies.add(key)
                findings.append(_copy_finding(rate, group))
        seconds = sum(sound.n_samples for sound in sounds) / rate if rate else 0.0
        rates.append(Rate(rate, len(there), seconds))
    return rates, findings


def refuse_bad_clips(task: Path, sample_rate: int, *, alike: bool = False) -> None:
    """Read the clips of a task, and name all that no embedding can be computed of.

    Args:
        task: The task folder.
        sample_rate: Rate of the clips to read, in Hz.
        alike: Whether they must also be of one length where the task says so, as for heareval.

    Raises:
        BadClipsError: If there is one.
    """
    metadata = TaskMetadata.read(task)
    folder = task / str(sample_rate)
    files = [
        (split, folder / split / name)
        for split in metadata.splits
        for name in read_labels(task, split)
    ]
    sounds = list(_read_all(files, n_cores()))
    findings = [finding for sound in sounds for finding in _sound_findings(sample_rate, sound)]
    if alike:
        findings += _length_findings(sample_rate, metadata, [s for s in sounds if not s.failure])
    bad = [f for f in findings if f.severity == "error" or f.rule == "integers"]
    if bad:
        raise BadClipsError(
            f"clips of {task.name} must be whole, finite mono sound at {sample_rate} Hz, got "
            f"{len({finding.where for finding in bad})} that are not; mend them or take them out "
            "of the task:\n" + "\n".join(f"  {finding.where}: {finding.what}" for finding in bad)
        )


def _named_files(
    folder: Path, texts: TaskTexts, findings: list[Finding]
) -> Iterator[tuple[str, Path]]:
    named: dict[str, list[str]] = defaultdict(list)
    for clip in texts.clips:
        named[clip.split].append(clip.filename)
    splits = texts.metadata.splits if texts.metadata else ()
    for entry in sorted(folder.iterdir()):
        if entry.name not in splits:
            where = f"{folder.name}/{entry.name}"
            findings.append(note("surplus", where, "is not the folder of a split; not read"))
    for split in splits:
        where = f"{folder.name}/{split}"
        if not (folder / split).is_dir():
            findings.append(error("missing", where, "must be a folder of the split's audio"))
            continue
        there = {entry.name for entry in (folder / split).iterdir()}
        for name in named[split]:
            if name in there:
                yield split, folder / split / name
            else:
                what = f"is named in {split}.json and must be there"
                findings.append(error("missing", f"{where}/{name}", what))
        for name in sorted(there.difference(named[split])):
            findings.append(note("surplus", f"{where}/{name}", f"is not in {split}.json; not read"))


def _read_all(files: list[tuple[str, Path]], n_threads: int) -> Iterator[CheckedSound]:
    # libsndfile and the hash leave Python's lock: threads are enough.
    with ThreadPoolExecutor(n_threads) as pool:
        for at in range(0, len(files), _CHUNK):
            yield from pool.map(_read, files[at : at + _CHUNK])


def _read(named: tuple[str, Path]) -> CheckedSound:
    split, path = named
    try:
        # heareval reads float32; 16-bit integers are the same samples in half the memory.
        sound = read_sound(path, "float32", keep_integers=True)
    except UnreadableSoundError as err:
        return CheckedSound(split, path.name, failure=str(err))
    samples = sound.samples
    digest = b""
    if samples.any():
        digest = hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16).digest()
    return CheckedSound(
        split,
        path.name,
        sound.sample_rate,
        samples.shape[1],
        len(samples),
        sound.container,
        sound.is_told,
        sound.misread,
        value_fault(samples),
        digest,
    )


def _sound_findings(rate: int, sound: CheckedSound) -> Iterator[Finding]:
    where = f"{rate}/{sound.split}/{sound.name}"
    if sound.failure:
        yield error("unreadable", where, f"must be readable audio: it {sound.failure}")
        return
    if sound.sample_rate != rate:
        yield error("rate", where, f"must be at {rate} Hz, got {sound.sample_rate} Hz")
    if sound.channels != 1:
        yield error("mono", where, f"must be mono, got {sound.channels} channels")
    if sound.misread:
        yield error("streamed", where, f"{sound.misread}; write the file anew")
    elif not sound.is_told and sound.container != "MP3":
        yield note("streamed", where, _UNTOLD)
    fault = sound.fault
    if fault is not None:
        if fault.rule == "finite":
            yield error("finite", where, "must be finite, got NaN or infinity")
        else:
            yield note(fault.rule, where, fault.what)
    elif not sound.digest:
        yield note("silent", where, "is silent: every sample is zero")


def _stream_findings(rate: int, sounds: list[CheckedSound]) -> Iterator[Finding]:
    """Tell of MP3 files once a folder: few of them count their frames."""
    untold = Counter(
        sound.split
        for sound in sounds
        if sound.container == "MP3" and not sound.is_told and not sound.misread
    )
    for split, n in untold.items():
        yield note("streamed", f"{rate}/{split}", f"{n} MP3 files: each {_UNTOLD}")


def _length_findings(
    rate: int, metadata: TaskMetadata, sounds: list[CheckedSound]
) -> Iterator[Finding]:
    seconds = metadata.sample_duration
    if not seconds or seconds < 0 or not rate:
        return
    expected = round(seconds * rate)
    batch = max(1, int(0.7 * (120 / seconds) * (16000 / rate)))  # heareval's rule
    for split in metadata.splits:
        lengths = Counter(sound.n_samples for sound in sounds if sound.split == split)
        if len(lengths) == 1 and expected not in lengths:
            what = f"all files have {lengths.popitem()[0]} samples, sample_duration says {expected}"
            yield note("length", f"{rate}/{split}", what)
        elif len(lengths) > 1:
            kind = error if batch > 1 else note
            for sound in sounds:
                if sound.split == split and sound.n_samples != expected:
                    what = f"must have {expected} samples ({seconds:g} s), got {sound.n_samples}"
                    if batch > 1:
                        what += f"; heareval stacks {batch} clips of equal length"
                    yield kind("length", f"{rate}/{split}/{sound.name}", what)


def _copies(sounds: Iterable[CheckedSound]) -> Iterator[list[CheckedSound]]:
    by_content: dict[bytes, list[CheckedSound]] = defaultdict(list)
    for sound in sounds:
        if sound.digest:
            by_content[sound.digest].append(sound)
    return (group for group in by_content.values() if len(group) > 1)


def _copy_finding(rate: int, group: list[CheckedSound]) -> Finding:
    first, *others = group
    where = f"{rate}/{first.split}/{first.name}"
    names = ", ".join(f"{sound.split}/{sound.name}" for sound in others)
    if len({sound.split for sound in group}) > 1:
        return error("leak", where, f"must be in one split only, got the same samples in {names}")
    return note("copy", where, f"the same samples are in {names}")
