"""What the results in a folder have taken so far, over all runs that went on with them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hear_fusion.evaluate.machine import peak_memory
from hear_fusion.files import write_whole


class Effort:
    """Wall time by step and peak memory, kept in a file so that runs add up.

    Attributes:
        seconds: By step, in the order of the steps.
        peak_bytes: The highest of all runs.
    """

    def __init__(self, path: Path, recipe: str) -> None:
        """Go on with a file, if it is of the same recipe."""
        self._path, self._recipe = path, recipe
        self.seconds: dict[str, float] = {}
        self.peak_bytes = 0
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["recipe"] == recipe:
                self.seconds = {step: float(spent) for step, spent in found["seconds"].items()}
                self.peak_bytes = int(found["peak_bytes"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # none yet, or not one of ours: an account that begins anew

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began
            self.peak_bytes = max(self.peak_bytes, peak_memory())
            content = {
                "recipe": self._recipe,
                "seconds": self.seconds,
                "peak_bytes": self.peak_bytes,
            }
            write_whole(self._path, json.dumps(content, indent=2))
