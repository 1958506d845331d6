"""What holds for every input: our own errors alone, in time, in bounded memory, and nothing run."""

from __future__ import annotations

import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from hear_fusion.errors import HearFusionError

Outcome = Literal["read", "refused"]
Body = Callable[[Any], Outcome | None]
LIMIT_S = 20.0
# Beyond what the process has; a header that promises terabytes must not be believed.
_MORE_BYTES = 3 << 30


class TooSlowError(BaseException):
    """An input took too long; no handler of errors shall swallow it."""


@contextmanager
def time_limit(seconds: float = LIMIT_S) -> Iterator[None]:
    """Break off what takes longer."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def memory_limit(n_bytes: int = _MORE_BYTES) -> Iterator[None]:
    """Let the process take so much more address space, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Sizes and times of everything below a folder, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        is_folder = path.is_dir() and not path.is_symlink()
        found[str(path)] = (-1, 0) if is_folder else (stat.st_size, stat.st_mtime_ns)
    return found


def outcome_of(read: Callable[..., object], *arguments: object, names: str = "") -> Outcome:
    """Read something; only our own errors may come, and they name it."""
    try:
        read(*arguments)
    except HearFusionError as err:
        told = str(err)
    else:
        return "read"
    assert names in told, f"the message must name {names}, got: {told}"
    return "refused"


class Shown:
    """An input whose text is short enough to read.

    Attributes:
        value: The input.
    """

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        text = repr(self.value)
        return text if len(text) < 2000 else f"{text[:1000]} ... {text[-1000:]}"


class Fuzz:
    """Feeds inputs to the test of one, and counts.

    Args:
        takes_all: Whether all inputs are wanted, or a few.
        canary: File that nothing may make.

    Attributes:
        counts: How many inputs were read, and how many refused.
    """

    def __init__(self, takes_all: bool, canary: Path) -> None:
        self._takes_all, self.canary = takes_all, canary
        self.counts: Counter[str] = Counter()

    def run(self, inputs: SearchStrategy[Any], body: Body, *, n: int, few: int) -> None:
        """Feed ``n`` inputs, or a ``few`` of them."""
        wanted = n if self._takes_all else few

        @seed(0)
        @settings(
            max_examples=wanted,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(inputs.map(Shown))
        def feed(given_input: Shown) -> None:
            self.feed(given_input.value, body)

        before = self.counts.total()
        with memory_limit():
            feed()
        assert self.counts.total() - before >= 0.9 * wanted

    def feed(self, given_input: Any, body: Body) -> None:
        """Feed one input."""
        try:
            with time_limit():
                outcome = body(given_input) or "read"
        except HearFusionError:
            outcome = "refused"
        assert not self.canary.exists(), "a file was obeyed"
        self.counts[outcome] += 1
