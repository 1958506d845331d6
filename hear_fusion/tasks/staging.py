"""A task folder on its way: built under a hidden name, and renamed when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hear_fusion.audio import Way
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import make_folder
from hear_fusion.tasks.schema import Clip
from hear_fusion.tasks.wav import write_pcm16

_RECIPE = "recipe"


@dataclass(frozen=True)
class Recording:
    """The sound of one clip: mono samples in [-1, 1], shape (n_samples,), and their rate."""

    audio: NDArray[np.floating]
    sample_rate: int


@dataclass(frozen=True)
class Staging:
    """The hidden folder in which a task is built.

    Sounds lie in the folder of their rate, in that of their split where it is known already.

    Attributes:
        path: The task folder that it will be.
        splits: Names of the splits.
        sample_rates: Rates in Hz.
        seconds: Length of every clip, or None where each keeps its own.
        way: What to do with sounds that 16 bits would cut off or silence.
    """

    path: Path
    splits: tuple[str, ...]
    sample_rates: tuple[int, ...]
    seconds: float | None
    way: Way = "refuse"

    @property
    def folder(self) -> Path:
        """Where it lies until it is complete."""
        return self.path.parent / f".{self.path.name}.partial"

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock of the folder; nothing stays behind: heareval would take it for a task."""
        return exclusive(self.path.parent / f".{self.path.name}.lock", keep=False)

    def begin(self, recipe: str, *, resume: bool = False) -> set[str]:
        """Make the folder, or go on with what an earlier run of the same recipe left.

        Args:
            recipe: Hash of what decides the content.
            resume: Whether to go on; otherwise leftovers are cleared.

        Returns:
            Names of the sounds that are there at all rates.
        """
        mark = self.folder / _RECIPE
        if not (resume and mark.is_file() and mark.read_bytes() == recipe.encode()):
            self.discard()
        for rate in self.sample_rates:
            for split in self.splits:
                make_folder(self.folder / str(rate) / split)
        write_whole(mark, recipe)
        return set.intersection(*(self._collect(rate) for rate in self.sample_rates))

    def _collect(self, rate: int) -> set[str]:
        """Take sounds back out of their splits, which may be others now; return their names."""
        folder = self.folder / str(rate)
        for file in folder.glob("*/*"):
            file.rename(folder / file.name)
        return {file.name for file in folder.glob("*.wav")}

    def write(self, name: str, recording: Recording) -> None:
        """Write a sound at all rates, each file in one go.

        Args:
            name: File name, with the split before it where that is known: "train/a.wav".
            recording: The sound.

        Raises:
            ValueError: If the sound is not as it must be.
        """
        for rate in self.sample_rates:
            n_samples = None if self.seconds is None else round(self.seconds * rate)
            target = self.folder / str(rate) / name
            from_hz = recording.sample_rate
            write_pcm16(target, recording.audio, from_hz, rate, n_samples, self.way)

    def sort(self, clips: Iterable[Clip]) -> None:
        """Move each sound into the folder of its split, and delete those that are no clips."""
        for clip in clips:
            for rate in self.sample_rates:
                file = self.folder / str(rate) / clip.filename
                if file.exists():
                    file.rename(file.parent / clip.split / clip.filename)
        for rate in self.sample_rates:
            for file in (self.folder / str(rate)).iterdir():
                if file.is_file():
                    file.unlink()

    def publish(self, path: Path) -> None:
        """Give the folder its name; one that has it already is replaced."""
        if path.exists():
            path.rename(self._retired)
        self.folder.rename(path)
        (path / _RECIPE).unlink()
        shutil.rmtree(self._retired, ignore_errors=True)

    def discard(self) -> None:
        """Delete the folder, and what an interrupted ``publish`` left."""
        for leftover in (self.folder, self._retired):
            shutil.rmtree(leftover, ignore_errors=True)

    @property
    def _retired(self) -> Path:
        return self.path.parent / f".{self.path.name}.old"
