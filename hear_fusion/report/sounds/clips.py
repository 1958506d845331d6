"""Sounds small enough to be carried inside a page or a table: mono MP3, which all browsers play."""

from __future__ import annotations

import io
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from hear_fusion.audio import UnreadableSoundError
from hear_fusion.audio.streaming import open_recording
from hear_fusion.parallel.machine import n_cores
from hear_fusion.progress import progress_bar

_RATE = 24000  # in Hz
_FRAME = 1152  # samples; the coder's
_AHEAD = 8  # clips that wait for each core


@dataclass(frozen=True)
class Clip:
    """A sound of the map.

    Attributes:
        path: Its file.
        start: Where it begins there, in s; None: with the file.
        stop: Where it ends, in s; None: with the file.
    """

    path: Path
    start: float | None = None
    stop: float | None = None


def compress(clip: Clip, longest_s: float = 10.0) -> bytes:
    """Make an MP3 file of a clip, or of its beginning.

    Args:
        clip: The clip.
        longest_s: No more than this of it, in s.

    Raises:
        UnreadableSoundError: If its file cannot be read, or has no such part.
    """
    with open_recording(clip.path, _RATE, clip.start, clip.stop) as recording:
        n_wanted = min(recording.n_samples, max(1, round(longest_s * _RATE)))
        blocks, n_read = [], 0
        for block in recording.blocks():
            blocks.append(block)
            n_read += len(block)
            if n_read >= n_wanted:
                break
    audio = np.concatenate(blocks)[:n_wanted]
    audio /= max(1.0, float(np.abs(audio).max()))
    file = io.BytesIO()
    soundfile.write(
        file,
        np.pad(audio, (0, max(0, _FRAME - len(audio)))),
        _RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE",
        compression_level=0.6,
    )
    return file.getvalue()


def compressed(
    clips: Sequence[Clip], longest_s: float = 10.0
) -> Generator[bytes | UnreadableSoundError]:
    """Yield the MP3 of each clip, or why there is none; some are made ahead, on all cores."""

    def attempt(clip: Clip) -> bytes | UnreadableSoundError:
        try:
            return compress(clip, longest_s)
        except UnreadableSoundError as err:
            return err

    n_workers = n_cores()
    step = _AHEAD * n_workers
    with (
        ThreadPoolExecutor(n_workers) as pool,
        progress_bar("sounds for the map", len(clips), "clip") as bar,
    ):
        for first in range(0, len(clips), step):
            for result in pool.map(attempt, clips[first : first + step]):
                bar.update()
                yield result
