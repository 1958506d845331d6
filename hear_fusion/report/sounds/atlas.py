"""A map as the Parquet file that Apple's embedding-atlas opens, sounds and all."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet

from hear_fusion.files.atomic import unfinished
from hear_fusion.files.space import writing
from hear_fusion.report.sounds.sound_map import SoundMap

_ROWS = 500  # of a group, so that no more sounds are held in memory
_NEIGHBORS = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float64()))])
_AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # as Hugging Face writes it
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "path", "label")),
        *((name, pa.float64()) for name in ("start", "stop", "x", "y")),
        ("neighbors", _NEIGHBORS),
        ("audio", _AUDIO),
    ]
)
COMMAND = "embedding-atlas {} --audio audio --x x --y y --neighbors neighbors"


class AtlasWriter:
    """Writes a row a sound, in the order of the map; the file is there when all of them are.

    Args:
        path: The file; its folder must exist.
        sounds: The map.
    """

    def __init__(self, path: Path, sounds: SoundMap) -> None:
        self._path, self._sounds = path, sounds
        self._names = sounds.shown_names()[1]
        self._rows: list[dict[str, Any]] = []
        self._n = 0
        with writing(path):
            self._writer = parquet.ParquetWriter(unfinished(path), SCHEMA)

    def add(self, mp3: bytes | None) -> None:
        """Add the next sound.

        Args:
            mp3: Its content; None if it cannot be read.
        """
        i, sounds = self._n, self._sounds
        self._n += 1
        start, stop = (None if t != t else float(t) for t in (sounds.starts[i], sounds.stops[i]))
        self._rows.append(
            {
                "name": _text(self._names[i]),
                "path": _text(sounds.paths[i]),
                "start": start,
                "stop": stop,
                "label": _text(sounds.labels[i]),
                "x": sounds.plane.points[i, 0],
                "y": sounds.plane.points[i, 1],
                "neighbors": {
                    "ids": sounds.nearest[i].tolist(),
                    "distances": sounds.distances[i].tolist(),
                },
                "audio": {"bytes": mp3, "path": f"{i}.mp3"} if mp3 else None,
            }
        )
        if len(self._rows) == _ROWS:
            self._flush()

    def _flush(self) -> None:
        with writing(self._path):
            self._writer.write_table(pa.Table.from_pylist(self._rows, SCHEMA))
        self._rows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        part = unfinished(self._path)
        try:
            if kind is None:
                self._flush()
            with writing(self._path):
                self._writer.close()
                if kind is None:
                    part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)


def _text(name: str) -> str:
    """Put what is no text, as in a name in another encoding, into escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
