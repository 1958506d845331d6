"""What a row of a feature table is about: a sound, a frame of it, or a window."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.errors import InvalidError
from hear_fusion.timeline import Timeline

_Times = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Rows:
    """What a row of a table is about.

    Attributes:
        kind: A whole ``sound``, a ``frame`` of it, or a ``window``.
        hop_ms: From frame to frame, in ms; None: the network's own.
        window_s: Length of a window in s. The last one of a sound ends with it, and a sound that is
            shorter is a window itself.
        step_s: From window to window, in s.

    Raises:
        ValueError: If a length is not positive, or a step leaves sound out.
    """

    kind: Literal["sound", "frame", "window"] = "sound"
    hop_ms: int | None = None
    window_s: float | None = None
    step_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse windows that cannot be."""
        if self.window_s is None or self.step_s is None:
            return
        if not 0.01 <= self.step_s <= self.window_s < float("inf"):
            raise InvalidError(
                "a step must be at least 0.01 s and no longer than the window, got a window of "
                f"{self.window_s:g} s every {self.step_s:g} s"
            )

    def windows(self, n_samples: int, sample_rate: int) -> list[int]:
        """Give the first samples of the windows of a sound.

        >>> Rows("window", window_s=5, step_s=2).windows(11, 1)
        [0, 2, 4, 6]
        >>> Rows("window", window_s=5, step_s=2).windows(12, 1)
        [0, 2, 4, 6, 7]
        """
        assert self.window_s is not None
        assert self.step_s is not None
        last = max(0, n_samples - round(self.window_s * sample_rate))
        n_more = ceil(last / (self.step_s * sample_rate))
        return [min(last, round(i * self.step_s * sample_rate)) for i in range(n_more + 1)]

    def times(self, segment: Segment, n_samples: int, timeline: Timeline) -> _Times:
        """Tell the parts of the recording that the rows of a segment are about.

        Args:
            segment: Which part of the recording was read.
            n_samples: How much that was, at the network's rate.
            timeline: The network's.

        Returns:
            Starts and stops in s from the beginning of the recording, shape (row,); those of a
            whole sound are the segment's own, NaN where it has none.
        """
        if self.kind == "sound":
            ends = (segment.start, segment.stop)
            start, stop = (np.array([np.nan if end is None else end]) for end in ends)
            return start, stop
        rate, offset = timeline.sample_rate, segment.start or 0.0
        if self.kind == "window":
            starts = np.array(self.windows(n_samples, rate)) / rate
            length = self.window_s or 0.0
        else:
            length = timeline.hop_samples(self.hop_ms) / rate
            centres = np.array(timeline.timestamps_ms(n_samples, self.hop_ms)) / 1000
            starts = np.maximum(0.0, centres - length / 2)
        return offset + starts, offset + np.minimum(starts + length, n_samples / rate)
