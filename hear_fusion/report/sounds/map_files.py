"""The files of a map: a page with its sounds, a picture beside it, a Parquet for the atlas."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from hear_fusion.audio import UnreadableSoundError
from hear_fusion.files.atomic import write_whole
from hear_fusion.files.space import make_folder
from hear_fusion.report.drawing import to_png
from hear_fusion.report.sounds.atlas import AtlasWriter
from hear_fusion.report.sounds.clips import Clip, compressed
from hear_fusion.report.sounds.map_drawing import map_drawing
from hear_fusion.report.sounds.map_page import embedded, render_map
from hear_fusion.report.sounds.sound_map import SoundMap


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: The page, the picture, perhaps the atlas.
        n_embedded: Sounds inside the page.
        n_linked: Sounds that it plays from where they are.
        faults: Of sounds that it cannot play, by path.
    """

    files: tuple[Path, ...]
    n_embedded: int
    n_linked: int
    faults: dict[str, str]


def write_map(
    sounds: SoundMap,
    page: Path,
    *,
    embed_bytes: int = 30_000_000,
    longest_s: float = 10.0,
    atlas: Path | None = None,
) -> Written:
    """Write a map as a page and, under the same name, a PNG.

    Sounds are inside the page until ``embed_bytes`` of them are, in the order of the map; it links
    to the others.

    Args:
        sounds: The map.
        page: The page.
        embed_bytes: Total size of sounds inside the page; 0 links to all of them.
        longest_s: No more than this of a sound is inside the page or the atlas, in s.
        atlas: Also the Parquet file that embedding-atlas opens, with all sounds inside.
    """
    make_folder(page.parent)
    if atlas is not None:
        make_folder(atlas.parent)
    clips = [
        Clip(Path(path), *(None if np.isnan(at) else float(at) for at in part))
        for path, part in zip(
            sounds.paths, zip(sounds.starts, sounds.stops, strict=True), strict=True
        )
    ]
    players: list[dict[str, str]] = []
    n_bytes = 0
    with contextlib.ExitStack() as stack:
        writer = None if atlas is None else stack.enter_context(AtlasWriter(atlas, sounds))
        results = stack.enter_context(contextlib.closing(compressed(clips, longest_s)))
        while len(players) < len(clips) and (writer is not None or n_bytes < embed_bytes):
            result, clip = next(results), clips[len(players)]
            mp3 = None if isinstance(result, UnreadableSoundError) else result
            n_bytes += len(mp3 or b"")
            if writer is not None:
                writer.add(mp3)
            if mp3 is None:
                players.append({"fault": f"{clip.path} {result!s}"})
            else:
                is_inside = n_bytes <= embed_bytes
                players.append(embedded(mp3) if is_inside else _link(clip, page.parent))
    players += [_link(clip, page.parent) for clip in clips[len(players) :]]
    written = [
        write_whole(page, render_map(sounds, players)),
        write_whole(page.with_suffix(".png"), to_png(map_drawing(sounds))),
    ]
    return Written(
        tuple(written if atlas is None else [*written, atlas]),
        sum("mp3" in player for player in players),
        sum("link" in player for player in players),
        {
            path: player["fault"]
            for path, player in zip(sounds.paths, players, strict=True)
            if "fault" in player
        },
    )


def _link(clip: Clip, folder: Path) -> dict[str, str]:
    """Address a sound from a page in a folder; ``#t=`` is the part that a browser shall play."""
    if not clip.path.is_file():
        return {"fault": f"{clip.path} is not there"}
    try:
        path = os.path.relpath(clip.path.resolve(), folder.resolve())
        address = f"./{quote(os.fsencode(Path(path).as_posix()))}"
    except ValueError:  # on another drive
        address = clip.path.resolve().as_uri()
    if clip.start is not None:
        stop = "" if clip.stop is None else f",{clip.stop:.3f}"
        address += f"#t={clip.start:.3f}{stop}"
    return {"link": address}
