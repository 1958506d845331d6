"""Which sounds to read: files, folders of them, lists of segments."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from hear_fusion.embeddings.tables.segments import Segment, read_segments
from hear_fusion.errors import InvalidError

_SUFFIXES = (
    ".aif .aifc .aiff .au .bwf .caf .flac .mp2 .mp3 .oga .ogg .opus .rf64 .snd .w64 .wav .wave"
)


def find_sounds(paths: Sequence[Path], glob: str | None = None) -> list[Segment]:
    """List sound files, those of folders in sorted order.

    Args:
        paths: Files, taken whatever their names, and folders, searched with those in them.
        glob: What the names in folders must match; by default one of the known suffixes. With a
            slash it is about the path below the folder. Hidden files are left out.

    Raises:
        ValueError: If a path is not there, or a folder holds no such file.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path.is_dir():
            names = _in_folder(path, glob)
            if not names:
                what = "sound files" if glob is None else f"files that match {glob!r}"
                raise InvalidError(
                    f"{path} must hold {what}, got none; name another folder, or give --glob"
                )
            found |= dict.fromkeys(names)
        elif path.exists():
            found[str(path)] = None
        else:
            raise InvalidError(f"PATHS must be files or folders, got {path}, which is not there")
    return [Segment(name) for name in found]


def listed_segments(table: Path, paths: Sequence[Path]) -> list[Segment]:
    """Read a list of segments.

    Args:
        table: CSV, Raven selection table or Audacity label track.
        paths: The recording that it is about, if it does not name any; or folders in which those
            that it names are looked for.

    Raises:
        ValueError: If it is no such list, or a row is not as it must be; the message names it.
    """
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if not path.is_dir()]
    if len(files) > 1:
        raise InvalidError(
            f"PATHS beside --segments must be one recording or folders, got {len(files)} files"
        )
    segments = read_segments(table, str(files[0]) if files else None)
    if not segments:
        raise InvalidError(f"{table} must have a row for each segment, got none")
    return [_below(segment, folders) for segment in segments]


def _below(segment: Segment, folders: list[Path]) -> Segment:
    if not os.path.exists(segment.path):
        for folder in folders:
            if (folder / segment.path).exists():
                return replace(segment, path=str(folder / segment.path))
    return segment


def _in_folder(folder: Path, glob: str | None) -> list[str]:
    names = []
    for root, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(root, file)
            below = os.path.relpath(path, folder)
            if any(part.startswith(".") for part in Path(below).parts):
                continue
            if glob is None:
                fits = os.path.splitext(file)[1].lower() in _SUFFIXES.split()
            else:
                fits = fnmatch(below if "/" in glob else file, glob)
            if fits:
                names.append(path)
    return sorted(names)
