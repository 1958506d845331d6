"""Programs that make sound, each in a process of its own.

The synthesisers are libraries under the GPL and keep hidden state; a fresh process for each list of
jobs leaves both outside. Parent and child share one protocol: the jobs go in as a JSON list, and
for each job comes out a sample rate, a count and that many float32 samples.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hear_fusion.errors import InvalidError, ToolError
from hear_fusion.parallel.processes import child_environment

_HEADER = struct.Struct("<II")  # sample rate in Hz, number of samples

Rendering = tuple[NDArray[np.float32], int]


class RenderError(ToolError):
    """A sound program ended before its last job."""


def render(module: str, jobs: Sequence[Any]) -> Iterator[Rendering]:
    """Run a worker module and yield the sound of each job.

    Args:
        module: Name of a module that calls ``serve``.
        jobs: Whatever the worker takes, as JSON.

    Yields:
        Mono samples, shape (n_samples,), and their rate in Hz.

    Raises:
        RenderError: If the worker fails; its last words are in the message.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            # Blind to files in the current folder.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=child_environment(),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as stdin:
                stdin.write(json.dumps(jobs).encode())
            for _ in jobs:
                header = process.stdout.read(_HEADER.size)
                if len(header) < _HEADER.size:
                    break
                rate, count = _HEADER.unpack(header)
                audio = np.frombuffer(process.stdout.read(4 * count), dtype="<f4")
                yield audio, rate
            else:
                return
            process.wait()
            complaints.seek(0)
            last_words = complaints.read().decode(errors="replace").strip()[-500:]
            raise RenderError(
                f"{module} must answer {len(jobs)} jobs, got exit status {process.returncode} "
                f"before the last; it said: {last_words or 'nothing'}"
            )
        finally:
            # A child that still speaks meets a broken pipe and clears up behind itself.
            process.stdout.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serve(render_job: Callable[[Any], Rendering]) -> None:
    """Answer the jobs on standard input; the child's side of ``render``."""
    jobs: Iterable[Any] = json.load(sys.stdin)
    # C libraries print to descriptor 1 as they please: they get stderr, and we keep the pipe.
    with os.fdopen(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)
        for job in jobs:
            audio, rate = render_job(job)
            pipe.write(_HEADER.pack(rate, audio.size))
            pipe.write(audio.astype("<f4").tobytes())


def at_level(audio: NDArray[np.float32], peak_db: float) -> NDArray[np.float64]:
    """Scale a clip so that its peak lies at ``peak_db`` decibels of full scale.

    Args:
        audio: Samples, shape (n_samples,).
        peak_db: Peak in dB relative to full scale, at most 0.

    Returns:
        Scaled samples, shape (n_samples,), float64.

    Raises:
        ValueError: If the clip is silent (its peak is below -100 dB).

    >>> at_level(np.array([0.0, 0.1], np.float32), 0.0).tolist()
    [0.0, 1.0]
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 1e-5:
        raise InvalidError(
            f"audio must not be silent, got a peak of {peak}; is the note in the preset's range?"
        )
    return audio.astype(np.float64) * (10 ** (peak_db / 20) / peak)
