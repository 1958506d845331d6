"""The same work on many files, on all cores, in bounded memory.

Not by joblib (1.6): killed, it leaves processes behind that go on writing; its workers print
tracebacks at Ctrl-C; and it works ahead of whoever takes the results, without bound.
"""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import resource_tracker
from typing import TypeVar

from hear_fusion.errors import FileSystemError
from hear_fusion.parallel.processes import end_with_parent

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_BATCH = 8  # items a message: one alone may be done sooner than it gets to the process
_AHEAD = 3  # messages in flight for each process


def map_unordered(
    work: Callable[[_Item], _Result], items: Iterable[_Item], n_processes: int, batch: int = _BATCH
) -> Generator[_Result, None, None]:
    """Apply a function to items side by side and yield the results as they come, in any order.

    Leaving the loop, by an error or Ctrl-C, lets the items in flight end and starts no other.

    Args:
        work: A function of a module (processes are spawned and import it).
        items: Its arguments, taken as they are needed.
        n_processes: Number of processes; with 1 the work is done in this one.
        batch: Items a message.

    Raises:
        OSError: If a process was killed, as by a machine that is out of memory.
    """
    rest = iter(items)
    first = list(islice(rest, batch))
    if n_processes == 1 or len(first) < batch:
        yield from map(work, chain(first, rest))
        return
    batches = chain([first], iter(lambda: list(islice(rest, batch)), []))
    pool = ProcessPoolExecutor(
        n_processes, multiprocessing.get_context("spawn"), initializer=_obey_parent
    )
    running: set[Future[list[_Result]]] = set()
    try:
        for message in batches:
            with _interrupts_held():  # this is where processes are started
                running.add(pool.submit(_do, work, message))
            if len(running) >= _AHEAD * n_processes:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        for future in running:
            yield from future.result()
    except BrokenProcessPool as err:
        raise FileSystemError(
            "a process ended unexpectedly, perhaps for lack of memory; run again with fewer jobs"
        ) from err
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait for a moment; processes started meanwhile never get it.

    They inherit the mask. One that got it while it imports would print a traceback of its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It opens the mask when it starts, which it does on first use.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do(work: Callable[[_Item], _Result], batch: Sequence[_Item]) -> list[_Result]:
    return [work(item) for item in batch]


def _obey_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it should it be killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
