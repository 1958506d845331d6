"""What a miniature archive is made of."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from hear_fusion.datasets.base import DataSet

Files = dict[str, bytes]
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"


@dataclass
class Miniature:
    """A small edition of a data set.

    ``files`` is the unpacked tree, ``packed`` the same as it is downloaded; ``places`` tells split
    and label that each clip must get, ``sounds`` its length and its samples where these must come
    through to the bit.
    """

    data_set: DataSet
    files: Files = field(default_factory=dict)
    packed: Callable[[Files], Files] = dict
    places: dict[str, tuple[str, str | int]] = field(default_factory=dict)
    sounds: dict[str, tuple[float, NDArray[np.int16] | None]] = field(default_factory=dict)
    splits_text: bytes | None = None
    missing: int = 0

    def clip(
        self,
        path: str,
        name: str,
        split: str,
        label: str | int,
        seconds: float,
        rate: int = 16000,
        subtype: str = "PCM_16",
        channels: int = 1,
        kind: str = "WAV",
    ) -> None:
        """Add a clip that is part of the task."""
        samples = sound(len(self.places), seconds, rate, channels)
        self.files[path] = encoded(samples, rate, subtype, kind)
        self.places[name] = (split, label)
        exact = (rate, subtype, channels) == (16000, "PCM_16", 1)
        self.sounds[name] = (seconds, np.asarray(samples[:, 0]) if exact else None)

    def counted(self) -> Miniature:
        """Let the data set expect the miniature's counts."""
        counts = dict.fromkeys(self.data_set.splits, 0)
        for split, _ in self.places.values():
            counts[split] += 1
        ways = {"splitting": replace(self.data_set.splitting, expected=counts)}
        if self.data_set.fallback is not None:
            ways["fallback"] = replace(self.data_set.fallback, expected=counts)
        self.data_set = replace(self.data_set, **ways)  # type: ignore[arg-type]
        return self


def sound(seed: int, seconds: float, rate: int, channels: int = 1) -> NDArray[np.int16]:
    """Tones and noise, shape (n_samples, channels), audible from the first sample to the last."""
    n_samples = round(seconds * rate)
    time = np.arange(n_samples)[:, None] / rate
    noise = np.random.default_rng(seed).normal(size=(n_samples, channels))
    audio = 0.2 * np.cos(2 * np.pi * (200 + 150 * seed) * time) + 0.02 * noise
    return np.asarray(np.rint(audio * 32767), dtype=np.int16)


def encoded(samples: NDArray[np.int16], rate: int, subtype: str, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    floats = samples / 32768  # as a writer of floats must
    what = floats if subtype == "FLOAT" else samples
    soundfile.write(file, what, rate, subtype=subtype, format=kind)
    return file.getvalue()


def tar_of(files: Mapping[str, bytes], prefix: str = "", mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for path, content in files.items():
            info = tarfile.TarInfo(prefix + path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def below(files: Files, folder: str) -> Files:
    """The part of a tree in one folder, paths from there."""
    return {path[len(folder) :]: file for path, file in files.items() if path.startswith(folder)}


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root
