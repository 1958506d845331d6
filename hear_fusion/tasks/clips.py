"""The clips of a task: their order, their lengths, and their sound, decoded ahead in threads."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor

from hear_fusion.errors import InvalidError
from hear_fusion.tasks.schema import TaskMetadata, read_labels

# Sound of one batch, over all its clips.
BATCH_SECONDS = 120.0
# Batches that wait decoded while the network works on one.
_AHEAD = 2


@dataclass(frozen=True)
class ClipList:
    """Clips of one split in the order in which heareval stores their embeddings.

    Attributes:
        split: Name of the split.
        folder: Where the sounds are.
        filenames: Names of the clips.
        labels: What the split's JSON says of each.
        n_samples: Length of each.
    """

    split: str
    folder: Path
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
        return torch.stack([read_clip(self.folder / self.filenames[i]) for i in indices])


def list_clips(task: Path, sample_rate: int) -> list[ClipList]:
    """List the clips of every split of a task.

    heareval shuffles the names of each split, in the order of ``splits``, by one generator.

    Raises:
        ValueError: If a sound is missing, not mono, empty, or of another rate.
    """
    rng = random.Random(0)
    lists = []
    for split in TaskMetadata.read(task).splits:
        entries = read_labels(task, split)
        names = list(entries)
        rng.shuffle(names)
        folder = task / str(sample_rate) / split
        sizes = [_n_samples(folder / name, sample_rate) for name in names]
        lists.append(ClipList(split, folder, names, [entries[name] for name in names], sizes))
    return lists


def decoded_batches(clips: ClipList, max_samples: int) -> Iterator[tuple[list[int], Tensor]]:
    """Yield batches with their sound, (clip, sample); a thread decodes the next ones meanwhile."""
    waiting: deque[tuple[list[int], Future[Tensor]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        try:
            for indices in clips.batches(max_samples):
                waiting.append((indices, pool.submit(clips.decode, indices)))
                if len(waiting) > _AHEAD:
                    done, sound = waiting.popleft()
                    yield done, sound.result()
            while waiting:
                done, sound = waiting.popleft()
                yield done, sound.result()
        finally:
            for _, sound in waiting:
                sound.cancel()


def read_clip(path: Path) -> Tensor:
    """Read one clip, shape (sample,), float32 in [-1, 1]."""
    audio, _ = soundfile.read(path, dtype="float32")
    return torch.from_numpy(audio)


def _n_samples(path: Path, sample_rate: int) -> int:
    try:
        info = soundfile.info(path)
    except (OSError, soundfile.LibsndfileError) as err:
        raise InvalidError(
            f"clips must be readable sound, got {path}: {err}; see 'hear-fusion tasks check'"
        ) from err
    if (info.samplerate, info.channels) != (sample_rate, 1) or not info.frames:
        raise InvalidError(
            f"clips must be mono at {sample_rate} Hz and not empty, got {path} with "
            f"{info.channels} channels at {info.samplerate} Hz, {info.frames} samples; "
            "see 'hear-fusion tasks check'"
        )
    return int(info.frames)
