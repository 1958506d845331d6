"""The clips of a task: their order, their lengths, and their sound, decoded ahead in threads."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from hear_fusion.audio import UnreadableSoundError, read_sound, value_fault
from hear_fusion.tasks.check_audio import refuse_bad_clips
from hear_fusion.tasks.schema import TaskMetadata, read_labels

# Sound of one batch, over all its clips.
BATCH_SECONDS = 120.0
# Batches that wait decoded while the network works on one.
_AHEAD = 2
# From here on libsndfile's number of samples is none.
_UNKNOWN = 1 << 62


@dataclass(frozen=True)
class ClipList:
    """Clips of one split in the order in which heareval stores their embeddings.

    Attributes:
        task: The task folder.
        sample_rate: Rate of the sounds in Hz.
        split: Name of the split.
        filenames: Names of the clips.
        labels: What the split's JSON says of each.
        n_samples: Length of each.
    """

    task: Path
    sample_rate: int
    split: str
    filenames: list[str]
    labels: list[list[Any]]
    n_samples: list[int]

    def batches(self, max_samples: int) -> list[list[int]]:
        """Group clips of equal length; a batch holds up to so many samples, or one clip."""
        by_length: dict[int, list[int]] = {}
        for i, n in enumerate(self.n_samples):
            by_length.setdefault(n, []).append(i)
        grouped = []
        for n, indices in sorted(by_length.items()):
            size = max(1, max_samples // max(1, n))
            grouped += [indices[at : at + size] for at in range(0, len(indices), size)]
        return grouped

    def decode(self, indices: Sequence[int]) -> Tensor:
        """Read clips of equal length, shape (clip, sample), float32."""
        folder = _folder(self.task, self.sample_rate, self.split)
        clips = []
        for i in indices:
            path = folder / self.filenames[i]
            clip = read_clip(path, self.sample_rate)
            problem, fault = "", value_fault(clip)
            if fault is not None and fault.rule in ("finite", "integers"):
                problem = fault.what
            elif len(clip) != self.n_samples[i]:
                problem = f"holds {len(clip)} samples, its header tells {self.n_samples[i]}"
            if problem:
                raise UnreadableSoundError(f"{path}: {problem}")
            clips.append(torch.from_numpy(clip))
        return torch.stack(clips)


def list_clips(task: Path, sample_rate: int) -> list[ClipList]:
    """List the clips of every split of a task.

    heareval shuffles the names of each split, in the order of ``splits``, by one generator.

    Raises:
        ValueError: If a sound is missing, not mono, empty, or of another rate; names all that
            cannot be used.
    """
    rng = random.Random(0)
    lists = []
    for split in TaskMetadata.read(task).splits:
        entries = read_labels(task, split)
        names = list(entries)
        rng.shuffle(names)
        folder = _folder(task, sample_rate, split)
        with _all_named(task, sample_rate):
            sizes = [_n_samples(folder / name, sample_rate) for name in names]
        labels = [entries[name] for name in names]
        lists.append(ClipList(task, sample_rate, split, names, labels, sizes))
    return lists


def decoded_batches(clips: ClipList, max_samples: int) -> Iterator[tuple[list[int], Tensor]]:
    """Yield batches with their sound, (clip, sample); a thread decodes the next ones meanwhile.

    Raises:
        ValueError: If a sound cannot be used; names all of the task that cannot.
    """
    waiting: deque[tuple[list[int], Future[Tensor]]] = deque()

    def decoded() -> tuple[list[int], Tensor]:
        indices, sound = waiting.popleft()
        with _all_named(clips.task, clips.sample_rate):
            return indices, sound.result()

    with ThreadPoolExecutor(1) as pool:
        try:
            for indices in clips.batches(max_samples):
                waiting.append((indices, pool.submit(clips.decode, indices)))
                if len(waiting) > _AHEAD:
                    yield decoded()
            while waiting:
                yield decoded()
        finally:
            for _, sound in waiting:
                sound.cancel()


def read_clip(path: Path, sample_rate: int) -> NDArray[np.float32]:
    """Read one clip as heareval does, shape (sample,), float32 in [-1, 1].

    Raises:
        UnreadableSoundError: If it is not whole, mono and at this rate, or heareval would read
            something else; names it.
    """
    try:
        sound = read_sound(path, "float32")
    except UnreadableSoundError as err:
        raise UnreadableSoundError(f"{path}: {err}") from err
    samples, n_channels = sound.samples, sound.samples.shape[1]
    problem = sound.misread
    if (sound.sample_rate, n_channels) != (sample_rate, 1):
        problem = f"has {n_channels} channels at {sound.sample_rate} Hz"
    if problem:
        raise UnreadableSoundError(f"{path}: {problem}")
    if sound.n_plain != len(samples):  # the lead of an MP3 coder
        samples = soundfile.read(path, dtype="float32", always_2d=True)[0]
    clip: NDArray[np.float32] = samples[:, 0]
    return clip


@contextmanager
def _all_named(task: Path, sample_rate: int) -> Iterator[None]:
    try:
        yield
    except (UnreadableSoundError, soundfile.SoundFileError):
        refuse_bad_clips(task, sample_rate)
        raise


def _folder(task: Path, sample_rate: int, split: str) -> Path:
    return task / str(sample_rate) / split


def _n_samples(path: Path, sample_rate: int) -> int:
    """Look up the length of a clip; `read_clip` tells whether it is true."""
    try:
        info = soundfile.info(path)
    except (OSError, soundfile.SoundFileError) as err:
        raise UnreadableSoundError(f"{path}: cannot be read: {err}") from err
    n_samples = int(info.frames)
    is_told = 0 < n_samples < _UNKNOWN
    if (info.samplerate, info.channels) != (sample_rate, 1) or not is_told:
        raise UnreadableSoundError(
            f"{path}: has {info.channels} channels at {info.samplerate} Hz, {n_samples} samples"
        )
    return n_samples
