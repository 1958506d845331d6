"""Child process that speaks with libespeak-ng; see ``speech`` for the jobs."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np

from hear_fusion.demo.synthesis.rendering import Rendering, serve

# espeak-ng ends the process when its data path does not fit 160 bytes.
_LONGEST_PATH = 120
_SYNCHRONOUS_RETRIEVAL, _UTF8, _AT_CHARACTER = 2, 1, 1
_RATE_PARAMETER, _PITCH_PARAMETER, _RANGE_PARAMETER = 1, 3, 4
_SEED = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@contextmanager
def short_data_parent(data: Path) -> Iterator[Path]:
    """Yield a folder with a short path that holds ``espeak-ng-data``, linked if it must be."""
    if len(os.fsencode(data.parent)) <= _LONGEST_PATH:
        yield data.parent
        return
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(base)) < _LONGEST_PATH - 20 and os.access(base, os.W_OK):
            with tempfile.TemporaryDirectory(prefix="speak-", dir=base) as folder:
                (Path(folder) / data.name).symlink_to(data, target_is_directory=True)
                yield Path(folder)
            return
    raise OSError(
        f"espeak-ng's data must have a path of at most {_LONGEST_PATH} bytes, got {data}; "
        "set TMPDIR to a short folder that can be written"
    )


class Speaker:
    """The library, initialised once in this process with a fixed seed."""

    def __init__(self, data_parent: Path) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate = self._library.espeak_Initialize(
            _SYNCHRONOUS_RETRIEVAL, 0, os.fsencode(data_parent), 0
        )
        if self._rate <= 0:
            raise RuntimeError(f"espeak_Initialize must give a sample rate, got {self._rate}")
        self._pieces: list[bytes] = []
        self._callback = _CALLBACK(self._keep)  # must outlive the library's use of it
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_ng_SetRandSeed(_SEED)

    def _keep(self, samples: Any, count: int, _events: Any) -> int:
        if count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    def render_utterance(self, job: dict[str, Any]) -> Rendering:
        """Speak one text; the result depends on the jobs before it, which are always the same."""
        voice, text = f"{job['language']}+{job['variant']}".encode(), job["text"].encode()
        self._pieces.clear()
        library = self._library
        if library.espeak_SetVoiceByName(voice) != 0:
            raise ValueError(f"language and variant must be known to espeak-ng, got {voice!r}")
        library.espeak_SetParameter(_RATE_PARAMETER, job["words_per_minute"], 0)
        library.espeak_SetParameter(_PITCH_PARAMETER, job["pitch"], 0)
        library.espeak_SetParameter(_RANGE_PARAMETER, job["intonation"], 0)
        library.espeak_Synth(text, len(text) + 1, 0, _AT_CHARACTER, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        audio = np.frombuffer(b"".join(self._pieces), "<i2") / np.float32(32768)
        return audio.astype(np.float32), self._rate


if __name__ == "__main__":
    with short_data_parent(Path(espeakng_loader.get_data_path())) as parent:
        serve(Speaker(parent).render_utterance)
