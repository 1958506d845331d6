"""The sounds of a source, decoded and written to a staging folder by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from hear_fusion.audio import decode
from hear_fusion.datasets.base import DataSet
from hear_fusion.datasets.faults import Fault
from hear_fusion.errors import InvalidError
from hear_fusion.files.archives import READ_ERRORS, Member
from hear_fusion.parallel.pool import map_unordered
from hear_fusion.tasks.staging import Recording, Staging

# Enough that handing a batch over costs nothing; few enough bytes that memory stays small.
_BATCH_FILES, _BATCH_BYTES = 32, 4 << 20
# The filter needs a little more than the clip, or the cut would be heard in its last samples.
_MARGIN_SECONDS = 0.05


@dataclass(frozen=True)
class SourceSound:
    """A clip's file: the name that it gets, its path in the source, and where its bytes are."""

    name: str
    path: str
    content: bytes | Path = field(repr=False)


@dataclass(frozen=True)
class Batch:
    """Sounds for one process, and the folder for them."""

    staging: Staging
    sounds: tuple[SourceSound, ...]


def convert(batch: Batch) -> list[tuple[SourceSound, str | None]]:
    """Convert sounds; return each, without its bytes, with the reason why it cannot be read."""
    return [
        (SourceSound(sound.name, sound.path, b""), _convert(batch.staging, sound))
        for sound in batch.sounds
    ]


def _convert(staging: Staging, sound: SourceSound) -> str | None:
    needed = None if staging.seconds is None else staging.seconds + _MARGIN_SECONDS
    try:
        staging.write(f"{sound.name}.wav", Recording(*decode(sound.content, needed)))
    except InvalidError as err:
        return str(err)
    return None


class Conversion:
    """One pass through a source: sounds are converted, texts are kept.

    Attributes:
        names: Clips that have been converted, now or by an earlier run.
        texts: Content of the texts.
        faults: What was wrong so far.
    """

    def __init__(self, data_set: DataSet, staging: Staging, done: Iterable[str]) -> None:
        self.names: set[str] = set()
        self.texts: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self._data_set, self._staging = data_set, staging
        self._done = {name.removesuffix(".wav") for name in done}
        self._paths: dict[str, str] = {}

    @property
    def unreadable(self) -> set[str]:
        """Clips whose file is there and cannot be read."""
        return self._paths.keys() - self.names

    def path_of(self, name: str) -> str:
        """Return the path in the source of a clip that was found."""
        return self._paths[name]

    def note(self, path: str, reason: str) -> None:
        """Remember a file that cannot be read."""
        self.faults.append(Fault("unreadable", path, reason))

    def run(self, members: Iterable[Member], n_processes: int, on_clip: Callable[[], None]) -> None:
        """Convert what is not converted yet.

        Raises:
            OSError: If a result cannot be written.
        """
        batches = self._batches(members, on_clip)
        # Closed at once when the run is broken off: processes must not outlive it.
        with closing(map_unordered(convert, batches, n_processes, batch=1)) as done:
            for sound, reason in chain.from_iterable(done):
                if reason is None:
                    self.names.add(sound.name)
                else:
                    self.note(sound.path, reason)
                on_clip()

    def _batches(self, members: Iterable[Member], on_clip: Callable[[], None]) -> Iterator[Batch]:
        batch: list[SourceSound] = []
        size = 0
        for member in members:
            sound = self._sound(member)
            if sound is None:
                continue
            if sound.name in self._done:
                self.names.add(sound.name)
                on_clip()
                continue
            batch.append(sound)
            size += member.size
            if len(batch) == _BATCH_FILES or size >= _BATCH_BYTES:
                yield Batch(self._staging, tuple(batch))
                batch, size = [], 0
        if batch:
            yield Batch(self._staging, tuple(batch))

    def _sound(self, member: Member) -> SourceSound | None:
        """Return the clip that a member holds; keep it if it is a text."""
        try:
            key = self._data_set.text_key(member.path)
            if key is not None:
                self.texts.setdefault(key, member.read())
                return None
            name = self._data_set.clip_name(member.path)
            if name is None:
                return None
            if name in self._paths:
                reason = f"is another file of the clip in {self._paths[name]}, which was taken"
                self.faults.append(Fault("duplicate", member.path, reason))
                return None
            known = name in self._done
            content = b"" if known else member.file or member.read()
        except READ_ERRORS as err:
            self.note(member.path, f"cannot be read: {err or type(err).__name__}")
            return None
        except ValueError as err:
            self.faults.append(Fault("surplus", member.path, str(err)))
            return None
        self._paths[name] = member.path
        return SourceSound(name, member.path, content)
