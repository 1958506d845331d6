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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<II")  # sample rate in Hz, number of samples
_ROOT = Path(__file__).parents[2]

Rendering = tuple[NDArray[np.float32], int]


class RenderError(RuntimeError):
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
            command(module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment(),
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


def command(module: str, *arguments: str) -> list[str]:
    """Command that runs a module with this Python, blind to files in the current folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Environment in which a child finds this very package, installed or not."""
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
