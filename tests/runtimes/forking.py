"""A program that forks while it computes: run by itself, it prints how its children ended.

Usage: python -m tests.runtimes.forking FOLDER, which holds a weight file of each network.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

import hear_fusion
from hear_fusion.backbones import REGISTRY
from hear_fusion.model import FusionModel
from hear_fusion.runtimes.precision import arithmetic

CPU = torch.device("cpu")
BACKENDS: Any = torch.backends
SECONDS = 30  # after which a child is taken to hang
AUDIO = 0.1 * torch.randn(2, 20000, generator=torch.Generator().manual_seed(0))


@contextmanager
def idle() -> Iterator[None]:
    """Nothing but this thread."""
    yield


@contextmanager
def call_under_way() -> Iterator[None]:
    """Another thread is within a call, for sure."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with arithmetic("fp32", CPU), arithmetic("fp32", CPU):
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        leave.set()
        thread.join()


@contextmanager
def computing() -> Iterator[None]:
    """Another thread computes without a pause."""
    leave, model = threading.Event(), MODELS["yamnet"]

    def work() -> None:
        while not leave.is_set():
            model.scenes(AUDIO.repeat(1, 8))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        leave.set()
        thread.join()


@contextmanager
def own_call() -> Iterator[None]:
    """This very thread is within a call."""
    with arithmetic("fp32", CPU):
        yield


def child_of(work: Callable[[], None]) -> int:
    """Do something in a forked child; return its exit code, or -9 if it hung."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as err:
            sys.stderr.write(f"{err!r}\n")
        finally:
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def use(name: str) -> None:
    """Compute in a child, and look whether it is as a process of its own."""
    assert torch.get_num_threads() == 1
    model, (scenes, frames) = MODELS[name], EXPECTED[name]
    torch.testing.assert_close(model.scenes(AUDIO), scenes, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.frames(AUDIO)[0], frames, rtol=1e-4, atol=1e-5)
    assert model.weights_sha256 == DIGESTS[name]


def look() -> None:
    """See the program's own switches, whatever a call of another thread has set aside."""
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"
    assert BACKENDS.mkldnn.matmul.fp32_precision == "tf32"
    with arithmetic("fp32", CPU):
        assert BACKENDS.mkldnn.conv.fp32_precision == "ieee"
    assert BACKENDS.mkldnn.conv.fp32_precision == "bf16"


def load_anew() -> None:
    """Load a network in a child."""
    model = hear_fusion.load("ast", FOLDER / "ast.pth")
    assert model.weights_sha256 == DIGESTS["ast"]


def grandchild() -> None:
    """Fork once more."""
    assert child_of(partial(use, "vggish")) == 0
    use("vggish")


def main() -> None:
    """Fork in each situation, and print exit codes as JSON."""
    BACKENDS.mkldnn.conv.fp32_precision = "bf16"
    BACKENDS.mkldnn.matmul.fp32_precision = "tf32"
    codes = {}
    for around in (idle, call_under_way, computing, own_call):
        works: dict[str, Callable[[], None]] = {
            f"use {name}": partial(use, name) for name in REGISTRY
        }
        works |= {"load": load_anew, "grandchild": grandchild}
        if around is not own_call:
            works["look"] = look
        with around():
            for what, work in works.items():
                codes[f"{around.__name__}, {what}"] = child_of(work)
        assert torch.get_num_threads() == 2
        look()
    sys.stdout.write(json.dumps(codes))


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    torch.set_num_threads(2)
    MODELS: dict[str, FusionModel] = {
        name: hear_fusion.load(name, FOLDER / f"{name}.pth") for name in REGISTRY
    }
    # With threads of OpenMP, which do not live on in a child.
    EXPECTED = {name: (m.scenes(AUDIO), m.frames(AUDIO)[0]) for name, m in MODELS.items()}
    DIGESTS = {name: model.weights_sha256 for name, model in MODELS.items()}
    main()
