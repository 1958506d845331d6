"""Small maps of sounds that lie on the disk, with names of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from hear_fusion.report.sounds.sound_map import SoundMap

# What a file may be called on Linux; the last is in another encoding.
HOSTILE = (
    "<img src=x onerror=alert(1)>.wav",
    "'\"><svg onload=alert(2)>.wav",
    "javascript:alert(3).wav",
    "a#b?c%20d&amp;${alert(4)}.wav",
    "line\nbreak\\u003c!--.wav",
    "caf\udce9.wav",
)
HOSTILE_LABEL = "</script><script>alert(5)</script><!--"


def write_sounds(folder: Path, names: Sequence[str], seconds: float = 1.0) -> list[str]:
    """Write a tone under each name."""
    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(16000 * seconds)) / 16000
    paths = []
    for i, name in enumerate(names):
        path = folder / name
        with path.open("wb") as file:
            soundfile.write(file, 0.3 * np.sin(2000 * (i + 1) * times), 16000, format="WAV")
        paths.append(str(path))
    return paths


def sound_map(paths: Sequence[str], labels: Sequence[str] | None = None, seed: int = 0) -> SoundMap:
    """Make a map of random vectors."""
    rng = np.random.default_rng(seed)
    whole = np.full(len(paths), np.nan)
    vectors = rng.normal(size=(len(paths), 8)).astype(np.float32)
    return SoundMap.of("A map & <more>", paths, whole, whole, labels or [""] * len(paths), vectors)
