"""The sounds of a source, decoded and written to a staging folder by several processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from hear_fusion.audio import decode
from hear_fusion.datasets.base import DataSet
from hear_fusion.datasets.faults import Fault
from hear_fusion.errors import InvalidError
from hear_fusion.files.contents import HEAD_BYTES, Pointer, pointer_kind
from hear_fusion.files.members import READ_ERRORS, Member
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

    Args:
        data_set: What the source holds.
        staging: Where the sounds go.
        done: Names of sounds that are there.
        by_form: Whether to know clips by the form of their names, not by their place.

    Attributes:
        names: Clips that have been converted, now or by an earlier run.
        texts: Content of the texts.
        faults: What was wrong so far.
        broken: Those of them that are about a whole archive.
        pointers: How many files are only pointers, by kind.
    """

    def __init__(
        self, data_set: DataSet, staging: Staging, done: Iterable[str], *, by_form: bool = False
    ) -> None:
        self.names: set[str] = set()
        self.texts: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.broken: list[Fault] = []
        self.pointers: Counter[Pointer] = Counter()
        self._data_set, self._staging, self._by_form = data_set, staging, by_form
        self._done = {name.removesuffix(".wav") for name in done}
        self._paths: dict[str, str] = {}
        self._unread: set[str] = set()
        self._official_texts: set[str] = set()
        self._has_other_places = False

    @property
    def unreadable(self) -> set[str]:
        """Clips whose file is there and cannot be read."""
        return (self._paths.keys() | self._unread) - self.names

    @property
    def laid_out_anew(self) -> bool:
        """Whether no clip is in the official place, but some are in another."""
        return self._has_other_places and not self._paths and not self._unread

    def path_of(self, name: str) -> str:
        """Return the path in the source of a clip that was found."""
        return self._paths[name]

    def note(self, path: str, reason: str) -> None:
        """Remember a file that cannot be read."""
        self.faults.append(Fault("unreadable", path, reason))

    def note_archive(self, path: str, reason: str) -> None:
        """Remember an archive that cannot be read."""
        self.note(path, reason)
        self.broken.append(self.faults[-1])

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
        if self._is_text(member):
            return None
        try:
            name = self._name(member.path)
        except ValueError as err:
            self.faults.append(Fault("surplus", member.path, str(err)))
            return None
        if name is None:
            return None
        if name in self._paths:
            reason = f"is another file of the clip in {self._paths[name]}, which was taken"
            self.faults.append(Fault("duplicate", member.path, reason))
            return None
        content: bytes | Path | None = b""
        if name not in self._done:
            content = self._content(member, "sound")
        if content is None:
            self._unread.add(name)
            return None
        self._paths[name] = member.path
        return SourceSound(name, member.path, content)

    def _name(self, path: str) -> str | None:
        if self._by_form:
            return self._data_set.name_by_form(path)
        name = self._data_set.clip_name(path)
        if name is None and not self._has_other_places:
            self._has_other_places = self._data_set.name_by_form(path) is not None
        return name

    def _is_text(self, member: Member) -> bool:
        """Keep a text of the data set: from its official place, or else the first one there is."""
        key = self._data_set.text_key(member.path)
        is_official = key is not None
        key = key or self._data_set.moved_text_key(member.path)
        if key is None:
            return False
        if key not in self.texts or (is_official and key not in self._official_texts):
            content = self._content(replace(member, file=None), "text")
            if isinstance(content, bytes):
                self.texts[key] = content
                self._official_texts |= {key} if is_official else set()
        return True

    def _content(self, member: Member, what: str) -> bytes | Path | None:
        """Return what a member holds; None, and it is noted, if it cannot be read."""
        try:
            is_short = member.size <= HEAD_BYTES
            content = member.read() if is_short or member.file is None else member.file
        except READ_ERRORS as err:
            self.note(member.path, f"cannot be read: {err or type(err).__name__}")
            return None
        pointer = pointer_kind(content) if is_short and isinstance(content, bytes) else None
        if pointer is None:
            return content
        self.pointers[pointer] += 1
        self.note(member.path, f"is a {pointer.name}, not {what}; {pointer.step}")
        return None
