"""Which presets of a SoundFont share recordings.

A SoundFont reaches its sounds in two steps: preset -> instruments -> samples, each step a table of
"bags" of "generators" (SoundFont 2.04 specification, section 7). Presets that reach a common
recording sound alike, so a fair split keeps them together.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

Preset = tuple[int, int]  # bank, program

_INSTRUMENT, _SAMPLE = 41, 53  # generators that point to the next table
_STEREO_OR_LINKED = 0x0E  # sampleType bits: right, left, linked
_FORMATS = {
    "phdr": "<20sHHHIII",
    "pbag": "<HH",
    "pgen": "<HH",
    "inst": "<20sH",
    "ibag": "<HH",
    "igen": "<HH",
    "shdr": "<20sIIIIIBbHH",
}
Record = tuple[int, ...]


def preset_groups(path: Path) -> list[list[Preset]]:
    """Group the presets of a SoundFont so that no recording is heard in two groups.

    Two samples count as one recording if their stretches of the sample data overlap, if their data
    is the same, or if one is the other's stereo partner.

    Args:
        path: A SoundFont 2 file (.sf2).

    Returns:
        Groups of (bank, program), each sorted, in the order of their first presets. Presets
        without a sound are left out.

    Raises:
        ValueError: If the file is not a whole SoundFont.
    """
    chunks = _read_chunks(path)
    tables = {name: _records(path, chunks, name) for name in _FORMATS}
    try:
        instruments = _pointed_to(tables["inst"], 1, tables["ibag"], tables["igen"], _SAMPLE)
        presets = _pointed_to(tables["phdr"], 3, tables["pbag"], tables["pgen"], _INSTRUMENT)
        sounds = [{s for index in chosen for s in instruments[index]} for chosen in presets]
        shared = _Partition(len(tables["shdr"]))
        for chosen in (*sounds, *_recordings(tables["shdr"], chunks.get("smpl", b""))):
            shared.join(chosen)
        groups: dict[int, list[Preset]] = defaultdict(list)
        for header, chosen in zip(tables["phdr"], sounds, strict=False):
            if chosen:
                groups[shared.root(min(chosen))].append((header[2], header[1]))
    except IndexError as err:
        raise ValueError(
            f"path must be a whole SoundFont 2 file, got tables that point past their end in {path}"
        ) from err
    return sorted(sorted(group) for group in groups.values())


class _Partition:
    """Union-find over the sample numbers."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, index: int) -> int:
        while self._parents[index] != index:
            index = self._parents[index]
        return index

    def join(self, indices: Iterable[int]) -> None:
        roots = [self.root(index) for index in indices]
        for root in roots:
            self._parents[self.root(root)] = self.root(roots[0])


def _read_chunks(path: Path) -> dict[str, bytes]:
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError(f"path must be a SoundFont 2 file (RIFF sfbk), got {path}")
    return dict(_walk(data, 12, len(data)))


def _walk(data: bytes, start: int, end: int) -> Iterator[tuple[str, bytes]]:
    while start + 8 <= end:
        name = data[start : start + 4]
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        if name == b"LIST":
            yield from _walk(data, start + 12, min(start + 8 + size, end))
        else:
            yield name.decode("latin1"), data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _records(path: Path, chunks: dict[str, bytes], name: str) -> list[Record]:
    """Read a table with its closing record; the presets' and samples' names become 0."""
    layout = struct.Struct(_FORMATS[name])
    content = chunks.get(name, b"")
    if not content or len(content) % layout.size:
        raise ValueError(
            f"path must be a whole SoundFont 2 file, got {len(content)} bytes of table {name!r} "
            f"in {path}"
        )
    return [
        tuple(0 if isinstance(value, bytes) else value for value in record)
        for record in layout.iter_unpack(content)
    ]


def _pointed_to(
    headers: list[Record], column: int, bags: list[Record], generators: list[Record], kind: int
) -> list[set[int]]:
    """Collect what each header's bags point to; each table ends where the next record begins."""
    return [
        {
            generators[index][1]
            for bag in range(header[column], following[column])
            for index in range(bags[bag][0], bags[bag + 1][0])
            if generators[index][0] == kind
        }
        for header, following in pairwise(headers)
    ]


def _recordings(samples: list[Record], pcm: bytes) -> Iterator[list[int]]:
    """Yield sets of samples that hold one recording."""
    by_start = sorted(range(len(samples) - 1), key=lambda index: samples[index][1])
    reach, furthest = 0, 0
    same_data: dict[bytes, list[int]] = defaultdict(list)
    for index in by_start:
        _, start, end, *_, link, sample_type = samples[index]
        if start < reach:
            yield [furthest, index]
        if end > reach:
            reach, furthest = end, index
        if sample_type & _STEREO_OR_LINKED:
            yield [index, link]
        if end > start:
            same_data[pcm[2 * start : 2 * end]].append(index)
    yield from same_data.values()
